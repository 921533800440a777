//! `logodds evaluate`.

use std::path::PathBuf;

use logodds::evaluate::{EvaluateOptions, Evaluation, evaluate};
use logodds::model::Model;

use super::predict::unseen_lines;
use super::progress::{Progress, STOPPING, catch_ctrl_c};
use super::report::Output;
use super::table::{count, facts, number, plural, shorten, table};

/// Classes whose confusion matrix fits 80 columns.
const MATRIX_CLASSES: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct EvaluateArguments {
    /// Model file
    model: PathBuf,
    /// Parquet files, directories of them, or globs, with the target column
    #[arg(required = true)]
    data: Vec<String>,
    /// Column of row weights
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// Binary: predict class 1 from this probability on [default: 0.5]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    threshold: Option<f64>,
}

pub(crate) fn run(arguments: &EvaluateArguments, output: Output) -> anyhow::Result<()> {
    let model = Model::load(&arguments.model)?;
    let options = EvaluateOptions { weight: arguments.weight.clone(), threshold: arguments.threshold };
    let progress = Progress::start(output, None);
    catch_ctrl_c(STOPPING, STOPPING)?;
    let done = evaluate(&model, &arguments.data, &options, &progress);
    progress.finish(done.is_ok())?;
    let evaluation = done?;
    output.result(&evaluation, || text(&model, &evaluation))
}

fn text(model: &Model, evaluation: &Evaluation) -> String {
    let or_none = |value: Option<f64>| value.map_or("none: only one class here".to_owned(), number);
    let mut rows = count(evaluation.rows);
    if evaluation.rows_dropped > 0 {
        rows.push_str(&format!(
            ", {} left out (no label, or a null in a feature)",
            plural(evaluation.rows_dropped, "row")
        ));
    }
    let mut accuracy = number(evaluation.accuracy);
    if let (Some(threshold), Some(positive)) = (evaluation.threshold, &model.positive) {
        accuracy.push_str(&format!(" ({positive:?} from probability {threshold} on)"));
    }
    let mut lines = vec![
        ("rows", rows),
        ("log loss", number(evaluation.log_loss)),
        ("accuracy", accuracy),
        ("AUC", or_none(evaluation.auc)),
        ("average precision", or_none(evaluation.average_precision)),
        ("Brier score", number(evaluation.brier)),
    ];
    lines.extend(unseen_lines(&evaluation.unseen));
    let classes: Vec<Vec<String>> = evaluation
        .classes
        .iter()
        .map(|class| {
            vec![
                class.class.clone(),
                number(class.precision),
                number(class.recall),
                number(class.f1),
                class.auc.map_or("-".to_owned(), number),
                count(class.support as usize),
            ]
        })
        .collect();
    let mut text = facts(&lines);
    text.push('\n');
    text.push_str(&table(&["class", "precision", "recall", "F1", "AUC", "rows"], &classes));
    if model.classes.len() <= MATRIX_CLASSES {
        text.push('\n');
        text.push_str(&confusion(model, evaluation));
    }
    text
}

/// True classes down, predicted ones across.
fn confusion(model: &Model, evaluation: &Evaluation) -> String {
    let names: Vec<String> = model.classes.iter().map(|class| shorten(class, 12)).collect();
    let head: Vec<&str> =
        std::iter::once("true \\ predicted").chain(names.iter().map(String::as_str)).collect();
    let rows: Vec<Vec<String>> = model
        .classes
        .iter()
        .zip(&evaluation.confusion_matrix)
        .map(|(class, row)| std::iter::once(class.clone()).chain(row.iter().map(u64::to_string)).collect())
        .collect();
    table(&head, &rows)
}
