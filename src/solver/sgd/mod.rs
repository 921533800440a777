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

mod descent;
mod order;
mod zeros;

use descent::{Descent, GROWTH};
use order::Order;

use super::{Problem, Progress, Proof, Solution, Stop, Validated, Validation, trapezoid};
use crate::engine::{Epoch, MiniBatch, SgdState};
use crate::error::Result;
use crate::objective::{Coefficients, Evaluation, ModelSpec};

/// Steps of an epoch when the batch size is not given: enough for momentum and the variance
/// reduction to work, few enough that a batch fills a device.
const STEPS_PER_EPOCH: usize = 128;

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
