//! The seeded generators of tables, for tests and benches.

use logodds::panels::{PANEL_ROWS, Panels};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Features uniform in -1 .. 1, and classes drawn at random: for single passes, where there is nothing to learn.
pub(crate) fn uniform(n_rows: usize, n_features: usize, n_classes: u32, seed: u64) -> (Panels, Vec<u32>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut panels = Panels::zeros(n_rows, n_features);
    for (k, column) in panels.values_mut().chunks_exact_mut(PANEL_ROWS).enumerate() {
        let rows = PANEL_ROWS.min(n_rows - k / n_features * PANEL_ROWS);
        column[..rows].fill_with(|| rng.random_range(-1.0..1.0));
    }
    let class = (0..n_rows).map(|_| rng.random_range(0..n_classes)).collect();
    (panels, class)
}
