//! Seeded problems in memory.

use logodds::objective::{HeldOut, ModelSpec, Penalty};
use logodds::panels::{Panels, Rows};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Rows of features with mild correlation, and classes that follow a linear rule with noise.
pub(crate) fn table(n_rows: usize, n_features: usize, n_classes: usize, seed: u64) -> (Panels, Rows) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut values = Vec::with_capacity(n_rows * n_features);
    let mut class = Vec::with_capacity(n_rows);
    let mut weight = Vec::with_capacity(n_rows);
    for _ in 0..n_rows {
        let common: f32 = rng.random::<f32>() - 0.5;
        let row: Vec<f32> = (0..n_features).map(|_| common + 3.0 * (rng.random::<f32>() - 0.5)).collect();
        let score = |c: usize| -> f32 {
            let linear: f32 = row.iter().enumerate().map(|(j, x)| x * ((j * 7 + c * 3) % 5) as f32).sum();
            0.3 * linear + 2.0 * rng.random::<f32>()
        };
        let scores: Vec<f32> = (0..n_classes).map(score).collect();
        let best = (0..n_classes).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("a class");
        class.push(u32::try_from(best).expect("few classes"));
        weight.push(0.5 + rng.random::<f32>());
        values.extend(row);
    }
    (Panels::from_rows(&values, n_features), Rows::new(class, &weight, n_classes))
}

/// One model per class, all with the same penalty.
pub(crate) fn one_vs_rest(n_classes: usize, penalty: Penalty) -> Vec<ModelSpec> {
    (0..n_classes)
        .map(|class| ModelSpec {
            class: u32::try_from(class).expect("few classes"),
            penalty,
            positive_weight: 1.0,
            negative_weight: 1.0,
            held_out: HeldOut::NONE,
        })
        .collect()
}
