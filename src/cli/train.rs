//! `logodds train`.

use std::path::{Path, PathBuf};

use logodds::config::{Solver, TrainConfig, ValidConfig, Validation};
use logodds::data;
use logodds::error::ConfigError;
use logodds::model::{FittedModel, HeldOutRows, Model, PenaltyScales, Training};
use logodds::output::{check_apart, check_growable, check_once, is_stdout};
use logodds::scoring::BestScore;
use logodds::solver::Stop;
use logodds::train::{TrainReport, Trained};
use serde::Serialize;

use super::early;
use super::interrupt::end_in_order;
use super::output::{Output, shown};
use super::progress::Progress;
use super::table::{count, facts, number, plural, seconds, table};

#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  logodds train train.parquet --target y -o m.json\n  logodds train 'parts/*.parquet' \
                       --target y --l1 0.01 --l2 0 -o sparse.json\n  logodds train --config train.toml --seed 1"
)]
pub(crate) struct TrainArguments {
    /// TOML file with the same settings; a flag wins
    ///
    /// Settings as TOML, each under the name of its flag without the dashes: `l1-ratio = 0.5`. A flag on the
    /// command line overrides the file; an unknown key is refused. By default no file is read.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: TrainConfig,
}

pub(crate) fn run(arguments: TrainArguments, output: Output) -> anyhow::Result<()> {
    let config = match &arguments.config {
        Some(path) => TrainConfig::load(path)?.merge(arguments.flags),
        None => arguments.flags,
    }
    .check()?;
    let Some(path) = config.output.clone() else {
        let what = "name the file to write the model to";
        return Err(logodds::Error::from(ConfigError::Missing { flag: "--output", what }).into());
    };
    check_outputs(&config, &path, arguments.config.as_deref(), output)?;
    let progress = Progress::start(output, config.metrics.as_deref());
    end_in_order(
        "stopping; no model is written unless training has begun",
        "stopping after this epoch; the model trained so far is written",
    );

    let trained = logodds::train::train(&config, &progress);
    // Remove the bar before anything else is printed, errors included.
    let recorded = progress.finish(trained.is_ok());
    let trained = trained?;
    trained.model.save(&path)?;

    let told = json(&trained, &path);
    output.written(&outputs(&path, &config), &told, || text(&trained, &config, &path))?;
    recorded
}

/// The files that a run with `config` writes.
pub(super) fn outputs<'a>(model: &'a Path, config: &'a ValidConfig) -> Vec<&'a Path> {
    std::iter::once(model).chain(config.metrics.as_deref()).collect()
}

/// Checks, before any work, that every output can be written and is not an input.
pub(super) fn check_outputs(
    config: &ValidConfig,
    model: &Path,
    config_file: Option<&Path>,
    output: Output,
) -> anyhow::Result<()> {
    let metrics = config.metrics.as_deref();
    output.check(model, None)?;
    if outputs(model, config).iter().filter(|path| is_stdout(path)).count() > 1 {
        let why = "both write to stdout; name a file for one of them";
        return Err(logodds::Error::from(ConfigError::Conflict {
            first: "--output -",
            second: "--metrics -",
            why,
        })
        .into());
    }
    // A device such as /dev/stderr is opened as it is.
    if let Some(metrics) = metrics.filter(|path| path.is_file() || path.is_dir() || !path.exists()) {
        output.check_stdout("--metrics -", metrics)?;
        check_growable("--metrics", metrics)?;
    }
    let table = data::open(&config.data)?;
    check_once(table.files())?;
    let validation = match &config.validation {
        Some(Validation::Data(paths)) => {
            let table = data::open(paths)?;
            check_once(table.files())?;
            Some(table)
        }
        _ => None,
    };
    for (flag, path) in [("--output", Some(model)), ("--metrics", metrics)] {
        let Some(path) = path else { continue };
        check_apart(flag, path, "an input table", table.files())?;
        check_apart(flag, path, "a validation table", validation.as_ref().map_or(&[], |v| v.files()))?;
        check_apart(flag, path, "the config file", config_file.as_slice())?;
    }
    if let Some(metrics) = metrics {
        check_apart("--metrics", metrics, "the model that --output names", &[model])?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a Path,
    #[serde(flatten)]
    run: &'a TrainReport,
    penalty: Option<PenaltyScales>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<HeldOutRows>,
    models: Vec<ModelReport<'a>>,
}

/// A fitted model without its coefficients, which are in the file.
#[derive(Serialize)]
struct ModelReport<'a> {
    class: &'a str,
    objective: f64,
    kkt_residual: f64,
    duality_gap: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newton_decrement: Option<f64>,
    converged: bool,
    iterations: usize,
    nonzero: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<BestScore>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_early: Option<bool>,
}

