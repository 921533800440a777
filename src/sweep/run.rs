//! A sweep from the table to the model.

use std::collections::HashMap;
use std::time::Instant;

use serde::Serialize;

use super::choose::{Candidate, Mean, choose, is_hopeless, mean};
use super::grid::{GridPoint, needs_slope, points};
use super::journal::{Digest, Journal, Remembered, RememberedHost};
use super::plan::{Member, Plan, Waves};
use super::score::{Joint, Ranked, jointly, of_sums, rank};
use super::{Choice, CurvePoint, PathPoint, SweepRow, SweepTable};
use crate::config::{Scoring, ValidTune};
use crate::data::{self, Dataset, FoldName, Folds};
use crate::engine::Engine;
use crate::error::{Result, SweepError};
use crate::model::{Model, PenaltyScales, Seconds};
use crate::objective::{Certificate, Coefficients, Gaps, HeldOut, ModelSpec};
use crate::solver::{FullBatch, Host, Problem, Progress, Solution, Stop};
use crate::train::{
    Chosen, HostTable, Observer, Reading, Stack, SweepProgress, minimise, read_options, start, training,
    warnings, with_threads,
};

/// Panels whose values stand for all of them in a table's fingerprint: every so-many-th.
const FINGERPRINT_STRIDE: usize = 64;

/// A sweep to be run: a grid of penalties, cross-validated, and a model with the penalty that it chooses.
///
/// # Examples
/// ```
/// use logodds::config::{TrainConfig, TuneConfig, TuneSettings};
/// use logodds::sweep::Sweep;
/// use logodds::train::Silent;
///
/// # fn main() -> logodds::Result<()> {
/// let config = TuneConfig {
///     train: TrainConfig {
///         data: vec!["data/breast_cancer/train.parquet".into()],
///         target: Some("diagnosis".into()),
///         ..TrainConfig::default()
///     },
///     sweep: TuneSettings { l1_ratios: vec![0.0, 0.5, 1.0], ..TuneSettings::default() },
/// };
/// let tuned = Sweep::new(&config.check()?).run(&Silent)?;
/// let chosen = &tuned.table().chosen[0];
/// println!("l1 {:.2e}, l2 {:.2e}", chosen.l1, chosen.l2);
/// assert_eq!(tuned.table().results.len(), 20 * 3 * 5 + 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Sweep<'a> {
    config: &'a ValidTune,
}

/// A finished sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The model with the chosen penalty, trained on all rows, and the whole table of results; not yet written.
    pub model: Model,
    /// The run.
    pub report: SweepReport,
    /// Coefficients along the penalties.
    pub path: Vec<PathPoint>,
}

impl Tuned {
    /// What the sweep found.
    ///
    /// # Panics
    /// If the model's table was taken away.
    pub fn table(&self) -> &SweepTable {
        self.model.sweep.as_ref().expect("a tuned model has its sweep")
    }
}

/// What people want to know of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepReport {
    /// The device that ran the passes, and why it was taken.
    pub device: String,
    /// Why that device.
    pub device_reason: String,
    /// Rows of the table.
    pub rows: usize,
    /// Rows left out.
    pub rows_dropped: usize,
    /// Encoded features.
    pub n_features: usize,
    /// Names of the folds that are scored.
    pub folds: Vec<FoldName>,
    /// Models trained, the refit included.
    pub models: usize,
    /// Of these, those within the tolerance.
    pub converged: usize,
    /// Waves of models.
    pub waves: usize,
    /// What ran in them.
    pub solver: String,
    /// Readings of X, counted in whole tables; each serves all models of its wave.
    pub passes: f64,
    /// Where the time went.
    pub seconds: Seconds,
    /// What a user should look at.
    pub warnings: Vec<String>,
}

/// A model that was trained.
struct Outcome {
    member: Member,
    model: ModelSpec,
    column: Vec<f64>,
    certificate: Certificate,
    converged: bool,
    iterations: usize,
    score: Option<f64>,
}

impl<'a> Sweep<'a> {
    /// A sweep with these settings.
    pub fn new(config: &'a ValidTune) -> Self {
        Self { config }
    }

