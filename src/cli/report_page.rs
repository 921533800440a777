//! `logodds report`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use logodds::Error;
use logodds::config::MemorySize;
use logodds::data;
use logodds::error::ConfigError;
use logodds::evaluate::{EvaluateOptions, RowWeights};
use logodds::inference::{Inference, InferenceOptions, infer};
use logodds::model::Model;
use logodds::output::{check_apart, write_whole};
use logodds::plots::Picture;
use logodds::report::{Names, Plot, Report, model_plot};
use serde::Serialize;

use super::interrupt::{STOPPING, end_in_order};
use super::output::{Output, shown};
use super::predict::unseen_lines;
use super::progress::Progress;
use super::table::{count, facts, number};
use super::weights::{WeightArguments, weight_lines};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// One self-contained page
    Html,
    /// One picture, see --plot
    Svg,
    /// One picture, see --plot
    Png,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds report m.json test.parquet -o report.html\n  logodds report m.json test.parquet \
                  --plot roc -o roc.png\n  logodds report m.json --plot coefficients -o odds.svg"
)]
pub(crate) struct ReportArguments {
    /// Model file
    ///
    /// The path of a model file (JSON) that train or tune wrote.
    model: PathBuf,
    /// Parquet files, directories of them, or globs, with the target column
    ///
    /// The tables, read as one: the path of a file, a directory whose *.parquet files below it are read in
    /// sorted order, or a quoted glob such as 'parts/*.parquet'. A page and pictures of scores need them;
    /// pictures of the model alone do not.
    data: Vec<String>,
    /// File to write: a page, or a picture with --plot; - for stdout
    ///
    /// Path of the file, which is written completely or not at all; a single dash is stdout. Needed.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Format [default: by the extension of the file]
    ///
    /// By default the extension of the output decides: .html, .svg or .png.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The picture to draw: roc, pr, calibration, histogram, confusion, coefficients, training, path, cv
    ///
    /// roc: true against false positive rate. pr: precision against recall. calibration: predicted
    /// probability against observed share. histogram: scores of both sides. confusion: true against predicted
    /// classes. coefficients: odds ratios. training: the residual during training. path: coefficients over
    /// penalties. cv: scores over penalties. By default a page with all of them is written.
    #[arg(long, value_name = "PLOT", help_heading = "Pictures")]
    plot: Option<Plot>,
    /// The class of the picture [default: the first]
    ///
    /// Value of the target. By default class 1 of a binary model, or the first of several classes.
    #[arg(long, value_name = "VALUE", help_heading = "Pictures", requires = "plot")]
    class: Option<String>,
    #[command(flatten)]
    weights: WeightArguments,
    /// The training rows, for intervals of the odds ratios; may be repeated
    ///
    /// Path, directory or glob of the rows that the model was trained on. By default odds ratios have no
    /// intervals.
    #[arg(long, value_name = "TRAINING", help_heading = "Evaluation")]
    inference: Vec<String>,
    /// Binary: open the page at this threshold [default: the model's]
    ///
    /// A probability above 0 and below 1, at which the page opens. By default the threshold in the model
    /// file, or 0.5.
    #[arg(long, value_name = "T", allow_hyphen_values = true, help_heading = "Evaluation")]
    threshold: Option<f64>,
    /// Memory for blocks of the table, and for scores while they are ranked [default: what is available]
    ///
    /// Main memory in bytes, or with a unit, such as 500MB or 8GiB. If the scores of all classes do not fit
    /// into half of it, the table is read several times. By default the memory that is available.
    #[arg(long, value_name = "SIZE", help_heading = "Evaluation")]
    memory: Option<MemorySize>,
}

#[derive(Serialize)]
struct Summary<'a> {
    output: &'a Path,
    format: Format,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<Evaluated>,
}

/// The main metrics of the evaluation; `logodds evaluate --json` has all of them.
#[derive(Serialize)]
struct Evaluated {
    rows: usize,
    rows_dropped: usize,
    log_loss: f64,
    accuracy: f64,
    auc: Option<f64>,
    average_precision: Option<f64>,
    brier: f64,
    threshold: Option<f64>,
}

pub(crate) fn run(arguments: &ReportArguments, output: Output) -> anyhow::Result<()> {
    let format = check(arguments, output)?;
    let model = Model::load(&arguments.model)?;
    check_apart("--output", &arguments.output, "the model file", &[&arguments.model])?;
    if !arguments.inference.is_empty() {
        let training = data::open(&arguments.inference)?;
        check_apart("--output", &arguments.output, "a training table", training.files())?;
    }

    // Some pictures need only the model.
    if let Some(plot) = arguments.plot.filter(|plot| !plot.needs_data()) {
        let inference = inference(arguments, &model, output)?;
        let picture = model_plot(&model, plot, arguments.class.as_deref(), inference.as_ref())?;
        return finish(arguments, output, format, &draw(&picture, format), None, &RowWeights::default());
    }
    if arguments.data.is_empty() {
        let what = "name labelled Parquet files after the model, to evaluate it on";
        return Err(Error::from(ConfigError::Missing { flag: "DATA", what }).into());
    }
    let source = data::open(&arguments.data)?;
    check_apart("--output", &arguments.output, "an input table", source.files())?;
    let weights = arguments.weights.choose(&[&model], &source);
    let options = EvaluateOptions {
        weight: weights.column.clone(),
        threshold: arguments.threshold,
        intervals: None,
        memory: arguments.memory.map(|size| size.0),
    };
    let inference = inference(arguments, &model, output)?;
    let progress = Progress::start(output, None);
    let done = Report::new(&model, &arguments.data, &options, &progress);
    progress.finish(done.is_ok())?;
    let mut report = done?;
    if let Some(inference) = inference {
        report = report.with_inference(inference);
    }
    let content = match arguments.plot {
        Some(plot) => draw(&report.plot(plot, arguments.class.as_deref())?, format),
        None => {
            let names =
                Names { model: arguments.model.display().to_string(), data: arguments.data.join(", ") };
            report.html(&names).into_bytes()
        }
    };
    finish(arguments, output, format, &content, Some(&report), &weights)
}

