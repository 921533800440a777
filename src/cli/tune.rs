//! `logodds tune`.

use std::path::{Path, PathBuf};

use logodds::config::{TuneConfig, ValidTune};
use logodds::data;
use logodds::error::ConfigError;
use logodds::model::{ChosenPenalty, CurvePoint, Seconds, SweepRow};
use logodds::output::{check_apart, check_writable, is_stdout};
use logodds::sweep::{
    Sweep, SweepReport, Tuned, checkpoint_files, path_features, report_files, write_report,
};
use serde::Serialize;
use serde_json::Value;

use super::interrupt::end_in_order;
use super::output::{Output, shown};
use super::progress::Progress;
use super::table::{count, facts, number, plural, seconds, table};
use super::train::{check_outputs, outputs};

/// Points of a curve in the text report.
const POINTS_SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct TuneArguments {
    /// TOML file with the same settings; a flag wins
    ///
    /// Settings as TOML, each under the name of its flag without the dashes: `l1-ratio = 0.5`. A flag on the
    /// command line overrides the file; an unknown key is refused. By default no file is read.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: TuneConfig,
}

/// Flags of `train` that a sweep accepts only to explain why it refuses them.
pub(crate) const NOT_OF_A_SWEEP: &[&str] = &[
    "l1",
    "l2",
    "c",
    "l1_ratio",
    "epochs",
    "batch_size",
    "learning_rate",
    "momentum",
    "validation",
    "validation_fraction",
    "patience",
];

pub(crate) fn run(arguments: TuneArguments, output: Output) -> anyhow::Result<()> {
    let config = match &arguments.config {
        Some(path) => TuneConfig::load(path)?.merge(arguments.flags),
        None => arguments.flags,
    }
    .check()?;
    let Some(path) = config.train.output.clone() else {
        let what = "name the file to write the model to";
        return Err(logodds::Error::from(ConfigError::Missing { flag: "--output", what }).into());
    };
    check_outputs(&config.train, &path, arguments.config.as_deref(), output)?;
    check_folders(&config, &path, arguments.config.as_deref())?;
    let progress = Progress::start(output, config.train.metrics.as_deref());
    let stopping = if config.checkpoint.is_some() {
        "stopping after this pass; the checkpoint keeps all passes so far, and --resume continues"
    } else {
        "stopping after this pass; nothing is written (--checkpoint would keep the passes so far)"
    };
    end_in_order(stopping, stopping);

    let tuned = Sweep::new(&config).run(&progress);
    let recorded = progress.finish(tuned.is_ok());
    let tuned = tuned?;
    // Print the results first: they must not be lost if the model or the plots cannot be written.
    let saved = tuned.model.save(&path);
    let plots = match &config.plots {
        Some(folder) => {
            write_report(folder, tuned.table(), &tuned.path, &path_features(&tuned.model.encoding()))
        }
        None => Ok(Vec::new()),
    };
    let drawn = plots.as_deref().unwrap_or_default();
    let told = json(&tuned, &path, drawn);
    output.written(&outputs(&path, &config.train), &told, || text(&tuned, &config, &path))?;
    saved?;
    plots?;
    recorded
}

/// Checks the folders of plots and of a checkpoint, which training does not have.
fn check_folders(config: &ValidTune, model: &Path, config_file: Option<&Path>) -> anyhow::Result<()> {
    for (flag, folder) in [("--plots", &config.plots), ("--checkpoint", &config.checkpoint)] {
        let Some(folder) = folder else { continue };
        let invalid = |expected| {
            let found = folder.display().to_string();
            logodds::Error::from(ConfigError::Invalid { flag, found, expected })
        };
        if is_stdout(folder) {
            return Err(invalid("a folder; only files can go to stdout").into());
        }
        // Probes a new file in the folder, or the folder itself if it does not exist yet.
        let probe = if folder.is_dir() { folder.join("probe") } else { folder.clone() };
        check_writable(flag, &probe)?;
        if folder.is_file() {
            return Err(invalid("a folder, but it is a file").into());
        }
    }
    if config.plots.is_none() && config.checkpoint.is_none() {
        return Ok(());
    }
    let source = data::open(&config.train.data)?;
    let plots = config.plots.iter().flat_map(|folder| report_files(folder)).map(|path| ("--plots", path));
    let kept = config.checkpoint.iter().flat_map(|folder| checkpoint_files(folder));
    for (flag, path) in plots.chain(kept.map(|path| ("--checkpoint", path))) {
        check_apart(flag, &path, "an input table", source.files())?;
        check_apart(flag, &path, "the config file", config_file.as_slice())?;
        check_apart(flag, &path, "the model that --output names", &[model])?;
        check_apart(flag, &path, "the --metrics file", config.train.metrics.as_slice())?;
        // Otherwise an obstacle in place of a file would be found only after the sweep.
        if flag == "--plots" && path.exists() {
            check_writable(flag, &path)?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a Path,
    chosen: Value,
    #[serde(flatten)]
    run: &'a SweepReport,
    scoring: &'static str,
    greater_is_better: bool,
    curve: &'a [CurvePoint],
    results: &'a [SweepRow],
    skipped: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    plots: &'a [PathBuf],
}

fn json<'a>(tuned: &'a Tuned, path: &'a Path, plots: &'a [PathBuf]) -> Report<'a> {
    let table = tuned.table();
    Report {
        model: path,
        chosen: table.chosen_value(),
        run: &tuned.report,
        scoring: table.scoring.name(),
        greater_is_better: table.greater_is_better,
        curve: &table.curve,
        results: &table.results,
        skipped: table.skipped,
        plots,
    }
}