    /// Runs it.
    ///
    /// # Errors
    /// Whatever the table, the device or the settings do not allow; [`SweepError::Interrupted`] if the observer asks
    /// to stop.
    pub fn run(&self, observer: &dyn Observer) -> Result<Tuned> {
        let begin = Instant::now();
        with_threads(self.config.train.threads, || self.run_here(observer, begin))
    }

    fn run_here(&self, observer: &dyn Observer, begin: Instant) -> Result<Tuned> {
        let (config, train) = (self.config, &self.config.train);
        let device = Chosen::find(train.device)?;
        let reading = Instant::now();
        let source = data::open(&train.data)?;
        let options = data::ReadOptions { folds: Some(config.folding.clone()), ..read_options(train) };
        let mut dataset = data::read_training(&source, &options, &Reading(observer))?;
        let read = reading.elapsed().as_secs_f64();
        let folds = dataset.folds.take().expect("they were asked for");

        let started = Instant::now();
        let stack = Stack::new(train, &dataset)?;
        let mut notes = warnings(&dataset);
        let mut engine = device.engine(&dataset.panels, &dataset.rows)?;
        let description = engine.device();
        observer.message(&format!("{description}: {}", device.reason));
        let journal = match &config.checkpoint {
            Some(folder) => Journal::open(folder, config.resume, fingerprint(config, &dataset))?,
            None => Journal::none(),
        };
        let host = HostTable::new(&dataset.panels, &dataset.rows);
        let mut runner = Runner {
            config,
            dataset: &dataset,
            offsets: &stack.offsets,
            engine: &mut Remembered { engine: engine.as_mut(), journal: &journal },
            host: &RememberedHost { host: &host, journal: &journal },
            journal: &journal,
            observer,
            started,
            total: 0,
            done: 0,
            waves: 0,
            methods: Vec::new(),
        };
        let mut plan = Plan {
            rows: &dataset.rows,
            folds: &folds,
            classes: stack.models.iter().map(|model| model.class as usize).collect(),
            points: Vec::new(),
            class_weight: train.class_weight,
        };
        let slope = if needs_slope(&config.grid) { runner.largest_slope(&plan, &stack)? } else { 0.0 };
        let is_wide = dataset.panels.n_features() > dataset.panels.n_rows();
        plan.points = points(&config.grid, &config.l1_ratios, slope, is_wide);

        let names = Names::new(&dataset, &stack, &folds);
        notes.extend(names.untrainable(&plan));
        let (outcomes, joint) = runner.grid(&plan)?;
        notes.extend(names.unscored(&plan, config.scoring, &outcomes));
        let curves = Curves::new(config, &plan, &outcomes, &joint);
        let choice = curves.choose(config)?;
        let (refit, solution) = runner.refit(&plan, &stack, &outcomes, &choice)?;

        let fitted = refit.fitted(&dataset, &solution, train.tolerance);
        let (passes, n_refit) = (journal.passes(), fitted.len());
        let seconds =
            Seconds { read, train: started.elapsed().as_secs_f64(), total: begin.elapsed().as_secs_f64() };
        let weight_sum = dataset.rows.weight_sum();
        let mut results: Vec<SweepRow> = outcomes.iter().map(|o| names.row(&plan, o)).collect();
        results.extend(fitted.iter().enumerate().map(|(class, fitted)| {
            let penalty = plan.points[picked(&choice, class).point].scales(weight_sum);
            SweepRow {
                l1: penalty.l1,
                l2: penalty.l2,
                c: penalty.c,
                l1_ratio: penalty.l1_ratio,
                class: names.class(class),
                fold: None,
                score: None,
                objective: fitted.objective,
                kkt_residual: fitted.kkt_residual,
                converged: fitted.converged,
                nonzero: fitted.nonzero,
                iterations: fitted.iterations,
            }
        }));
        let report = SweepReport {
            device: description.clone(),
            device_reason: device.reason.clone(),
            rows: dataset.panels.n_rows(),
            rows_dropped: dataset.rows_dropped,
            n_features: dataset.panels.n_features(),
            folds: folds.scored.iter().map(|(_, name)| name.clone()).collect(),
            models: results.len(),
            converged: results.iter().filter(|row| row.converged).count(),
            waves: runner.waves,
            solver: runner.methods.join(", "),
            passes,
            seconds,
            warnings: notes.clone(),
        };
        let table = SweepTable {
            scoring: config.scoring,
            greater_is_better: config.scoring.is_greater_better(),
            rule: config.rule,
            chosen: choice
                .iter()
                .map(|picked| picked.describe(&plan, weight_sum, names.class_of_choice(picked)))
                .collect(),
            curve: curves.points(&plan, weight_sum, &names, &choice),
            results,
            skipped: plan.points.len() * plan.classes.len() * folds.scored.len() + n_refit - report.models,
            warnings: notes,
        };
        let path = path(&plan, &outcomes, &names, weight_sum);
        drop(engine);
        let training = training(train, &dataset, &report.solver, description, passes, seconds);
        let per_class = choice.len() > 1;
        let penalties: Vec<PenaltyScales> = (0..plan.classes.len())
            .map(|class| plan.points[picked(&choice, class).point].scales(weight_sum))
            .collect();
        let mut model = refit.model(dataset, fitted, training);
        if per_class {
            for (fitted, penalty) in model.models.iter_mut().zip(&penalties) {
                fitted.penalty = Some(*penalty);
            }
        }
        model.penalty = (!per_class).then_some(penalties[0]);
        model.sweep = Some(table);
        Ok(Tuned { model, report, path })
    }
}

