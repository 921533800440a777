//! Facts about the sweep.

use super::page::ROWS;
use super::text::{number, or_dash, plural};
use crate::config::Rule;
use crate::model::{ChosenPenalty, Model, SweepTable};
use crate::plots::{Picture, short, sweep_curve, sweep_path};

pub(super) struct Sweep {
    pub(super) lead: String,
    pub(super) warnings: Vec<String>,
    pub(super) curve_title: String,
    pub(super) curve_below: String,
    pub(super) curve: String,
    /// Title, line below it, picture.
    pub(super) path: Option<(String, String, String)>,
    /// Several classes: the chosen penalty of each class, or of all.
    pub(super) chosen: Vec<Vec<String>>,
    pub(super) by_class: bool,
    pub(super) scoring: String,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) left: usize,
}

pub(super) fn sweep(model: &Model) -> Option<Sweep> {
    let table = model.sweep.as_ref()?;
    let picture = sweep_curve(table);
    let inline = |picture: &Picture, id| (picture.title.clone(), picture.below.clone(), picture.inline(id));
    let path = (!table.paths.is_empty())
        .then(|| inline(&sweep_path(table, &table.paths, model.models.len()), "path"));
    let by_class = table.curve.iter().any(|point| point.class.is_some());
    let rows = table.curve.iter().take(ROWS).map(|point| {
        let mark = match (point.chosen, point.best) {
            (true, true) => "chosen, best",
            (true, false) => "chosen",
            (false, true) => "best",
            _ => "",
        };
        let mut cells = Vec::new();
        if by_class {
            cells.push(short(point.class.as_deref().unwrap_or(""), 40));
        }
        cells.extend([
            number(point.l1 + point.l2),
            or_dash(point.l1_ratio),
            or_dash(point.c),
            or_dash(point.mean),
            or_dash(point.standard_error),
            point.nonzero.map_or_else(|| "–".into(), |nonzero| number((nonzero * 10.0).round() / 10.0)),
            mark.to_owned(),
        ]);
        cells
    });
    let chosen = |choice: &ChosenPenalty| {
        vec![
            choice.class.as_deref().map_or_else(|| "all classes".to_owned(), |class| short(class, 40)),
            number(choice.l1 + choice.l2),
            or_dash(choice.l1_ratio),
            or_dash(choice.c),
        ]
    };
    Some(Sweep {
        lead: sweep_lead(table),
        warnings: table.warnings.iter().take(10).map(|warning| short(warning, 400)).collect(),
        curve_title: picture.title.clone(),
        curve_below: picture.below.clone(),
        curve: picture.inline("cv"),
        path,
        chosen: table.chosen.iter().take(ROWS).map(chosen).collect(),
        by_class,
        scoring: table.scoring.name().replace('_', " "),
        rows: rows.collect(),
        left: table.curve.len().saturating_sub(ROWS),
    })
}

fn sweep_lead(table: &SweepTable) -> String {
    let mut folds: Vec<&crate::data::FoldName> =
        table.results.iter().filter_map(|row| row.fold.as_ref()).collect();
    folds.sort_by_key(ToString::to_string);
    folds.dedup();
    let mut points: Vec<(u64, u64)> =
        table.curve.iter().map(|point| (point.l1.to_bits(), point.l2.to_bits())).collect();
    points.sort_unstable();
    points.dedup();
    let rule = match table.rule {
        Rule::Best => "the best mean",
        Rule::OneStandardError => "the largest penalty within one standard error of the best",
    };
    let skipped = if table.skipped > 0 {
        format!(
            " {} were not trained, because they could not be the best or had nothing to learn from.",
            plural(table.skipped, "model")
        )
    } else {
        String::new()
    };
    let penalties = plural(points.len(), "penalty").replace("penaltys", "penalties");
    format!(
        "{} over {penalties} and {}, compared by {} on held-out rows. Chosen: {rule}.{skipped}",
        plural(table.results.len(), "model"),
        plural(folds.len(), "fold"),
        table.scoring.name().replace('_', " "),
    )
}
