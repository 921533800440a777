//! How many rows of a table fit into memory at a time, where it is read block by block.

use super::known::Known;
use super::limits::available_memory;
use super::memory::pages;
use super::{Encoding, Source};
use crate::error::DataError;
use crate::panels::PANEL_ROWS;

/// Two blocks are in memory at a time, of two float32 words for each feature; and one array of float64.
const FEATURE: u64 = 2 * 2 * 4 + 8;
/// What a column takes while it is open, beside its pages.
const COLUMN: u64 = 16 << 10;
/// A bound below this says nothing of blocks: the program takes as much before it has read anything.
const LEAST: u64 = 16 << 20;

/// Rows of a block, at most `wanted`, such that blocks stay within `memory`, by default what is available. A row takes
/// `beside` bytes beside its features in these encodings, and the caller `fixed` bytes whatever the rows.
///
/// # Errors
/// The columns are not those of training, or not even the smallest block fits.
pub fn block_rows(
    source: &Source,
    encodings: &[&Encoding],
    (beside, fixed): (u64, u64),
    wanted: usize,
    memory: Option<u64>,
) -> crate::Result<usize> {
    let mut columns = Vec::new();
    for encoding in encodings {
        columns.extend(Known::new(source, encoding).map_err(|error| source.name_in(error.into()))?.columns);
    }
    columns.sort_unstable();
    columns.dedup();
    let open: u64 = columns.iter().map(|&column| pages(source, column) + COLUMN).sum();
    let features: u64 = encodings.iter().map(|encoding| encoding.n_features() as u64).sum();
    let row = features.saturating_mul(FEATURE).saturating_add(beside);
    let fixed = fixed.saturating_add(open);
    let available = memory.map(|bytes| bytes.max(LEAST)).or_else(available_memory).unwrap_or(u64::MAX);
    let fitting = usize::try_from(available.saturating_sub(fixed) / row.max(1)).unwrap_or(usize::MAX);
    let most = wanted.min(source.n_rows()).next_multiple_of(PANEL_ROWS);
    match fitting.min(most) / PANEL_ROWS * PANEL_ROWS {
        0 => Err(DataError::BlockMemory {
            rows: PANEL_ROWS,
            features: features as usize,
            needed: fixed.saturating_add(row.saturating_mul(PANEL_ROWS as u64)),
            available,
        }
        .into()),
        rows => Ok(rows),
    }
}
