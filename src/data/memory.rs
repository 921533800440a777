//! Whether what training holds fits into memory.

use super::chunks::BATCH_ROWS;
use super::limits::available_memory;
use super::source::Source;
use crate::error::DataError;
use crate::panels::PANEL_ROWS;

/// What a page of a column takes while it is decoded, with its dictionary, where its chunk is not smaller.
const PAGES: u64 = 2 << 20;
/// Bytes that a row has beside its features: its code, its class, its weights and folds, and its place.
const ROW: u64 = 32;

/// Bytes that so many rows have beside their features.
pub(super) fn of_rows(rows: usize) -> u64 {
    (rows as u64).saturating_mul(ROW)
}

/// The memory that a table may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    bytes: u64,
    /// Of these, what is needed beside features of rows.
    beside: u64,
}

impl Budget {
    /// What the user says, else what the system has available, else no limit.
    pub(crate) fn new(memory: Option<u64>) -> Self {
        Self { bytes: memory.or_else(available_memory).unwrap_or(u64::MAX), beside: 0 }
    }

    /// Less what each row of the table takes, and what decoding it does.
    ///
    /// # Errors
    /// The rows alone do not fit.
    pub(crate) fn beside(mut self, source: &Source, columns: &[usize]) -> Result<Self, DataError> {
        self.beside = of_rows(source.n_rows());
        if self.beside > self.bytes {
            return Err(self.error(source.n_rows(), "no".to_owned(), self.beside, "none".to_owned()));
        }
        self.beside = self.beside.saturating_add(decoding(source, columns));
        Ok(self)
    }

    /// Features that fit for so many rows.
    pub(crate) fn features(&self, n_rows: usize) -> usize {
        let left = self.bytes.saturating_sub(self.beside);
        usize::try_from(left / feature(n_rows)).unwrap_or(usize::MAX - 1).min(usize::MAX - 1)
    }

    /// Checks that panels of so many features fit, with `more` bytes beside them.
    ///
    /// # Errors
    /// They do not.
    pub(crate) fn check(&self, rows: usize, widths: &[(String, usize)], more: u64) -> Result<(), DataError> {
        if self.needed(rows, widths).saturating_add(more) > self.bytes {
            return Err(self.refuse_with(rows, widths, "", more));
        }
        Ok(())
    }

    /// The error for columns of so many features each.
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

/// Bytes of a feature of so many rows.
fn feature(n_rows: usize) -> u64 {
    (n_rows.next_multiple_of(PANEL_ROWS).max(1) * size_of::<f32>()) as u64
}

/// What the threads take while each decodes some of the columns: their pages, and a batch in Arrow's layout.
fn decoding(source: &Source, columns: &[usize]) -> u64 {
    let together = (columns.len() / 128).clamp(1, 256) as u64;
    let column = columns.iter().map(|&column| pages(source, column)).max().unwrap_or(0);
    let batch = (BATCH_ROWS.min(source.n_rows()) * size_of::<f64>()) as u64;
    (rayon::current_num_threads() as u64)
        .saturating_mul(together)
        .saturating_mul(column.saturating_add(2 * batch))
}

/// What decoding a column takes at a time, in the row group where it is largest.
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
