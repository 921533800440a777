//! How close to optimal a model is, in float64: what every finished model gets.

use super::{Coefficients, Exact, Gaps, HeldOutSums, ModelSpec, Penalty, evaluate};
use crate::panels::{Panels, Rows};

/// What is known of a model at its final coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    /// The objective, penalties included.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in the units of the gradient.
    pub kkt_residual: f64,
    /// A bound on how far the objective is above its minimum; `None` where it was not asked for, and without
    /// a penalty, where the dual problem has no point that a gradient leads to.
    pub duality_gap: Option<f64>,
    /// Sums over the fold that the model is scored on, if one is held out.
    pub held_out: Option<HeldOutSums>,
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

/// The objective below which its own size is no measure of how close to the minimum it must be.
const LEAST_OBJECTIVE: f64 = 1e-3;

impl Certificate {
    /// How far the objective may be above its minimum, for a residual tolerance.
    pub fn distance_allowed(objective: f64, tolerance: f64) -> f64 {
        tolerance * objective.abs().max(LEAST_OBJECTIVE)
    }

    /// Whether residual and duality gap are within the tolerance, which is relative to the objective for the gap.
    /// Without a gap, the residual decides.
    pub fn is_within(&self, tolerance: f64) -> bool {
        self.kkt_residual <= tolerance
            && self.duality_gap.is_none_or(|gap| gap <= Self::distance_allowed(self.objective, tolerance))
    }
}

impl Exact {
    /// The certificate of the `m`-th model of an evaluation at `coefficients`.
    ///
    /// `offsets` and `intercept` are those of [`kkt_residual`].
    pub fn certificate(
        &self,
        m: usize,
        model: &ModelSpec,
        coefficients: &[f64],
        offsets: &[f64],
        intercept: bool,
    ) -> Certificate {
        let penalty = &model.penalty;
        let objective = self.evaluation.loss[m] + penalty.value(&coefficients[..offsets.len()]);
        Certificate {
            objective,
            kkt_residual: kkt_residual(
                penalty,
                coefficients,
                self.evaluation.gradient.model(m),
                offsets,
                intercept,
            ),
            duality_gap: self.duality_gap(m, penalty, objective, offsets.len(), intercept),
            held_out: self.held_out[m],
        }
    }

    /// Objective minus the value of a dual point made of the residuals r.
    ///
    /// ```text
    /// D(a) = -(1/S) sum_i s_i f*(a_i) - P*(-(1/S) X' s a),    sum_i s_i a_i = 0 if there is an intercept
    /// P*(u) = sum_j max(|u_j| - l1, 0)^2 / (2 l2);   for l2 = 0 all |u_j| must be within l1
    /// ```
    ///
    /// Residuals are positive where y = 0 and negative where y = 1; shrinking one side balances their
    /// sum, shrinking all makes them feasible for l2 = 0, and `f*(c a) <= c f*(a)` for c in 0 .. 1, as
    /// f* is convex and f*(0) = 0. So the bound needs no other pass over the rows.
    fn duality_gap(
        &self,
        m: usize,
        penalty: &Penalty,
        objective: f64,
        n_features: usize,
        intercept: bool,
    ) -> Option<f64> {
        if penalty.l1 == 0.0 && penalty.l2 == 0.0 {
            return None;
        }
        let dual = self.dual.as_ref()?;
        let (all, positive) = (self.evaluation.gradient.model(m), dual.positive.model(m));
        let sides = [all[n_features] - positive[n_features], -positive[n_features]];
        let balance = if intercept {
            let less = sides[0].min(sides[1]);
            sides.map(|side| if side > 0.0 { less / side } else { 0.0 })
        } else {
            [1.0; 2]
        };
        let balanced = |j: usize| balance[0] * (all[j] - positive[j]) + balance[1] * positive[j];
        let largest = (0..n_features).fold(0.0, |a: f64, j| a.max(balanced(j).abs()));
        let shrink = if penalty.l2 == 0.0 && largest > penalty.l1 { penalty.l1 / largest } else { 1.0 };
        let conjugate: f64 =
            balance.iter().zip(&dual.conjugate[m]).map(|(c, conjugate)| c * shrink * conjugate).sum();
        let excess = |j: usize| (shrink * balanced(j).abs() - penalty.l1).max(0.0);
        let of_penalty = if penalty.l2 == 0.0 {
            0.0
        } else {
            (0..n_features).map(|j| excess(j).powi(2)).sum::<f64>() / (2.0 * penalty.l2)
        };
        let gap = objective + conjugate + of_penalty;
        // Below zero by rounding alone; a NaN stays one.
        Some(if gap < 0.0 { 0.0 } else { gap })
    }
}

/// The certificate of every model, whatever device trained it.
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
    assert_eq!(panels.n_features(), offsets.len(), "an offset for each feature");
    let exact = evaluate(panels, rows, models, coefficients, Gaps::With);
    let certificate = |(m, model): (usize, &ModelSpec)| {
        exact.certificate(m, model, coefficients.model(m), offsets, intercept)
    };
    models.iter().enumerate().map(certificate).collect()
}
