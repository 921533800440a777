//! Tables that compare the classes.

use super::Report;
use super::page::{NAME, ROWS};
use super::text::{count, number, percent, score, score_or_dash};
use crate::evaluate::ClassEvaluation;
use crate::metrics::Average;
use crate::model::{Model, Task};
use crate::plots::{confusion_matrix, short};

/// Number of listed mistakes.
const MISTAKES: usize = 12;

/// The section of all classes.
pub(super) struct Classes {
    /// Whether the classes have their own thresholds.
    pub(super) has_thresholds: bool,
    pub(super) confusion: String,
    pub(super) mistakes: Vec<Vec<String>>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) average_rows: Vec<Vec<String>>,
    /// Number of classes without a row.
    pub(super) left: usize,
}

impl Classes {
    pub(super) fn new(report: &Report<'_>) -> Self {
        let (model, evaluation) = (report.model, &report.evaluation);
        Self {
            has_thresholds: has_thresholds(model),
            confusion: confusion_matrix(&evaluation.confusion_matrix, &model.classes).inline("confusion"),
            mistakes: mistakes(report),
            rows: class_rows(report),
            average_rows: average_rows(report),
            left: evaluation.classes.len().saturating_sub(ROWS),
        }
    }
}

/// The largest cells off the diagonal of the confusion matrix.
fn mistakes(report: &Report<'_>) -> Vec<Vec<String>> {
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

/// Whether the classes have their own thresholds.
pub(super) fn has_thresholds(model: &Model) -> bool {
    model.task == Task::OneVsRest && model.models.iter().any(|fitted| fitted.threshold.is_some())
}

/// A row for each class, with its threshold if the model stores thresholds.
fn class_rows(report: &Report<'_>) -> Vec<Vec<String>> {
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

/// Averages over the classes.
fn average_rows(report: &Report<'_>) -> Vec<Vec<String>> {
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
