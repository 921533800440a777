//! Checks that a training table fits into memory.

use super::chunks::BATCH_ROWS;
use super::limits::available_memory;
use super::source::Source;
use crate::error::DataError;
use crate::panels::PANEL_ROWS;

/// Most bytes for a page of a column and its dictionary while decoding.
const PAGES: u64 = 2 << 20;
/// Bytes of a row in addition to its features: its code, class, weights, folds and slot.
const ROW: u64 = 32;

/// Bytes of `rows` rows in addition to their features.
pub(super) fn of_rows(rows: usize) -> u64 {
    (rows as u64).saturating_mul(ROW)
}

/// The memory that a table may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    bytes: u64,
    /// The part of `bytes` that is needed for other things than features.
    beside: u64,
}

impl Budget {
    /// The user's limit, else the available memory, else no limit.
    pub(crate) fn new(memory: Option<u64>) -> Self {
        Self { bytes: memory.or_else(available_memory).unwrap_or(u64::MAX), beside: 0 }
    }

    /// Reserves memory for the rows of the table and for decoding `columns`.
    ///
    /// # Errors
    /// The rows do not fit even without features.
    pub(crate) fn beside(mut self, source: &Source, columns: &[usize]) -> Result<Self, DataError> {
        self.beside = of_rows(source.n_rows());
        if self.beside > self.bytes {
            return Err(self.error(source.n_rows(), "no".to_owned(), self.beside, "none".to_owned()));
        }
        self.beside = self.beside.saturating_add(decoding(source, columns));
        Ok(self)
    }

    /// Number of features that fit for `n_rows` rows.
    pub(crate) fn features(&self, n_rows: usize) -> usize {
        let left = self.bytes.saturating_sub(self.beside);
        usize::try_from(left / feature(n_rows)).unwrap_or(usize::MAX - 1).min(usize::MAX - 1)
    }

    /// Checks that panels with columns of these widths fit, together with `more` bytes.
    ///
    /// # Errors
    /// They do not.
    pub(crate) fn check(&self, rows: usize, widths: &[(String, usize)], more: u64) -> Result<(), DataError> {
        if self.needed(rows, widths).saturating_add(more) > self.bytes {
            return Err(self.refuse_with(rows, widths, "", more));
        }
        Ok(())
    }

    /// The error for columns of these widths.
    pub(crate) fn refuse(&self, rows: usize, widths: &[(String, usize)], at_least: &str) -> DataError {
        self.refuse_with(rows, widths, at_least, 0)
    }

    fn refuse_with(&self, rows: usize, widths: &[(String, usize)], at_least: &str, more: u64) -> DataError {
        let features: usize = widths.iter().map(|(_, width)| width).sum();
        let mut widest: Vec<&(String, usize)> = widths.iter().collect();
        widest.sort_by_key(|(_, width)| std::cmp::Reverse(*width));
        let widest: Vec<String> =
            widest.iter().take(3).map(|(name, width)| format!("\"{name}\" ({at_least}{width})")).collect();
        let needed = self.needed(rows, widths).saturating_add(more);
        self.error(rows, format!("{at_least}{features}"), needed, widest.join(", "))
    }

    fn needed(&self, rows: usize, widths: &[(String, usize)]) -> u64 {
        let features: usize = widths.iter().map(|(_, width)| width).sum();
        feature(rows).saturating_mul(features as u64).saturating_add(self.beside)
    }

    fn error(&self, rows: usize, features: String, needed: u64, widest: String) -> DataError {
        DataError::Memory { rows, features, needed, available: self.bytes, widest }
    }
}

/// Bytes of one feature of `n_rows` rows.
fn feature(n_rows: usize) -> u64 {
    (n_rows.next_multiple_of(PANEL_ROWS).max(1) * size_of::<f32>()) as u64
}

/// Bytes for decoding on all threads: the pages of the columns that each thread reads together, and batches
/// of their values.
fn decoding(source: &Source, columns: &[usize]) -> u64 {
    let together = (columns.len() / 128).clamp(1, 256) as u64;
    let column = columns.iter().map(|&column| pages(source, column)).max().unwrap_or(0);
    let batch = (BATCH_ROWS.min(source.n_rows()) * size_of::<f64>()) as u64;
    (rayon::current_num_threads() as u64)
        .saturating_mul(together)
        .saturating_mul(column.saturating_add(2 * batch))
}

/// Bytes of pages while decoding a column, in the row group where it is largest.
pub(super) fn pages(source: &Source, column: usize) -> u64 {
    source.groups.iter().map(|group| source.chunk_bytes(group, column).min(PAGES)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_counts_what_lies_beside_the_panels() {
        let budget = Budget { bytes: 10_000, beside: 4000 };
        assert_eq!(budget.features(256), 5);
        let widths = |width| [("a".to_owned(), width)];
        assert!(budget.check(256, &widths(5), 0).is_ok());
        assert!(budget.check(256, &widths(4), 1905).is_err());
        let error = budget.check(256, &widths(5), 881).expect_err("too much").to_string();
        assert!(error.contains("10001 bytes") && error.contains("\"a\" (5)"), "{error}");
    }
}
