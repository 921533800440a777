//! Facts about the training run.

use super::page::ROWS;
use super::plot::{Plot, model_plot};
use super::text::{count, number, or_dash, plural, seconds, size};
use crate::model::{HeldOutRows, Model};
use crate::plots::short;
use crate::scoring::BestScore;

/// Rows of the table of passes.
const POINTS: usize = 20;

/// The section on training.
pub(super) struct Training {
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) curve: Option<Curve>,
    pub(super) tolerance: String,
    pub(super) certificates: Vec<Vec<String>>,
    /// Number of models whose certificate has no row.
    pub(super) left: usize,
}

pub(super) struct Curve {
    pub(super) svg: String,
    pub(super) below: String,
    pub(super) has_objective: bool,
    pub(super) rows: Vec<Vec<String>>,
}

impl Training {
    pub(super) fn new(model: &Model) -> Self {
        Self {
            facts: training_facts(model),
            curve: curve(model),
            tolerance: number(model.training.tolerance),
            certificates: certificates(model),
            left: model.models.len().saturating_sub(ROWS),
        }
    }
}

fn training_facts(model: &Model) -> Vec<(&'static str, String)> {
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
        facts.push((
            "Class weights",
            "balanced: both sides of each model have the same total weight".to_owned(),
        ));
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
        format!(", a model stops after {} without a better score", plural(patience, "epoch"))
    });
    let best: Vec<BestScore> = model.models.iter().filter_map(|model| model.best).collect();
    let best = match best.as_slice() {
        [] => String::new(),
        [best] => format!("; best {scoring} {} after epoch {}", number(best.score), best.epoch),
        all => {
            let mean = all.iter().map(|best| best.score).sum::<f64>() / all.len() as f64;
            format!("; best {scoring} {} on average (each model is listed below)", number(mean))
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

/// The training curve, if the model has one.
fn curve(model: &Model) -> Option<Curve> {
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

fn certificates(model: &Model) -> Vec<Vec<String>> {
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
