//! `logodds inspect`.

use std::path::PathBuf;

use logodds::error::InferenceError;
use logodds::inference::{Inference, infer};
use logodds::model::{FittedModel, Model, PenaltyScales, SweepTable, Task, Training};
use serde::Serialize;

use super::coefficients::{self, Choice, Coefficient};
use super::inference::{self, InferenceArguments};
use super::interrupt::{STOPPING, end_in_order};
use super::progress::Progress;
use super::report::Output;
use super::table::{count, facts, number, plural, seconds};

/// Models whose coefficients are shown to people.
const MODELS_SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds inspect m.json --top 5\n  logodds inspect m.json train.parquet --inference"
)]
pub(crate) struct InspectArguments {
    /// Model file
    model: PathBuf,
    /// With --inference: the Parquet files that it was trained on
    #[arg(requires = "inference")]
    data: Vec<String>,
    /// Classes whose models to show; may be repeated [default: all, the first 3 in text]
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    inference: InferenceArguments,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    inference: Option<Inference>,
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
    /// The largest that are not zero.
    top: Vec<Coefficient<'a>>,
    /// All of the features asked for.
    coefficients: Vec<Coefficient<'a>>,
}

pub(crate) fn run(arguments: &InspectArguments, output: Output) -> anyhow::Result<()> {
    let choice = &arguments.choice;
    choice.check(arguments.inference.inference).map_err(logodds::Error::from)?;
    let model = Model::load(&arguments.model)?;
    let wanted = choice.features(&model).map_err(logodds::Error::from)?;
    let fitted = of_classes(&model, &arguments.classes)?;
    let mut found = None;
    if arguments.inference.inference {
        let progress = Progress::start(output, None);
        end_in_order(STOPPING, STOPPING);
        let options = arguments.inference.options(&arguments.classes);
        let done = infer(&model, &arguments.data, &options, &progress);
        progress.finish(done.is_ok())?;
        found = Some(done?);
    }
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
        models: fitted.into_iter().map(|m| summarise(&model, m, choice, &wanted)).collect(),
        inference: found,
    };
    // Classes that were named are all shown.
    let shown = if arguments.classes.is_empty() { MODELS_SHOWN } else { usize::MAX };
    output.result(&summary, || text(&summary, shown, choice, &wanted))
}

/// The models of some classes, or all.
fn of_classes<'a>(model: &'a Model, classes: &[String]) -> anyhow::Result<Vec<&'a FittedModel>> {
    if classes.is_empty() {
        return Ok(model.models.iter().collect());
    }
    let find = |class: &String| {
        let found = model.models.iter().find(|fitted| fitted.class == *class);
        let unknown = || InferenceError::unknown_class(class, model.models.iter().map(|m| m.class.as_str()));
        found.ok_or_else(|| logodds::Error::from(unknown()).into())
    };
    classes.iter().map(find).collect()
}

fn summarise<'a>(
    model: &'a Model,
    fitted: &'a FittedModel,
    choice: &Choice,
    wanted: &[bool],
) -> ModelSummary<'a> {
    let coefficients = coefficients::coefficients(model, fitted, wanted);
    ModelSummary {
        class: &fitted.class,
        intercept: fitted.intercept,
        nonzero: fitted.nonzero,
        objective: fitted.objective,
        kkt_residual: fitted.kkt_residual,
        converged: fitted.converged,
        iterations: fitted.iterations,
        top: coefficients::top(coefficients.clone(), choice),
        coefficients,
    }
}

fn text(summary: &Summary<'_>, shown: usize, choice: &Choice, wanted: &[bool]) -> String {
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
    if let Some(inference) = &summary.inference {
        text.push('\n');
        text.push_str(&inference::whole_text(inference));
        for model in inference.models.iter().take(shown) {
            text.push('\n');
            text.push_str(&inference::model_text(model, inference, choice, wanted));
        }
    } else {
        for model in summary.models.iter().take(shown) {
            text.push('\n');
            text.push_str(&model_text(model, summary.n_features));
        }
    }
    if summary.models.len() > shown {
        let rest = plural(summary.models.len() - shown, "more model");
        text.push_str(&format!("\n... and {rest} (--class CLASS shows one, --json all)\n"));
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
    if !model.top.is_empty() {
        text.push('\n');
        text.push_str(&coefficients::text(&model.top));
        let matching = model.coefficients.iter().filter(|row| row.is_nonzero()).count();
        if matching > model.top.len() {
            text.push_str(&format!(
                "... and {} more (--top {matching}, or --json)\n",
                matching - model.top.len()
            ));
        }
    }
    text
}