fn json<'a>(trained: &'a Trained, path: &'a Path) -> Report<'a> {
    let validation = trained.model.training.validation;
    let describe = |model: &'a FittedModel| ModelReport {
        class: &model.class,
        objective: model.objective,
        kkt_residual: model.kkt_residual,
        duality_gap: model.duality_gap,
        newton_decrement: model.newton_decrement,
        converged: model.converged,
        iterations: model.iterations,
        nonzero: model.nonzero,
        best: model.best,
        stopped_early: validation.map(|_| trained.model.training.ended_early(model)),
    };
    Report {
        model: path,
        run: &trained.report,
        penalty: trained.model.penalty,
        validation,
        models: trained.model.models.iter().map(describe).collect(),
    }
}

fn text(trained: &Trained, config: &ValidConfig, path: &Path) -> String {
    let (model, report) = (&trained.model, &trained.report);
    let mut lines = vec![
        ("device", format!("{}: {}", report.device, report.device_reason)),
        ("table", table_line(report)),
        ("models", models_line(model)),
        (
            "solver",
            format!("{}, {}: {}", report.solver, plural(report.epochs, step_name(config)), report.stopped),
        ),
        ("result", result_line(model, config, report)),
        ("time", time_line(report)),
        ("model", shown(path)),
    ];
    let fitted: Vec<&FittedModel> = model.models.iter().collect();
    lines.extend(early::held_out(&model.training, &fitted).map(|line| ("validation", line)));
    lines.extend(report.warnings.iter().map(|warning| ("warning", warning.clone())));
    let mut text = facts(&lines);
    if model.models.len() > 1 {
        text.push('\n');
        text.push_str(&models_table(&model.models, &model.training, step_name(config)));
    }
    text
}

fn table_line(report: &TrainReport) -> String {
    let mut line = format!("{} x {}", plural(report.rows, "row"), plural(report.n_features, "feature"));
    if report.rows_dropped > 0 {
        line.push_str(&format!(", {} dropped", plural(report.rows_dropped, "row")));
    }
    line
}

fn models_line(model: &Model) -> String {
    match &model.positive {
        Some(positive) => format!("1: {} is {positive:?}", model.target),
        None => format!("{}: each class of {} against the rest", model.models.len(), model.target),
    }
}

/// The name of a solver step.
fn step_name(config: &ValidConfig) -> &'static str {
    if config.solver == Solver::Sgd { "epoch" } else { "iteration" }
}

/// Objective, residual, and whether the models converged; if not, the flag to raise.
fn result_line(model: &Model, config: &ValidConfig, report: &TrainReport) -> String {
    let n_models = model.models.len();
    let converged = model.models.iter().filter(|m| m.converged).count();
    let objective = model.models.iter().map(|m| m.objective).sum::<f64>() / n_models as f64;
    let residual = model.models.iter().map(|m| m.kkt_residual).fold(0.0, f64::max);
    let (mean, largest) =
        if n_models > 1 { ("mean objective", "largest residual") } else { ("objective", "residual") };
    let mut numbers = format!("{mean} {}, {largest} {residual:.1e}", number(objective));
    let early = model.models.iter().filter(|m| model.training.ended_early(m)).count();
    // A model that stopped early is not meant to reach the minimum.
    if early == 0 {
        numbers.push_str(&bound(model, report).unwrap_or_default());
    }
    if converged == n_models {
        return format!("{numbers}: converged (tolerance {:e})", config.tolerance);
    }
    if converged + early == n_models {
        return format!("{numbers}: {}", early_line(n_models, early));
    }
    let what = match (n_models, early) {
        (1, _) => "not converged".to_owned(),
        (n, 0) => format!("{converged} of {n} models converged"),
        (n, early) => format!("{converged} of {n} models converged and {early} stopped early"),
    };
    let advice = advice(model, config, report);
    format!("{numbers}: {what} (tolerance {:e}); {advice}", config.tolerance)
}

