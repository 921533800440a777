//! One model's epochs: which are kept, how long its steps are, and when it stops.

use crate::solver::Stop;

/// Factor on the step after a good epoch, at first; its excess over 1 is halved by every bad epoch.
pub(super) const GROWTH: f64 = 1.5;

/// A relative increase of the objective that float32 sums cannot tell from rounding.
const ROUNDING: f64 = 1e-7;

/// A relative change of the objective in which the rounding of float32 scores may show.
const UNCLEAR: f64 = 1e-5;

/// Progress has ended when the last third of the epochs (at least three) lowered the objective by
/// no more than this fraction. Accelerated descent closes its gap as 1/epochs^2 at worst, where the
/// decrease over the last third is 1.25 times the gap that is left. A tolerance below the default of
/// 1e-6 asks for proportionally more, down to where rounding drowns it; a larger one is met by the
/// residual, not by giving up earlier.
const PROGRESS: f64 = 2e-5;

/// Bad epochs in a row after which the step, then 2^-60 of what it was, is not worth halving again.
const MAX_BAD_EPOCHS: usize = 60;

/// One model's place in its own descent.
pub(super) struct Descent {
    pub(super) objective: f64,
    pub(super) residual: f64,
    /// Objective after each good epoch, the start included.
    pub(super) trace: Vec<f64>,
    pub(super) epochs: usize,
    /// Bad epochs since the last good one.
    pub(super) bad: usize,
    /// Good epochs since the momentum was last restarted.
    pub(super) age: usize,
    /// Step, as a multiple of the starting step.
    pub(super) multiple: f64,
    pub(super) growth: f64,
    pub(super) stop: Option<Stop>,
}

impl Descent {
    pub(super) fn coupling(&self, momentum: Option<f64>, n_batches: usize) -> f64 {
        let age = self.age as f64;
        match momentum {
            Some(momentum) => 1.0 - momentum,
            // With one batch there is no noise to guard against: the classical accelerated schedule.
            None if n_batches == 1 => 2.0 / (age + 2.0),
            None => 2.0 / (age + 4.0),
        }
    }

    /// Takes note of the objective after an epoch, which is off by float32 rounding, and of its change by the
    /// trapezoidal rule, which is exact for a small one; false if the epoch is to be undone.
    pub(super) fn judge(&mut self, objective: f64, small_change: f64) -> bool {
        let good = descends(self.objective, objective, small_change);
        self.epochs += 1;
        if good {
            self.objective = objective;
            self.trace.push(objective);
            self.bad = 0;
            self.age += 1;
            self.multiple *= self.growth;
        } else {
            self.bad += 1;
            self.age = 0;
            self.multiple /= 2.0;
            self.growth = 1.0 + (self.growth - 1.0) / 2.0;
        }
        good
    }

    pub(super) fn progress_ended(&self, tolerance: f64) -> bool {
        let progress = (PROGRESS * tolerance / 1e-6).clamp(2.0 * ROUNDING, PROGRESS);
        let good = self.trace.len() - 1;
        // Far from the optimum the first steps may be short ones: the step needs epochs to grow.
        let is_far = self.residual > 1e3 * tolerance;
        let window = (good / 3).max(if is_far { 12 } else { 3 });
        let is_flat = good > window && {
            let before = self.trace[good - window];
            before - self.objective <= progress * self.objective.abs()
        };
        is_flat || self.bad >= MAX_BAD_EPOCHS
    }
}

/// Whether the objective went down, or did not change.
pub(super) fn descends(before: f64, after: f64, small_change: f64) -> bool {
    let change = after - before;
    // NaN compares false: an epoch that overflowed is a bad one.
    if change.abs() <= UNCLEAR * before.abs() { small_change <= 0.0 } else { change < 0.0 }
}