/// What identifies a sweep: its settings but for the machine's, and the table.
fn fingerprint(config: &ValidTune, dataset: &Dataset) -> u64 {
    let train = &config.train;
    let settings = format!(
        "{:?}",
        (
            (&config.grid, &config.l1_ratios, &config.folding, config.halving),
            config.halving.then_some((config.scoring, config.per_class)),
            (&train.target, &train.features, &train.categorical, &train.positive, &train.weight),
            (train.class_weight, train.missing, train.standardize, train.intercept),
            (train.solver, train.tolerance, train.max_iterations, train.seed),
        )
    );
    let (panels, rows) = (&dataset.panels, &dataset.rows);
    let mut digest = Digest::new()
        .text(&settings)
        .words([panels.n_rows() as u64, panels.n_features() as u64])
        .words(rows.labels().iter().map(|&label| u64::from(label)))
        .words(rows.weight().iter().map(|weight| u64::from(weight.to_bits())));
    for p in (0..panels.n_panels()).step_by(FINGERPRINT_STRIDE) {
        digest = digest.words(panels.panel(p).iter().map(|x| u64::from(x.to_bits())));
    }
    digest.end()
}

/// What runs the waves.
struct Runner<'a> {
    config: &'a ValidTune,
    dataset: &'a Dataset,
    offsets: &'a [f64],
    engine: &'a mut dyn Engine,
    host: &'a dyn Host,
    journal: &'a Journal,
    observer: &'a dyn Observer,
    started: Instant,
    /// Models of the sweep, and those that are trained.
    total: usize,
    done: usize,
    waves: usize,
    methods: Vec<String>,
}

/// By grid point and fold: the score of all classes together.
type JointScores = HashMap<(usize, usize), Option<f64>>;

