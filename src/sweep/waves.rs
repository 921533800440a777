//! Trains the models of a sweep, wave after wave.

use std::collections::HashMap;

use super::course::Course;
use super::curves::{Curves, Picked, picked};
use super::fingerprint::Digest;
use super::journal::Journal;
use super::memory::{fixed, of_model};
use super::plan::{Member, Plan, Waves};
use super::score::score;
use crate::config::ValidTune;
use crate::data::{self, Dataset};
use crate::error::{Result, SweepError};
use crate::objective::{Certificate, Coefficients, Coordinates, Gaps, HeldOut, ModelSpec, Penalty};
use crate::observer::Observer;
use crate::panels::Sample;
use crate::solver::{Passes, Problem, Progress, Route, Solution, Stop};
use crate::train::{Stack, class_model, minimise, start};

/// A trained model.
pub(super) struct Outcome {
    pub(super) member: Member,
    pub(super) model: ModelSpec,
    pub(super) column: Vec<f64>,
    pub(super) certificate: Certificate,
    pub(super) converged: bool,
    /// Whether a plane separates its classes, so that no optimum exists.
    pub(super) separated: bool,
    pub(super) iterations: usize,
    pub(super) score: Option<f64>,
}

/// Runs the waves.
pub(super) struct Runner<'a> {
    pub(super) config: &'a ValidTune,
    pub(super) dataset: &'a Dataset,
    pub(super) coordinates: &'a Coordinates,
    pub(super) table: &'a mut dyn Passes,
    pub(super) journal: &'a Journal,
    pub(super) observer: &'a dyn Observer,
    pub(super) course: Course,
}

/// For each grid point and fold: the score of all classes together.
pub(super) type JointScores = HashMap<(usize, usize), Option<f64>>;

