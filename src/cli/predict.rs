//! `logodds predict`.

use std::path::{Path, PathBuf};

use logodds::config::MemorySize;
use logodds::error::ConfigError;
use logodds::model::Model;
use logodds::output::check_apart;
use logodds::predict::{PredictOptions, Unseen, predict};

use super::interrupt::{STOPPING, end_in_order};
use super::output::{Output, shown};
use super::progress::Progress;
use super::table::{count, facts, plural};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds predict m.json new.parquet -o out.parquet\n  logodds predict m.json 'new/*.parquet' \
                  -o out.parquet --keep id,date"
)]
pub(crate) struct PredictArguments {
    /// Model file
    ///
    /// The path of a model file (JSON) that train or tune wrote.
    model: PathBuf,
    /// Parquet files, directories of them, or globs
    ///
    /// The tables, read as one: the path of a file, a directory whose *.parquet files below it are read in
    /// sorted order, or a quoted glob such as 'parts/*.parquet'. They must have every column that the model
    /// was trained on.
    #[arg(required = true)]
    data: Vec<String>,
    /// Parquet file to write; - for stdout
    ///
    /// Parquet file with a row for each row of the tables: `prediction`, and `probability` or a
    /// `probability_CLASS` for each class. The file is written completely or not at all.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Input columns to pass through
    ///
    /// Names of columns to copy before the predictions, separated by commas, such as a key. By default no
    /// column is copied.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..")]
    keep: Vec<String>,
    /// Leave one-vs-rest probabilities unscaled
    ///
    /// Each `probability_CLASS` is the probability of that class against the rest. By default the
    /// probabilities of a row are scaled to sum to 1.
    #[arg(long)]
    raw: bool,
    /// Binary: predict class 1 at or above this probability [default: the model's, or 0.5]
    ///
    /// A probability above 0 and below 1; a binary model predicts class 1 if its probability is at least
    /// this. By default the threshold in the model file, or 0.5.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    threshold: Option<f64>,
    /// Memory for blocks of the table, such as 1GiB [default: what is available]
    ///
    /// Main memory in bytes, or with a unit, such as 500MB or 8GiB. With less memory, blocks have fewer rows.
    /// By default the memory that is available.
    #[arg(long, value_name = "SIZE")]
    memory: Option<MemorySize>,
}

pub(crate) fn run(arguments: &PredictArguments, output: Output) -> anyhow::Result<()> {
    let model = Model::load(&arguments.model)?;
    check_apart("--output", &arguments.output, "the model file", &[&arguments.model])?;
    check_name(&arguments.output).map_err(logodds::Error::from)?;
    let parquet = "a file or a pipe, because Parquet is not text";
    output.check(&arguments.output, Some(parquet))?;
    let options = PredictOptions {
        keep: arguments.keep.clone(),
        raw: arguments.raw,
        threshold: arguments.threshold,
        memory: arguments.memory.map(|size| size.0),
    };
    let progress = Progress::start(output, None);
    end_in_order(STOPPING, STOPPING);
    let done = predict(&model, &arguments.data, &arguments.output, &options, &progress);
    progress.finish(done.is_ok())?;
    let report = done?;
    output.written(&[&arguments.output], &report, || {
        let mut lines = vec![("rows", count(report.rows)), ("output", shown(&arguments.output))];
        if report.rows_incomplete > 0 {
            let rows = plural(report.rows_incomplete, "row");
            let text = format!(
                "{rows} without a prediction: they have a null, and the model has no value to fill in"
            );
            lines.push(("warning", text));
        }
        lines.extend(unseen_lines(&report.unseen));
        facts(&lines)
    })
}

/// Refuses an output whose name has the extension of another format.
fn check_name(path: &Path) -> Result<(), ConfigError> {
    let parquet = ["parquet", "parq", "pq"];
    let is_parquet =
        |extension: &std::ffi::OsStr| parquet.iter().any(|name| extension.eq_ignore_ascii_case(name));
    if path.extension().is_none_or(is_parquet) {
        return Ok(());
    }
    let expected = "a name that ends in .parquet: predictions are written as Parquet";
    Err(ConfigError::Invalid { flag: "--output", found: path.display().to_string(), expected })
}

/// A warning for each column with values that did not occur in training.
pub(crate) fn unseen_lines(unseen: &[Unseen]) -> impl Iterator<Item = (&'static str, String)> {
    unseen.iter().map(|unseen| {
        let rows = plural(unseen.rows, "row");
        let text = format!(
            "{rows} with a value of {:?} that training had not seen: taken as none of its levels",
            unseen.column
        );
        ("warning", text)
    })
}
