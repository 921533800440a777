//! Facts about the data.

use super::page::{NAME, ROWS};
use super::text::{count, or_dash, percent, plural};
use super::{Names, Report};
use crate::data::ColumnKind;
use crate::evaluate::Evaluation;
use crate::model::Model;
use crate::plots::short;

/// The data section.
pub(super) struct Data {
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) unseen: Vec<Vec<String>>,
    pub(super) column_rows: Vec<Vec<String>>,
    /// Number of columns without a row.
    pub(super) columns_left: usize,
}

impl Data {
    pub(super) fn new(report: &Report<'_>, names: &Names) -> Self {
        Self {
            facts: data_facts(report, names),
            unseen: unseen_rows(&report.evaluation),
            column_rows: column_rows(report.model),
            columns_left: report.model.columns.len().saturating_sub(ROWS),
        }
    }
}

fn data_facts(report: &Report<'_>, names: &Names) -> Vec<(&'static str, String)> {
    let (model, evaluation) = (report.model, &report.evaluation);
    let classes = model.classes.iter().take(12).map(|class| short(class, 24)).collect::<Vec<_>>().join(", ");
    let more = model.classes.len().saturating_sub(12);
    let classes = if more > 0 { format!("{classes}, and {} more", count(more as f64)) } else { classes };
    let of_kind = |kind| model.columns.iter().filter(|column| column.kind == kind).count();
    let kinds = [
        (of_kind(ColumnKind::Numeric), "numeric"),
        (of_kind(ColumnKind::Boolean), "boolean"),
        (of_kind(ColumnKind::Categorical), "categorical"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|kind| kind.0 > 0)
        .map(|(n, kind)| format!("{} {kind}", count(*n as f64)))
        .collect();
    let mut facts = vec![("Evaluated on", short(&names.data, 200)), ("Rows", count(evaluation.rows as f64))];
    let all = evaluation.rows + evaluation.rows_dropped;
    facts.push((
        "Left out",
        if evaluation.rows_dropped == 0 {
            "none".to_owned()
        } else {
            format!(
                "{} ({}): no label, or a null that the model cannot fill",
                count(evaluation.rows_dropped as f64),
                percent(evaluation.rows_dropped as f64 / all as f64)
            )
        },
    ));
    facts.extend([
        ("Trained on", plural(model.training.rows, "row")),
        ("Left out in training", count(model.training.rows_dropped as f64)),
        ("Target", short(&model.target, 60)),
        ("Classes", classes),
        ("Columns", kinds.join(", ")),
        ("Features", count(model.features.len() as f64)),
    ]);
    if evaluation.unseen.is_empty() && of_kind(ColumnKind::Categorical) > 0 {
        facts.push(("Unseen levels", "none".to_owned()));
    }
    facts
}

fn column_rows(model: &Model) -> Vec<Vec<String>> {
    let row = |column: &crate::data::Column| {
        let (kind, levels) = match column.kind {
            ColumnKind::Numeric => ("numeric", None),
            ColumnKind::Boolean => ("boolean", None),
            ColumnKind::Categorical => ("categorical", column.levels.as_ref().map(Vec::len)),
        };
        let null = match (&column.levels, column.missing) {
            (Some(levels), _) if levels.iter().any(Option::is_none) => "a level".to_owned(),
            (Some(_), _) => "no level".to_owned(),
            (None, missing) => or_dash(missing),
        };
        let scale = column.scale.filter(|_| column.kind == ColumnKind::Numeric);
        vec![
            short(&column.name, 60),
            kind.to_owned(),
            or_dash(column.mean),
            or_dash(scale),
            null,
            levels.map_or_else(|| "–".to_owned(), |n| count(n as f64)),
        ]
    };
    model.columns.iter().take(ROWS).map(row).collect()
}

/// A row for each column with levels that did not occur in training.
fn unseen_rows(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let rows = (evaluation.rows + evaluation.rows_dropped).max(1) as f64;
    let unseen = evaluation.unseen.iter().take(ROWS);
    unseen
        .map(|unseen| {
            let found = unseen.rows as f64;
            vec![short(&unseen.column, NAME), count(found), percent(found / rows)]
        })
        .collect()
}
