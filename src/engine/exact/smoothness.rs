//! How long a gradient step may be, measured on a sample of the data.

use pulp::{Simd, WithSimd};

use super::products::{PanelTile, gradients, predictors};
use crate::objective::{Coefficients, Coordinates, HeldOut, ModelSpec};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Values of X that the estimate reads at most: some milliseconds of work.
const SAMPLE_VALUES: usize = 1 << 21;

/// Enough for the largest eigenvalue to a few percent; the step adapts from there.
const POWER_ITERATIONS: usize = 12;

/// Curvature of a model's loss, an upper bound by `sigmoid' <= 1/4`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothness {
    /// `lambda_max((1/S) sum_i s_i [x_i, 1] [x_i, 1]') / 4`: curvature of the mean loss.
    pub mean: f64,
    /// `max_i (n s_i / S) |[x_i, 1]|^2 / 4`: curvature of the loss of the worst row.
    pub worst_row: f64,
}

impl Smoothness {
    /// Expected smoothness of a mini-batch of `batch_rows` rows drawn from `n_rows`.
    ///
    /// ```text
    /// L(b) = n (b - 1) / (b (n - 1)) L + (n - b) / (b (n - 1)) L_max
    /// ```
    ///
    /// # References
    /// Gower, Loizou, Qian, Sailanbayev, Shulgin and Richtárik, SGD: General Analysis and Improved Rates, ICML 2019.
    pub fn of_batch(&self, batch_rows: usize, n_rows: usize) -> f64 {
        if n_rows <= 1 || batch_rows >= n_rows {
            return self.mean;
        }
        let (b, n) = (batch_rows as f64, n_rows as f64);
        n * (b - 1.0) / (b * (n - 1.0)) * self.mean + (n - b) / (b * (n - 1.0)) * self.worst_row
    }
}

/// The smoothness of each model's loss, from evenly spaced panels. Models that weigh rows alike share it.
pub fn smoothness(
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    coordinates: &Coordinates,
) -> Vec<Smoothness> {
    let intercept = coordinates.intercept().is_some();
    let d = panels.n_features();
    let wanted = (SAMPLE_VALUES / (PANEL_ROWS * d.max(1))).max(4);
    let step = panels.n_panels().div_ceil(wanted).max(1);
    let sample: Vec<usize> = (0..panels.n_panels()).step_by(step).collect();
    let mut known: Vec<((Option<u32>, HeldOut), Smoothness)> = Vec::new();
    models
        .iter()
        .map(|model| {
            let uniform = model.positive_weight == model.negative_weight;
            let key = ((!uniform).then_some(model.class), model.held_out);
            if let Some((_, found)) = known.iter().find(|(k, _)| *k == key) {
                return *found;
            }
            let weights = sample_weights(rows, model, &sample);
            let found = Smoothness {
                mean: largest_eigenvalue(panels, &sample, &weights, intercept) / 4.0,
                worst_row: worst_row(panels, &sample, &weights, intercept) / 4.0,
            };
            known.push((key, found));
            found
        })
        .collect()
}

/// Row weights of the sampled panels, scaled to mean 1 over their rows.
fn sample_weights(rows: &Rows, model: &ModelSpec, sample: &[usize]) -> Vec<f64> {
    let mut weights = Vec::with_capacity(sample.len() * PANEL_ROWS);
    let mut n_rows = 0;
    for &p in sample {
        for slot in p * PANEL_ROWS..(p + 1) * PANEL_ROWS {
            weights.push(model.weight(rows.labels()[slot], rows.exact_weight(slot)));
            n_rows += usize::from(slot < rows.n_rows());
        }
    }
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        weights.iter_mut().for_each(|w| *w *= n_rows as f64 / sum);
    }
    weights
}

/// Power iteration on `(1/n) sum_i s_i x_i x_i'`, from a fixed start.
fn largest_eigenvalue(panels: &Panels, sample: &[usize], weights: &[f64], intercept: bool) -> f64 {
    let d = panels.n_features();
    let n = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut v = Coefficients::zeros(d, 1);
    // Signs without a pattern, so that no leading eigenvector is orthogonal to the start.
    for (j, value) in v.values_mut().iter_mut().enumerate() {
        *value = if (j as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == 0 { 1.0 } else { -0.7 };
    }
    if !intercept {
        v.values_mut()[d] = 0.0;
    }
    let mut eigenvalue = 0.0;
    for _ in 0..POWER_ITERATIONS {
        let norm = v.values().iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            break;
        }
        v.values_mut().iter_mut().for_each(|x| *x /= norm);
        let product = apply(panels, sample, weights, &v, intercept);
        eigenvalue = product.iter().map(|x| x * x).sum::<f64>().sqrt() / n;
        v.values_mut().copy_from_slice(&product);
    }
    eigenvalue
}

/// `sum_i s_i x_i (x_i . v)`.
fn apply(panels: &Panels, sample: &[usize], weights: &[f64], v: &Coefficients, intercept: bool) -> Vec<f64> {
    let mut out = vec![0.0; panels.n_features() + 1];
    pulp::Arch::new().dispatch(Apply { panels, sample, weights, v, out: &mut out });
    if !intercept {
        out[panels.n_features()] = 0.0;
    }
    out
}

struct Apply<'a> {
    panels: &'a Panels,
    sample: &'a [usize],
    weights: &'a [f64],
    v: &'a Coefficients,
    out: &'a mut [f64],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { panels, sample, weights, v, out } = self;
        let d = panels.n_features();
        let mut z: [PanelTile<1>; 1] = [[[0.0; PANEL_ROWS]]];
        for (&p, weights) in sample.iter().zip(weights.chunks_exact(PANEL_ROWS)) {
            predictors(simd, (panels, p), v, 0..1, &mut z[0]);
            for (z, s) in z[0][0].iter_mut().zip(weights) {
                *z *= s;
            }
            out[d] += z[0][0].iter().sum::<f64>();
            gradients(simd, (panels, p), &z, |j, sums| out[j] += sums[0][0]);
        }
    }
}

/// `max_i s_i |[x_i, 1]|^2`.
fn worst_row(panels: &Panels, sample: &[usize], weights: &[f64], intercept: bool) -> f64 {
    let mut worst: f64 = 0.0;
    for (&p, weights) in sample.iter().zip(weights.chunks_exact(PANEL_ROWS)) {
        let mut norms = [if intercept { 1.0 } else { 0.0 }; PANEL_ROWS];
        for column in panels.panel(p).chunks_exact(PANEL_ROWS) {
            for (norm, &x) in norms.iter_mut().zip(column) {
                *norm += f64::from(x) * f64::from(x);
            }
        }
        worst = norms.iter().zip(weights).fold(worst, |worst, (norm, s)| worst.max(norm * s));
    }
    worst
}
