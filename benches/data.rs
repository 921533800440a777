//! The one seeded generator of bench inputs.

use logodds::objective::{ModelSpec, Penalty};
use logodds::panels::{PANEL_ROWS, Panels, Rows};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Uniform features of unit variance, classes drawn at random.
pub(crate) fn table(n_rows: usize, n_features: usize, n_classes: u32) -> (Panels, Rows) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut panels = Panels::zeros(n_rows, n_features);
    let width = 12f32.sqrt();
    for (p, panel) in panels.values_mut().chunks_exact_mut(PANEL_ROWS * n_features).enumerate() {
        for column in panel.chunks_exact_mut(PANEL_ROWS) {
            let rows = PANEL_ROWS.min(n_rows - p * PANEL_ROWS);
            column[..rows].fill_with(|| (rng.random::<f32>() - 0.5) * width);
        }
    }
    let class = (0..n_rows).map(|_| rng.random_range(0..n_classes)).collect();
    (panels, Rows::new(class, &vec![1.0; n_rows], n_classes as usize))
}

/// One model per class, cycled.
pub(crate) fn models(n_models: usize, n_classes: u32) -> Vec<ModelSpec> {
    (0..n_models as u32)
        .map(|m| ModelSpec {
            class: m % n_classes,
            penalty: Penalty { l1: 0.0, l2: 1e-4 },
            ..ModelSpec::shared()
        })
        .collect()
}

/// Correlated features, and classes that follow a linear rule with noise, so that there is something to learn.
pub(crate) fn learnable(n_rows: usize, n_features: usize, n_classes: u32) -> (Panels, Rows) {
    let mut rng = StdRng::seed_from_u64(2);
    let rules: Vec<f32> = (0..n_classes as usize * n_features).map(|_| rng.random::<f32>() - 0.5).collect();
    let mut panels = Panels::zeros(n_rows, n_features);
    let mut class = vec![0; n_rows];
    let noise = 2.0 * (n_features as f32).sqrt() / n_features as f32;
    let panel_len = panels.panel_len();
    for (panel, class) in panels.values_mut().chunks_exact_mut(panel_len).zip(class.chunks_mut(PANEL_ROWS)) {
        for (lane, class) in class.iter_mut().enumerate() {
            // Neighbouring columns share most of their values.
            let mut x = 0.0;
            for column in panel.chunks_exact_mut(PANEL_ROWS) {
                x = 0.8 * x + 2.0 * (rng.random::<f32>() - 0.5);
                column[lane] = x;
            }
            let mut score = |c: usize| -> f32 {
                let rule = &rules[c * n_features..][..n_features];
                let columns = panel.chunks_exact(PANEL_ROWS);
                let linear: f32 = columns.zip(rule).map(|(column, w)| column[lane] * w).sum();
                linear * noise + 2.0 * (rng.random::<f32>() - 0.5)
            };
            let scores: Vec<f32> = (0..n_classes as usize).map(&mut score).collect();
            let best = (0..n_classes).max_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]));
            *class = best.expect("a class");
        }
    }
    (panels, Rows::new(class, &vec![1.0; n_rows], n_classes as usize))
}
