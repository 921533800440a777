//! A share of the panels, for passes that need not see every row.

/// Every `stride`-th panel, from the first on.
///
/// The reader deals rows over panels at random (see `data`), so a sample of panels is a random
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

    /// Distance between two panels of the sample.
    pub fn stride(self) -> usize {
        self.stride
    }

    /// Whether it is the whole table.
    pub fn is_all(self) -> bool {
        self.stride == 1
    }

    /// Panels of the sample in a table of `n_panels`.
    pub fn n_panels(self, n_panels: usize) -> usize {
        n_panels.div_ceil(self.stride)
    }

    /// Number of the `k`-th panel of the sample.
    pub fn panel(self, k: usize) -> usize {
        k * self.stride
    }
}
