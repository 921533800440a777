//! Runs a sweep, from the table to the model.

use std::time::Instant;

use serde::Serialize;

use super::course::Course;
use super::fingerprint::fingerprint;
use super::grid::{needs_slope, points};
use super::journal::Journal;
use super::journaled::Journaled;
use super::memory::SweepReading;
use super::names::Names;
use super::paths::{PathLimits, class_paths, path_features};
use super::plan::Plan;
use super::search::Search;
use super::waves::Runner;
use super::{PathPoint, SweepTable};
use crate::config::{Grid, Rule, Strengths, ValidTune};
use crate::data::{self, Dataset, FoldName, Folding, Folds};
use crate::engine::Chosen;
use crate::error::Result;
use crate::model::{Model, PenaltyScales, Seconds, Training};
use crate::observer::Observer;
use crate::train::{
    Stack, TablePasses, read_options, room_beside, rounding, training, warnings, with_threads,
};

/// A sweep: cross-validates a grid of penalties and trains a model with the penalty that it chooses.
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
    /// The model with the chosen penalty, trained on all rows, with all results; not yet written.
    pub model: Model,
    /// The report of the run.
    pub report: SweepReport,
    /// Coefficients along the penalties.
    pub path: Vec<PathPoint>,
}

impl Tuned {
    /// The results of the sweep.
    ///
    /// # Panics
    /// If the sweep was removed from the model.
    pub fn table(&self) -> &SweepTable {
        self.model.sweep.as_ref().expect("a tuned model has its sweep")
    }
}

/// Facts about a sweep for the user.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepReport {
    /// The device that ran the passes.
    pub device: String,
    /// Why this device was chosen.
    pub device_reason: String,
    /// Rows of the table.
    pub rows: usize,
    /// Rows left out.
    pub rows_dropped: usize,
    /// Encoded features.
    pub n_features: usize,
    /// Names of the scored folds.
    pub folds: Vec<FoldName>,
    /// Models trained, including the refit.
    pub models: usize,
    /// Trained models within the tolerance.
    pub converged: usize,
    /// Waves of models.
    pub waves: usize,
    /// The solver that ran.
    pub solver: String,
    /// Passes over X; each serves all models of its wave, and a sample counts as its share of the table.
    pub passes: f64,
    /// Times of the parts of the run.
    pub seconds: Seconds,
    /// Warnings for the user.
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
    /// Any error of the table, the device or the settings; [`crate::error::SweepError::Interrupted`] if the
    /// observer stops the sweep.
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
        let journal = open_journal(config, &dataset, observer)?;
        let room = room_beside(train, &dataset).left();
        let mut table = TablePasses::new(engine.as_mut(), &dataset.panels, &dataset.rows).with_room(room);
        let mut runner = Runner {
            config,
            dataset: &dataset,
            coordinates: &stack.coordinates,
            table: &mut Journaled::new(&mut table, &journal),
            journal: &journal,
            observer,
            course: Course::begin(started),
        };
        let (plan, slope) = plan_grid(&mut runner, &stack, &dataset, &folds)?;
        notes.extend(of_grid(config, slope));
        notes.extend(of_folds(config, &folds));

        let names = Names::new(&dataset, &stack, &folds);
        let search = Search::run(config, &mut runner, plan, names, &mut notes)?;
        let (refit, solution) = runner.refit(&search.plan, &stack, &search.outcomes, &search.choice)?;
        let rounding = rounding(&dataset);
        let fitted = refit.fitted(&dataset, &solution, &rounding, train.tolerance);
        notes.extend(refit.remarks(&dataset, &solution));
        let seconds =
            Seconds { read, train: started.elapsed().as_secs_f64(), total: begin.elapsed().as_secs_f64() };

        let features = path_features(&dataset.encoding);
        let path = search.path(&features);
        let mut table = search.table(&fitted, notes);
        table.paths = class_paths(&table, &path, &features, PathLimits::IN_MODEL);
        let course = runner.course;
        drop(engine);
        let report = SweepReport {
            device: description,
            device_reason: device.reason,
            rows: dataset.panels.n_rows(),
            rows_dropped: dataset.rows_dropped,
            n_features: dataset.panels.n_features(),
            folds: folds.scored.iter().map(|(_, name)| name.clone()).collect(),
            models: table.results.len(),
            converged: table.results.iter().filter(|row| row.converged).count(),
            waves: course.waves,
            solver: course.methods.join(", "),
            passes: course.passes,
            seconds,
            warnings: table.warnings.clone(),
        };
        let training = Training {
            curve: course.curve.finish(),
            ..training(train, &dataset, &report.solver, report.device.clone(), report.passes, seconds)
        };
        let penalties: Vec<PenaltyScales> = (0..fitted.len()).map(|class| search.penalty(class)).collect();
        let is_per_class = search.is_per_class();
        let mut model = refit.model(dataset, fitted, training);
        store_penalties(&mut model, &penalties, is_per_class);
        model.sweep = Some(table);
        Ok(Tuned { model, report, path })
    }
}

