//! `logodds predict`.

use std::path::PathBuf;

use logodds::config::MemorySize;
use logodds::model::Model;
use logodds::output::check_apart;
use logodds::predict::{PredictOptions, Unseen, predict};

use super::interrupt::{STOPPING, end_in_order};
use super::output::Output;
use super::progress::Progress;
use super::table::{count, facts, plural};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds predict m.json new.parquet -o out.parquet\n  logodds predict m.json 'new/*.parquet' \
                  -o out.parquet --keep id,date"
)]
pub(crate) struct PredictArguments {
    /// Model file
    model: PathBuf,
    /// Parquet files, directories of them, or globs
    #[arg(required = true)]
    data: Vec<String>,
    /// Parquet file to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Input columns to pass through
    #[arg(long, value_delimiter = ',', value_name = "A,B,..")]
    keep: Vec<String>,
    /// Leave one-vs-rest probabilities unscaled
    #[arg(long)]
    raw: bool,
    /// Binary: predict class 1 from this probability on [default: the model's, or 0.5]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    threshold: Option<f64>,
    /// Memory that blocks of the table may take, such as 1GiB [default: what is available]
    #[arg(long, value_name = "SIZE")]
    memory: Option<MemorySize>,
}

pub(crate) fn run(arguments: &PredictArguments, output: Output) -> anyhow::Result<()> {
    let model = Model::load(&arguments.model)?;
    check_apart("--output", &arguments.output, "the model file", &[&arguments.model])?;
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
    output.result(&report, || {
        let mut lines =
            vec![("rows", count(report.rows)), ("output", arguments.output.display().to_string())];
        if report.rows_incomplete > 0 {
            let rows = plural(report.rows_incomplete, "row");
            let text =
                format!("{rows} without a prediction: they have a null that the model has no value for");
            lines.push(("warning", text));
        }
        lines.extend(unseen_lines(&report.unseen));
        facts(&lines)
    })
}

/// A warning for each column with values that training had not seen.
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
