//! Training: wires data, engine, solver and model together.

mod memory;
mod passes;
mod remarks;
mod report;
mod solve;
mod solved;
mod stack;

use std::time::Instant;

pub use passes::TablePasses;
pub use report::{TrainReport, Trained};

pub(crate) use memory::{own_order, room_beside, shared as memory_of_solver};
pub(crate) use solve::minimise;
pub(crate) use stack::{Stack, model as class_model, rounding, start};

use crate::config::{ClassWeight, Features, Scoring, ValidConfig, Validation};
use crate::data::{self, Dataset, ReadOptions, ReadProgress, TableShape};
use crate::engine::Chosen;
use crate::error::{ConfigError, Result};
use crate::model::{FittedModel, HeldOutRows, Seconds, Training};
use crate::objective::ModelSpec;
use crate::observer::Observer;
use crate::panels::{Panels, Rows};
use crate::solver::{Solution, Stop};
use solved::{SolvedTable, solve_table};

/// A target with more classes than this, each with fewer rows than `ROWS_OF_A_CLASS` on average, gets a
/// warning.
const MANY_CLASSES: usize = 50;
const ROWS_OF_A_CLASS: usize = 10;

/// Trains every model that `config` asks for, all of them together.
///
/// The model is returned, not written: see [`crate::model::Model::save`].
///
/// # Errors
/// Any error of the table, the device or the settings.
///
/// # Examples
/// ```
/// use logodds::config::{Device, TrainConfig};
/// use logodds::observer::Silent;
/// use logodds::train::train;
///
/// # fn main() -> logodds::Result<()> {
/// let config = TrainConfig {
///     data: vec!["data/iris/train.parquet".into()],
///     target: Some("species".into()),
///     device: Some(Device::Cpu),
///     ..TrainConfig::default()
/// };
/// let trained = train(&config.check()?, &Silent)?;
/// assert_eq!(trained.model.classes.len(), 3);
/// for model in &trained.model.models {
///     println!("{}: objective {:.6}, residual {:.1e}", model.class, model.objective, model.kkt_residual);
/// }
/// # Ok(())
/// # }
/// ```
pub fn train(config: &ValidConfig, observer: &dyn Observer) -> Result<Trained> {
    let start = Instant::now();
    with_threads(config.threads, || run(config, observer, start))
}

/// Calls `work` on this many threads, or on one per core.
pub(crate) fn with_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let threads = threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|source| ConfigError::Threads { threads, source })?.install(work)
}

fn run(config: &ValidConfig, observer: &dyn Observer, start: Instant) -> Result<Trained> {
    // Find the device first, so that an error does not come after reading the table.
    let device = Chosen::find(config.device)?;
    let source = data::open(&config.data)?;
    let mut options = read_options(config);
    let mut run = solve_table(config, &source, &options, &device, observer)?;
    // Columns whose float32 rounding decides the minimum are read again, with exact values.
    loop {
        let rounding = rounding(&run.dataset);
        let columns = run.stack.blurred(&run.dataset, &run.solution, &rounding, config.tolerance);
        let is_interrupted = run.solution.stops.contains(&Stop::Interrupted);
        if is_interrupted || columns.iter().all(|column| options.exact.contains(column)) {
            let fitted = run.stack.fitted(&run.dataset, &run.solution, &rounding, config.tolerance);
            return Ok(finish(config, run, fitted, &device, start));
        }
        let names = remarks::list(&columns.iter().map(String::as_str).collect::<Vec<_>>());
        observer.message(&format!("float32 is too coarse for {names}: reading the table again, exactly"));
        options.exact.extend(columns);
        // Keep this fit, in case the exact table does not fit into memory or the run is stopped.
        let fitted = run.stack.fitted(&run.dataset, &run.solution, &rounding, config.tolerance);
        let mut trained = finish(config, run, fitted, &device, start);
        run = match solve_table(config, &source, &options, &device, observer) {
            Ok(run) => run,
            Err(error) if error.is_of_resources() => {
                trained.warn(format!(
                    "float32 is too coarse for {names}, which leaves the minimum unproved: the table was not read again, \
                     exactly, as {error}"
                ));
                return Ok(trained);
            }
            Err(error) => return Err(error),
        };
    }
}