/// Distance of the mean objective from its minimum: a bound from the duality gap, or the Newton decrement.
fn bound(model: &Model, report: &TrainReport) -> Option<String> {
    let n_models = model.models.len() as f64;
    let mean = |bounds: Option<Vec<f64>>| bounds.map(|bounds| bounds.iter().sum::<f64>() / n_models);
    if let Some(gap) = mean(model.models.iter().map(|m| m.duality_gap).collect()) {
        return Some(format!(", at most {gap:.1e} above the minimum"));
    }
    let decrement = mean(model.models.iter().map(|m| m.newton_decrement).collect());
    decrement
        .filter(|_| !report.stops.contains(&Stop::Separated))
        .map(|decrement| format!(", {decrement:.1e} above the minimum by the Newton decrement"))
}

/// How models ended under early stopping.
fn early_line(n_models: usize, early: usize) -> String {
    match (n_models, early) {
        (1, _) => "stopped early; the epoch that was best on the validation rows is kept".to_owned(),
        (n, early) if n == early => {
            format!("all {n} stopped early; the epochs that were best on the validation rows are kept")
        }
        (n, early) => format!(
            "{} of {n} converged, {early} stopped early; the epochs that were best on the validation rows are kept",
            n - early
        ),
    }
}

/// Advice for models that did not converge, by the reason they stopped.
fn advice(model: &Model, config: &ValidConfig, report: &TrainReport) -> String {
    let unfinished = || model.models.iter().zip(&report.stops).filter(|(model, _)| !model.converged);
    let ended = |stop| unfinished().any(|(_, &s)| s == stop);
    if ended(Stop::Interrupted) {
        return "interrupted before the end".to_owned();
    }
    if ended(Stop::Limit) {
        return match config.solver {
            Solver::Sgd => format!("raise --epochs, or --max-iterations, above {}", config.epochs),
            _ => format!("raise --max-iterations above {}", config.max_iterations),
        };
    }
    if config.validation.is_some() {
        return "the model kept is the best one on the validation rows, not the last one".to_owned();
    }
    if ended(Stop::Separated) {
        return "classes are separated, so without a penalty the coefficients grow without bound; add one, such as \
                --l2 1e-4"
            .to_owned();
    }
    let ends = unfinished().filter(|(_, stop)| **stop == Stop::ProgressEnded);
    let residual = ends.map(|(model, _)| model.kkt_residual).fold(0.0, f64::max);
    if residual <= config.tolerance {
        return "the residual is within the tolerance, but the distance to the minimum was not proved: columns may be \
                nearly equal; leave some out or add a penalty"
            .to_owned();
    }
    if config.solver != Solver::Sgd {
        return format!(
            "no step improved the objective at residual {residual:.1e}: columns may be nearly equal or of very different \
             scales; standardise them, add a penalty, or raise --tolerance"
        );
    }
    format!(
        "the progress that float32 mini-batches make ended at residual {residual:.1e}: if that is close \
         enough, raise --tolerance; a smaller one asks for more progress"
    )
}

fn time_line(report: &TrainReport) -> String {
    let time = &report.seconds;
    let rate = report.bytes as f64 / time.train.max(1e-9) / 1e9;
    format!(
        "{} reading, {} training, {} in all; {} passes at {} GB/s",
        seconds(time.read),
        seconds(time.train),
        seconds(time.total),
        number((report.passes * 10.0).round() / 10.0),
        number((rate * 100.0).round() / 100.0),
    )
}

fn models_table(models: &[FittedModel], training: &Training, step: &str) -> String {
    let bound = |model: &FittedModel| model.duality_gap.or(model.newton_decrement);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let watched = training.validation.map(|held_out| format!("best {}", held_out.scoring.name()));
    let cells = |model: &FittedModel| {
        let converged = match (model.converged, training.ended_early(model)) {
            (true, _) => "yes",
            (_, true) => "early",
            _ => "no",
        };
        // For early stopping the distance to the optimum means little.
        let middle = match watched {
            Some(_) => or_dash(model.best.map(|best| number(best.score))),
            None => or_dash(bound(model).map(|bound| format!("{bound:.1e}"))),
        };
        vec![
            model.class.clone(),
            number(model.objective),
            format!("{:.1e}", model.kkt_residual),
            middle,
            converged.to_owned(),
            match model.best {
                Some(best) => format!("{} of {}", count(best.epoch), count(model.iterations)),
                None => count(model.iterations),
            },
            format!("{} of {}", count(model.nonzero), count(model.coefficients.len())),
        ]
    };
    let rows: Vec<Vec<String>> = models.iter().map(cells).collect();
    let middle = watched.as_deref().unwrap_or("gap");
    table(&["class", "objective", "residual", middle, "converged", &format!("{step}s"), "nonzero"], &rows)
}
