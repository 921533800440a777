//! Full-batch descent of the whole stack: `newton`, `lbfgs`, and `auto`, which takes of both.
//!
//! All of them are proximal quasi-Newton methods, and differ in what they know of the curvature:
//!
//! - `newton`: each model's own Hessian, from a sample of the rows, updated by each step (BFGS) and computed anew
//!   where steps gain too little, from a larger sample if it was not stale;
//! - `lbfgs`: one Gram matrix shared by the whole stack, and each model's last steps (L-BFGS);
//! - `auto`: the shared matrix where an own one would cost more than the passes that it saves, else the own; a model
//!   that gets on too slowly with the shared one gets its own.
//!
//! Every run goes through the same stages, each of which starts where the one before ended:
//!
//! 1. *samples* of the rows, coarse to fine, each to the accuracy that it has;
//! 2. *table*: passes of the engine over all rows;
//! 3. *float64*: the last steps with the loss and gradient that the certificate is made of.
//!
//! A model whose residual is small enough waits for the others at the end of a stage, so that every pass serves as
//! many models as possible; one that is done leaves the stack. A step that fails is tried at three smaller lengths
//! at once, as columns of one pass.
//!
//! # References
//! - Lee, Sun and Saunders, Proximal Newton-Type Methods for Minimizing Composite Functions, 2014.
//! - Roosta-Khorasani and Mahoney, Sub-Sampled Newton Methods, 2019.

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::curvature::{Base, Curvature};
use super::descent::{Fit, Point, Stage, State};
use super::factor::Factor;
use super::{Host, Problem, Progress, Solution, Stop, Validation};
use crate::engine::Engine;
use crate::error::Result;
use crate::objective::{Coefficients, Hessian, ModelSpec, kkt_residual, sigmoid};
use crate::panels::{PANEL_ROWS, Rows, Sample};

/// Rows of a sample for each feature: the relative error of its Hessian is about the root of the
/// inverse, so a step leaves a fifth of the distance.
const SAMPLE_ROWS_PER_FEATURE: usize = 24;

/// The finest sample is at least this share of the table: its passes then cost little beside the others.
const SAMPLE_SHARE: usize = 16;

/// Rows of a sample, as a multiple of those of the one before.
const SAMPLE_GROWTH: usize = 8;

/// Rows that each side of a model must have in a sample.
const SAMPLE_ROWS_PER_CLASS: usize = 50;

/// Steps on a sample, which is not worth more.
const MAX_SAMPLE_STEPS: usize = 30;

/// Orders up to which a curvature is a matrix.
const MAX_ORDER: usize = 4096;

/// Passes that an own Hessian may cost where a shared one would do.
const OWN_HESSIAN_PASSES: f64 = 3.0;

/// A mean loss that hints at separation.
const SUSPICIOUS_LOSS: f64 = 0.02;

/// Multiply-adds of a Hessian that take as long as one of a pass.
const HESSIAN_SPEED: f64 = 1.3;

/// What a full-batch run knows of the curvature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A Hessian for each model.
    Newton,
    /// A matrix shared by all models, and the last steps of each.
    Lbfgs,
    /// Chosen by cost and progress.
    Auto,
}

/// Full-batch descent and its settings.
#[derive(Debug, Clone)]
pub struct FullBatch {
    /// What is known of the curvature.
    pub method: Method,
    /// Bound on the steps over the whole table.
    pub max_iterations: usize,
    /// KKT residual at which a model is done.
    pub tolerance: f64,
    /// Whether to begin with samples of the rows; no use where the start is a good one.
    pub samples: bool,
}

impl FullBatch {
    /// Features up to which a model may have a Hessian.
    pub const MAX_FEATURES: usize = MAX_ORDER - 1;

    /// Minimises the objective of every model of the stack.
    ///
    /// `watch` is called after each step over the whole table; the run stops when it returns false.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run(
        &self,
        engine: &mut dyn Engine,
        host: &dyn Host,
        problem: &Problem<'_>,
        validation: Option<Validation<'_>>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Solution> {
        let mut run = Run::new(self, engine, host, problem, validation);
        run.samples()?;
        for stage in [Stage::Table, Stage::Float64] {
            run.enter(stage, Sample::ALL)?;
            run.steps(stage, Sample::ALL, watch)?;
        }
        run.expose_separation();
        Ok(run.finish())
    }

    /// Whether a Hessian for each model is worth what it costs in passes.
    fn prefers_own(&self, problem: &Problem<'_>, share: f64) -> bool {
        match self.method {
            Method::Newton => true,
            Method::Lbfgs => false,
            Method::Auto => {
                hessian_passes(problem.start.stride(), share, problem.models.len()) <= OWN_HESSIAN_PASSES
            }
        }
    }
}

