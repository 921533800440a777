//! What the page says of the run, the sweep and the data.

use super::page::ROWS;
use super::plot::{Plot, model_plot};
use super::text::{count, number, or_dash, percent, plural, seconds, size};
use super::{Names, Report};
use crate::config::Rule;
use crate::data::ColumnKind;
use crate::model::{Choice, HeldOutRows, Model, SweepTable};
use crate::plots::{Picture, short, sweep_curve, sweep_path};
use crate::scoring::BestScore;

/// Rows of the table of passes.
const POINTS: usize = 20;

pub(super) struct Curve {
    pub(super) svg: String,
    pub(super) below: String,
    pub(super) has_objective: bool,
    pub(super) rows: Vec<Vec<String>>,
}

pub(super) struct Sweep {
    pub(super) lead: String,
    pub(super) warnings: Vec<String>,
    pub(super) curve_title: String,
    pub(super) curve_below: String,
    pub(super) curve: String,
    /// Title, line below it, picture.
    pub(super) path: Option<(String, String, String)>,
    /// Of several classes: what was chosen for each, or for all.
    pub(super) chosen: Vec<Vec<String>>,
    pub(super) by_class: bool,
    pub(super) scoring: String,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) left: usize,
}

pub(super) fn training_facts(model: &Model) -> Vec<(&'static str, String)> {
    let training = &model.training;
    let mut facts = vec![("Rows", rows(training.rows, training.rows_dropped))];
    if (training.weight_sum - training.rows as f64).abs() > 1e-9 * training.weight_sum.abs() {
        let of = training.weight.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        facts.push(("Weight of the rows", count(training.weight_sum) + &of));
    }
    match &model.penalty {
        Some(penalty) => facts.extend([
            (
                "Penalty",
                format!("l1 {}, l2 {} of the mean objective", number(penalty.l1), number(penalty.l2)),
            ),
            ("as scikit-learn", format!("C {}, l1_ratio {}", or_dash(penalty.c), or_dash(penalty.l1_ratio))),
            ("as glmnet", format!("lambda {}, alpha {}", number(penalty.lambda), or_dash(penalty.alpha))),
        ]),
        None => facts.push(("Penalty", "one for each class".to_owned())),
    }
    if training.class_weight.is_some() {
        facts.push(("Class weights", "balanced: both sides of each model weigh the same".to_owned()));
    }
    facts.extend(training.validation.map(|held_out| ("Held out", held_out_rows(&held_out, model))));
    facts.extend(training.stopped.clone().map(|stopped| ("Ended", stopped)));
    let on = if model.standardize { "standardised columns" } else { "columns as they are" };
    let intercept = if model.intercept { "an intercept" } else { "no intercept" };
    facts.extend([
        ("Objective on", format!("{on}, with {intercept}")),
        ("Solver", training.solver.clone()),
        ("Device", training.device.clone()),
        ("Passes", number((training.passes * 10.0).round() / 10.0)),
        (
            "Time",
            format!(
                "{} reading, {} training, {} in all",
                seconds(training.seconds.read),
                seconds(training.seconds.train),
                seconds(training.seconds.total)
            ),
        ),
        ("Seed", training.seed.to_string()),
        ("Version", format!("logodds {}", training.logodds_version)),
    ]);
    facts
}

fn held_out_rows(held_out: &HeldOutRows, model: &Model) -> String {
    let scoring = held_out.scoring.name().replace('_', " ");
    let patience = held_out.patience.map_or(String::new(), |patience| {
        format!(", a model stops after {} without a better one", plural(patience, "epoch"))
    });
    let best: Vec<BestScore> = model.models.iter().filter_map(|model| model.best).collect();
    let best = match best.as_slice() {
        [] => String::new(),
        [best] => format!("; best {scoring} {} after epoch {}", number(best.score), best.epoch),
        all => {
            let mean = all.iter().map(|best| best.score).sum::<f64>() / all.len() as f64;
            format!("; best {scoring} {} on average, for each model below", number(mean))
        }
    };
    format!("{}, watched by {scoring}{patience}{best}", plural(held_out.rows, "row"))
}

fn rows(rows: usize, dropped: usize) -> String {
    if dropped > 0 {
        format!("{}, and {} left out", count(rows as f64), count(dropped as f64))
    } else {
        count(rows as f64)
    }
}

/// The training curve, if the model keeps one.
pub(super) fn curve(model: &Model) -> Option<Curve> {
    let picture = model_plot(model, Plot::Training, None, None).ok()?;
    let curve = model.training.curve.as_ref()?;
    let has_objective = !curve.objective.is_empty();
    let (all, n) = (curve.passes.len(), POINTS.min(curve.passes.len()));
    let row = |k: usize| {
        let at = k * (all - 1) / (n.max(2) - 1);
        let mut cells = vec![number(curve.passes[at]), number(curve.seconds[at])];
        if has_objective {
            cells.push(number(curve.objective[at]));
        }
        cells.extend([size(curve.kkt_residual[at]), count(curve.converged[at] as f64)]);
        cells
    };
    Some(Curve {
        svg: picture.inline("course"),
        below: "Diamond: certified in float64".to_owned(),
        has_objective,
        rows: (0..n).map(row).collect(),
    })
}

pub(super) fn certificates(model: &Model) -> Vec<Vec<String>> {
    let row = |fitted: &crate::model::FittedModel| {
        vec![
            short(&fitted.class, 60),
            number(fitted.objective),
            size(fitted.kkt_residual),
            fitted.duality_gap.map_or_else(|| "–".to_owned(), size),
            match (fitted.converged, fitted.best.filter(|_| model.training.ended_early(fitted))) {
                (true, _) => "yes".to_owned(),
                (_, Some(best)) => {
                    format!("stopped early: best {} after epoch {}", number(best.score), best.epoch)
                }
                _ => "no".to_owned(),
            },
            count(fitted.nonzero as f64),
            count(fitted.iterations as f64),
        ]
    };
    model.models.iter().take(ROWS).map(row).collect()
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
    let chosen = |choice: &Choice| {
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
            " {} were not trained, as they could not win or had nothing to learn from.",
            plural(table.skipped, "model")
        )
    } else {
        String::new()
    };
    let penalties = plural(points.len(), "penalty").replace("penaltys", "penalties");
    format!(
        "{} over {penalties} and {}, compared by {} on rows that they had not seen. Chosen: {rule}.{skipped}",
        plural(table.results.len(), "model"),
        plural(folds.len(), "fold"),
        table.scoring.name().replace('_', " "),
    )
}

pub(super) fn data_facts(report: &Report<'_>, names: &Names) -> Vec<(&'static str, String)> {
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
                "{} ({}): no label, or a null that the model has no value for",
                count(evaluation.rows_dropped as f64),
                percent(evaluation.rows_dropped as f64 / all as f64)
            )
        },
    ));
    facts.extend([
        ("Trained on", plural(model.training.rows, "row")),
        ("Left out there", count(model.training.rows_dropped as f64)),
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

pub(super) fn column_rows(model: &Model) -> Vec<Vec<String>> {
    let row = |column: &crate::data::Column| {
        let (kind, levels) = match column.kind {
            ColumnKind::Numeric => ("numeric", None),
            ColumnKind::Boolean => ("boolean", None),
            ColumnKind::Categorical => ("categorical", column.levels.as_ref().map(Vec::len)),
        };
        let null = match (&column.levels, column.missing) {
            (Some(levels), _) if levels.iter().any(Option::is_none) => "a level".to_owned(),
            (Some(_), _) => "none of the levels".to_owned(),
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
