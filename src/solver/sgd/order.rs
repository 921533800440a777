//! The order of panels and batches.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::panels::PANEL_ROWS;

/// The seeded order of panels and batches. It depends on the table alone, so a model is led the same
/// way whatever else is in the stack.
pub(super) struct Order {
    pub(super) panels: Vec<u32>,
    pub(super) batches: Vec<u32>,
    whole_panels: usize,
    rng: StdRng,
}

impl Order {
    #[allow(clippy::cast_possible_truncation, reason = "u32 panels are 2^40 rows")]
    pub(super) fn new(n_rows: usize, batch_rows: usize, seed: u64) -> Self {
        Self {
            panels: (0..n_rows.div_ceil(PANEL_ROWS) as u32).collect(),
            batches: (0..n_rows.div_ceil(batch_rows.max(1)) as u32).collect(),
            whole_panels: n_rows / PANEL_ROWS,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub(super) fn n_batches(&self) -> usize {
        self.batches.len()
    }

    /// A new order; a partly filled panel stays last.
    pub(super) fn shuffle(&mut self) {
        self.panels[..self.whole_panels].shuffle(&mut self.rng);
        self.batches.shuffle(&mut self.rng);
    }
}
