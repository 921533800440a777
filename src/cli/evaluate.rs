//! `logodds evaluate`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use logodds::config::MemorySize;
use logodds::data;
use logodds::error::ConfigError;
use logodds::evaluate::{
    AskedWeight, Comparison, Difference, EvaluateOptions, Evaluation, Headline, IntervalMethod,
    IntervalOptions, RowWeights, compare,
};
use logodds::model::Model;
use serde::Serialize;

use super::evaluation;
use super::interrupt::{STOPPING, end_in_order};
use super::output::Output;
use super::progress::Progress;
use super::weights::WeightArguments;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds evaluate m.json test.parquet\n  logodds evaluate a.json b.json test.parquet \
                  --intervals"
)]
pub(crate) struct EvaluateArguments {
    /// Model file
    ///
    /// The path of a model file (JSON) that train or tune wrote. With several models, the others are compared
    /// with this one.
    model: String,
    /// More model files; Parquet files, directories of them, or globs, with the target column
    ///
    /// A path that ends in .json, or a file that holds JSON, is a model. Everything else is part of the
    /// table: files, directories and globs, with the columns of the models and the target.
    #[arg(required = true, value_name = "DATA")]
    others: Vec<String>,
    #[command(flatten)]
    weights: WeightArguments,
    /// Binary: predict class 1 at or above this probability [default: the model's, or 0.5]
    ///
    /// A probability above 0 and below 1; a binary model predicts class 1 if its probability is at least
    /// this. By default the threshold in the model file, or 0.5.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    threshold: Option<f64>,
    /// Memory for blocks of the table, and for scores while they are ranked [default: what is available]
    ///
    /// Main memory in bytes, or with a unit, such as 500MB or 8GiB. If the scores of all classes do not fit
    /// into half of it, the table is read several times. By default the memory that is available.
    #[arg(long, value_name = "SIZE")]
    memory: Option<MemorySize>,
    /// Confidence intervals: of all metrics (bootstrap), or of the AUC (delong)
    ///
    /// bootstrap: intervals of every metric, from bootstrap resamples of the table. delong: an interval of
    /// the AUC, from its variance. Without a METHOD it is bootstrap; by default there are no intervals.
    #[arg(
        long,
        value_name = "METHOD",
        num_args = 0..=1,
        // Without `=` it would take the following path as its value.
        require_equals = true,
        default_missing_value = "bootstrap",
        help_heading = "Intervals"
    )]
    intervals: Option<Method>,
    /// Confidence level of the intervals
    ///
    /// The share of such intervals that contain the true value, above 0 and below 1. The default is 0.95.
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.95,
        requires = "intervals",
        help_heading = "Intervals"
    )]
    confidence: f64,
    /// Number of bootstrap resamples
    ///
    /// Number of tables that are drawn with replacement. More make the intervals more exact and take longer.
    /// The default is 1000.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        requires = "intervals",
        help_heading = "Intervals"
    )]
    bootstrap: usize,
    /// Seed of the bootstrap
    ///
    /// Whole number that seeds the resampling; the same seed gives the same intervals. The default is 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "intervals", help_heading = "Intervals")]
    seed: u64,
}

/// The method of the intervals.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Method {
    Bootstrap,
    Delong,
}

/// An evaluation and its row weights, as JSON.
#[derive(Serialize)]
struct Told<'a, T> {
    weights: &'a RowWeights,
    #[serde(flatten)]
    result: &'a T,
}

/// Several models, as JSON.
#[derive(Serialize)]
struct Models<'a> {
    rows: usize,
    rows_dropped: usize,
    models: Vec<Named<'a>>,
    differences: Vec<Against<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    model: &'a Path,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

#[derive(Serialize)]
struct Against<'a> {
    model: &'a Path,
    baseline: &'a Path,
    #[serde(flatten)]
    differences: &'a Headline<Option<Difference>>,
}

