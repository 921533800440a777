//! `logodds threshold`.

use std::path::{Path, PathBuf};

use logodds::config::MemorySize;
use logodds::data;
use logodds::evaluate::RowWeights;
use logodds::model::Model;
use logodds::output::check_apart;
use logodds::threshold::{
    ClassThreshold, Criterion, Decisions, ThresholdOptions, ThresholdReport, Worse, choose,
};
use serde::Serialize;

use super::evaluation::confusion;
use super::interrupt::{STOPPING, end_in_order};
use super::output::{Output, shown};
use super::progress::Progress;
use super::table::{count, facts, number, plural, table, table_up_to};
use super::weights::{WeightArguments, weight_lines};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds threshold m.json valid.parquet --by f1\n  logodds threshold m.json \
                        valid.parquet --by cost=1:20 -o tuned.json\n  logodds threshold m.json valid.parquet --by \
                        precision=0.9 --dry-run"
)]
pub(crate) struct ThresholdArguments {
    /// Model file; the threshold is stored in it, unless -o or --dry-run is given
    ///
    /// The path of a model file (JSON) that train or tune wrote. The file is rewritten with the threshold or
    /// thresholds, unless -o names another output.
    model: PathBuf,
    /// Parquet files, directories of them, or globs, with the target column; best not the training data
    ///
    /// The tables, read as one: the path of a file, a directory whose *.parquet files below it are read in
    /// sorted order, or a quoted glob such as 'parts/*.parquet'. On rows that the model was trained on,
    /// thresholds look better than they are.
    #[arg(required = true)]
    data: Vec<String>,
    /// youden, f1, accuracy, cost=FP:FN, tpr=RATE, fpr=RATE or precision=SHARE
    ///
    /// youden: largest difference between true and false positive rate. f1: largest F1. accuracy: largest
    /// accuracy. cost=FP:FN: smallest total cost, if a false positive costs FP and a false negative FN.
    /// tpr=RATE: fewest false positives with at least this true positive rate. fpr=RATE: most true positives
    /// with at most this false positive rate. precision=SHARE: most true positives with at least this
    /// precision. Needed.
    #[arg(long, value_name = "CRITERION")]
    by: Criterion,
    #[command(flatten)]
    weights: WeightArguments,
    /// Memory for blocks of the table, and for scores while they are ranked [default: what is available]
    ///
    /// Main memory in bytes, or with a unit, such as 500MB or 8GiB. If the scores of all classes do not fit
    /// into half of it, the table is read several times. By default the memory that is available.
    #[arg(long, value_name = "SIZE")]
    memory: Option<MemorySize>,
    /// Write the model to this file instead; - for stdout
    ///
    /// A file for the model with its thresholds. By default the model file itself is rewritten.
    #[arg(long, short, value_name = "FILE", conflicts_with = "dry_run")]
    output: Option<PathBuf>,
    /// Choose and show the threshold, but store nothing
    ///
    /// Nothing is written. By default the thresholds are stored.
    #[arg(long)]
    dry_run: bool,
    /// Store thresholds even if they make the decision between several classes worse
    ///
    /// Each class gets its own threshold, but all classes compete for a row, so the thresholds together may
    /// do worse than none. For youden, f1 and accuracy such thresholds are refused by default. They are
    /// judged by balanced accuracy, macro F1 and accuracy of the decision between all classes.
    #[arg(long, conflicts_with = "dry_run")]
    allow_worse: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a ThresholdReport,
    weights: &'a RowWeights,
    /// The file in which the threshold was stored.
    stored: Option<&'a PathBuf>,
}

pub(crate) fn run(arguments: &ThresholdArguments, output: Output) -> anyhow::Result<()> {
    let mut model = Model::load(&arguments.model)?;
    let stored = arguments.output.as_ref().unwrap_or(&arguments.model);
    let stored = (!arguments.dry_run).then_some(stored);
    if let Some(path) = stored {
        output.check(path, None)?;
    }
    let table = data::open(&arguments.data)?;
    if let Some(path) = stored {
        check_apart("--output", path, "an input table", table.files())?;
    }
    let weights = arguments.weights.choose(&[&model], &table);
    let options = ThresholdOptions {
        by: arguments.by,
        weight: weights.column.clone(),
        memory: arguments.memory.map(|size| size.0),
        // A dry run may show thresholds that would be refused.
        allow_worse: arguments.allow_worse || arguments.dry_run,
    };
    let progress = Progress::start(output, None);
    end_in_order(STOPPING, STOPPING);
    let done = choose(&mut model, &arguments.data, &options, &progress);
    progress.finish(done.is_ok())?;
    let report = done?;
    if let Some(path) = stored {
        model.save(path)?;
    }
    let told = Told { report: &report, weights: &weights, stored };
    let outputs: Vec<&Path> = stored.iter().map(|path| path.as_path()).collect();
    output.written(&outputs, &told, || text(arguments, &model, &report, &weights, stored))
}