/// The statistics of the coefficients, if training rows are given.
fn inference(
    arguments: &ReportArguments,
    model: &Model,
    output: Output,
) -> anyhow::Result<Option<Inference>> {
    end_in_order(STOPPING, STOPPING);
    if arguments.inference.is_empty() {
        return Ok(None);
    }
    let options = InferenceOptions {
        weight: arguments.weights.of_training(model),
        memory: arguments.memory.map(|size| size.0),
        ..InferenceOptions::default()
    };
    let progress = Progress::start(output, None);
    let found = infer(model, &arguments.inference, &options, &progress);
    progress.finish(found.is_ok())?;
    Ok(Some(found?))
}

/// The format, from the flag or the file name; refuses flags that contradict each other.
fn check(arguments: &ReportArguments, output: Output) -> Result<Format, Error> {
    let by_name = format_of(&arguments.output);
    let what = "the output's extension is none of .html, .svg, .png; name one of the three formats";
    let format = arguments.format.or(by_name).ok_or(ConfigError::Missing { flag: "--format", what })?;
    if by_name.is_some_and(|by_name| by_name != format) {
        let why = "the file's extension means another format";
        return Err(ConfigError::Conflict { first: "--format", second: "--output", why }.into());
    }
    match (format, arguments.plot) {
        (Format::Html, Some(_)) => {
            let why = "it draws one picture, and a page has all of them; name a .svg or .png file";
            return Err(ConfigError::Conflict { first: "--plot", second: "a page", why }.into());
        }
        (Format::Svg | Format::Png, None) => {
            let what = "name one of the pictures in --help; only a page needs none, and it is html";
            return Err(ConfigError::Missing { flag: "--plot", what }.into());
        }
        _ => {}
    }
    if arguments.plot.is_some_and(|plot| !plot.needs_data()) {
        let infers = !arguments.inference.is_empty();
        let given = [
            ("--threshold", arguments.threshold.is_some()),
            (arguments.weights.typed().unwrap_or_default(), arguments.weights.typed().is_some() && !infers),
            ("--memory", arguments.memory.is_some() && !infers),
        ];
        if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            let why = "the picture shows the model alone and scores no rows; leave it out".to_owned();
            return Err(ConfigError::NotApplicable { flag, why }.into());
        }
    }
    let binary = (format == Format::Png).then_some("a file or a pipe, because PNG is not text");
    output.check(&arguments.output, binary)?;
    Ok(format)
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "html" | "htm" => Some(Format::Html),
        "svg" => Some(Format::Svg),
        "png" => Some(Format::Png),
        _ => None,
    }
}

fn draw(picture: &Picture, format: Format) -> Vec<u8> {
    if format == Format::Png { picture.png() } else { picture.svg().into_bytes() }
}

/// Writes the file and reports it.
fn finish(
    arguments: &ReportArguments,
    output: Output,
    format: Format,
    content: &[u8],
    report: Option<&Report<'_>>,
    weights: &RowWeights,
) -> anyhow::Result<()> {
    let path = &arguments.output;
    write_whole(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    let evaluation = report.map(|report| &report.evaluation);
    let evaluated = evaluation.map(|evaluation| Evaluated {
        rows: evaluation.rows,
        rows_dropped: evaluation.rows_dropped,
        log_loss: evaluation.log_loss,
        accuracy: evaluation.accuracy,
        auc: evaluation.auc,
        average_precision: evaluation.average_precision,
        brier: evaluation.brier,
        threshold: evaluation.threshold,
    });
    let summary = Summary { output: path, format, bytes: content.len(), evaluation: evaluated };
    output.written(&[path], &summary, || {
        let size = number((content.len() as f64 / 102.4).round() / 10.0);
        let mut lines = vec![("output", format!("{}, {size} KiB", shown(path)))];
        if let Some(evaluation) = evaluation {
            lines.push(("rows", count(evaluation.rows)));
            lines.extend(weight_lines(weights));
            lines.push(("log loss", number(evaluation.log_loss)));
            if let Some(auc) = evaluation.auc {
                lines.push(("AUC", number(auc)));
            }
            lines.extend(unseen_lines(&evaluation.unseen));
        }
        facts(&lines)
    })
}