/// The model of a run, with its report.
fn finish(
    config: &ValidConfig,
    run: SolvedTable,
    mut fitted: Vec<FittedModel>,
    device: &Chosen,
    start: Instant,
) -> Trained {
    let SolvedTable {
        dataset,
        validation,
        mut warnings,
        stack,
        description,
        mut solution,
        curve,
        read,
        started,
        best,
    } = run;
    fitted.iter_mut().zip(best).for_each(|(fitted, best)| fitted.best = best);
    agree(&mut solution.stops, &fitted);
    warnings.extend(stack.remarks(&dataset, &solution));
    let train = started.elapsed().as_secs_f64();
    let passes = solution.passes;
    let seconds = Seconds { read, train, total: start.elapsed().as_secs_f64() };
    let report = TrainReport {
        device: description.clone(),
        device_reason: device.reason.clone(),
        rows: dataset.panels.n_rows(),
        rows_dropped: dataset.rows_dropped,
        n_features: dataset.panels.n_features(),
        solver: solution.method.clone(),
        epochs: solution.iterations.iter().copied().max().unwrap_or(0),
        stopped: why_stopped(config.scoring, &solution),
        stops: solution.stops.clone(),
        passes,
        seconds,
        bytes: (passes * size_of_val(dataset.panels.values()) as f64) as u64,
        warnings,
    };
    let training = Training {
        curve,
        validation: validation.map(|(panels, _)| HeldOutRows {
            rows: panels.n_rows(),
            scoring: config.scoring,
            patience: config.patience,
        }),
        stopped: Some(report.stopped.clone()),
        warnings: report.warnings.clone(),
        ..training(config, &dataset, &report.solver, description, passes, seconds)
    };
    let model = stack.model(dataset, fitted, training);
    Trained { model, report }
}

/// The training record for the model file.
pub(crate) fn training(
    config: &ValidConfig,
    dataset: &Dataset,
    solver: &str,
    device: String,
    passes: f64,
    seconds: Seconds,
) -> Training {
    Training {
        rows: dataset.panels.n_rows(),
        rows_dropped: dataset.rows_dropped,
        weight_sum: dataset.rows.weight_sum(),
        weight: config.weight.clone(),
        solver: solver.to_owned(),
        tolerance: config.tolerance,
        device,
        passes,
        seed: config.seed,
        seconds,
        logodds_version: env!("CARGO_PKG_VERSION").to_owned(),
        class_weight: Some(config.class_weight).filter(|&weight| weight != ClassWeight::None),
        validation: None,
        stopped: None,
        warnings: Vec::new(),
        curve: None,
    }
}

pub(crate) fn read_options(config: &ValidConfig) -> ReadOptions {
    let (features, exclude) = match &config.features {
        Features::Only(names) => (Some(names.clone()), Vec::new()),
        Features::AllBut(names) => (None, names.clone()),
    };
    ReadOptions {
        features,
        exclude,
        categorical: config.categorical.clone(),
        weight: config.weight.clone(),
        missing: config.missing,
        nan: config.nan,
        standardize: config.standardize,
        intercept: config.intercept,
        seed: config.seed,
        validation_fraction: match config.validation {
            Some(Validation::Fraction(fraction)) => fraction,
            _ => 0.0,
        },
        memory: config.memory,
        ..ReadOptions::new(&config.target)
    }
}

/// The held-out rows: part of the training table, or another table in the encoding of the training table.
/// Rows of the other table with an unknown class get a warning.
fn validation_table(
    config: &ValidConfig,
    dataset: &mut Dataset,
    observer: &dyn Observer,
    warnings: &mut Vec<String>,
) -> Result<Option<(Panels, Rows)>> {
    match &config.validation {
        None => Ok(None),
        Some(Validation::Fraction(fraction)) => {
            let held_out = dataset.validation.take().filter(|(panels, _)| panels.n_rows() > 0);
            if held_out.is_none() {
                let rows = dataset.panels.n_rows();
                let why = format!(
                    "{fraction} of {rows} rows leaves none on one side, or none of a class to learn from; choose another \
                     share, or give --validation a table"
                );
                return Err(ConfigError::NotApplicable { flag: "--validation-fraction", why }.into());
            }
            Ok(held_out)
        }
        Some(Validation::Data(paths)) => {
            let source = data::open(paths)?;
            let weight = config.weight.as_deref();
            let progress = Reading(observer);
            let (encoding, target, room) = (&dataset.encoding, &dataset.target, room_beside(config, dataset));
            let table = data::read_encoded(&source, encoding, target, weight, room, &progress)?;
            let unknown = table.rows_of_unknown_class;
            if unknown > 0 {
                warnings.push(format!(
                    "validation rows left out, because training never saw their class: {unknown}"
                ));
            }
            Ok(Some((table.panels, table.rows)))
        }
    }
}

/// A warning about classes for which the score is undefined, because all validation rows are on one side.
fn one_sided(scoring: Scoring, rows: &Rows, stack: &Stack, classes: &[String]) -> Option<String> {
    let is_one_sided = |model: &&ModelSpec| model.sides(rows.weights()).contains(&0.0);
    let named: Vec<String> = stack
        .models
        .iter()
        .filter(is_one_sided)
        .map(|model| format!("{:?}", classes[model.class as usize]))
        .collect();
    (scoring.is_ranking() && !named.is_empty()).then(|| {
        format!(
            "the validation rows are all on one side of class {}: {} is not defined there, so it cannot stop training",
            named.join(", "),
            scoring.name()
        )
    })
}

