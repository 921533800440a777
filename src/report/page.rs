//! The values for the templates.

use askama::Template;

use super::classes::Classes;
use super::coefficients::{Carried, Coefficients};
use super::data::Data;
use super::payload::payload;
use super::sweep::{Sweep, sweep};
use super::text::{plural, score, score_or_dash};
use super::threshold::{Threshold, own_threshold};
use super::training::Training;
use super::{Names, Report};
use crate::model::{FittedModel, Task};
use crate::plots::{STYLE, short, variables};

/// Most rows in the longer tables.
pub(super) const ROWS: usize = 200;
/// Most warnings of training.
const WARNINGS: usize = 5;
/// Most characters of a name in running text.
pub(super) const NAME: usize = 60;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    version: &'static str,
    style: String,
    script: &'static str,
    payload: String,
    model_name: String,
    data_name: String,
    intro: Intro,
    /// Whether there is a model for each class.
    several: bool,
    class_names: Vec<String>,
    threshold: Threshold,
    classes: Option<Classes>,
    coefficients: Coefficients,
    training: Training,
    sweep: Option<Sweep>,
    data: Data,
}

/// The part of the page above the sections.
struct Intro {
    target: String,
    lead: String,
    warnings: Vec<String>,
    figures: Vec<Figure>,
    /// The id and the title of each section.
    sections: Vec<(&'static str, &'static str)>,
}

struct Figure {
    name: &'static str,
    value: String,
    note: String,
}

pub(super) fn html(report: &Report<'_>, names: &Names) -> String {
    let model = report.model;
    let several = model.task == Task::OneVsRest;
    let carried = Carried::choose(report);
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        style: style(),
        script: include_str!("page.js"),
        payload: payload(report, &carried.largest, carried.reach),
        model_name: short(&names.model, 120),
        data_name: short(&names.data, 200),
        intro: Intro::new(report),
        several,
        class_names: report.classes.iter().map(|class| short(&model.classes[class.class], NAME)).collect(),
        threshold: Threshold::new(report),
        classes: several.then(|| Classes::new(report)),
        coefficients: Coefficients::new(report, &carried),
        training: Training::new(model),
        sweep: sweep(model),
        data: Data::new(report, names),
    };
    page.render().expect("a string takes all that is written")
}

impl Intro {
    fn new(report: &Report<'_>) -> Self {
        Self {
            target: short(&report.model.target, NAME),
            lead: lead(report),
            warnings: warnings(report),
            figures: figures(report),
            sections: sections(report),
        }
    }
}

fn style() -> String {
    let (light, dark) = (variables(false), variables(true));
    format!(
        ":root{{color-scheme:light;{light}}}:root[data-theme=dark]{{color-scheme:dark;{dark}}}\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\
         @media print{{:root,:root[data-theme=dark]{{color-scheme:light;{light}}}}}{STYLE}{}",
        include_str!("page.css")
    )
}

fn lead(report: &Report<'_>) -> String {
    let (model, evaluation) = (report.model, &report.evaluation);
    let what = match &model.positive {
        Some(positive) => {
            let negative = model.classes.iter().find(|class| *class != positive).map_or("", String::as_str);
            format!(
                "A logistic regression that separates {} from {}",
                short(positive, NAME),
                short(negative, NAME)
            )
        }
        None => format!(
            "{} logistic regressions, each of which separates one class from the rest",
            model.models.len()
        ),
    };
    let from = if model.columns.len() == model.features.len() {
        plural(model.features.len(), "column")
    } else {
        format!("{} in {}", plural(model.features.len(), "feature"), plural(model.columns.len(), "column"))
    };
    format!(
        "{what} by {from}. Trained on {}, evaluated on {}.",
        plural(model.training.rows, "row"),
        plural(evaluation.rows, "row"),
    )
}

fn warnings(report: &Report<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let models = &report.model.models;
    let training = &report.model.training;
    let is_done = |fitted: &&FittedModel| fitted.converged || training.ended_early(fitted);
    let unfinished = models.iter().filter(|fitted| !is_done(fitted)).count();
    if unfinished > 0 {
        let who = if models.len() == 1 {
            "The model is".to_owned()
        } else {
            format!("{unfinished} of {} models {}", models.len(), if unfinished == 1 { "is" } else { "are" })
        };
        // Without a penalty there may be no optimum.
        warnings.push(match &training.stopped {
            Some(why) => format!("{who} not at an optimum. Training ended: {why}."),
            None => format!("{who} not converged: the coefficients are not optimal."),
        });
    }
    if let Some(name) = report.model.training.weight.as_ref().filter(|_| !report.is_weighted) {
        warnings
            .push(format!("Trained with weights of {:?}; this evaluation is unweighted.", short(name, NAME)));
    }
    warnings.extend(
        report
            .model
            .training
            .warnings
            .iter()
            .take(WARNINGS)
            .map(|warning| format!("In training: {}.", short(warning, 400).trim_end_matches('.'))),
    );
    if report.evaluation.auc.is_none() {
        warnings.push("The data have one class only, so there is nothing to rank.".to_owned());
    }
    warnings
}

fn figures(report: &Report<'_>) -> Vec<Figure> {
    let evaluation = &report.evaluation;
    let several = evaluation.classes.len() > 2;
    let note = |text: &str| text.to_owned();
    let mean = if several { "mean over the classes" } else { "1 is a perfect ranking, 0.5 is chance" };
    let decided = evaluation.threshold.map_or_else(
        || note("of the predicted class"),
        |_| format!("at threshold {}", own_threshold(report)),
    );
    vec![
        Figure { name: "Area under ROC", value: score_or_dash(evaluation.auc), note: note(mean) },
        Figure {
            name: "Average precision",
            value: score_or_dash(evaluation.average_precision),
            note: note(if several { mean } else { "area under precision and recall" }),
        },
        Figure { name: "Accuracy", value: score(evaluation.accuracy), note: decided },
        Figure {
            name: "Matthews correlation",
            value: score(evaluation.mcc),
            note: note("1 is perfect, 0 is chance"),
        },
        Figure {
            name: "Log loss",
            value: score(evaluation.log_loss),
            note: note("nats per row, less is better"),
        },
        Figure {
            name: "Brier score",
            value: score(evaluation.brier),
            note: note("squared error, less is better"),
        },
    ]
}

fn sections(report: &Report<'_>) -> Vec<(&'static str, &'static str)> {
    let several = report.model.task == Task::OneVsRest;
    let mut sections = vec![("threshold", if several { "One class" } else { "Threshold" })];
    if several {
        sections.push(("classes", "All classes"));
    }
    sections.extend([("coefficients", "Coefficients"), ("training", "Training")]);
    if report.model.sweep.is_some() {
        sections.push(("sweep", "Sweep"));
    }
    sections.push(("data", "Data"));
    sections
}
