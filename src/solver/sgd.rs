//! Accelerated, variance-reduced, proximal mini-batch gradient descent.
//!
//! Each epoch starts from a *snapshot* whose full gradient is known, and corrects every batch
//! gradient by it, so that the noise of the batches dies out as the snapshot approaches the optimum:
//! steps need no decay, and the run converges instead of hovering. Momentum couples the iterate to the
//! snapshot. The full pass between epochs gives the true objective, which drives three safeguards,
//! for each model on its own:
//!
//! - the step starts at the inverse expected smoothness of a batch and grows while epochs succeed:
//!   the bound `sigmoid' <= 1/4` is pessimistic where most rows are classified well;
//! - an epoch that made the objective worse is undone, momentum restarted, the step halved;
//! - a model whose residual is within the tolerance, or that makes no progress, leaves the stack.
//!
//! A snapshot is an average and so never exactly sparse. With an L1 penalty, the run therefore ends
//! with proximal gradient steps over the whole table, which put the zeros where they belong.
//!
//! # References
//! - Zhou, Shang and Cheng, A Simple Stochastic Variance Reduced Algorithm with Fast Convergence Rates, ICML 2018.
//! - Gower et al., SGD: General Analysis and Improved Rates, ICML 2019 (expected smoothness).
//! - O'Donoghue and Candès, Adaptive Restart for Accelerated Gradient Schemes, 2015.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::{Problem, Progress, Proof, Solution, Stop, Validated, Validation, trapezoid};
use crate::engine::{Epoch, MiniBatch, SgdState};
use crate::error::Result;
use crate::objective::{Coefficients, Evaluation, ModelSpec, Penalty};
use crate::panels::PANEL_ROWS;

/// Steps of an epoch when the batch size is not given: enough for momentum and the variance
/// reduction to work, few enough that a batch fills a device.
const STEPS_PER_EPOCH: usize = 128;

/// Factor on the step after a good epoch, at first; its excess over 1 is halved by every bad epoch.
const GROWTH: f64 = 1.5;

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

/// Full proximal steps at the end of a run with an L1 penalty: the first sets the zeros, the others
/// mend what that moved.
const FINAL_STEPS: usize = 20;

/// Share of such a step below which shortening it further will not help.
const SHORTEST_SHARE: f64 = 1e-3;

/// Mini-batch gradient descent and its settings.
#[derive(Debug, Clone)]
pub struct Sgd {
    /// Bound on the epochs.
    pub epochs: usize,
    /// Rows of a batch; by default about 1/128 of the table, from 32 to 65,536.
    pub batch_rows: Option<usize>,
    /// Length of a gradient step; by default derived from the data and adapted.
    pub learning_rate: Option<f64>,
    /// Weight of the snapshot in the coupled point, in [0, 1); by default it grows from epoch to epoch.
    pub momentum: Option<f64>,
    /// KKT residual at which a model is done.
    pub tolerance: f64,
    /// Seed of the order of panels and batches.
    pub seed: u64,
}

/// One model's place in its own descent.
struct Descent {
    objective: f64,
    residual: f64,
    /// Objective after each good epoch, the start included.
    trace: Vec<f64>,
    epochs: usize,
    /// Bad epochs since the last good one.
    bad: usize,
    /// Good epochs since the momentum was last restarted.
    age: usize,
    /// Step, as a multiple of the starting step.
    multiple: f64,
    growth: f64,
    stop: Option<Stop>,
}

