//! `logodds inspect`.

use std::path::PathBuf;

use logodds::data::ColumnKind;
use logodds::inference::{Inference, infer};
use logodds::model::{FittedModel, Model, PenaltyScales, SweepTable, Task, Training};
use logodds::objective::Penalty;
use logodds::scoring::BestScore;
use serde::Serialize;

use super::coefficients::{self, Coefficient, CoefficientArgs};
use super::early;
use super::inference::{self, InferenceArguments};
use super::interrupt::{STOPPING, end_in_order};
use super::output::Output;
use super::progress::Progress;
use super::table::{brief, count, facts, number, plural, seconds, table};

/// Most models whose coefficients the text report shows.
const MODELS_SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  logodds inspect m.json --top 5\n  logodds inspect m.json train.parquet --inference"
)]
pub(crate) struct InspectArguments {
    /// Model file
    ///
    /// The path of a model file (JSON) that train or tune wrote.
    model: PathBuf,
    /// With --inference: the Parquet files that the model was trained on
    ///
    /// The training rows, from which standard errors are computed: files, directories or globs.
    #[arg(requires = "inference")]
    data: Vec<String>,
    /// Classes whose models to show; may be repeated [default: all, the first 3 in text]
    ///
    /// Value of the target whose model is shown. By default all models; text shows the first 3.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    #[command(flatten)]
    choice: CoefficientArgs,
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
    /// Whether the data determine only differences between the levels of some column.
    #[serde(skip)]
    has_free_levels: bool,
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
    penalty: PenaltyScales,
    intercept: f64,
    nonzero: usize,
    objective: f64,
    kkt_residual: f64,
    converged: bool,
    iterations: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<BestScore>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_early: Option<bool>,
    /// How early stopping went.
    #[serde(skip)]
    early: Option<String>,
    /// The largest nonzero coefficients.
    top: Vec<Coefficient<'a>>,
    /// The coefficients of all selected features.
    coefficients: Vec<Coefficient<'a>>,
}

pub(crate) fn run(arguments: &InspectArguments, output: Output) -> anyhow::Result<()> {
    let choice = &arguments.choice;
    let model = Model::load(&arguments.model)?;
    let fitted: Vec<&FittedModel> =
        model.models_of(&arguments.classes)?.into_iter().map(|m| &model.models[m]).collect();
    let is_penalised = fitted.iter().all(|fitted| model.penalty_of(fitted).l2 > 0.0);
    choice.check(arguments.inference.inference, is_penalised).map_err(logodds::Error::from)?;
    let wanted = choice.features(&model).map_err(logodds::Error::from)?;
    let mut found = None;
    if arguments.inference.inference {
        let progress = Progress::start(output, None);
        end_in_order(STOPPING, STOPPING);
        let options = arguments.inference.options(&model, &arguments.classes);
        let done = infer(&model, &arguments.data, &options, &progress);
        progress.finish(done.is_ok())?;
        let mut inference = done?;
        for model in &mut inference.models {
            // A row for each feature, after the intercept if there is one.
            let mut wanted = wanted.iter();
            model
                .coefficients
                .retain(|row| row.is_intercept() || *wanted.next().expect("one for each feature"));
        }
        found = Some(inference);
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
        has_free_levels: has_free_levels(&model, &fitted),
        training: &model.training,
        sweep: model.sweep.as_ref(),
        models: fitted.into_iter().map(|m| summarise(&model, m, choice, &wanted)).collect(),
        inference: found,
    };
    // Show all classes that were named.
    let shown = if arguments.classes.is_empty() { MODELS_SHOWN } else { usize::MAX };
    output.result(&summary, || text(&summary, shown, choice))
}

fn summarise<'a>(
    model: &'a Model,
    fitted: &'a FittedModel,
    choice: &CoefficientArgs,
    wanted: &[bool],
) -> ModelSummary<'a> {
    let coefficients = coefficients::coefficients(model, fitted, wanted);
    ModelSummary {
        class: &fitted.class,
        penalty: model.penalty_of(fitted),
        intercept: fitted.intercept,
        nonzero: fitted.nonzero,
        objective: fitted.objective,
        kkt_residual: fitted.kkt_residual,
        converged: fitted.converged,
        iterations: fitted.iterations,
        best: fitted.best,
        stopped_early: model.training.validation.map(|_| model.training.ended_early(fitted)),
        early: early::of_model(&model.training, fitted),
        top: coefficients::top(coefficients.clone(), choice),
        coefficients,
    }
}

