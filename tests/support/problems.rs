//! Seeded problems in memory.

use logodds::objective::{Coefficients, HeldOut, ModelSpec, Penalty};
use logodds::panels::{PANEL_ROWS, Panels, Rows};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const CLASSES: usize = 5;
const FOLDS: u32 = 4;

/// A table and a stack over it.
pub(crate) struct Problem {
    pub(crate) panels: Panels,
    pub(crate) rows: Rows,
    pub(crate) models: Vec<ModelSpec>,
    pub(crate) coefficients: Coefficients,
}

/// A linear congruential generator of uniform numbers in -1 .. 1.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Values that float32 holds exactly.
    pub(crate) fn coefficients(&mut self, n_features: usize, n_models: usize, scale: f64) -> Coefficients {
        let mut out = Coefficients::zeros(n_features, n_models);
        out.values_mut().iter_mut().for_each(|w| *w = f64::from((scale * self.next()) as f32));
        out
    }
}

/// What engines are compared on: rows with some weights of 0, and models of different classes, class weights,
/// penalties and held-out folds. Coefficients get smaller with more features, so that predictors are of order 1.
pub(crate) fn problem(n_rows: usize, n_features: usize, n_models: usize) -> Problem {
    let mut noise = Noise((n_rows * 1_000_003 + n_features * 1009 + n_models) as u64);
    let mut panels = Panels::zeros(n_rows, n_features);
    let mut class = Vec::new();
    let mut weight = Vec::new();
    for slot in 0..n_rows {
        for feature in 0..n_features {
            let at = ((slot / PANEL_ROWS) * n_features + feature) * PANEL_ROWS + slot % PANEL_ROWS;
            panels.values_mut()[at] = noise.next() as f32;
        }
        class.push(((noise.next() + 1.0) * 0.5 * CLASSES as f64) as u32);
        weight.push(if slot % 7 == 3 { 0.0 } else { (1.0 + 0.5 * noise.next()) as f32 });
    }
    let fold: Vec<u32> = (0..n_rows as u32).map(|row| row * 7 % 11 % FOLDS).collect();
    let rows = Rows::with_folds(&class, &fold, &weight, CLASSES, FOLDS as usize);
    let models = (0..n_models)
        .map(|m| ModelSpec {
            class: (m % CLASSES) as u32,
            penalty: Penalty { l1: 0.001 * (m % 3) as f64, l2: 0.01 * (m % 4) as f64 },
            positive_weight: 1.0 + 0.5 * (m % 2) as f64,
            negative_weight: 1.0 - 0.25 * (m % 3) as f64,
            held_out: match m % 4 {
                // Every model needs rows to be trained on.
                _ if n_rows < 20 => HeldOut::NONE,
                1 => HeldOut::fold(m as u32 % FOLDS),
                3 => HeldOut::from(1 + m as u32 % (FOLDS - 1)),
                _ => HeldOut::NONE,
            },
        })
        .collect();
    let coefficients = noise.coefficients(n_features, n_models, 3.0 / (n_features as f64 + 1.0).sqrt());
    Problem { panels, rows, models, coefficients }
}

/// What solvers are run on: rows of features with mild correlation, and classes that follow a linear rule with noise.
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
    (0..n_classes).map(|class| ModelSpec { class: class as u32, penalty, ..ModelSpec::shared() }).collect()
}
