//! A subset of the panels, for passes that do not need every row.

/// Every `stride`-th panel, starting with the first.
///
/// The reader deals rows to panels at random (see `data/deal.rs`), so a sample of panels is a random
/// sample of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    stride: usize,
}

impl Sample {
    /// All panels.
    pub const ALL: Self = Self { stride: 1 };

    /// Every `stride`-th panel.
    ///
    /// # Panics
    /// If `stride` is 0.
    pub fn every(stride: usize) -> Self {
        assert!(stride > 0, "a stride of at least 1");
        Self { stride }
    }

    /// Distance between neighbouring panels of the sample.
    pub fn stride(self) -> usize {
        self.stride
    }

    /// Whether this is the whole table.
    pub fn is_all(self) -> bool {
        self.stride == 1
    }

    /// Number of sampled panels in a table of `n_panels`.
    pub fn n_panels(self, n_panels: usize) -> usize {
        n_panels.div_ceil(self.stride)
    }

    /// Index in the table of the `k`-th panel of the sample.
    pub fn panel(self, k: usize) -> usize {
        k * self.stride
    }
}