/// What one model's Hessian on a share of the rows costs, in the model's share of a pass of the stack.
fn hessian_passes(order: usize, share: f64, n_models: usize) -> f64 {
    // A pass is two multiply-adds a value and model, and at least the reading of X; a Hessian half of `order`.
    let pass = 2.0f64.max(6.0 / n_models.max(1) as f64);
    share * order as f64 / 2.0 / HESSIAN_SPEED / pass
}

/// A run over a stack.
struct Run<'a, 'v> {
    settings: &'a FullBatch,
    engine: &'a mut dyn Engine,
    host: &'a dyn Host,
    problem: &'a Problem<'a>,
    validation: Option<Validation<'v>>,
    fits: Vec<Fit>,
    /// Objective of each fit's start on the finest sample.
    start_objective: Vec<f64>,
    finest: Sample,
    base: Option<SharedBase>,
    /// The loss of each fit below which a plane separates its rows; found when it is first needed.
    separated_below: Option<Vec<f64>>,
    passes: f64,
}

/// What the bases of a stack share.
struct SharedBase {
    /// `None` where it would be too large: then the diagonal.
    quarter: Option<Arc<Hessian>>,
    diagonal: Arc<Vec<f64>>,
    factors: Vec<((i32, u64), Arc<Factor>)>,
}

impl<'a, 'v> Run<'a, 'v> {
    fn new(
        settings: &'a FullBatch,
        engine: &'a mut dyn Engine,
        host: &'a dyn Host,
        problem: &'a Problem<'a>,
        validation: Option<Validation<'v>>,
    ) -> Self {
        let wanted =
            (SAMPLE_ROWS_PER_FEATURE * problem.start.stride()).max(problem.n_rows / SAMPLE_SHARE).max(1);
        let n_panels = problem.n_rows.div_ceil(PANEL_ROWS).max(1);
        let finest = Sample::every((problem.n_rows / wanted).clamp(1, n_panels));
        let class_rows = host.rows().class_rows_on(finest);
        let fits: Vec<Fit> = problem
            .models
            .iter()
            .enumerate()
            .map(|(m, model)| {
                let stride = if is_fair(model, &class_rows) { finest.stride() } else { 1 };
                Fit::new(*model, problem.start.model(m), stride)
            })
            .collect();
        let start_objective = vec![f64::INFINITY; fits.len()];
        Self {
            settings,
            engine,
            host,
            problem,
            validation,
            fits,
            start_objective,
            finest,
            base: None,
            separated_below: None,
            passes: 0.0,
        }
    }

    /// The stages on samples: from the coarsest that is large enough to the finest.
    fn samples(&mut self) -> Result<()> {
        if self.finest.is_all() || !self.settings.samples {
            return Ok(());
        }
        let least = SAMPLE_ROWS_PER_FEATURE * self.problem.start.stride();
        let mut strides = vec![self.finest.stride()];
        while let Some(next) = strides.last().map(|s| s * SAMPLE_GROWTH)
            && self.problem.n_rows / next >= least
        {
            strides.push(next);
        }
        for stride in strides.into_iter().rev() {
            let sample = Sample::every(stride);
            self.enter(Stage::Sample, sample)?;
            self.steps(Stage::Sample, sample, &mut |_| true)?;
        }
        Ok(())
    }

    /// Indices of the fits that are at work.
    fn active(&self) -> Vec<usize> {
        (0..self.fits.len()).filter(|&m| self.fits[m].is_active()).collect()
    }

    fn share(&self, sample: Sample) -> f64 {
        let n_panels = self.problem.n_rows.div_ceil(PANEL_ROWS).max(1);
        sample.n_panels(n_panels) as f64 / n_panels as f64
    }