fn text(
    arguments: &ThresholdArguments,
    model: &Model,
    report: &ThresholdReport,
    weights: &RowWeights,
    stored: Option<&PathBuf>,
) -> String {
    let mut rows = count(report.rows);
    if report.rows_dropped > 0 {
        rows.push_str(&format!(", {} left out", plural(report.rows_dropped, "row")));
    }
    let mut lines = vec![("chosen by", report.by.clone()), ("rows", rows)];
    lines.extend(weight_lines(weights));
    let place = match stored {
        Some(path) => shown(path),
        None => "nowhere: --dry-run".to_owned(),
    };
    if let [only] = report.classes.as_slice() {
        lines.push(("class", only.class.clone()));
        lines.push((
            "threshold",
            format!("{} (was {})", number(only.after.threshold), number(only.before.threshold)),
        ));
        lines.push(("stored in", place));
        let names: Vec<String> = model.classes.clone();
        return format!(
            "{}\n{}\n{}",
            facts(&lines),
            trade_off(arguments.by, only),
            before_and_after(&names, only, weights.column.is_some())
        );
    }
    lines.push(("stored in", place));
    if let Some(Worse { metric, without, with }) = report.worse {
        let numbers = format!("{metric} {}, without thresholds {}", number(with), number(without));
        let text =
            format!("the decision between all classes gets worse: {numbers}; choose --by another criterion");
        lines.push(("warning", text));
    }
    let mut text = facts(&lines);
    text.push('\n');
    text.push_str(&by_class(arguments.by, report));
    if let (Some([before, after]), Some(without)) = (&report.decision, &report.without) {
        let mut head = vec!["decision between all", "before", "after"];
        let mut decisions = vec![before, after];
        // Without thresholds in the model, "before" is already "no thresholds".
        if before != without {
            head.push("no thresholds");
            decisions.push(without);
        }
        let row = |name: &str, of: fn(&logodds::threshold::OverallDecision) -> f64| {
            std::iter::once(name.to_owned()).chain(decisions.iter().map(|d| number(of(d)))).collect()
        };
        let rows: [Vec<String>; 3] = [
            row("accuracy", |d| d.accuracy),
            row("balanced accuracy", |d| d.balanced_accuracy),
            row("macro F1", |d| d.macro_f1),
        ];
        text.push('\n');
        text.push_str(&table(&head, &rows));
    }
    text
}

/// The corners of the trade-off; the chosen point is marked.
fn trade_off(by: Criterion, class: &ClassThreshold) -> String {
    let cost = matches!(by, Criterion::Cost { .. });
    let mut head = vec!["  threshold", "precision", "recall", "fpr", "F1", "accuracy"];
    if cost {
        head.push("mean cost");
    }
    let row = |point: &Decisions| {
        let mark = if point.threshold == class.after.threshold { ">" } else { " " };
        let mut row = vec![
            format!("{mark} {}", number(point.threshold)),
            number(point.precision),
            number(point.recall),
            number(point.false_positive_rate),
            number(point.f1),
            number(point.accuracy),
        ];
        if cost {
            row.push(number(point.value));
        }
        row
    };
    // Show all of them: they are few.
    let rows: Vec<Vec<String>> = class.trade_off.iter().map(row).collect();
    table_up_to(rows.len(), &head, &rows)
}

fn before_and_after(classes: &[String], class: &ClassThreshold, weighted: bool) -> String {
    let is_first = classes[0] == class.class;
    let matrix = |d: &Decisions| {
        let of_class = [d.false_negatives, d.true_positives];
        let of_other = [d.true_negatives, d.false_positives];
        let told = |weight: f64| if weighted { number(weight) } else { format!("{weight:.0}") };
        let mut rows = vec![of_other.map(told).to_vec(), of_class.map(told).to_vec()];
        if is_first {
            rows.reverse();
            rows.iter_mut().for_each(|row| row.reverse());
        }
        rows
    };
    let at = |name: &str, d: &Decisions| {
        let corner = if weighted { "weight: true \\ predicted" } else { "true \\ predicted" };
        let matrix = confusion(corner, classes, &matrix(d));
        format!("{name}, at threshold {}\n{matrix}", number(d.threshold))
    };
    format!("{}\n{}", at("before", &class.before), at("after", &class.after))
}

fn by_class(by: Criterion, report: &ThresholdReport) -> String {
    let name = by.to_string();
    let name = name.split('=').next().unwrap_or_default();
    let head = ["class", "was", "threshold", "precision", "recall", "F1", &format!("{name} was"), name];
    let row = |class: &ClassThreshold| {
        vec![
            class.class.clone(),
            number(class.before.threshold),
            number(class.after.threshold),
            number(class.after.precision),
            number(class.after.recall),
            number(class.after.f1),
            number(class.before.value),
            number(class.after.value),
        ]
    };
    table(&head, &report.classes.iter().map(row).collect::<Vec<_>>())
}