/// Opens the journal of the checkpoint for this sweep and this table. Without a checkpoint, the journal saves
/// nothing.
fn open_journal(config: &ValidTune, dataset: &Dataset, observer: &dyn Observer) -> Result<Journal> {
    let Some(folder) = &config.checkpoint else { return Ok(Journal::default()) };
    let tell = |text: &str| observer.message(text);
    Journal::open(folder, config.resume, fingerprint(config, dataset), &tell)
}

/// The plan with the grid for a table, and the largest slope. The slope is 0 if the grid does not need it.
fn plan_grid<'a>(
    runner: &mut Runner<'_>,
    stack: &Stack,
    dataset: &'a Dataset,
    folds: &'a Folds,
) -> Result<(Plan<'a>, f64)> {
    let config = runner.config;
    let mut plan = Plan {
        rows: &dataset.rows,
        folds,
        classes: stack.models.iter().map(|model| model.class as usize).collect(),
        points: Vec::new(),
        class_weight: config.train.class_weight,
    };
    let slope = if needs_slope(&config.grid) { runner.largest_slope(&plan, stack)? } else { 0.0 };
    let is_wide = dataset.panels.n_features() > dataset.panels.n_rows();
    plan.points = points(&config.grid, &config.l1_ratios, slope, is_wide);
    Ok((plan, slope))
}

/// Stores the chosen penalties in the model: one for each class, or one for all.
fn store_penalties(model: &mut Model, penalties: &[PenaltyScales], is_per_class: bool) {
    model.penalty = (!is_per_class).then_some(penalties[0]);
    if is_per_class {
        for (fitted, penalty) in model.models.iter_mut().zip(penalties) {
            fitted.penalty = Some(*penalty);
        }
    }
}

/// A note on a grid that differs from the request, or is probably a mistake.
fn of_grid(config: &ValidTune, slope: f64) -> Option<String> {
    match &config.grid {
        Grid::Lambdas(Strengths::Count(_)) if slope == 0.0 => Some(
            "no feature changes the loss at the intercept-only model, so the only penalty tried is 0"
                .to_owned(),
        ),
        Grid::Lambdas(Strengths::Count(1)) => {
            Some("--lambdas 1 tries one penalty, the largest; --lambdas 1.0 tries the penalty 1".to_owned())
        }
        _ => None,
    }
}

/// Notes on too few folds, and on rows without a fold.
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
                "{rows} rows have no value in fold column {column:?}: every model learns from them, and none is scored on them"
            )),
            Folding::Stratified { .. } | Folding::Time { .. } => {}
        }
    }
    if config.rule == Rule::OneStandardError && found < 2 {
        notes.push("one fold has no standard error, so the best penalty is chosen".to_owned());
    }
    notes
}
