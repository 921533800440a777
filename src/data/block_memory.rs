//! Chooses the number of rows per block so that block-wise reading fits into memory.

use super::known::Known;
use super::limits::available_memory;
use super::memory::pages;
use super::{Encoding, Source};
use crate::error::DataError;
use crate::panels::PANEL_ROWS;

/// Bytes per row and feature: two blocks of two float32 words, and one float64 array.
const FEATURE: u64 = 2 * 2 * 4 + 8;
/// Bytes of an open column in addition to its pages.
const COLUMN: u64 = 16 << 10;
/// Smaller memory limits are raised to this: the program itself takes as much before it reads anything.
const LEAST: u64 = 16 << 20;

/// The largest number of rows per block, at most `wanted`, for which blocks stay within `memory` (default:
/// the available memory).
///
/// The features of all `encodings` are counted. Each row takes `beside` further bytes, and the caller needs
/// `fixed` bytes regardless of the number of rows.
///
/// # Errors
/// The columns do not match those of training, or not even the smallest block fits.
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
