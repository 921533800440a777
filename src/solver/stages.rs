//! The stages of a full-batch run: samples of the rows, the engine's passes over all, float64.

use std::time::Instant;

use rayon::prelude::*;

use super::bases::Bases;
use super::descent::{Fit, Point};
use super::full_batch::FullBatch;
use super::states::{Stage, State};
use super::{Passes, Problem, Progress, Proof, Solution, Stop, Validated, Validation};
use crate::engine::exact::Remainder;
use crate::error::Result;
use crate::objective::{Coefficients, ModelSpec, log1pexp};
use crate::panels::{PANEL_ROWS, Rows, Sample, Totals};

/// Steps over the table after which a fit that still goes on may follow nothing but rounding.
const STEPS_BEFORE_DOUBT: usize = 25;

/// Rows of a sample for each feature: the relative error of its Hessian is about the root of the
/// inverse, so a step leaves a fifth of the distance.
const SAMPLE_ROWS_PER_FEATURE: usize = 24;

/// The finest sample is at least this share of the table: its passes then cost little beside the others.
const SAMPLE_SHARE: usize = 16;

/// Rows of a sample, as a multiple of those of the one before.
const SAMPLE_GROWTH: usize = 8;

/// Rows that each side of a model must have in a sample.
const SAMPLE_ROWS_PER_CLASS: f64 = 50.0;

/// Steps on a sample, which is not worth more.
const MAX_SAMPLE_STEPS: usize = 30;

/// A run over a stack.
pub(super) struct Run<'a, 'v> {
    pub(super) settings: &'a FullBatch,
    pub(super) table: &'a mut dyn Passes,
    pub(super) problem: &'a Problem<'a>,
    validation: Option<Validation<'v>>,
    pub(super) fits: Vec<Fit>,
    /// Objective of each fit's start; infinity where it is not known without a pass.
    start_objective: Vec<f64>,
    pub(super) finest: Sample,
    pub(super) bases: Option<Bases>,
    /// The loss of each fit below which a plane separates its rows; found when it is first needed.
    pub(super) separated_below: Option<Vec<f64>>,
    pub(super) passes: f64,
    pub(super) proofs: Vec<Proof>,
    /// What is left of each fit's features that are nearly combinations of others.
    pub(super) remainders: Vec<Vec<Remainder>>,
    /// Substitutions of features that this run is within.
    pub(super) depth: usize,
}

impl<'a, 'v> Run<'a, 'v> {
    pub(super) fn new(
        settings: &'a FullBatch,
        table: &'a mut dyn Passes,
        problem: &'a Problem<'a>,
        validation: Option<Validation<'v>>,
    ) -> Self {
        let wanted = (SAMPLE_ROWS_PER_FEATURE * problem.start.stride())
            .max(problem.rows.n_rows() / SAMPLE_SHARE)
            .max(1);
        let n_panels = problem.rows.n_rows().div_ceil(PANEL_ROWS).max(1);
        let finest = Sample::every((problem.rows.n_rows() / wanted).clamp(1, n_panels));
        let counts = problem.rows.counts_on(finest);
        let fits: Vec<Fit> = problem
            .models
            .iter()
            .enumerate()
            .map(|(m, model)| {
                let stride = if is_fair(model, &counts) { finest.stride() } else { 1 };
                Fit::new(*model, problem.start.model(m), stride)
            })
            .collect();
        let start_objective = (0..fits.len()).map(|m| start_objective(problem, problem.rows, m)).collect();
        Self {
            settings,
            table,
            problem,
            validation,
            proofs: vec![Proof::default(); fits.len()],
            fits,
            start_objective,
            finest,
            bases: None,
            separated_below: None,
            passes: 0.0,
            remainders: vec![Vec::new(); problem.models.len()],
            depth: 0,
        }
    }

