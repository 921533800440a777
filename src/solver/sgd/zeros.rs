//! The end of a run with an L1 penalty: a snapshot is an average, and so never exactly sparse.

use super::descent::descends;
use crate::engine::MiniBatch;
use crate::error::Result;
use crate::objective::{Coefficients, Evaluation, Penalty};
use crate::solver::{Problem, trapezoid};

/// Full proximal steps at the end of a run with an L1 penalty: the first sets the zeros, the others
/// mend what that moved.
const FINAL_STEPS: usize = 20;

/// Share of such a step below which shortening it further will not help.
const SHORTEST_SHARE: f64 = 1e-3;

impl Problem<'_> {
    /// How far a model is from optimal, in the units of the gradient: the KKT residual, or with an L1
    /// penalty the proximal gradient mapping, which does not mind coefficients that are almost zero.
    pub(super) fn residual(&self, m: usize, column: &[f64], gradient: &[f64]) -> f64 {
        let penalty = &self.models[m].penalty;
        if penalty.l1 == 0.0 {
            return self.coordinates.residual(penalty, column, gradient);
        }
        let step = 1.0 / self.smoothness[m].mean;
        let residual = |j: usize| match self.coordinates.penalty(penalty, j) {
            Penalty { l1: 0.0, l2 } => (gradient[j] + l2 * column[j]).abs(),
            penalty => (column[j] - penalty.prox(column[j] - step * gradient[j], step)).abs() / step,
        };
        (0..column.len()).filter(|&j| self.coordinates.moves(j)).map(residual).fold(0.0, f64::max)
    }

    /// Proximal gradient steps over the whole table for the models with an L1 penalty, from `point`;
    /// a step that makes a model's objective worse is not taken, but halved. Returns the passes made.
    pub(super) fn set_zeros(&self, engine: &mut dyn MiniBatch, point: &mut Coefficients) -> Result<usize> {
        let mut active: Vec<usize> =
            (0..self.models.len()).filter(|&m| self.models[m].penalty.l1 > 0.0).collect();
        if active.is_empty() {
            return Ok(0);
        }
        let specs = |active: &[usize]| active.iter().map(|&m| self.models[m]).collect::<Vec<_>>();
        let mut now = point.select(&active);
        let mut evaluation = engine.evaluate(&specs(&active), &now)?;
        // Shares of the step of the smoothness: what a sample of the rows showed may be too long a step.
        let mut share = vec![1.0; active.len()];
        let mut passes = 1;
        while passes <= FINAL_STEPS && !active.is_empty() {
            let mut next = now.clone();
            for (k, &m) in active.iter().enumerate() {
                let (step, penalty) = (share[k] / self.smoothness[m].mean, &self.models[m].penalty);
                let gradient = evaluation.gradient.model(k);
                let column = next.model_mut(k);
                for j in (0..column.len()).filter(|&j| self.coordinates.moves(j)) {
                    column[j] = self.coordinates.prox(penalty, j, column[j] - step * gradient[j], step);
                }
            }
            let after = engine.evaluate(&specs(&active), &next)?;
            passes += 1;
            let objective = |k: usize, e: &Evaluation, w: &Coefficients| {
                e.loss[k] + self.coordinates.value(&self.models[active[k]].penalty, w.model(k))
            };
            for k in 0..active.len() {
                let penalty = &self.models[active[k]].penalty;
                let small_change = trapezoid(
                    (now.model(k), evaluation.gradient.model(k)),
                    (next.model(k), after.gradient.model(k)),
                ) + self.coordinates.change(penalty, now.model(k), next.model(k));
                if descends(objective(k, &evaluation, &now), objective(k, &after, &next), small_change) {
                    now.model_mut(k).copy_from_slice(next.model(k));
                    evaluation.loss[k] = after.loss[k];
                    evaluation.gradient.model_mut(k).copy_from_slice(after.gradient.model(k));
                    point.model_mut(active[k]).copy_from_slice(next.model(k));
                } else {
                    share[k] /= 2.0;
                }
            }
            let kept: Vec<usize> = (0..active.len()).filter(|&k| share[k] > SHORTEST_SHARE).collect();
            (now, evaluation.gradient) = (now.select(&kept), evaluation.gradient.select(&kept));
            evaluation.loss = kept.iter().map(|&k| evaluation.loss[k]).collect();
            (active, share) = kept.iter().map(|&k| (active[k], share[k])).unzip();
        }
        Ok(passes)
    }
}
