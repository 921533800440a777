//! The float64 evaluation that every finished model gets.

use rayon::prelude::*;

use super::float64::{PanelTile, TILE, gradients, predictors};
use super::{Coefficients, ModelSpec, Penalty, log1pexp, sigmoid};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Panels summed by one task; fixed, so that the sum does not depend on the number of threads.
const PANELS_PER_TASK: usize = 64;

/// What is known of a model at its final coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    /// The objective, penalties included.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in the units of the gradient.
    pub kkt_residual: f64,
}

/// The largest violation of the optimality conditions at a model's column of coefficients, given
/// the gradient of its mean loss there (both with the intercept last).
///
/// `offsets[j]` is what the panels subtracted from feature j beyond the space of the objective (0
/// where the objective itself is centred): the gradient there is `g_j + offset_j g_b`. Without an
/// intercept, `g_b` is no condition.
pub fn kkt_residual(
    penalty: &Penalty,
    coefficients: &[f64],
    gradient: &[f64],
    offsets: &[f64],
    intercept: bool,
) -> f64 {
    let d = offsets.len();
    let g_b = gradient[d];
    let features = (0..d).map(|j| penalty.kkt_residual(coefficients[j], gradient[j] + offsets[j] * g_b));
    // NaN must not vanish in a maximum: a diverged model has no residual to be proud of.
    features
        .chain(intercept.then_some(g_b.abs()))
        .fold(0.0, |a: f64, b| if b.is_nan() || b > a { b } else { a })
}

/// Objective and KKT residual of every model, in float64, whatever device trained it.
///
/// `offsets` and `intercept` are those of [`kkt_residual`].
///
/// # Panics
/// If the shapes disagree.
pub fn certify(
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    offsets: &[f64],
    intercept: bool,
) -> Vec<Certificate> {
    assert_eq!(models.len(), coefficients.n_models(), "a column of coefficients for each model");
    assert_eq!(panels.n_features(), coefficients.n_features(), "a coefficient for each feature");
    assert_eq!(panels.n_features(), offsets.len(), "an offset for each feature");
    let mut certificates = Vec::with_capacity(models.len());
    for first in (0..models.len()).step_by(TILE) {
        let tile = first..(first + TILE).min(models.len());
        let sums = tile_sums(panels, rows, models, coefficients, first);
        for (k, m) in tile.enumerate() {
            let (scale, penalty) = (1.0 / models[m].weight_sum(rows), &models[m].penalty);
            let gradient: Vec<f64> = sums.gradient.iter().map(|g| g[k] * scale).collect();
            certificates.push(Certificate {
                objective: sums.loss[k] * scale + penalty.value(coefficients.features(m)),
                kkt_residual: kkt_residual(penalty, coefficients.model(m), &gradient, offsets, intercept),
            });
        }
    }
    certificates
}

struct Sums {
    loss: [f64; TILE],
    /// One row per feature, the intercept's last.
    gradient: Vec<[f64; TILE]>,
}

/// Loss and gradient sums of up to [`TILE`] models from `first` on: one walk over X.
fn tile_sums(panels: &Panels, rows: &Rows, models: &[ModelSpec], w: &Coefficients, first: usize) -> Sums {
    let models = &models[first..(first + TILE).min(models.len())];
    let n_tasks = panels.n_panels().div_ceil(PANELS_PER_TASK);
    let partials: Vec<Sums> = (0..n_tasks)
        .into_par_iter()
        .map(|task| {
            let mut sums = Sums::zeros(panels.n_features());
            let last = ((task + 1) * PANELS_PER_TASK).min(panels.n_panels());
            pulp::Arch::new().dispatch(|| {
                for p in task * PANELS_PER_TASK..last {
                    sums.add_panel(panels.panel(p), rows, p * PANEL_ROWS, models, w, first);
                }
            });
            sums
        })
        .collect();
    let mut sums = Sums::zeros(panels.n_features());
    for partial in &partials {
        sums.add(partial);
    }
    sums
}

impl Sums {
    fn zeros(n_features: usize) -> Self {
        Self { loss: [0.0; TILE], gradient: vec![[0.0; TILE]; n_features + 1] }
    }

    fn add(&mut self, other: &Self) {
        let pairs = self.gradient.iter_mut().zip(&other.gradient);
        for (a, b) in pairs.chain([(&mut self.loss, &other.loss)]) {
            for (a, b) in a.iter_mut().zip(b) {
                *a += b;
            }
        }
    }

    #[inline(always)]
    fn add_panel(
        &mut self,
        panel: &[f32],
        rows: &Rows,
        slot: usize,
        models: &[ModelSpec],
        w: &Coefficients,
        first: usize,
    ) {
        let mut z: PanelTile = [[0.0; PANEL_ROWS]; TILE];
        predictors(panel, w, first..first + models.len(), &mut z);
        let (class, weight) = (&rows.class()[slot..][..PANEL_ROWS], &rows.weight()[slot..][..PANEL_ROWS]);
        let intercept = self.gradient.len() - 1;
        for (k, z) in z.iter_mut().enumerate() {
            let Some(model) = models.get(k) else { break };
            for i in 0..PANEL_ROWS {
                let positive = class[i] == model.class;
                let (factor, y) =
                    if positive { (model.positive_weight, 1.0) } else { (model.negative_weight, 0.0) };
                let s = f64::from(weight[i]) * factor;
                let r = if s == 0.0 { 0.0 } else { s * (sigmoid(z[i]) - y) };
                // log(1 + exp(z)) - y z without the cancellation at large z.
                self.loss[k] +=
                    if s == 0.0 { 0.0 } else { s * log1pexp(if positive { -z[i] } else { z[i] }) };
                self.gradient[intercept][k] += r;
                z[i] = r;
            }
        }
        gradients(panel, &z, |j, sums| {
            for (a, b) in self.gradient[j].iter_mut().zip(sums) {
                *a += b;
            }
        });
    }
}