    /// The stages on samples: from the coarsest that is large enough to the finest.
    pub(super) fn on_samples(&mut self) -> Result<()> {
        if self.finest.is_all() || self.problem.is_warm {
            return Ok(());
        }
        let least = SAMPLE_ROWS_PER_FEATURE * self.problem.start.stride();
        let mut strides = vec![self.finest.stride()];
        while let Some(next) = strides.last().map(|s| s * SAMPLE_GROWTH)
            && self.problem.rows.n_rows() / next >= least
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

    /// The stages on all rows.
    pub(super) fn on_the_table(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<()> {
        for stage in [Stage::Table, Stage::Float64] {
            self.enter(stage, Sample::ALL)?;
            self.steps(stage, Sample::ALL, watch)?;
        }
        Ok(())
    }

    /// Indices of the fits that are at work.
    pub(super) fn active(&self) -> Vec<usize> {
        (0..self.fits.len()).filter(|&m| self.fits[m].is_active()).collect()
    }

    pub(super) fn share(&self, sample: Sample) -> f64 {
        let n_panels = self.problem.rows.n_rows().div_ceil(PANEL_ROWS).max(1);
        sample.n_panels(n_panels) as f64 / n_panels as f64
    }

    /// Evaluates the candidates of some fits, all in one pass.
    pub(super) fn evaluate(
        &mut self,
        stage: Stage,
        sample: Sample,
        members: &[usize],
    ) -> Result<Vec<Vec<Point>>> {
        let candidates: Vec<Vec<Vec<f64>>> =
            members.iter().map(|&m| self.fits[m].candidates(stage)).collect();
        let owners: Vec<usize> =
            members.iter().zip(&candidates).flat_map(|(&m, c)| std::iter::repeat_n(m, c.len())).collect();
        let models: Vec<ModelSpec> = owners.iter().map(|&m| self.fits[m].model).collect();
        let columns = candidates.iter().flatten().map(Vec::as_slice);
        let points = Coefficients::from_columns(self.problem.start.n_features(), columns);
        self.passes += self.share(sample);
        let (coordinates, started) = (self.problem.coordinates, Instant::now());
        let (evaluation, exact) = match stage {
            Stage::Float64 => {
                let exact = self.table.evaluate_exactly(&models, &points, self.problem.gaps)?;
                (exact.evaluation.clone(), Some(exact))
            }
            _ => (self.table.evaluate(&models, &points, sample)?, None),
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
                objective: evaluation.loss[k] + coordinates.value(penalty, &column),
                residual: coordinates.residual(penalty, &column, gradient),
                certificate: exact.as_ref().map(|e| e.certificate(k, model, &column, coordinates)),
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
        let counts = (stage == Stage::Sample).then(|| self.problem.rows.counts_on(sample));
        for fit in self.fits.iter_mut().filter(|fit| !fit.is_stopped()) {
            let skips = |counts: &Totals| fit.stride == 1 || !is_fair(&fit.model, counts);
            let skips = counts.as_ref().is_some_and(skips);
            if skips {
                fit.state = State::Waiting;
            } else {
                fit.begin();
            }
        }
        let mut members = self.active();
        while !members.is_empty() {
            let evaluated = self.evaluate(stage, sample, &members)?;
            let mut again = Vec::new();
            for (&m, points) in members.iter().zip(evaluated) {
                let Some(point) = points.into_iter().next() else { continue };
                let (start, fit) = (self.problem.start.model(m), &mut self.fits[m]);
                let has_moved = fit.point.column != start;
                if stage == Stage::Table && has_moved && !is_within(point.objective, self.start_objective[m])
                {
                    // The sample misled: it was separable, say, and the table is not.
                    let had_own = fit.had_own;
                    *fit = Fit::new(fit.model, start, 1);
                    fit.had_own = had_own;
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
            if stage != Stage::Sample && step == STEPS_BEFORE_DOUBT {
                self.notice_blur(stage)?;
            }
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
                fit.judge(stage, points, self.problem.coordinates);
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
            let validated = self.validate(&members)?;
            if !watch(&self.progress(validated)) {
                for fit in self.fits.iter_mut().filter(|fit| !fit.is_stopped()) {
                    fit.state = State::Stopped(Stop::Interrupted);
                }
            }
        }
        Ok(())
    }

    /// Gives every active fit a curvature and a target; those that the stage cannot bring further wait.
    fn aim(&mut self, stage: Stage, sample: Sample) -> Result<()> {
        self.renew_curvatures(stage, sample)?;
        let (problem, tolerance) = (self.problem, self.settings.tolerance);
        self.fits.par_iter_mut().filter(|fit| fit.is_active()).for_each(|fit| {
            let promise = fit.aim(stage, problem.coordinates);
            // The sample's optimum is about order / rows off; a small share of that is enough.
            let rows = problem.rows.n_rows() as f64 / sample.stride() as f64;
            let enough = 0.05 * fit.point.column.len() as f64 / rows * fit.point.objective.abs();
            if stage == Stage::Sample && promise <= enough {
                fit.leave_sample();
            } else {
                fit.settle_for(promise, stage, tolerance);
            }
        });
        Ok(())
    }

    /// Scores the models that moved on the held-out rows, and stops those whose patience is at an end.
    fn validate(&mut self, members: &[usize]) -> Result<Option<Validated>> {
        let Some(validation) = &mut self.validation else { return Ok(None) };
        let models: Vec<ModelSpec> = members.iter().map(|&m| self.fits[m].model).collect();
        let columns = members.iter().map(|&m| self.fits[m].point.column.as_slice());
        let points = Coefficients::from_columns(self.problem.start.n_features(), columns);
        let epochs: Vec<usize> = members.iter().map(|&m| self.fits[m].iterations).collect();
        let (means, ended) = validation.score(&models, members, &points, &epochs)?;
        for (&m, _) in members.iter().zip(ended).filter(|(_, ended)| *ended) {
            if !self.fits[m].is_stopped() {
                self.fits[m].state = State::Stopped(Stop::Patience);
            }
        }
        Ok(Some(means))
    }

    fn progress(&self, validated: Option<Validated>) -> Progress {
        let stopped = |stop| self.fits.iter().filter(|fit| fit.state == State::Stopped(stop)).count();
        let n_models = self.fits.len().max(1) as f64;
        Progress {
            iteration: self.fits.iter().map(|fit| fit.iterations).max().unwrap_or(0),
            passes: self.passes,
            objective: self.fits.iter().map(|fit| fit.point.objective).sum::<f64>() / n_models,
            kkt_residual: self.fits.iter().map(|fit| fit.point.residual).fold(0.0, f64::max),
            active: self.fits.iter().filter(|fit| !fit.is_stopped()).count(),
            converged: stopped(Stop::Converged),
            validated,
        }
    }

    pub(super) fn finish(self) -> Solution {
        let mut coefficients = self.problem.start.clone();
        let mut certificates = Vec::with_capacity(self.fits.len());
        let mut proofs = Vec::with_capacity(self.fits.len());
        for (m, fit) in self.fits.iter().enumerate() {
            let best = self.validation.as_ref().and_then(|validation| validation.best(m));
            let column = best.unwrap_or(&fit.point.column);
            coefficients.model_mut(m).copy_from_slice(column);
            let is_last = column == fit.point.column;
            certificates.push(fit.point.certificate.filter(|_| is_last));
            proofs.push(if is_last { self.proofs[m].clone() } else { Proof::default() });
        }
        let stop = |fit: &Fit| match fit.state {
            State::Stopped(stop) => stop,
            State::Active | State::Waiting => Stop::Limit,
        };
        let own = self.fits.iter().filter(|fit| fit.had_own).count();
        Solution {
            coefficients,
            certificates,
            proofs,
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

/// The objective of a model of which only the intercept is set: known from the classes' weights.
fn start_objective(problem: &Problem<'_>, rows: &Rows, m: usize) -> f64 {
    let (model, start) = (&problem.models[m], &problem.start);
    if start.features(m).iter().any(|&w| w != 0.0) {
        return f64::INFINITY;
    }
    let share = model.positive_weight * model.sides(rows.weights())[0] / model.weight_sum(rows);
    share * log1pexp(-start.intercept(m)) + (1.0 - share) * log1pexp(start.intercept(m))
}

/// Whether an objective is at most `bound`; one that overflowed is not.
fn is_within(objective: f64, bound: f64) -> bool {
    objective <= bound
}

/// Whether a sample with so many rows of each fold and class has enough of both sides of a model.
fn is_fair(model: &ModelSpec, counts: &Totals) -> bool {
    model.sides(counts).iter().all(|&rows| rows >= SAMPLE_ROWS_PER_CLASS)
}