fn text(summary: &Summary<'_>, shown: usize, choice: &CoefficientArgs) -> String {
    let training = summary.training;
    let or_none = |value: Option<f64>| value.map_or("none".to_owned(), number);
    let mut classes = summary.classes.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    if summary.classes.len() > 10 {
        classes.push_str(&format!(", ... ({} in all)", summary.classes.len()));
    }
    let mut lines = vec![("target", summary.target.to_owned()), ("classes", classes)];
    if let (Some(positive), Some(threshold)) = (summary.positive, summary.threshold) {
        lines.push(("positive", format!("{positive} (at probability {threshold} or more)")));
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
        None => lines.push(("penalty", "one for each class, below".to_owned())),
    }
    if let Some(sweep) = summary.sweep {
        lines.push(("chosen", chosen(sweep)));
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
    if summary.has_free_levels && summary.inference.is_none() {
        lines.push((
            "note",
            "without a penalty only the differences between levels of a column are determined: compare two levels, \
             not one with 0. --inference names levels whose rows are all of one class, which have no finite \
             coefficient, and features that are combinations of others"
                .to_owned(),
        ));
    }
    let mut text = facts(&lines);
    if summary.penalty.is_none() {
        text.push('\n');
        text.push_str(&penalties(&summary.models));
    }
    if let Some(inference) = &summary.inference {
        text.push('\n');
        text.push_str(&inference::whole_text(inference));
        for model in inference.models.iter().take(shown) {
            text.push('\n');
            text.push_str(&inference::model_text(model, inference, choice));
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

/// The number of penalties from which a sweep chose, and its score.
fn chosen(sweep: &SweepTable) -> String {
    let each = sweep.curve.first().and_then(|point| point.class.as_ref());
    let n = sweep.curve.iter().filter(|point| point.class.as_ref() == each).count();
    let penalties = if n == 1 { "penalty" } else { "penalties" };
    let each = if each.is_some() { ", for each class" } else { "" };
    format!("of {} {penalties} by {}{each}", count(n), sweep.scoring.name())
}

/// The penalty of each model, if they differ.
fn penalties(models: &[ModelSummary<'_>]) -> String {
    let or_none = |value: Option<f64>| value.map_or("none".to_owned(), brief);
    let cells = |model: &ModelSummary<'_>| {
        let PenaltyScales { l1, l2, c, l1_ratio, lambda, .. } = model.penalty;
        vec![model.class.to_owned(), brief(l1), brief(l2), or_none(c), or_none(l1_ratio), brief(lambda)]
    };
    let rows: Vec<Vec<String>> = models.iter().map(cells).collect();
    table(&["class", "l1", "l2", "C", "l1_ratio", "lambda"], &rows)
}

/// Whether shifting all levels of a column leaves the model unchanged: the intercept, or the levels of
/// another column, absorb the shift, and no penalty opposes it.
fn has_free_levels(model: &Model, fitted: &[&FittedModel]) -> bool {
    let categorical = model.columns.iter().filter(|column| column.kind == ColumnKind::Categorical).count();
    categorical > usize::from(!model.intercept)
        && fitted.iter().any(|fitted| model.penalty_of(fitted).penalty() == Penalty::default())
}

fn model_text(model: &ModelSummary<'_>, n_features: usize) -> String {
    let converged = match (model.converged, model.stopped_early) {
        (true, _) => "converged",
        (_, Some(true)) => "stopped early",
        _ => "not converged",
    };
    let mut lines = vec![
        ("class", model.class.to_owned()),
        (
            "objective",
            format!("{}, residual {:.1e}: {converged}", number(model.objective), model.kkt_residual),
        ),
        ("intercept", number(model.intercept)),
        ("nonzero", format!("{} of {}", count(model.nonzero), count(n_features))),
    ];
    lines.extend(model.early.clone().map(|line| ("validation", line)));
    let mut text = facts(&lines);
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