impl Descent {
    fn coupling(&self, momentum: Option<f64>, n_batches: usize) -> f64 {
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
    fn judge(&mut self, objective: f64, small_change: f64) -> bool {
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

    fn progress_ended(&self, tolerance: f64) -> bool {
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

impl Sgd {
    /// Rows of a batch for a table of `n_rows` rows.
    pub fn batch_rows(&self, n_rows: usize) -> usize {
        let derived = || (n_rows / STEPS_PER_EPOCH).max(1).next_power_of_two().clamp(32, 65_536);
        self.batch_rows.unwrap_or_else(derived).min(n_rows)
    }

    /// Minimises the objective of every model of the stack.
    ///
    /// `watch` is called after each epoch; the run stops when it returns false.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run(
        &self,
        engine: &mut dyn MiniBatch,
        problem: &Problem<'_>,
        mut validation: Option<Validation<'_>>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Solution> {
        let mut run = Run::new(self, engine, problem)?;
        for epoch in 1..=self.epochs {
            let active = run.active();
            if active.is_empty() {
                break;
            }
            run.epoch(&active)?;
            let validated = match &mut validation {
                Some(validation) => Some(run.validate(validation, &active, epoch)?),
                None => None,
            };
            if !watch(&run.progress(epoch, validated)) {
                run.descents.iter_mut().for_each(|d| d.stop = d.stop.or(Some(Stop::Interrupted)));
            }
        }
        run.finish(validation.as_ref())
    }
}

/// A run over a stack.
struct Run<'a> {
    settings: &'a Sgd,
    engine: &'a mut dyn MiniBatch,
    problem: &'a Problem<'a>,
    batch_rows: usize,
    order: Order,
    /// The starting step of each model.
    start: Vec<f64>,
    state: SgdState,
    /// Gradient of each model's mean loss at its snapshot.
    gradient: Coefficients,
    descents: Vec<Descent>,
    /// Readings of X.
    passes: usize,
}

impl<'a> Run<'a> {
    /// One pass, at the starting points.
    fn new(settings: &'a Sgd, engine: &'a mut dyn MiniBatch, problem: &'a Problem<'a>) -> Result<Self> {
        let (n_rows, n_models) = (problem.rows.n_rows(), problem.models.len());
        let batch_rows = settings.batch_rows(n_rows);
        let start = settings.learning_rate.map_or_else(
            || problem.smoothness.iter().map(|s| 1.0 / s.of_batch(batch_rows, n_rows)).collect(),
            |rate| vec![rate; n_models],
        );
        let state = SgdState { snapshot: problem.start.clone(), iterate: problem.start.clone() };
        let Evaluation { loss, gradient } = engine.evaluate(problem.models, &state.snapshot)?;
        let descent = |m: usize| {
            let (penalty, column) = (&problem.models[m].penalty, state.snapshot.model(m));
            let objective = loss[m] + problem.coordinates.value(penalty, column);
            let residual = problem.residual(m, column, gradient.model(m));
            Descent {
                objective,
                residual,
                trace: vec![objective],
                epochs: 0,
                bad: 0,
                age: 0,
                multiple: 1.0,
                growth: if settings.learning_rate.is_some() { 1.0 } else { GROWTH },
                stop: (residual <= settings.tolerance).then_some(Stop::Converged),
            }
        };
        Ok(Self {
            descents: (0..n_models).map(descent).collect(),
            order: Order::new(n_rows, batch_rows, settings.seed),
            settings,
            engine,
            problem,
            batch_rows,
            start,
            state,
            gradient,
            passes: 1,
        })
    }

    /// Models that have not stopped.
    fn active(&self) -> Vec<usize> {
        (0..self.descents.len()).filter(|&m| self.descents[m].stop.is_none()).collect()
    }

    /// Runs one epoch of the active models, and keeps it for those whose objective went down.
    fn epoch(&mut self, active: &[usize]) -> Result<()> {
        let models: Vec<ModelSpec> = active.iter().map(|&m| self.problem.models[m]).collect();
        let (momentum, n_batches) = (self.settings.momentum, self.order.n_batches());
        let coupling: Vec<f64> =
            active.iter().map(|&m| self.descents[m].coupling(momentum, n_batches)).collect();
        let length = |(&m, theta): (&usize, &f64)| self.descents[m].multiple * self.start[m] / theta;
        let step: Vec<f64> = active.iter().zip(&coupling).map(length).collect();
        self.order.shuffle();
        let mut moved = SgdState {
            snapshot: self.state.snapshot.select(active),
            iterate: self.state.iterate.select(active),
        };
        let plan = Epoch {
            panel_order: &self.order.panels,
            batch_rows: self.batch_rows,
            batch_order: &self.order.batches,
            coordinates: self.problem.coordinates,
            coupling: &coupling,
            step: &step,
            gradient: &self.gradient.select(active),
        };
        self.engine.sgd_epoch(&models, &plan, &mut moved)?;
        let evaluation = self.engine.evaluate(&models, &moved.snapshot)?;
        self.passes += 2;
        for (k, &m) in active.iter().enumerate() {
            self.judge(m, k, &moved, &evaluation);
        }
        Ok(())
    }

    /// Takes what an epoch made of model `m`, the `k`-th of those that moved, or undoes it.
    fn judge(&mut self, m: usize, k: usize, moved: &SgdState, evaluation: &Evaluation) {
        let (problem, tolerance) = (self.problem, self.settings.tolerance);
        let penalty = &problem.models[m].penalty;
        let (before, after) = (self.state.snapshot.model(m), moved.snapshot.model(k));
        let objective = evaluation.loss[k] + problem.coordinates.value(penalty, after);
        let small_change = trapezoid((before, self.gradient.model(m)), (after, evaluation.gradient.model(k)))
            + problem.coordinates.change(penalty, before, after);
        let descent = &mut self.descents[m];
        if descent.judge(objective, small_change) {
            self.state.snapshot.model_mut(m).copy_from_slice(after);
            self.state.iterate.model_mut(m).copy_from_slice(moved.iterate.model(k));
            self.gradient.model_mut(m).copy_from_slice(evaluation.gradient.model(k));
            descent.residual = problem.residual(m, after, self.gradient.model(m));
        } else {
            self.state.iterate.model_mut(m).copy_from_slice(self.state.snapshot.model(m));
        }
        if descent.residual <= tolerance {
            descent.stop = Some(Stop::Converged);
        } else if descent.progress_ended(tolerance) {
            descent.stop = Some(Stop::ProgressEnded);
        }
    }

    /// Scores the models that moved on the validation rows, and stops those whose patience is at an end.
    fn validate(
        &mut self,
        validation: &mut Validation<'_>,
        active: &[usize],
        epoch: usize,
    ) -> Result<Validated> {
        let models: Vec<ModelSpec> = active.iter().map(|&m| self.problem.models[m]).collect();
        let points = self.state.snapshot.select(active);
        let (means, ended) = validation.score(&models, active, &points, &vec![epoch; active.len()])?;
        for (&m, _) in active.iter().zip(ended).filter(|(_, ended)| *ended) {
            self.descents[m].stop = Some(Stop::Patience);
        }
        Ok(means)
    }

    fn progress(&self, epoch: usize, validated: Option<Validated>) -> Progress {
        let descents = &self.descents;
        Progress {
            iteration: epoch,
            passes: self.passes as f64,
            objective: descents.iter().map(|d| d.objective).sum::<f64>() / descents.len().max(1) as f64,
            kkt_residual: descents.iter().map(|d| d.residual).fold(0.0, f64::max),
            active: descents.iter().filter(|d| d.stop.is_none()).count(),
            converged: descents.iter().filter(|d| d.stop == Some(Stop::Converged)).count(),
            validated,
        }
    }

    /// The best point of each model on the validation rows, or its last; then the steps that set zeros.
    fn finish(mut self, validation: Option<&Validation<'_>>) -> Result<Solution> {
        let n_models = self.descents.len();
        for m in 0..n_models {
            if let Some(best) = validation.and_then(|validation| validation.best(m)) {
                self.state.snapshot.model_mut(m).copy_from_slice(best);
            }
        }
        let passes = self.passes + self.problem.set_zeros(self.engine, &mut self.state.snapshot)?;
        Ok(Solution {
            certificates: vec![None; n_models],
            proofs: vec![Proof::default(); n_models],
            coefficients: self.state.snapshot,
            iterations: self.descents.iter().map(|d| d.epochs).collect(),
            stops: self.descents.iter().map(|d| d.stop.unwrap_or(Stop::Limit)).collect(),
            passes: passes as f64,
            method: "sgd".to_owned(),
        })
    }
}

/// Whether the objective went down, or did not change.
fn descends(before: f64, after: f64, small_change: f64) -> bool {
    let change = after - before;
    // NaN compares false: an epoch that overflowed is a bad one.
    if change.abs() <= UNCLEAR * before.abs() { small_change <= 0.0 } else { change < 0.0 }
}

impl Problem<'_> {
    /// How far a model is from optimal, in the units of the gradient: the KKT residual, or with an L1
    /// penalty the proximal gradient mapping, which does not mind coefficients that are almost zero.
    fn residual(&self, m: usize, column: &[f64], gradient: &[f64]) -> f64 {
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
    fn set_zeros(&self, engine: &mut dyn MiniBatch, point: &mut Coefficients) -> Result<usize> {
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

/// The seeded order of panels and batches. It depends on the table alone, so a model is led the same
/// way whatever else is in the stack.
struct Order {
    panels: Vec<u32>,
    batches: Vec<u32>,
    whole_panels: usize,
    rng: StdRng,
}

impl Order {
    #[allow(clippy::cast_possible_truncation, reason = "u32 panels are 2^40 rows")]
    fn new(n_rows: usize, batch_rows: usize, seed: u64) -> Self {
        Self {
            panels: (0..n_rows.div_ceil(PANEL_ROWS) as u32).collect(),
            batches: (0..n_rows.div_ceil(batch_rows.max(1)) as u32).collect(),
            whole_panels: n_rows / PANEL_ROWS,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    fn n_batches(&self) -> usize {
        self.batches.len()
    }

    /// A new order; a partly filled panel stays last.
    fn shuffle(&mut self) {
        self.panels[..self.whole_panels].shuffle(&mut self.rng);
        self.batches.shuffle(&mut self.rng);
    }
}
