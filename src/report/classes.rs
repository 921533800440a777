//! The classes beside each other, as rows of text.

use super::Report;
use super::page::{NAME, ROWS};
use super::text::{count, number, percent, score, score_or_dash};
use crate::evaluate::ClassEvaluation;
use crate::metrics::Average;
use crate::model::{Model, Task};
use crate::plots::short;

/// Mistakes that are named.
const MISTAKES: usize = 12;

/// The largest cells beside the diagonal.
pub(super) fn mistakes(report: &Report<'_>) -> Vec<Vec<String>> {
    let matrix = &report.evaluation.confusion_matrix;
    let mut cells: Vec<(u64, usize, usize)> = Vec::new();
    for (i, row) in matrix.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|&(j, &rows)| i != j && rows > 0);
        cells.extend(wrong.map(|(j, &rows)| (rows, i, j)));
    }
    cells.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let name = |k: usize| short(&report.model.classes[k], 28);
    let row = |&(rows, i, j): &(u64, usize, usize)| {
        let of_class: u64 = matrix[i].iter().sum();
        vec![name(i), name(j), count(rows as f64), percent(rows as f64 / of_class as f64)]
    };
    cells.iter().take(MISTAKES).map(row).collect()
}

/// Whether the classes have thresholds of their own.
pub(super) fn has_thresholds(model: &Model) -> bool {
    model.task == Task::OneVsRest && model.models.iter().any(|fitted| fitted.threshold.is_some())
}

/// The classes beside each other, each with its threshold where the model stores any.
pub(super) fn class_rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let thresholds = if has_thresholds(report.model) { report.model.thresholds() } else { Vec::new() };
    let row = |(k, class): (usize, &ClassEvaluation)| {
        let mut cells = vec![
            short(&class.class, NAME),
            count(class.support as f64),
            score(class.precision),
            score(class.recall),
            score(class.f1),
            score_or_dash(class.auc),
        ];
        cells.extend(thresholds.get(k).map(|&threshold| number(threshold)));
        cells
    };
    report.evaluation.classes.iter().enumerate().take(ROWS).map(row).collect()
}

/// Means over the classes.
pub(super) fn average_rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let averages = &report.evaluation.averages;
    let row = |name: &str, average: &Average| {
        let mut cells = vec![name.to_owned(), count(report.evaluation.rows as f64)];
        cells.extend([average.precision, average.recall, average.f1].map(score));
        cells.push(score_or_dash(average.auc));
        if has_thresholds(report.model) {
            cells.push(String::new());
        }
        cells
    };
    vec![row("mean", &averages.by_class), row("weighted mean", &averages.weighted)]
}
