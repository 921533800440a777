//! Whether the panels fit into memory.

use crate::error::DataError;
use crate::panels::PANEL_ROWS;

/// The memory that a table may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    bytes: u64,
}

impl Budget {
    /// What the user says, else what the system has available, else no limit.
    pub(crate) fn new(memory: Option<u64>) -> Self {
        Self { bytes: memory.or_else(available_memory).unwrap_or(u64::MAX) }
    }

    /// Features that fit for so many rows.
    pub(crate) fn features(&self, n_rows: usize) -> usize {
        let feature = (n_rows.next_multiple_of(PANEL_ROWS).max(1) * size_of::<f32>()) as u64;
        usize::try_from(self.bytes / feature).unwrap_or(usize::MAX - 1).min(usize::MAX - 1)
    }

    /// The error for columns of so many features each.
    pub(crate) fn refuse(&self, rows: usize, widths: &[(String, usize)], at_least: &str) -> DataError {
        let features: usize = widths.iter().map(|(_, width)| width).sum();
        let mut widest: Vec<&(String, usize)> = widths.iter().collect();
        widest.sort_by_key(|(_, width)| std::cmp::Reverse(*width));
        let widest: Vec<String> =
            widest.iter().take(3).map(|(name, width)| format!("\"{name}\" ({at_least}{width})")).collect();
        DataError::Memory {
            rows,
            features: format!("{at_least}{features}"),
            needed: (features * size_of::<f32>()) as u64 * rows.next_multiple_of(PANEL_ROWS) as u64,
            available: self.bytes,
            widest: widest.join(", "),
        }
    }
}

/// Memory that the system can give without swapping, where it says so.
pub fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