impl Runner<'_> {
    /// The largest derivative of any model's loss at the intercept-only model.
    pub(super) fn largest_slope(&mut self, plan: &Plan<'_>, stack: &Stack) -> Result<f64> {
        let folds = (0..plan.folds.scored.len()).map(Some).chain([None]);
        let mut models = Vec::new();
        for fold in folds {
            for (class, model) in stack.models.iter().enumerate() {
                match fold {
                    Some(fold) if !plan.is_trainable(class, fold) => {}
                    Some(fold) => models.push(class_model(
                        plan.class_weight,
                        plan.rows,
                        plan.classes[class],
                        model.penalty,
                        plan.held_out(fold),
                    )),
                    None => models.push(*model),
                }
            }
        }
        let point = start(plan.rows, &models, self.coordinates);
        let evaluation = self.table.evaluate(&models, &point, Sample::ALL)?;
        self.course.passes += 1.0;
        let mut largest: f64 = 0.0;
        for m in 0..models.len() {
            let gradient = evaluation.gradient.model(m);
            for j in 0..self.coordinates.n_features() {
                largest = largest.max(self.coordinates.slope(j, gradient).abs());
            }
        }
        Ok(largest)
    }

    /// Trains and scores the models of the grid.
    pub(super) fn grid(&mut self, plan: &Plan<'_>) -> Result<(Vec<Outcome>, JointScores)> {
        let config = self.config;
        let n_ranks = plan.points.iter().map(|point| point.rank + 1).max().unwrap_or(0);
        let everything = plan.members(0..n_ranks, &[]);
        self.course.total = everything.len() + plan.classes.len();
        let waves = self.waves(plan, everything.len() / n_ranks.max(1))?;
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(everything.len());
        let mut joint = JointScores::new();
        // The last trained point of each path, class and fold.
        let mut latest: HashMap<(usize, usize, usize), usize> = HashMap::new();
        let mut hopeless: Vec<(usize, Option<usize>)> = Vec::new();
        for first in (0..n_ranks).step_by(waves.ranks.min(n_ranks).max(1)) {
            let ranks = first..first.saturating_add(waves.ranks).min(n_ranks);
            let left = ranks.end..n_ranks;
            let members = plan.members(ranks, &hopeless);
            let before = outcomes.len();
            for wave in members.chunks(waves.models) {
                let models: Vec<ModelSpec> = wave.iter().map(|member| plan.model(member)).collect();
                let mut from = start(plan.rows, &models, self.coordinates);
                for (m, member) in wave.iter().enumerate() {
                    let key = (plan.points[member.point].path, member.class, member.fold);
                    if let Some(&neighbour) = latest.get(&key) {
                        from.model_mut(m).copy_from_slice(&outcomes[neighbour].column);
                    }
                }
                let is_warm = !latest.is_empty();
                let mut solution = self.solve(&models, from, is_warm, Gaps::Without)?;
                self.course.done += models.len();
                if is_warm {
                    self.mend(plan, &models, &mut solution)?;
                }
                self.keep(wave, &models, &solution, &mut outcomes)?;
            }
            for (at, outcome) in outcomes.iter().enumerate().skip(before) {
                let member = outcome.member;
                latest.insert((plan.points[member.point].path, member.class, member.fold), at);
            }
            let together = plan.classes.len() > 1 && !config.per_class;
            let walks = score(
                config.scoring,
                &self.dataset.panels,
                plan,
                together,
                &mut outcomes[before..],
                &mut joint,
            );
            self.course.passes += walks as f64;
            if config.halving {
                hopeless = Curves::new(config, plan, &outcomes, &joint).hopeless(config, plan);
                let left = plan.members(left, &hopeless).len();
                self.course.total = outcomes.len() + left + plan.classes.len();
            }
        }
        Ok((outcomes, joint))
    }

    /// The sizes of the waves. They are saved, because a resumed sweep may have another amount of memory.
    fn waves(&self, plan: &Plan<'_>, models_of_rank: usize) -> Result<Waves> {
        let shape = self.dataset.shape();
        let memory = match self.config.train.memory {
            Some(memory) => Some(memory.saturating_sub(self.dataset.bytes())),
            None => data::available_memory().map(|bytes| bytes / 2),
        };
        let left = memory.map(|bytes| bytes.saturating_sub(fixed(self.config, &shape)));
        let per_reading = self.table.models_per_reading();
        let penalties: Vec<Penalty> = plan.points.iter().map(|point| point.penalty(1.0)).collect();
        let planned = Waves::new(of_model(self.config, &shape), left, per_reading);
        let models = self.journal.remember(Digest::new().words([4]), || planned.models as f64)?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let planned = Waves { models: (models as usize).max(1), ..planned };
        let route = Route::choose(self.config.train.solver, (shape.rows, shape.features), &penalties, false);
        Ok(planned.grouped(models_of_rank, self.config.halving, !route.shares_passes()))
    }

    /// Trains one wave.
    fn solve(
        &mut self,
        models: &[ModelSpec],
        from: Coefficients,
        is_warm: bool,
        gaps: Gaps,
    ) -> Result<Solution> {
        let train = &self.config.train;
        let rows = &self.dataset.rows;
        let problem = Problem { is_warm, gaps, ..Problem::new(models, rows, self.coordinates, from) };
        let (observer, course) = (self.observer, &mut self.course);
        let mut first_residual: Option<f64> = None;
        let mut interrupted = false;
        let mut watch = |progress: &Progress| {
            let first = *first_residual.get_or_insert(progress.kkt_residual.max(train.tolerance));
            observer.sweep(&course.note(progress, models.len(), first, train.tolerance));
            interrupted = observer.is_interrupted();
            !interrupted
        };
        let solution = minimise(train, self.table, &problem, None, &mut watch)?;
        if interrupted || observer.is_interrupted() {
            let way_out = match &self.config.checkpoint {
                Some(folder) => {
                    format!("continue with --checkpoint {} --resume", folder.display())
                }
                None => "--checkpoint DIR would have saved its passes".to_owned(),
            };
            return Err(SweepError::Interrupted { way_out }.into());
        }
        self.course.end_wave(&solution);
        Ok(solution)
    }

    /// Models that made no progress from a neighbour's coefficients are trained again from the intercept
    /// alone; the better result is kept.
    fn mend(&mut self, plan: &Plan<'_>, models: &[ModelSpec], solution: &mut Solution) -> Result<()> {
        let stuck: Vec<usize> =
            (0..models.len()).filter(|&m| solution.stops[m] == Stop::ProgressEnded).collect();
        if stuck.is_empty() {
            return Ok(());
        }
        let specs: Vec<ModelSpec> = stuck.iter().map(|&m| models[m]).collect();
        let from = start(plan.rows, &specs, self.coordinates);
        let again = self.solve(&specs, from, false, Gaps::Without)?;
        for (k, &m) in stuck.iter().enumerate() {
            let objective =
                |certificate: &Option<Certificate>| certificate.map_or(f64::INFINITY, |c| c.objective);
            if objective(&again.certificates[k]) < objective(&solution.certificates[m]) {
                solution.coefficients.model_mut(m).copy_from_slice(again.coefficients.model(k));
                solution.certificates[m] = again.certificates[k];
                solution.stops[m] = again.stops[k];
                solution.proofs[m] = again.proofs[k].clone();
            }
            solution.iterations[m] += again.iterations[k];
        }
        Ok(())
    }

    /// Stores the models of a wave with their certificates.
    fn keep(
        &mut self,
        wave: &[Member],
        models: &[ModelSpec],
        solution: &Solution,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        let missing: Vec<usize> = (0..models.len()).filter(|&m| solution.certificates[m].is_none()).collect();
        let mut certificates = solution.certificates.clone();
        if !missing.is_empty() {
            let specs: Vec<ModelSpec> = missing.iter().map(|&m| models[m]).collect();
            let columns = solution.coefficients.select(&missing);
            let exact = self.table.evaluate_exactly(&specs, &columns, Gaps::Without)?;
            self.course.passes += 1.0;
            for (k, &m) in missing.iter().enumerate() {
                certificates[m] = Some(exact.certificate(k, &specs[k], columns.model(k), self.coordinates));
            }
        }
        for (m, (member, model)) in wave.iter().zip(models).enumerate() {
            let certificate = certificates[m].expect("it was made where it was missing");
            outcomes.push(Outcome {
                member: *member,
                model: *model,
                column: solution.coefficients.model(m).to_vec(),
                certificate,
                converged: solution.has_converged(
                    m,
                    &certificate,
                    &solution.proofs[m],
                    self.config.train.tolerance,
                ),
                separated: solution.stops[m] == Stop::Separated,
                iterations: solution.iterations[m],
                score: certificate.held_out.and_then(|sums| self.config.scoring.of_sums(&sums)),
            });
        }
        Ok(())
    }

    /// Trains the chosen penalties on all rows, starting from the mean of the folds.
    pub(super) fn refit(
        &mut self,
        plan: &Plan<'_>,
        stack: &Stack,
        outcomes: &[Outcome],
        choice: &[Picked],
    ) -> Result<(Stack, Solution)> {
        let weight_sum = self.dataset.rows.weight_sum();
        let mut refit = stack.clone();
        let mut from = start(plan.rows, &refit.models, self.coordinates);
        for (class, model) in refit.models.iter_mut().enumerate() {
            let picked = picked(choice, class);
            model.penalty = plan.points[picked.point].penalty(weight_sum);
            model.held_out = HeldOut::NONE;
            let columns: Vec<&[f64]> = outcomes
                .iter()
                .filter(|o| o.member.point == picked.point && o.member.class == class)
                .map(|o| o.column.as_slice())
                .collect();
            if !columns.is_empty() {
                from.model_mut(class).copy_from_slice(&mean_column(&columns));
            }
        }
        refit.penalty = refit.models[0].penalty;
        let models = refit.models.clone();
        let solution = self.solve(&models, from, true, Gaps::With)?;
        Ok((refit, solution))
    }
}

pub(super) fn mean_column(columns: &[&[f64]]) -> Vec<f64> {
    let n = columns.len() as f64;
    let stride = columns.first().map_or(0, |column| column.len());
    (0..stride).map(|j| columns.iter().map(|column| column[j]).sum::<f64>() / n).collect()
}

pub(super) fn count_nonzero(column: &[f64]) -> usize {
    column[..column.len() - 1].iter().filter(|&&w| w != 0.0).count()
}