fn text(tuned: &Tuned, config: &ValidTune, path: &Path) -> String {
    let (report, sweep) = (&tuned.report, tuned.table());
    let mut lines = vec![
        ("device", format!("{}: {}", report.device, report.device_reason)),
        ("table", format!("{} x {}", plural(report.rows, "row"), plural(report.n_features, "feature"))),
        ("folds", folds_line(report)),
        ("models", models_line(report, config)),
        ("chosen", chosen_line(tuned)),
        ("time", time_line(report.passes, &report.seconds)),
        ("model", shown(path)),
    ];
    if let Some(folder) = &config.plots {
        lines.push(("plots", folder.display().to_string()));
    }
    if sweep.skipped > 0 {
        lines.push((
            "skipped",
            format!(
                "{}: past the best penalty of their path, or with rows of only one side of a class to learn from",
                plural(sweep.skipped, "model")
            ),
        ));
    }
    lines.extend(report.warnings.iter().map(|warning| ("warning", warning.clone())));
    let mut text = facts(&lines);
    text.push('\n');
    text.push_str(&curve_table(tuned));
    text
}

fn folds_line(report: &SweepReport) -> String {
    let names: Vec<String> = report.folds.iter().take(8).map(ToString::to_string).collect();
    let more = if report.folds.len() > names.len() { ", .." } else { "" };
    format!("{}: {}{more}; each counts once in the mean", count(report.folds.len()), names.join(", "))
}

fn models_line(report: &SweepReport, config: &ValidTune) -> String {
    let converged = if report.converged == report.models {
        format!("all converged (tolerance {:e})", config.train.tolerance)
    } else {
        format!(
            "{} converged (tolerance {:e}); the results give the residuals of the others",
            count(report.converged),
            config.train.tolerance
        )
    };
    format!("{} in {}, {}: {converged}", count(report.models), plural(report.waves, "wave"), report.solver)
}

fn penalty(choice: &ChosenPenalty) -> String {
    let c = choice.c.map_or(String::new(), |c| {
        format!(" (C {}, L1 share {})", number(c), number(choice.l1_ratio.unwrap_or(0.0)))
    });
    format!("l1 {}, l2 {}{c}", number(choice.l1), number(choice.l2))
}

fn chosen_line(tuned: &Tuned) -> String {
    let (sweep, name) = (tuned.table(), tuned.table().scoring.name());
    let of = |choice: &ChosenPenalty| {
        let point = sweep.curve.iter().find(|p| p.chosen && p.class == choice.class);
        let score = point.and_then(|p| p.mean).map_or("-".to_owned(), number);
        let error =
            point.and_then(|p| p.standard_error).map_or(String::new(), |e| format!(" +- {}", number(e)));
        format!("{}: {name} {score}{error}", penalty(choice))
    };
    match sweep.chosen.as_slice() {
        [one] => of(one),
        many => {
            let first: Vec<String> = many
                .iter()
                .take(5)
                .map(|choice| format!("{}: {}", choice.class.as_deref().unwrap_or(""), of(choice)))
                .collect();
            let more = if many.len() > 5 { "; .." } else { "" };
            format!("{}{more}", first.join("; "))
        }
    }
}

fn time_line(passes: f64, time: &Seconds) -> String {
    format!(
        "{} reading, {} training, {} in all; {} passes for all models together",
        seconds(time.read),
        seconds(time.train),
        seconds(time.total),
        number((passes * 10.0).round() / 10.0),
    )
}

/// The curve; if it is long, only the points around the chosen one.
fn curve_table(tuned: &Tuned) -> String {
    let sweep = tuned.table();
    let chosen = sweep.curve.iter().position(|point| point.chosen).unwrap_or(0);
    let first = chosen.saturating_sub(POINTS_SHOWN / 2).min(sweep.curve.len().saturating_sub(POINTS_SHOWN));
    let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let rows: Vec<Vec<String>> = sweep
        .curve
        .iter()
        .skip(first)
        .take(POINTS_SHOWN)
        .map(|point| {
            let mark = match (point.chosen, point.best) {
                (true, _) => "chosen",
                (false, true) => "best",
                _ => "",
            };
            let mut row = Vec::new();
            if let Some(class) = &point.class {
                row.push(class.clone());
            }
            row.extend([
                number(point.l1 + point.l2),
                or_dash(point.l1_ratio),
                or_dash(point.mean),
                or_dash(point.standard_error),
                or_dash(point.nonzero.map(|nonzero| (nonzero * 10.0).round() / 10.0)),
                mark.to_owned(),
            ]);
            row
        })
        .collect();
    let has_classes = sweep.curve.iter().any(|point| point.class.is_some());
    let mut head = vec!["lambda", "L1 share", sweep.scoring.name(), "std error", "nonzero", ""];
    if has_classes {
        head.insert(0, "class");
    }
    let mut text = table(&head, &rows);
    if sweep.curve.len() > rows.len() {
        text.push_str(&format!(
            "{} points in all (--json, or --plots for pictures)\n",
            count(sweep.curve.len())
        ));
    }
    text
}