/// The first few names, quoted.
fn some_names(names: &[&String]) -> String {
    let quoted: Vec<_> = names.iter().take(5).map(|name| format!("{name:?}")).collect();
    format!("{}{}", quoted.join(", "), if names.len() > 5 { ", .." } else { "" })
}

/// Warnings about the table.
pub(crate) fn warnings(dataset: &Dataset) -> Vec<String> {
    // Without an intercept, a constant nonzero column acts as one.
    let mean = |name: &str| dataset.encoding.columns.iter().find(|column| column.name == name)?.mean;
    let is_intercept =
        |name: &String| !dataset.encoding.intercept && mean(name).is_none_or(|mean| mean != 0.0);
    let suspects = dataset.constant_columns.iter().filter(|name| !is_intercept(name));
    let (blurred, constant): (Vec<_>, Vec<_>) =
        suspects.partition(|name| dataset.blurred_columns.contains(name));
    let mut warnings = Vec::new();
    if !constant.is_empty() {
        let count =
            if constant.len() == 1 { "1 column holds" } else { &format!("{} columns hold", constant.len()) };
        let names = some_names(&constant);
        warnings.push(format!("{count} one value only, and cannot tell classes apart: {names}"));
    }
    if !blurred.is_empty() {
        warnings.push(format!(
            "float64 rounds whole numbers and times beyond 2^53, so all values are equal in {}; store their \
             differences from the first value",
            some_names(&blurred)
        ));
    }
    if !dataset.index_columns.is_empty() {
        let names: Vec<_> = dataset.index_columns.iter().map(|name| format!("{name:?}")).collect();
        warnings.push(format!(
            "{} is the index of a pandas frame and is left out; list it in --features to learn from it",
            names.join(", ")
        ));
    }
    warnings.extend(many_classes(dataset));
    warnings
}

/// A warning about a target that looks like a number rather than a class.
pub(crate) fn many_classes(dataset: &Dataset) -> Option<String> {
    let (classes, rows) = (dataset.target.classes.len(), dataset.rows.n_rows());
    (classes > MANY_CLASSES && classes * ROWS_OF_A_CLASS > rows).then(|| {
        format!(
            "target {:?} has {classes} different values in {rows} rows: is it a number rather than a class?",
            dataset.target.name
        )
    })
}

/// Makes the reasons why models stopped agree with their certificates, which hold for the stored
/// coefficients.
fn agree(stops: &mut [Stop], models: &[FittedModel]) {
    for (stop, model) in stops.iter_mut().zip(models) {
        *stop = match (*stop, model.converged) {
            (Stop::Converged, false) => Stop::ProgressEnded,
            (Stop::ProgressEnded | Stop::Limit, true) => Stop::Converged,
            (stop, _) => stop,
        };
    }
}

/// Why the run ended: the reason of the models that ran longest.
fn why_stopped(scoring: Scoring, solution: &Solution) -> String {
    let patience = match scoring {
        Scoring::LogLoss => "the validation loss stopped improving".to_owned(),
        scoring => format!("{} on the validation rows stopped improving", scoring.name()),
    };
    let count = |stop| solution.stops.iter().filter(|&&s| s == stop).count();
    let reasons = [
        (Stop::Interrupted, "interrupted"),
        (Stop::Separated, "classes are separated, so without a penalty no optimum exists"),
        (Stop::Limit, "the iteration limit was reached"),
        (Stop::Patience, patience.as_str()),
        (Stop::ProgressEnded, "progress ended"),
        (Stop::Converged, "converged"),
    ];
    let found = reasons.iter().find(|(stop, _)| count(*stop) > 0);
    found.map_or("", |(_, reason)| *reason).to_owned()
}

/// Passes the reader's progress on, and reports the memory that training takes beside the table.
struct TrainReading<'a>(&'a dyn Observer, &'a ValidConfig);

impl ReadProgress for TrainReading<'_> {
    fn rows(&self, done: usize, total: usize) {
        self.0.reading(done, total);
    }

    fn beside(&self, shape: &TableShape) -> u64 {
        memory::beside(self.1, shape)
    }

    fn is_interrupted(&self) -> bool {
        self.0.is_interrupted()
    }
}

/// Passes the reader's progress on.
struct Reading<'a>(&'a dyn Observer);

impl ReadProgress for Reading<'_> {
    fn rows(&self, done: usize, total: usize) {
        self.0.reading(done, total);
    }

    fn is_interrupted(&self) -> bool {
        self.0.is_interrupted()
    }
}
