//! Text reports of evaluations.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use logodds::evaluate::{
    Comparison, Difference, Evaluation, Headline, IntervalBasis, IntervalMethod, RowWeights,
};
use logodds::metrics::{Average, Interval};
use logodds::model::{Model, Task};

use super::predict::unseen_lines;
use super::table::{WIDTH, abridge, count, facts, number, plural, shorten, shorten_start, table};
use super::weights::weight_lines;

/// Most classes whose confusion matrix fits 80 columns.
const MATRIX_CLASSES: usize = 10;
/// Names of the headline numbers.
const HEADLINE: Headline<&str> = Headline {
    log_loss: "log loss",
    accuracy: "accuracy",
    balanced_accuracy: "balanced accuracy",
    mcc: "MCC",
    auc: "AUC",
    average_precision: "average precision",
    brier: "Brier score",
};
/// Width of a model's name in a comparison.
const NAME_WIDTH: usize = 22;

/// The report of one model.
pub(crate) fn text(model: &Model, evaluation: &Evaluation, weights: &RowWeights) -> String {
    let mut lines = vec![("rows", rows(evaluation))];
    lines.extend(weight_lines(weights));
    let intervals = evaluation.intervals.as_ref();
    let found = intervals.map_or_else(Headline::default, |intervals| intervals.headline);
    let mut values = evaluation.headline().zip(found, |value, interval| match (value, interval) {
        (None, _) => "none: the rows have only one class".to_owned(),
        (Some(value), None) => number(value),
        (Some(value), Some(interval)) => format!("{}  ({})", number(value), range(&interval)),
    });
    if let (Some(threshold), Some(positive)) = (evaluation.threshold, &model.positive) {
        values.accuracy.push_str(&format!("  ({positive:?} at probability {} or more)", number(threshold)));
    }
    let _ = HEADLINE.zip(values, |name, value| lines.push((name, value)));
    lines.push(("calibration error", number(evaluation.calibration.ece)));
    if let Some(intervals) = intervals {
        lines.push(("intervals", basis(&intervals.basis)));
        lines.extend(intervals.note.map(|note| ("warning", note.to_owned())));
    }
    lines.extend(unseen_lines(&evaluation.unseen));
    let mut text = facts(&lines);
    text.push('\n');
    text.push_str(&classes(model, evaluation));
    if model.classes.len() <= MATRIX_CLASSES {
        text.push('\n');
        let counts = evaluation.confusion_matrix.iter().map(|row| row.iter().map(u64::to_string).collect());
        text.push_str(&confusion("true \\ predicted", &model.classes, &counts.collect::<Vec<_>>()));
    }
    if model.task == Task::Binary {
        // The unit of the table's parts: rows, or weight.
        let counted = if weights.column.is_some() { "weight" } else { "rows" };
        // Without rows of the class there is no lift.
        if !evaluation.lift.is_empty() {
            text.push('\n');
            text.push_str(&deciles(model, evaluation, counted));
        }
        text.push('\n');
        text.push_str(&calibration(evaluation, counted));
    }
    text
}

fn rows(evaluation: &Evaluation) -> String {
    let mut rows = count(evaluation.rows);
    if evaluation.rows_dropped > 0 {
        let dropped = plural(evaluation.rows_dropped, "row");
        rows.push_str(&format!(", {dropped} left out (no label, or a null in a feature)"));
    }
    rows
}

fn range(interval: &Interval) -> String {
    format!("{} to {}", number(interval.lower), number(interval.upper))
}

fn basis(basis: &IntervalBasis) -> String {
    let share = number(100.0 * basis.confidence);
    match (basis.method, basis.replicates) {
        (IntervalMethod::Bootstrap, Some(replicates)) => {
            format!("{share} %, by bootstrap: percentiles of {} resamples of this table", count(replicates))
        }
        _ => format!("{share} %, by DeLong's method, for the AUC only"),
    }
}

fn classes(model: &Model, evaluation: &Evaluation) -> String {
    let set = evaluation.classes.iter().any(|class| class.threshold.is_some_and(|t| t != 0.5));
    let mut head = vec!["class", "precision", "recall", "F1", "AUC", "rows"];
    if set {
        head.push("threshold");
    }
    let described = |class: &logodds::evaluate::ClassEvaluation| {
        let mut row = vec![
            class.class.clone(),
            number(class.precision),
            number(class.recall),
            number(class.f1),
            class.auc.map_or("-".to_owned(), number),
            count(class.support as usize),
        ];
        if set {
            row.push(class.threshold.map_or("-".to_owned(), number));
        }
        row
    };
    let mut text = table(&head, &evaluation.classes.iter().map(described).collect::<Vec<_>>());
    if model.task == Task::OneVsRest {
        let averages = &evaluation.averages;
        let means =
            [("macro", &averages.by_class), ("micro", &averages.micro), ("weighted", &averages.weighted)];
        let row = |(name, mean): (&str, &Average)| {
            let auc = mean.auc.map_or("-".to_owned(), number);
            vec![name.to_owned(), number(mean.precision), number(mean.recall), number(mean.f1), auc]
        };
        text.push('\n');
        text.push_str(&table(&["mean", "precision", "recall", "F1", "AUC"], &means.map(row)));
    }
    text
}

