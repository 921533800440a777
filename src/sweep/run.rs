//! A sweep from the table to the model.

use std::time::Instant;

use serde::Serialize;

use super::curves::{Curves, Picked, path, picked};
use super::fingerprint::fingerprint;
use super::grid::{Strength, needs_slope, points};
use super::journal::Journal;
use super::memory::SweepReading;
use super::names::Names;
use super::paths::{Kept, class_paths, path_features};
use super::plan::Plan;
use super::remembered::{Remembered, RememberedHost};
use super::waves::Runner;
use super::{PathPoint, SweepRow, SweepTable};
use crate::config::{Grid, Rule, Strengths, ValidTune};
use crate::data::{self, FoldName, Folding, Folds};
use crate::engine::Chosen;
use crate::error::{Result, SweepError};
use crate::model::{CurveRecorder, Model, PenaltyScales, Seconds, Training};
use crate::observer::Observer;
use crate::train::{
    HostTable, Stack, many_classes, read_options, room_beside, rounding, training, warnings, with_threads,
};

/// A sweep to be run: a grid of penalties, cross-validated, and a model with the penalty that it chooses.
///
/// # Examples
/// ```
/// use logodds::config::{TrainConfig, TuneConfig, TuneSettings};
/// use logodds::sweep::Sweep;
/// use logodds::observer::Silent;
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

impl<'a> Sweep<'a> {
    /// A sweep with these settings.
    pub fn new(config: &'a ValidTune) -> Self {
        Self { config }
    }

    /// Runs it.
    ///
    /// # Errors
    /// Whatever the table, the device or the settings do not allow; [`crate::error::SweepError::Interrupted`] if the observer asks
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
        let mut dataset = data::read_training(&source, &options, &SweepReading(observer, config))?;
        let read = reading.elapsed().as_secs_f64();
        let folds = dataset.folds.take().expect("they were asked for");

        let started = Instant::now();
        let stack = Stack::new(train, &dataset)?;
        let mut notes = warnings(&dataset);
        let mut engine = device.engine(&dataset.panels, &dataset.rows)?;
        let description = engine.device();
        observer.message(&format!("{description}: {}", device.reason));
        let journal = match &config.checkpoint {
            Some(folder) => {
                let tell = |text: &str| observer.message(text);
                Journal::open(folder, config.resume, fingerprint(config, &dataset), &tell)?
            }
            None => Journal::default(),
        };
        let room = room_beside(train, &dataset).left();
        let host = HostTable::new(&dataset.panels, &dataset.rows).with_room(room);
        let mut runner = Runner {
            config,
            dataset: &dataset,
            offsets: &stack.offsets,
            engine: &mut Remembered { engine: engine.as_mut(), journal: &journal },
            host: &RememberedHost::new(&host, &journal),
            journal: &journal,
            observer,
            started,
            total: 0,
            done: 0,
            waves: 0,
            passes: 0.0,
            methods: Vec::new(),
            curve: CurveRecorder::default(),
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
        notes.extend(of_grid(config, slope));

        let names = Names::new(&dataset, &stack, &folds);
        notes.extend(of_folds(config, &folds));
        let together = plan.classes.len() > 1 && !config.per_class;
        if !plan.has_scores(config.scoring, config.per_class) {
            let mut why = names.nothing_to_choose(&plan, config.scoring);
            why.extend(many_classes(&dataset));
            let why = why.join("; ");
            return Err(SweepError::NothingToChoose { why }.into());
        }
        notes.extend(names.untrainable(&plan, together));
        notes.extend(names.one_sided(&plan, config.scoring));
        let (outcomes, joint) = runner.grid(&plan)?;
        let separated = names.separated(&plan, &outcomes);
        let curves = Curves::new(config, &plan, &outcomes, &joint);
        notes.extend(names.unscored(&plan, &curves));
        let choice = curves.choose(config, separated.as_deref())?;
        notes.extend(separated);
        notes.extend(at_the_edge(config, &plan, &choice));
        let (refit, solution) = runner.refit(&plan, &stack, &outcomes, &choice)?;

        let rounding = rounding(&dataset);
        let fitted = refit.fitted(&dataset, &solution, &rounding, train.tolerance);
        notes.extend(refit.remarks(&dataset, &solution));
        let (passes, n_refit) = (runner.passes, fitted.len());
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
        let features = path_features(&dataset.encoding);
        let scales: Vec<f64> = features.iter().map(|feature| feature.scale).collect();
        let path = path(&plan, &outcomes, &names, weight_sum, &scales);
        let mut table = SweepTable {
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
            paths: Vec::new(),
        };
        table.paths = class_paths(&table, &path, &features, Kept::IN_MODEL);
        let curve = runner.curve.finish();
        drop(engine);
        let training =
            Training { curve, ..training(train, &dataset, &report.solver, description, passes, seconds) };
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

/// What to say of a grid that is not what was asked for, or hardly meant.
fn of_grid(config: &ValidTune, slope: f64) -> Option<String> {
    match &config.grid {
        Grid::Lambdas(Strengths::Count(_)) if slope == 0.0 => {
            Some("no feature has a slope, whatever the penalty: the only penalty tried is 0".to_owned())
        }
        Grid::Lambdas(Strengths::Count(1)) => Some(
            "--lambdas 1 asks for one penalty, the largest; --lambdas 1.0 asks for the penalty 1".to_owned(),
        ),
        _ => None,
    }
}

/// What to say where the smallest penalty of a path was chosen: a smaller one may be better.
fn at_the_edge(config: &ValidTune, plan: &Plan<'_>, choice: &[Picked]) -> Option<String> {
    let is_last = |picked: &&Picked| {
        let point = &plan.points[picked.best];
        let ranks = plan.points.iter().filter(|other| other.path == point.path).map(|other| other.rank);
        point.rank > 0 && ranks.max() == Some(point.rank) && point.strength != Strength::Lambda(0.0)
    };
    let n = choice.iter().filter(is_last).count();
    let flag = if matches!(config.grid, Grid::Cs(_)) { "--cs" } else { "--lambdas" };
    (n > 0).then(|| {
        let of = if choice.len() > 1 { format!(" for {n} of {} classes", choice.len()) } else { String::new() };
        format!("the smallest penalty of the grid is the best{of}: a list of {flag} that goes further may be better")
    })
}

/// What to say where there are fewer folds than were asked for, or too few for a rule, or rows that no fold was given for.
fn of_folds(config: &ValidTune, folds: &Folds) -> Vec<String> {
    let found = folds.scored.len();
    let mut notes = Vec::new();
    if let Folding::Time { column, folds: asked } = &config.folding
        && found < *asked
    {
        notes.push(format!("{found} of {asked} folds: column {column:?} has too many equal times for more"));
    }
    if folds.null_rows > 0 {
        let rows = folds.null_rows;
        match &config.folding {
            Folding::Group { column, .. } => {
                notes.push(format!(
                    "{rows} rows have no value in group column {column:?}: they are one group"
                ));
            }
            Folding::Column { column } => notes.push(format!(
                "{rows} rows have no value in fold column {column:?}: always learned from, never scored"
            )),
            Folding::Stratified { .. } | Folding::Time { .. } => {}
        }
    }
    if config.rule == Rule::OneStandardError && found < 2 {
        notes.push("one fold has no standard error: the best penalty is taken".to_owned());
    }
    notes
}