    /// Evaluates the candidates of some fits, all in one pass.
    fn evaluate(&mut self, stage: Stage, sample: Sample, members: &[usize]) -> Result<Vec<Vec<Point>>> {
        let candidates: Vec<Vec<Vec<f64>>> =
            members.iter().map(|&m| self.fits[m].candidates(stage)).collect();
        let owners: Vec<usize> =
            members.iter().zip(&candidates).flat_map(|(&m, c)| std::iter::repeat_n(m, c.len())).collect();
        let models: Vec<ModelSpec> = owners.iter().map(|&m| self.fits[m].model).collect();
        let mut points = Coefficients::zeros(self.problem.start.n_features(), models.len());
        for (k, column) in candidates.iter().flatten().enumerate() {
            points.model_mut(k).copy_from_slice(column);
        }
        self.passes += self.share(sample);
        let (problem, started) = (self.problem, Instant::now());
        let (evaluation, exact) = match stage {
            Stage::Float64 => {
                let exact = self.host.evaluate(&models, &points);
                (exact.evaluation.clone(), Some(exact))
            }
            _ => (self.engine.evaluate_on(&models, &points, sample)?, None),
        };
        log::debug!(
            "{stage:?}, every {} panels: {} columns in {:.1} ms",
            sample.stride(),
            models.len(),
            1e3 * started.elapsed().as_secs_f64()
        );
        let mut all = candidates.into_iter().flatten().enumerate().map(|(k, column)| {
            let (model, gradient) = (&models[k], evaluation.gradient.model(k));
            let penalty = &model.penalty;
            Point {
                objective: evaluation.loss[k] + penalty.value(&column[..column.len() - 1]),
                residual: kkt_residual(penalty, &column, gradient, problem.offsets, problem.intercept),
                certificate: exact
                    .as_ref()
                    .map(|e| e.certificate(k, model, &column, problem.offsets, problem.intercept)),
                gradient: gradient.to_vec(),
                column,
            }
        });
        let mut grouped: Vec<Vec<Point>> = Vec::with_capacity(members.len());
        let mut last = None;
        for &m in &owners {
            if last != Some(m) {
                grouped.push(Vec::new());
                last = Some(m);
            }
            grouped.last_mut().expect("a group was opened").extend(all.next());
        }
        Ok(grouped)
    }

    /// Evaluates where every fit is, by the means of the stage.
    fn enter(&mut self, stage: Stage, sample: Sample) -> Result<()> {
        let class_rows = (stage == Stage::Sample).then(|| self.host.rows().class_rows_on(sample));
        for fit in self.fits.iter_mut().filter(|fit| !fit.is_stopped()) {
            let skips = |class_rows: &Vec<usize>| fit.stride == 1 || !is_fair(&fit.model, class_rows);
            let skips = class_rows.as_ref().is_some_and(skips);
            if skips {
                fit.state = State::Waiting;
            } else {
                fit.begin();
            }
        }
        let mut members = self.active();
        let is_finest = stage == Stage::Sample && sample == self.finest;
        while !members.is_empty() {
            let evaluated = self.evaluate(stage, sample, &members)?;
            let mut again = Vec::new();
            for (&m, points) in members.iter().zip(evaluated) {
                let start = self.problem.start.model(m);
                let Some(point) = points.into_iter().next() else { continue };
                let fit = &mut self.fits[m];
                let has_moved = fit.point.column != start;
                if stage == Stage::Sample && !has_moved || is_finest && self.start_objective[m].is_infinite()
                {
                    self.start_objective[m] = point.objective;
                } else if stage == Stage::Table
                    && has_moved
                    && !is_within(point.objective, self.start_objective[m])
                {
                    // The sample misled: it was separable, say, and the table is not.
                    *fit = Fit::new(fit.model, start, 1);
                    again.push(m);
                    continue;
                }
                // A step left over from the stage before is taken unless it went wrong.
                let slack = 1e-5 * fit.point.objective.abs();
                if fit.has_aim() && !is_within(point.objective, fit.point.objective + slack) {
                    fit.drop_aim();
                    again.push(m);
                } else {
                    fit.go(point);
                    fit.settle(stage, self.settings.tolerance);
                }
            }
            members = again;
        }
        Ok(())
    }