/// A confusion matrix, true classes down and predicted classes across; `corner` says so and names the unit of
/// the cells. Classes are numbered, with a legend, if their shortened names would be ambiguous.
pub(crate) fn confusion(corner: &str, classes: &[String], cells: &[Vec<String>]) -> String {
    // As wide as 80 columns allow beside the names of the true classes.
    let width = (56 / classes.len().max(1)).clamp(5, 12);
    let longest = cells.iter().flatten().map(String::len).max().unwrap_or(0).max(width);
    let room = WIDTH.saturating_sub(classes.len() * (longest + 2)).max(8);
    let differ = |short: &dyn Fn(&String) -> String| {
        classes.iter().map(short).collect::<HashSet<String>>().len() == classes.len()
    };
    let named = differ(&|class| shorten(class, width)) && differ(&|class| abridge(class, room));
    let numbers: Vec<String> = (1..=classes.len()).map(|number| number.to_string()).collect();
    let names = if named { classes } else { &numbers };
    let short: Vec<String> = names.iter().map(|name| shorten(name, width)).collect();
    let head: Vec<&str> = std::iter::once(corner).chain(short.iter().map(String::as_str)).collect();
    let row = |(name, row): (&String, &Vec<String>)| std::iter::once(name).chain(row).cloned().collect();
    let mut text = table(&head, &names.iter().zip(cells).map(row).collect::<Vec<_>>());
    if !named {
        let legend: Vec<(&str, String)> =
            numbers.iter().map(String::as_str).zip(classes.iter().cloned()).collect();
        text.push('\n');
        text.push_str(&facts(&legend));
    }
    text
}

fn deciles(model: &Model, evaluation: &Evaluation, counted: &str) -> String {
    let row = |part: &logodds::metrics::LiftPart| {
        vec![
            format!("top {:.0} %", 100.0 * part.share),
            number(part.score),
            number(part.gain),
            number(part.lift),
            number(part.cumulative_lift),
        ]
    };
    let found = format!("found of {}", shorten(model.positive.as_deref().unwrap_or("class 1"), 16));
    let head = [counted, "lowest probability", &found, "lift", "cumulative lift"];
    table(&head, &evaluation.lift.iter().map(row).collect::<Vec<_>>())
}

fn calibration(evaluation: &Evaluation, counted: &str) -> String {
    let row = |bin: &logodds::metrics::Bin| {
        let or_none = |value: Option<f64>| value.map_or("-".to_owned(), number);
        let probability = format!("{} to {}", number(bin.lower), number(bin.upper));
        vec![probability, number(bin.weight), or_none(bin.mean_probability), or_none(bin.observed)]
    };
    let rows: Vec<Vec<String>> = evaluation.calibration.bins.iter().map(row).collect();
    table(&["probability", counted, "mean probability", "observed share"], &rows)
}

/// The report of several models side by side.
pub(crate) fn comparison_text(paths: &[PathBuf], comparison: &Comparison, weights: &RowWeights) -> String {
    let first = &comparison.evaluations[0];
    let mut lines = vec![("rows", rows(first))];
    lines.extend(weight_lines(weights));
    if let Some(intervals) = &first.intervals {
        lines.push(("intervals", basis(&intervals.basis)));
    }
    let evaluations = &comparison.evaluations;
    if evaluations.iter().all(|evaluation| evaluation.unseen == first.unseen) {
        lines.extend(unseen_lines(&first.unseen));
    } else {
        for (path, evaluation) in paths.iter().zip(evaluations) {
            let of_model = unseen_lines(&evaluation.unseen);
            lines.extend(of_model.map(|(kind, text)| (kind, format!("{}: {text}", path.display()))));
        }
    }
    let notes: BTreeSet<&str> = evaluations
        .iter()
        .filter_map(|evaluation| evaluation.intervals.as_ref()?.note)
        .chain(comparison.differences.iter().filter_map(|of| of.auc?.note))
        .collect();
    lines.extend(notes.into_iter().map(|note| ("warning", note.to_owned())));
    let mut text = facts(&lines);
    text.push('\n');
    let row = |(path, evaluation): (&PathBuf, &Evaluation)| {
        let mut row = vec![name(path)];
        let _ =
            evaluation.headline().map(|value| row.push(value.map_or("-".to_owned(), |v| format!("{v:.4}"))));
        row
    };
    let head = ["model", "log loss", "acc.", "bal.acc.", "MCC", "AUC", "av.prec.", "Brier"];
    text.push_str(&table(&head, &paths.iter().zip(&comparison.evaluations).map(row).collect::<Vec<_>>()));
    for (path, differences) in paths.iter().skip(1).zip(&comparison.differences) {
        text.push_str(&format!("\n{} against {}\n", name(path), name(&paths[0])));
        text.push_str(&differences_table(differences));
    }
    text
}

fn differences_table(differences: &Headline<Option<Difference>>) -> String {
    let mut rows = Vec::new();
    let _ = HEADLINE.zip(*differences, |name, difference| {
        if let Some(Difference { difference, interval, p_value, .. }) = difference {
            rows.push(vec![
                name.to_owned(),
                signed(difference),
                signed(interval.lower),
                signed(interval.upper),
                p_value.map_or("-".to_owned(), number),
            ]);
        }
    });
    table(&["difference", "estimate", "from", "to", "p"], &rows)
}

fn signed(x: f64) -> String {
    if x > 0.0 { format!("+{}", number(x)) } else { number(x) }
}

/// The end of a path, which distinguishes models best.
fn name(path: &Path) -> String {
    shorten_start(&path.display().to_string(), NAME_WIDTH)
}