pub(crate) fn run(arguments: &EvaluateArguments, output: Output) -> anyhow::Result<()> {
    let (paths, data) = split(&arguments.model, &arguments.others);
    if arguments.intervals.is_some()
        && let Some(method) = data.iter().find(|name| is_method(name) && !Path::new(name).exists())
    {
        let found = format!("separated from its method {method}");
        let expected = "an equals sign between them, as in --intervals=delong";
        let flag = "--intervals";
        return Err(logodds::Error::from(ConfigError::Invalid { flag, found, expected }).into());
    }
    let models: Vec<Model> = paths.iter().map(|path| Model::load(path)).collect::<Result<_, _>>()?;
    if data.is_empty() {
        let what =
            "name the table to evaluate on, after the model: Parquet files, directories of them, or globs";
        return Err(logodds::Error::from(ConfigError::Missing { flag: "DATA", what }).into());
    }
    let intervals = arguments.intervals.map(|method| IntervalOptions {
        method: match method {
            Method::Bootstrap => IntervalMethod::Bootstrap,
            Method::Delong => IntervalMethod::DeLong,
        },
        confidence: arguments.confidence,
        replicates: arguments.bootstrap,
        seed: arguments.seed,
    });
    let models: Vec<&Model> = models.iter().collect();
    let asked = match arguments.weights.asked() {
        // DeLong's method counts rows.
        AskedWeight::Training if matches!(arguments.intervals, Some(Method::Delong)) => AskedWeight::None,
        asked => asked,
    };
    let weights = RowWeights::choose(&models, &data::open(&data)?, asked);
    let options = EvaluateOptions {
        weight: weights.column.clone(),
        threshold: arguments.threshold,
        intervals,
        memory: arguments.memory.map(|size| size.0),
    };
    let progress = Progress::start(output, None);
    end_in_order(STOPPING, STOPPING);
    let done = compare(&models, &data, &options, &progress);
    progress.finish(done.is_ok())?;
    let comparison = done?;
    match comparison.evaluations.as_slice() {
        [evaluation] => {
            let told = Told { weights: &weights, result: evaluation };
            output.result(&told, || evaluation::text(models[0], evaluation, &weights))
        }
        _ => {
            let told = Told { weights: &weights, result: &json(&paths, &comparison) };
            output.result(&told, || evaluation::comparison_text(&paths, &comparison, &weights))
        }
    }
}

fn json<'a>(paths: &'a [PathBuf], comparison: &'a Comparison) -> Models<'a> {
    let first = &comparison.evaluations[0];
    let models = paths.iter().zip(&comparison.evaluations);
    let differences = paths.iter().skip(1).zip(&comparison.differences);
    Models {
        rows: first.rows,
        rows_dropped: first.rows_dropped,
        models: models.map(|(model, evaluation)| Named { model, evaluation }).collect(),
        differences: differences
            .map(|(model, differences)| Against { model, baseline: &paths[0], differences })
            .collect(),
    }
}

fn is_method(name: &str) -> bool {
    <Method as clap::ValueEnum>::from_str(name, false).is_ok()
}

/// Splits the inputs into models (the first one, and every file that is named or begins like JSON) and
/// tables.
fn split(first: &str, others: &[String]) -> (Vec<PathBuf>, Vec<String>) {
    let (mut models, mut data) = (vec![PathBuf::from(first)], Vec::new());
    for input in others {
        let path = Path::new(input);
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if is_json || begins_like_json(path) {
            models.push(path.to_owned());
        } else {
            data.push(input.clone());
        }
    }
    (models, data)
}

fn begins_like_json(path: &Path) -> bool {
    let mut start = [0; 64];
    // Opening a pipe would wait for a writer.
    let read = path.is_file().then(|| File::open(path).and_then(|mut file| file.read(&mut start)));
    let length = read.and_then(Result::ok).unwrap_or(0);
    start[..length].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}