    /// Steps until every fit waits or has stopped.
    fn steps(
        &mut self,
        stage: Stage,
        sample: Sample,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<()> {
        let bound = if stage == Stage::Sample { usize::MAX } else { self.settings.max_iterations };
        for step in 0.. {
            self.notice_separation(stage);
            self.aim(stage, sample)?;
            if stage == Stage::Sample && step == MAX_SAMPLE_STEPS {
                self.fits.iter_mut().filter(|fit| fit.is_active()).for_each(Fit::leave_sample);
            }
            let mut members = self.active();
            members.retain(|&m| self.fits[m].iterations < bound);
            if members.is_empty() {
                return Ok(());
            }
            let evaluated = self.evaluate(stage, sample, &members)?;
            for (&m, points) in members.iter().zip(evaluated) {
                let fit = &mut self.fits[m];
                fit.iterations += usize::from(stage != Stage::Sample);
                fit.judge(stage, points);
                log::debug!(
                    "{stage:?}: model {m} at {:.9e}, residual {:.2e}",
                    fit.point.objective,
                    fit.point.residual
                );
                fit.settle(stage, self.settings.tolerance);
            }
            if stage == Stage::Sample {
                continue;
            }
            let validation_loss = self.validate(&members)?;
            if !watch(&self.progress(validation_loss)) {
                for fit in self.fits.iter_mut().filter(|fit| !fit.is_stopped()) {
                    fit.state = State::Stopped(Stop::Interrupted);
                }
            }
        }
        Ok(())
    }

    /// Gives every active fit a curvature and a target; those that the stage cannot bring further wait.
    fn aim(&mut self, stage: Stage, sample: Sample) -> Result<()> {
        for m in self.active() {
            let replace = match &self.fits[m].curvature {
                None => true,
                Some(Curvature::Shared(_)) => stage != Stage::Sample && self.is_too_slow(m),
                Some(Curvature::Own(_)) => false,
            };
            if replace && !self.fits[m].has_aim() {
                self.learn_curvature(m, stage, sample)?;
            }
        }
        let (problem, intercept, tolerance) = (self.problem, self.problem.intercept, self.settings.tolerance);
        self.fits.par_iter_mut().filter(|fit| fit.is_active()).for_each(|fit| {
            let promise = fit.aim(stage, intercept);
            // The sample's optimum is about order / rows off; a small share of that is enough.
            let rows = problem.n_rows as f64 / sample.stride() as f64;
            let enough = 0.05 * fit.point.column.len() as f64 / rows * fit.point.objective.abs();
            if stage == Stage::Sample && promise <= enough {
                fit.leave_sample();
            } else {
                fit.settle_for(promise, stage, tolerance);
            }
        });
        Ok(())
    }

    /// Whether a fit with a shared curvature would be done sooner with its own.
    fn is_too_slow(&self, m: usize) -> bool {
        let fit = &self.fits[m];
        if self.settings.method != Method::Auto
            || fit.iterations < 6
            || self.problem.start.stride() > MAX_ORDER
        {
            return false;
        }
        let left = (self.settings.tolerance / fit.point.residual).ln() / fit.pace.min(-1e-3);
        let share = self.share(Sample::every(fit.stride));
        // A Newton run takes some Hessians, and about twice as many passes.
        left > 10.0 + 4.0 * hessian_passes(self.problem.start.stride(), share, self.active().len())
    }

    /// Gives a fit the curvature that the method has for it.
    fn learn_curvature(&mut self, m: usize, stage: Stage, sample: Sample) -> Result<()> {
        let order = self.problem.start.stride();
        let fit = &self.fits[m];
        let own = order <= MAX_ORDER
            && (self.settings.prefers_own(self.problem, self.share(Sample::every(fit.stride)))
                || matches!(fit.curvature, Some(Curvature::Shared(_))));
        if own {
            let rows = if stage == Stage::Sample { sample } else { Sample::every(fit.stride) };
            let started = Instant::now();
            let hessian = self.engine.hessian(&fit.model, &fit.point.column, rows)?;
            log::debug!(
                "Hessian of model {m}, every {} panels, in {:.1} ms",
                rows.stride(),
                1e3 * started.elapsed().as_secs_f64()
            );
            self.passes += self.share(rows);
            let fit = &mut self.fits[m];
            (fit.curvature, fit.fresh, fit.had_own) = (Some(Curvature::Own(hessian)), true, true);
        } else {
            let base = self.base_of(m)?;
            self.fits[m].curvature = Some(Curvature::shared(base));
        }
        Ok(())
    }

    /// The base of a fit's memory.
    fn base_of(&mut self, m: usize) -> Result<Base> {
        let (problem, order) = (self.problem, self.problem.start.stride());
        if self.base.is_none() {
            let mut quarter = None;
            if order <= MAX_ORDER && order <= 4 * problem.n_rows {
                let zeros = vec![0.0; order];
                quarter = Some(Arc::new(self.engine.hessian(&ModelSpec::shared(), &zeros, self.finest)?));
                self.passes += self.share(self.finest);
            }
            let diagonal = match &quarter {
                Some(quarter) => (0..order).map(|j| quarter.row(j)[j]).collect(),
                None => self.host.mean_squares().into_iter().chain([1.0]).map(|x| x / 4.0).collect(),
            };
            self.base = Some(SharedBase { quarter, diagonal: Arc::new(diagonal), factors: Vec::new() });
        }
        let base = self.base.as_mut().expect("it was just made");
        let model = &self.fits[m].model;
        // Powers of two, so that many models share a factor.
        let p = sigmoid(problem.start.intercept(m));
        let exponent = (4.0 * p * (1.0 - p)).max(1e-12).log2().round();
        let share = exponent.exp2();
        let Some(quarter) = &base.quarter else {
            return Ok(Base::Diagonal { quarter: base.diagonal.clone(), share });
        };
        let l2 = model.penalty.l2;
        #[allow(clippy::cast_possible_truncation, reason = "an exponent of a double")]
        let key = (exponent as i32, l2.to_bits());
        let known = base.factors.iter().find(|(k, _)| *k == key).map(|(_, factor)| factor.clone());
        let factor = match known {
            Some(factor) => factor,
            None => {
                let value = |a: usize, b: usize| {
                    let is_intercept = a + 1 == order || b + 1 == order;
                    match (a == b, is_intercept) {
                        (_, true) if !problem.intercept => 0.0,
                        (true, false) => share * quarter.row(a)[a] + l2,
                        _ => share * quarter.row(a)[b],
                    }
                };
                // The rows that a sample left out may show directions that it does not have.
                let factor =
                    Factor::new(order, value, 1e-7).ok_or_else(|| crate::error::EngineError::Failed {
                        adapter: self.engine.device(),
                        doing: "the Gram matrix".to_owned(),
                        reason: "it holds values that are not numbers".to_owned(),
                    })?;
                let factor = Arc::new(factor);
                base.factors.push((key, factor.clone()));
                factor
            }
        };
        Ok(Base::Gram { quarter: quarter.clone(), share, factor })
    }

    /// Without a penalty there is no optimum where a plane separates the classes: a loss so small that
    /// every row must be on its side of the plane says so.
    fn notice_separation(&mut self, stage: Stage) {
        if stage == Stage::Sample || !self.problem.models.iter().any(is_unpenalised) {
            return;
        }
        let below = self
            .separated_below
            .get_or_insert_with(|| separated_below(self.problem.models, self.host.rows()));
        for (fit, &below) in self.fits.iter_mut().zip(below.iter()) {
            if !fit.is_stopped() && is_unpenalised(&fit.model) && fit.point.objective < below {
                fit.state = State::Stopped(Stop::Separated);
            }
        }
    }

    /// The same for models that stopped before their loss was that small: a plane that separates does so
    /// as well with all coefficients larger.
    fn expose_separation(&mut self) {
        let is_suspect = |fit: &Fit| {
            is_unpenalised(&fit.model)
                && fit.state != State::Stopped(Stop::Separated)
                && fit.point.objective < SUSPICIOUS_LOSS
        };
        let suspects: Vec<usize> = (0..self.fits.len()).filter(|&m| is_suspect(&self.fits[m])).collect();
        let Some(below) = self.separated_below.as_ref().filter(|_| !suspects.is_empty()) else { return };
        let models: Vec<ModelSpec> = suspects.iter().map(|&m| self.fits[m].model).collect();
        let mut points = Coefficients::zeros(self.problem.start.n_features(), suspects.len());
        for (k, &m) in suspects.iter().enumerate() {
            for (larger, w) in points.model_mut(k).iter_mut().zip(&self.fits[m].point.column) {
                *larger = 1e4 * w;
            }
        }
        let exact = self.host.evaluate(&models, &points);
        self.passes += 1.0;
        for (&m, &loss) in suspects.iter().zip(&exact.evaluation.loss) {
            if loss < below[m] {
                self.fits[m].state = State::Stopped(Stop::Separated);
            }
        }
    }

    /// Scores the models that moved on the held-out rows, and stops those whose patience is at an end.
    fn validate(&mut self, members: &[usize]) -> Result<Option<f64>> {
        let Some(validation) = &mut self.validation else { return Ok(None) };
        let models: Vec<ModelSpec> = members.iter().map(|&m| self.fits[m].model).collect();
        let mut points = Coefficients::zeros(self.problem.start.n_features(), members.len());
        for (k, &m) in members.iter().enumerate() {
            points.model_mut(k).copy_from_slice(&self.fits[m].point.column);
        }
        let epoch = self.fits.iter().map(|fit| fit.iterations).max().unwrap_or(0);
        let (loss, ended) = validation.score(&models, members, &points, epoch)?;
        for (&m, _) in members.iter().zip(ended).filter(|(_, ended)| *ended) {
            if !self.fits[m].is_stopped() {
                self.fits[m].state = State::Stopped(Stop::Patience);
            }
        }
        Ok(Some(loss))
    }

    fn progress(&self, validation_loss: Option<f64>) -> Progress {
        let stopped = |stop| self.fits.iter().filter(|fit| fit.state == State::Stopped(stop)).count();
        let n_models = self.fits.len().max(1) as f64;
        Progress {
            iteration: self.fits.iter().map(|fit| fit.iterations).max().unwrap_or(0),
            objective: self.fits.iter().map(|fit| fit.point.objective).sum::<f64>() / n_models,
            kkt_residual: self.fits.iter().map(|fit| fit.point.residual).fold(0.0, f64::max),
            active: self.fits.iter().filter(|fit| !fit.is_stopped()).count(),
            converged: stopped(Stop::Converged),
            validation_loss,
        }
    }

    fn finish(self) -> Solution {
        let mut coefficients = self.problem.start.clone();
        let mut certificates = Vec::with_capacity(self.fits.len());
        for (m, fit) in self.fits.iter().enumerate() {
            let best = self.validation.as_ref().and_then(|validation| validation.best(m));
            let column = best.unwrap_or(&fit.point.column);
            coefficients.model_mut(m).copy_from_slice(column);
            certificates.push(fit.point.certificate.filter(|_| column == fit.point.column));
        }
        let stop = |fit: &Fit| match fit.state {
            State::Stopped(stop) => stop,
            State::Active | State::Waiting => Stop::Limit,
        };
        let own = self.fits.iter().filter(|fit| fit.had_own).count();
        Solution {
            coefficients,
            certificates,
            iterations: self.fits.iter().map(|fit| fit.iterations).collect(),
            stops: self.fits.iter().map(stop).collect(),
            passes: self.passes,
            method: match (own, self.fits.len()) {
                (0, _) => "lbfgs".to_owned(),
                (own, all) if own == all => "newton".to_owned(),
                (own, _) => format!("lbfgs, newton for {own} of the models"),
            },
        }
    }
}

/// Whether an objective is at most `bound`; one that overflowed is not.
fn is_within(objective: f64, bound: f64) -> bool {
    objective <= bound
}

fn is_unpenalised(model: &ModelSpec) -> bool {
    model.penalty.l1 == 0.0 && model.penalty.l2 == 0.0
}

/// Whether a sample with so many rows of each class has enough of both sides of a model.
fn is_fair(model: &ModelSpec, class_rows: &[usize]) -> bool {
    let positive = class_rows[model.class as usize];
    let negative = class_rows.iter().sum::<usize>() - positive;
    positive.min(negative) >= SAMPLE_ROWS_PER_CLASS
}

/// The mean loss of each model below which no row can be on the wrong side: a single one, with the least
/// weight that a row has, would cost more.
fn separated_below(models: &[ModelSpec], rows: &Rows) -> Vec<f64> {
    let least = rows.least_weight();
    let of = |model: &ModelSpec| {
        let weight = |(class, &least): (usize, &f64)| {
            let is_positive = class == model.class as usize;
            least * if is_positive { model.positive_weight } else { model.negative_weight }
        };
        let least = least.iter().enumerate().map(weight).fold(f64::INFINITY, f64::min);
        std::f64::consts::LN_2 * least / model.weight_sum(rows)
    };
    models.iter().map(of).collect()
}
