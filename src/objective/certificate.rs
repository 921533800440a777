//! How close to optimal a model is, in float64: what every finished model gets.

use super::{Coordinates, Exact, HeldOutSums, ModelSpec, Penalty};

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
    /// The certificate of the `m`-th model of an evaluation, at its `column` of coefficients.
    pub fn certificate(
        &self,
        m: usize,
        model: &ModelSpec,
        column: &[f64],
        coordinates: &Coordinates,
    ) -> Certificate {
        let penalty = &model.penalty;
        let objective = self.evaluation.loss[m] + coordinates.value(penalty, column);
        Certificate {
            objective,
            kkt_residual: coordinates.residual(penalty, column, self.evaluation.gradient.model(m)),
            duality_gap: self.duality_gap(m, penalty, objective, coordinates),
            held_out: self.held_out[m],
        }
    }

    /// Objective minus the value of a dual point made of the residuals r.
    ///
    /// ```text
    /// D(a) = -(1/S) sum_i s_i f*(a_i) - P*(-(1/S) X' s a),    sum_i s_i a_i = 0 if there is an intercept
    /// P*(u) = sum_j max(|u_j| - f_j l1, 0)^2 / (2 f_j l2);   for l2 = 0 all |u_j| must be within f_j l1
    /// ```
    ///
    /// Residuals are positive where y = 0 and negative where y = 1; shrinking one side balances their
    /// sum, shrinking all makes them feasible for l2 = 0, and `f*(c a) <= c f*(a)` for c in 0 .. 1, as
    /// f* is convex and f*(0) = 0. So the bound needs no other pass over the rows. No point is known to be
    /// feasible where a feature has no penalty.
    fn duality_gap(
        &self,
        m: usize,
        penalty: &Penalty,
        objective: f64,
        coordinates: &Coordinates,
    ) -> Option<f64> {
        let Penalty { l1, l2 } = *penalty;
        let factors = &coordinates.factors()[..coordinates.n_features()];
        if (l1 == 0.0 && l2 == 0.0) || factors.contains(&0.0) {
            return None;
        }
        let dual = self.dual.as_ref()?;
        let (all, positive) = (self.evaluation.gradient.model(m), dual.positive.model(m));
        let balance = match coordinates.intercept() {
            Some(place) => {
                let sides = [all[place] - positive[place], -positive[place]];
                let less = sides[0].min(sides[1]);
                sides.map(|side| if side > 0.0 { less / side } else { 0.0 })
            }
            None => [1.0; 2],
        };
        let balanced = |j: usize| balance[0] * (all[j] - positive[j]) + balance[1] * positive[j];
        let largest =
            factors.iter().enumerate().fold(0.0, |a: f64, (j, factor)| a.max(balanced(j).abs() / factor));
        let shrink = if l2 == 0.0 && largest > l1 { l1 / largest } else { 1.0 };
        let conjugate: f64 =
            balance.iter().zip(&dual.conjugate[m]).map(|(c, conjugate)| c * shrink * conjugate).sum();
        let of_feature = |(j, factor): (usize, &f64)| {
            let excess = (shrink * balanced(j).abs() - factor * l1).max(0.0);
            excess.powi(2) / factor
        };
        let of_penalty = if l2 == 0.0 {
            0.0
        } else {
            factors.iter().enumerate().map(of_feature).sum::<f64>() / (2.0 * l2)
        };
        let gap = objective + conjugate + of_penalty;
        // Below zero by rounding alone; a NaN stays one.
        Some(if gap < 0.0 { 0.0 } else { gap })
    }
}