impl Runner<'_> {
    /// The largest derivative by any coefficient of any model's loss where its intercept alone is fitted.
    fn largest_slope(&mut self, plan: &Plan<'_>, stack: &Stack) -> Result<f64> {
        let folds = (0..plan.folds.scored.len()).map(Some).chain([None]);
        let mut models = Vec::new();
        for fold in folds {
            for (class, model) in stack.models.iter().enumerate() {
                match fold {
                    Some(fold) if !plan.is_trainable(class, fold) => {}
                    Some(fold) => models.push(crate::train::class_model(
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
        let (n_features, intercept) = (self.dataset.panels.n_features(), self.config.train.intercept);
        let point = start(plan.rows, &models, n_features, intercept);
        let evaluation = self.engine.evaluate(&models, &point)?;
        let mut largest: f64 = 0.0;
        for m in 0..models.len() {
            let gradient = evaluation.gradient.model(m);
            for (slope, offset) in gradient.iter().zip(self.offsets) {
                largest = largest.max((slope + offset * gradient[n_features]).abs());
            }
        }
        Ok(largest)
    }

    /// Trains and scores the models of the grid.
    fn grid(&mut self, plan: &Plan<'_>) -> Result<(Vec<Outcome>, JointScores)> {
        let config = self.config;
        let n_ranks = plan.points.iter().map(|point| point.rank + 1).max().unwrap_or(0);
        let everything = plan.members(0..n_ranks, &|_, _| false);
        if everything.is_empty() {
            let why = "no fold leaves rows of both sides of any class to learn from".to_owned();
            return Err(SweepError::NothingToChoose { why }.into());
        }
        self.total = everything.len() + plan.classes.len();
        let waves = self.waves(plan, everything.len() / n_ranks.max(1))?;
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(everything.len());
        let mut joint = JointScores::new();
        // The last point of each path, class and fold.
        let mut latest: HashMap<(usize, usize, usize), usize> = HashMap::new();
        let mut hopeless: Vec<(usize, Option<usize>)> = Vec::new();
        for first in (0..n_ranks).step_by(waves.ranks.min(n_ranks).max(1)) {
            let ranks = first..first.saturating_add(waves.ranks).min(n_ranks);
            let skip = |point: usize, class: usize| {
                let path = plan.points[point].path;
                hopeless.contains(&(path, None)) || hopeless.contains(&(path, Some(class)))
            };
            let members = plan.members(ranks, &skip);
            let before = outcomes.len();
            for wave in members.chunks(waves.models) {
                let models: Vec<ModelSpec> = wave.iter().map(|member| plan.model(member)).collect();
                let n_features = self.dataset.panels.n_features();
                let mut from = start(plan.rows, &models, n_features, config.train.intercept);
                for (m, member) in wave.iter().enumerate() {
                    let key = (plan.points[member.point].path, member.class, member.fold);
                    if let Some(&neighbour) = latest.get(&key) {
                        from.model_mut(m).copy_from_slice(&outcomes[neighbour].column);
                    }
                }
                let is_warm = !latest.is_empty();
                let mut solution = self.solve(&models, from, is_warm, Gaps::Without)?;
                self.done += models.len();
                if is_warm {
                    self.mend(plan, &models, &mut solution)?;
                }
                self.keep(wave, &models, &solution, &mut outcomes)?;
            }
            for (at, outcome) in outcomes.iter().enumerate().skip(before) {
                let member = outcome.member;
                latest.insert((plan.points[member.point].path, member.class, member.fold), at);
            }
            self.score(plan, &mut outcomes[before..], &mut joint);
            if config.halving {
                hopeless = Curves::new(config, plan, &outcomes, &joint).hopeless(config, plan);
                self.total = outcomes.len() + plan.classes.len() + {
                    let skip = |point: usize, class: usize| {
                        let path = plan.points[point].path;
                        hopeless.contains(&(path, None)) || hopeless.contains(&(path, Some(class)))
                    };
                    plan.members(first.saturating_add(waves.ranks).min(n_ranks)..n_ranks, &skip).len()
                };
            }
        }
        Ok((outcomes, joint))
    }

    /// How the grid is cut; remembered, as memory may be another one after a resumption.
    fn waves(&self, plan: &Plan<'_>, models_of_rank: usize) -> Result<Waves> {
        let order = self.dataset.panels.n_features() + 1;
        let memory = self.config.train.memory.or_else(data::available_memory).map(|bytes| bytes / 2);
        let planned = Waves::new(order, order <= FullBatch::MAX_FEATURES, memory);
        let models = self.journal.remember(Digest::new().words([4]), || planned.models as f64)?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let planned = Waves { models: (models as usize).max(1), ..planned };
        let is_sparse = plan.points.iter().all(|point| point.l1_ratio > 0.0);
        let one_by_one = crate::train::takes_working_sets(is_sparse, order - 1);
        Ok(planned.grouped(models_of_rank, self.config.halving, one_by_one))
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
        let problem = Problem {
            models,
            n_rows: self.dataset.panels.n_rows(),
            intercept: train.intercept,
            offsets: self.offsets,
            smoothness: &[],
            start: from,
            is_warm,
            gaps,
        };
        let (observer, journal) = (self.observer, self.journal);
        let (total, done, started) = (self.total, self.done, self.started);
        let mut first_residual: Option<f64> = None;
        let mut interrupted = false;
        let mut watch = |progress: &Progress| {
            let first = *first_residual.get_or_insert(progress.kkt_residual.max(train.tolerance));
            let way = (first / train.tolerance).ln().max(1e-9);
            let gone = (first / progress.kkt_residual.max(train.tolerance)).ln() / way;
            let share = done as f64
                + progress.converged as f64
                + (models.len() - progress.converged) as f64 * gone.clamp(0.05, 1.0);
            let elapsed = started.elapsed().as_secs_f64();
            observer.sweep(&SweepProgress {
                models: total,
                done: done + models.len() - progress.active,
                running: progress.active,
                passes: journal.passes(),
                kkt_residual: progress.kkt_residual,
                elapsed_secs: elapsed,
                remaining_secs: elapsed * (total as f64 / share.max(1e-9) - 1.0).max(0.0),
            });
            interrupted = observer.is_interrupted();
            !interrupted
        };
        let solution = minimise(train, self.engine, self.host, &problem, None, &mut watch)?;
        if interrupted || observer.is_interrupted() {
            let way_out = match &self.config.checkpoint {
                Some(folder) => {
                    format!("go on with --checkpoint {} --resume", folder.display())
                }
                None => "--checkpoint DIR would have kept its passes".to_owned(),
            };
            return Err(SweepError::Interrupted { way_out }.into());
        }
        self.waves += 1;
        // How many took which differs from wave to wave.
        let method = match solution.method.as_str() {
            mixed if mixed.contains(" for ") => "lbfgs and newton",
            one => one,
        };
        if !self.methods.iter().any(|known| known == method) {
            self.methods.push(method.to_owned());
        }
        Ok(solution)
    }

    /// Trains the models that a neighbour's coefficients led to a standstill again, from the intercept alone, and keeps
    /// the better of both.
    fn mend(&mut self, plan: &Plan<'_>, models: &[ModelSpec], solution: &mut Solution) -> Result<()> {
        let stuck: Vec<usize> =
            (0..models.len()).filter(|&m| solution.stops[m] == Stop::ProgressEnded).collect();
        if stuck.is_empty() {
            return Ok(());
        }
        let specs: Vec<ModelSpec> = stuck.iter().map(|&m| models[m]).collect();
        let (n_features, intercept) = (self.dataset.panels.n_features(), self.config.train.intercept);
        let from = start(plan.rows, &specs, n_features, intercept);
        let again = self.solve(&specs, from, false, Gaps::Without)?;
        for (k, &m) in stuck.iter().enumerate() {
            let objective =
                |certificate: &Option<Certificate>| certificate.map_or(f64::INFINITY, |c| c.objective);
            if objective(&again.certificates[k]) < objective(&solution.certificates[m]) {
                solution.coefficients.model_mut(m).copy_from_slice(again.coefficients.model(k));
                solution.certificates[m] = again.certificates[k];
                solution.stops[m] = again.stops[k];
            }
            solution.iterations[m] += again.iterations[k];
        }
        Ok(())
    }

    /// Takes the models of a wave, with their certificates.
    fn keep(
        &self,
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
            let exact = self.host.evaluate(&specs, &columns, Gaps::Without)?;
            for (k, &m) in missing.iter().enumerate() {
                let intercept = self.config.train.intercept;
                certificates[m] =
                    Some(exact.certificate(k, &specs[k], columns.model(k), self.offsets, intercept));
            }
        }
        for (m, (member, model)) in wave.iter().zip(models).enumerate() {
            let certificate = certificates[m].expect("it was made where it was missing");
            outcomes.push(Outcome {
                member: *member,
                model: *model,
                column: solution.coefficients.model(m).to_vec(),
                certificate,
                converged: certificate.kkt_residual <= self.config.train.tolerance
                    && solution.stops[m] != Stop::Separated,
                iterations: solution.iterations[m],
                score: certificate.held_out.and_then(|sums| of_sums(self.config.scoring, &sums)),
            });
        }
        Ok(())
    }

    /// Scores what the sums of the passes do not: orders of rows, and classes against each other.
    fn score(&self, plan: &Plan<'_>, outcomes: &mut [Outcome], joint: &mut JointScores) {
        let (scoring, panels) = (self.config.scoring, &self.dataset.panels);
        if scoring.is_ranking() {
            let ranked: Vec<Ranked<'_>> = outcomes
                .iter()
                .map(|outcome| Ranked {
                    class: outcome.model.class,
                    fold: plan.folds.scored[outcome.member.fold].0,
                    column: &outcome.column,
                })
                .collect();
            let scores = rank(scoring, panels, plan.rows, &ranked);
            outcomes.iter_mut().zip(scores).for_each(|(outcome, score)| outcome.score = score);
        }
        if plan.classes.len() < 2 || self.config.per_class {
            return;
        }
        let mut by_point: HashMap<usize, HashMap<usize, Vec<&Outcome>>> = HashMap::new();
        for outcome in outcomes.iter() {
            let folds = by_point.entry(outcome.member.point).or_default();
            folds.entry(outcome.member.fold).or_default().push(outcome);
        }
        for (point, folds) in by_point {
            // A fold without one of its models has no joint score.
            let mut whole: Vec<(usize, Vec<&Outcome>)> =
                folds.into_iter().filter(|(_, models)| models.len() == plan.classes.len()).collect();
            whole.sort_by_key(|(fold, _)| *fold);
            let scores: Vec<Option<f64>> = if scoring.is_ranking() {
                whole.iter().map(|(_, models)| mean_of_all(models.iter().map(|m| m.score))).collect()
            } else {
                let columns = |models: &Vec<&'_ Outcome>| {
                    let mut models: Vec<_> =
                        models.iter().map(|m| (m.member.class, m.column.as_slice())).collect();
                    models.sort_by_key(|(class, _)| *class);
                    models.into_iter().map(|(_, column)| column.to_vec()).collect::<Vec<_>>()
                };
                let owned: Vec<(u32, Vec<Vec<f64>>)> = whole
                    .iter()
                    .map(|(fold, models)| (plan.folds.scored[*fold].0, columns(models)))
                    .collect();
                let folds = owned
                    .iter()
                    .map(|(number, columns)| (*number, columns.iter().map(Vec::as_slice).collect()))
                    .collect();
                jointly(scoring, panels, plan.rows, &Joint { folds, n_classes: plan.classes.len() })
            };
            joint.extend(whole.iter().zip(scores).map(|((fold, _), score)| ((point, *fold), score)));
        }
    }

    /// Trains the chosen penalties on all rows, from the mean of the folds.
    fn refit(
        &mut self,
        plan: &Plan<'_>,
        stack: &Stack,
        outcomes: &[Outcome],
        choice: &[Picked],
    ) -> Result<(Stack, Solution)> {
        let weight_sum = self.dataset.rows.weight_sum();
        let mut refit = stack.clone();
        let n_features = self.dataset.panels.n_features();
        let mut from = start(plan.rows, &refit.models, n_features, self.config.train.intercept);
        for (class, model) in refit.models.iter_mut().enumerate() {
            let picked =
                choice.iter().find(|p| p.class.is_none_or(|c| c == class)).expect("one for each class");
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

/// The mean of scores, if there is every one.
fn mean_of_all(scores: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let scores: Vec<f64> = scores.collect::<Option<_>>()?;
    Some(scores.iter().sum::<f64>() / scores.len().max(1) as f64)
}

fn mean_column(columns: &[&[f64]]) -> Vec<f64> {
    let n = columns.len() as f64;
    let stride = columns.first().map_or(0, |column| column.len());
    (0..stride).map(|j| columns.iter().map(|column| column[j]).sum::<f64>() / n).collect()
}

/// A grid point that was chosen, for all classes or for one.
struct Picked {
    point: usize,
    best: usize,
    class: Option<usize>,
}

/// What was chosen for a class.
fn picked(choice: &[Picked], class: usize) -> &Picked {
    choice.iter().find(|p| p.class.is_none_or(|c| c == class)).expect("one for all, or one for each class")
}

impl Picked {
    fn describe(&self, plan: &Plan<'_>, weight_sum: f64, class: Option<String>) -> Choice {
        let penalty = plan.points[self.point].scales(weight_sum);
        Choice { l1: penalty.l1, l2: penalty.l2, c: penalty.c, l1_ratio: penalty.l1_ratio, class }
    }
}

/// The curves of a sweep: one for all classes, or one for each.
struct Curves {
    /// Class, and for each grid point its score.
    curves: Vec<(Option<usize>, Vec<Option<Mean>>)>,
    nonzero: Vec<Vec<f64>>,
    paths: Vec<usize>,
}

impl Curves {
    fn new(config: &ValidTune, plan: &Plan<'_>, outcomes: &[Outcome], joint: &JointScores) -> Self {
        let each = config.per_class && plan.classes.len() > 1;
        let classes: Vec<Option<usize>> =
            if each { (0..plan.classes.len()).map(Some).collect() } else { vec![None] };
        let mut of_point: HashMap<(usize, usize), Vec<&Outcome>> = HashMap::new();
        for outcome in outcomes {
            of_point.entry((outcome.member.point, outcome.member.class)).or_default().push(outcome);
        }
        let n_folds = plan.folds.scored.len();
        let score = |point: usize, class: Option<usize>| match class {
            None if plan.classes.len() > 1 => {
                mean((0..n_folds).map(|fold| joint.get(&(point, fold)).copied().flatten()))
            }
            class => {
                let outcomes = of_point.get(&(point, class.unwrap_or(0)));
                mean(outcomes.into_iter().flatten().map(|outcome| outcome.score))
            }
        };
        let nonzero = |point: usize, class: Option<usize>| {
            let classes = class.map_or(0..plan.classes.len(), |class| class..class + 1);
            let counts: Vec<f64> = classes
                .filter_map(|class| of_point.get(&(point, class)))
                .flatten()
                .map(|outcome| count_nonzero(&outcome.column) as f64)
                .collect();
            // A fold of nothing, summed as floats, would be minus zero.
            counts.iter().fold(0.0, |sum, count| sum + count) / counts.len().max(1) as f64
        };
        let points = 0..plan.points.len();
        Self {
            curves: classes
                .iter()
                .map(|&class| (class, points.clone().map(|point| score(point, class)).collect()))
                .collect(),
            nonzero: classes
                .iter()
                .map(|&class| points.clone().map(|point| nonzero(point, class)).collect())
                .collect(),
            paths: plan.points.iter().map(|point| point.path).collect(),
        }
    }

    fn choose(&self, config: &ValidTune) -> Result<Vec<Picked>> {
        let of = |(class, scores): &(Option<usize>, Vec<Option<Mean>>)| {
            let candidate = |(&path, &score): (&usize, &Option<Mean>)| Candidate { path, score };
            let candidates: Vec<Candidate> = self.paths.iter().zip(scores).map(candidate).collect();
            match choose(config.scoring, config.rule, &candidates) {
                Some((best, point)) => Ok(Picked { point, best, class: *class }),
                None => {
                    let why =
                        "no fold holds rows of both sides of a class; take fewer folds, or another --scoring";
                    Err(SweepError::NothingToChoose { why: why.to_owned() }.into())
                }
            }
        };
        self.curves.iter().map(of).collect()
    }

    /// The paths that are not worth following, for a class or for all.
    fn hopeless(&self, config: &ValidTune, plan: &Plan<'_>) -> Vec<(usize, Option<usize>)> {
        let mut hopeless = Vec::new();
        for (class, scores) in &self.curves {
            for path in 0..config.l1_ratios.len() {
                let of_path = |point: &GridPoint| point.path == path;
                let scores =
                    plan.points.iter().zip(scores).filter(|(p, _)| of_path(p)).map(|(_, score)| *score);
                if is_hopeless(config.scoring, scores) {
                    hopeless.push((path, *class));
                }
            }
        }
        hopeless
    }

    fn points(
        &self,
        plan: &Plan<'_>,
        weight_sum: f64,
        names: &Names<'_>,
        choice: &[Picked],
    ) -> Vec<CurvePoint> {
        let mut points = Vec::new();
        for (((class, scores), nonzero), picked) in self.curves.iter().zip(&self.nonzero).zip(choice) {
            for (at, point) in plan.points.iter().enumerate() {
                let penalty = point.scales(weight_sum);
                points.push(CurvePoint {
                    l1: penalty.l1,
                    l2: penalty.l2,
                    c: penalty.c,
                    l1_ratio: penalty.l1_ratio,
                    class: class.and_then(|class| names.class(class)),
                    mean: scores[at].map(|score| score.mean),
                    standard_error: scores[at].and_then(|score| score.standard_error),
                    nonzero: nonzero[at],
                    best: at == picked.best,
                    chosen: at == picked.point,
                });
            }
        }
        points
    }
}

fn count_nonzero(column: &[f64]) -> usize {
    column[..column.len() - 1].iter().filter(|&&w| w != 0.0).count()
}

/// What classes and folds are called.
struct Names<'a> {
    /// None where the target has two classes.
    classes: Option<Vec<String>>,
    all_classes: Vec<String>,
    folds: &'a Folds,
}

impl<'a> Names<'a> {
    fn new(dataset: &Dataset, stack: &Stack, folds: &'a Folds) -> Self {
        let all_classes = dataset.target.classes.clone();
        let classes = stack.models.iter().map(|model| all_classes[model.class as usize].clone()).collect();
        Self { classes: (stack.models.len() > 1).then_some(classes), all_classes, folds }
    }

    fn class(&self, class: usize) -> Option<String> {
        self.classes.as_ref().map(|classes| classes[class].clone())
    }

    fn class_of_choice(&self, picked: &Picked) -> Option<String> {
        picked.class.and_then(|class| self.class(class))
    }

    fn row(&self, plan: &Plan<'_>, outcome: &Outcome) -> SweepRow {
        let penalty = plan.points[outcome.member.point].scales(plan.weight_sum(outcome.model.held_out));
        SweepRow {
            l1: penalty.l1,
            l2: penalty.l2,
            c: penalty.c,
            l1_ratio: penalty.l1_ratio,
            class: self.class(outcome.member.class),
            fold: Some(self.folds.scored[outcome.member.fold].1.clone()),
            score: outcome.score,
            objective: outcome.certificate.objective,
            kkt_residual: outcome.certificate.kkt_residual,
            converged: outcome.converged,
            nonzero: count_nonzero(&outcome.column),
            iterations: outcome.iterations,
        }
    }

    fn described(&self, plan: &Plan<'_>, class: usize) -> String {
        format!("class {:?}", self.all_classes[plan.classes[class]])
    }

    /// The classes and folds whose models have one side only to learn from.
    fn untrainable(&self, plan: &Plan<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        for class in 0..plan.classes.len() {
            let folds: Vec<String> = (0..self.folds.scored.len())
                .filter(|&fold| !plan.is_trainable(class, fold))
                .map(|fold| self.folds.scored[fold].1.to_string())
                .collect();
            if !folds.is_empty() {
                notes.push(format!(
                    "{} has rows of one side only outside fold {}: no model can learn it there",
                    self.described(plan, class),
                    folds.join(", ")
                ));
            }
        }
        notes
    }

    /// The classes and folds that define no score, though there is a model.
    fn unscored(&self, plan: &Plan<'_>, scoring: Scoring, outcomes: &[Outcome]) -> Vec<String> {
        let mut notes = Vec::new();
        for class in 0..plan.classes.len() {
            let mut folds: Vec<usize> = outcomes
                .iter()
                .filter(|o| o.member.class == class && o.score.is_none())
                .map(|o| o.member.fold)
                .collect();
            folds.sort_unstable();
            folds.dedup();
            if !folds.is_empty() {
                let names: Vec<String> = folds.iter().map(|&f| self.folds.scored[f].1.to_string()).collect();
                let score = scoring.name();
                notes.push(format!(
                    "fold {} holds rows of one side of {} only, where {score} is not defined: left out of the mean",
                    names.join(", "),
                    self.described(plan, class)
                ));
            }
        }
        notes
    }
}

/// The mean coefficients of the folds at each grid point.
fn path(plan: &Plan<'_>, outcomes: &[Outcome], names: &Names<'_>, weight_sum: f64) -> Vec<PathPoint> {
    let mut columns: HashMap<(usize, usize), Vec<&[f64]>> = HashMap::new();
    for outcome in outcomes {
        let member = outcome.member;
        columns.entry((member.class, member.point)).or_default().push(&outcome.column);
    }
    let mut path = Vec::new();
    for class in 0..plan.classes.len() {
        for (at, point) in plan.points.iter().enumerate() {
            let Some(columns) = columns.get(&(class, at)) else { continue };
            let mut coefficients = mean_column(columns);
            coefficients.pop();
            let penalty = point.scales(weight_sum);
            path.push(PathPoint {
                l1: penalty.l1,
                l2: penalty.l2,
                l1_ratio: point.l1_ratio,
                class: names.class(class),
                coefficients,
            });
        }
    }
    path
}
