//! `logodds inspect`.

use std::path::PathBuf;

use logodds::data::ColumnKind;
use logodds::model::{FittedModel, Model, PenaltyScales, SweepTable, Task, Training};
use serde::Serialize;

use super::report::Output;
use super::table::{count, facts, number, plural, seconds, table};

/// Models whose coefficients are shown to people.
const MODELS_SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArguments {
    /// Model file
    model: PathBuf,
    /// Coefficients to show of each model
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

#[derive(Serialize)]
struct Summary<'a> {
    task: Task,
    target: &'a str,
    classes: &'a [String],
    positive: Option<&'a str>,
    threshold: Option<f64>,
    n_columns: usize,
    n_features: usize,
    penalty: Option<PenaltyScales>,
    training: &'a Training,
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<&'a SweepTable>,
    models: Vec<ModelSummary<'a>>,
}

#[derive(Serialize)]
struct ModelSummary<'a> {
    class: &'a str,
    intercept: f64,
    nonzero: usize,
    objective: f64,
    kkt_residual: f64,
    converged: bool,
    iterations: usize,
    top: Vec<TopCoefficient<'a>>,
}

/// A coefficient in the units of its column, and times the column's scale: its weight beside others.
#[derive(Serialize)]
struct TopCoefficient<'a> {
    feature: &'a str,
    coefficient: f64,
    standardised: f64,
}

pub(crate) fn run(arguments: &InspectArguments, output: Output) -> anyhow::Result<()> {
    let model = Model::load(&arguments.model)?;
    let scales = feature_scales(&model);
    let summary = Summary {
        task: model.task,
        target: &model.target,
        classes: &model.classes,
        positive: model.positive.as_deref(),
        threshold: (model.task == Task::Binary).then(|| model.threshold()),
        n_columns: model.columns.len(),
        n_features: model.features.len(),
        penalty: model.penalty,
        training: &model.training,
        sweep: model.sweep.as_ref(),
        models: model.models.iter().map(|m| summarise(&model, m, &scales, arguments.top)).collect(),
    };
    output.result(&summary, || text(&summary))
}

/// What each feature's values were divided by; 1 for 0/1 features.
fn feature_scales(model: &Model) -> Vec<f64> {
    let of_column = |column: &logodds::data::Column| match column.kind {
        ColumnKind::Numeric => vec![column.scale.unwrap_or(1.0)],
        ColumnKind::Boolean => vec![1.0],
        ColumnKind::Categorical => vec![1.0; column.levels.as_ref().map_or(0, Vec::len)],
    };
    model.columns.iter().flat_map(of_column).collect()
}

fn summarise<'a>(model: &'a Model, fitted: &'a FittedModel, scales: &[f64], top: usize) -> ModelSummary<'a> {
    let mut coefficients: Vec<TopCoefficient<'a>> = model
        .features
        .iter()
        .zip(&fitted.coefficients)
        .zip(scales)
        .filter(|((_, coefficient), _)| **coefficient != 0.0)
        .map(|((feature, &coefficient), scale)| TopCoefficient {
            feature,
            coefficient,
            standardised: coefficient * scale,
        })
        .collect();
    coefficients.sort_by(|a, b| b.standardised.abs().total_cmp(&a.standardised.abs()));
    coefficients.truncate(top);
    ModelSummary {
        class: &fitted.class,
        intercept: fitted.intercept,
        nonzero: fitted.nonzero,
        objective: fitted.objective,
        kkt_residual: fitted.kkt_residual,
        converged: fitted.converged,
        iterations: fitted.iterations,
        top: coefficients,
    }
}

fn text(summary: &Summary<'_>) -> String {
    let training = summary.training;
    let or_none = |value: Option<f64>| value.map_or("none".to_owned(), number);
    let mut classes = summary.classes.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    if summary.classes.len() > 10 {
        classes.push_str(&format!(", ... ({} in all)", summary.classes.len()));
    }
    let mut lines = vec![("target", summary.target.to_owned()), ("classes", classes)];
    if let (Some(positive), Some(threshold)) = (summary.positive, summary.threshold) {
        lines.push(("positive", format!("{positive} (from probability {threshold} on)")));
    }
    lines.extend([(
        "features",
        format!("{} from {}", count(summary.n_features), plural(summary.n_columns, "column")),
    )]);
    match summary.penalty {
        Some(penalty) => lines.extend([
            (
                "penalty",
                format!("l1 {}, l2 {} of the mean objective", number(penalty.l1), number(penalty.l2)),
            ),
            ("scikit-learn", format!("C {}, l1_ratio {}", or_none(penalty.c), or_none(penalty.l1_ratio))),
            ("glmnet", format!("lambda {}, alpha {}", number(penalty.lambda), or_none(penalty.alpha))),
        ]),
        None => lines.push(("penalty", "one for each class".to_owned())),
    }
    if let Some(sweep) = summary.sweep {
        lines.push((
            "chosen",
            format!("of {} by {}", plural(sweep.curve.len(), "penalty"), sweep.scoring.name())
                .replace("penaltys", "penalties"),
        ));
    }
    lines.extend([(
        "trained",
        format!(
            "on {} ({} dropped) with {} on {}: {} passes in {}, {} in all, seed {}, logodds {}",
            plural(training.rows, "row"),
            count(training.rows_dropped),
            training.solver,
            training.device,
            number(training.passes),
            seconds(training.seconds.train),
            seconds(training.seconds.total),
            training.seed,
            training.logodds_version,
        ),
    )]);
    let mut text = facts(&lines);
    for model in summary.models.iter().take(MODELS_SHOWN) {
        text.push('\n');
        text.push_str(&model_text(model, summary.n_features));
    }
    if summary.models.len() > MODELS_SHOWN {
        let rest = summary.models.len() - MODELS_SHOWN;
        text.push_str(&format!("\n... and {} (all with --json)\n", plural(rest, "more model")));
    }
    text
}

fn model_text(model: &ModelSummary<'_>, n_features: usize) -> String {
    let converged = if model.converged { "converged" } else { "not converged" };
    let mut text = facts(&[
        ("class", model.class.to_owned()),
        (
            "objective",
            format!("{}, residual {:.1e}: {converged}", number(model.objective), model.kkt_residual),
        ),
        ("intercept", number(model.intercept)),
        ("nonzero", format!("{} of {}", count(model.nonzero), count(n_features))),
    ]);
    let rows: Vec<Vec<String>> = model
        .top
        .iter()
        .map(|top| vec![top.feature.to_owned(), number(top.coefficient), number(top.standardised)])
        .collect();
    if !rows.is_empty() {
        text.push_str(&table(&["largest coefficients", "coefficient", "standardised"], &rows));
    }
    text
}
