//! What the templates are filled with.

use askama::Template;

use super::classes::{average_rows, class_rows, has_thresholds, mistakes};
use super::decisions::{Decision, bin_rows, decision, lift_rows, stop_rows};
use super::effects::{EffectRow, Largest, effect_row, effects, kept_of_each, largest, ratio_ticks, reach};
use super::intervals::{self, of_class};
use super::payload::payload;
use super::plot::Plot;
use super::text::{count, number, percent, plural, score, score_or_dash};
use super::training::{Curve, Sweep, certificates, column_rows, curve, data_facts, sweep, training_facts};
use super::{Names, Report};
use crate::model::{FittedModel, Task};
use crate::plots::{STYLE, confusion_matrix, ratio_axis, short, variables};

/// Rows of the longer tables at most.
pub(super) const ROWS: usize = 200;
/// Warnings of training that are shown.
const WARNINGS: usize = 5;
/// Letters of a name in running text.
pub(super) const NAME: usize = 60;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    version: &'a str,
    style: String,
    script: &'a str,
    payload: String,
    model_name: String,
    data_name: String,
    target: String,
    lead: String,
    warnings: Vec<String>,
    figures: Vec<Figure>,
    sections: Vec<(&'a str, &'a str)>,
    several: bool,
    weighted: bool,
    has_thresholds: bool,
    // The threshold, for the class that is shown first.
    positive: String,
    yes: String,
    no: String,
    class_names: Vec<String>,
    own_threshold: String,
    own_stop: usize,
    last_stop: usize,
    at: Decision,
    auc: String,
    ap: String,
    ece: String,
    roc: String,
    pr: String,
    histogram: String,
    calibration: String,
    stop_rows: Vec<Vec<String>>,
    bin_rows: Vec<Vec<String>>,
    lift_rows: Vec<Vec<String>>,
    // All classes.
    confusion: String,
    mistakes: Vec<Vec<String>>,
    class_rows: Vec<Vec<String>>,
    average_rows: Vec<Vec<String>>,
    classes_left: usize,
    // Coefficients.
    nonzero: String,
    n_features: String,
    intercept: String,
    found: String,
    unit: &'a str,
    ratio_ticks: Vec<(String, String)>,
    effects: Vec<EffectRow>,
    has_intervals: bool,
    inference: Vec<Inferred>,
    kept_note: String,
    // Training, sweep and data.
    training_facts: Vec<(&'a str, String)>,
    training_curve: Option<Curve>,
    tolerance: String,
    certificates: Vec<Vec<String>>,
    models_left: usize,
    sweep: Option<Sweep>,
    data_facts: Vec<(&'a str, String)>,
    unseen: Vec<Vec<String>>,
    column_rows: Vec<Vec<String>>,
    columns_left: usize,
}

/// What inference says of one model.
struct Inferred {
    class: String,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
}

struct Figure {
    name: &'static str,
    value: String,
    note: String,
}

pub(super) fn html(report: &Report<'_>, names: &Names) -> String {
    let (model, evaluation) = (report.model, &report.evaluation);
    let several = model.task == Task::OneVsRest;
    let scores = &report.classes[0];
    let inline = |plot, id| report.class_plot(plot, scores).inline(id);
    let ranking = scores.ranking;
    let positive = &model.classes[scores.class];

    let most = kept_of_each(report.classes.len());
    let known = |fitted: &FittedModel| {
        report.inference.as_ref().and_then(|inference| of_class(inference, &fitted.class))
    };
    let kept: Vec<Largest> = model
        .models
        .iter()
        .take(report.classes.len())
        .map(|fitted| largest(model, fitted, known(fitted), most))
        .collect();
    let axis = ratio_axis(reach(kept.iter()));
    let reach = axis.range.end;
    let rows: Vec<EffectRow> = effects(model, &kept[0])
        .iter()
        .zip(&kept[0].kept)
        .map(|(effect, kept)| effect_row(effect, kept.coefficient, reach))
        .collect();
    let left = kept.iter().any(|largest| largest.nonzero > largest.kept.len());
    let each = if several { " of each model" } else { "" };

    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        style: style(),
        script: include_str!("page.js"),
        payload: payload(report, &kept, reach),
        model_name: short(&names.model, 120),
        data_name: short(&names.data, 200),
        target: short(&model.target, NAME),
        lead: lead(report),
        warnings: warnings(report),
        figures: figures(report),
        sections: sections(report),
        several,
        weighted: report.is_weighted,
        has_thresholds: has_thresholds(model),
        positive: short(positive, NAME),
        yes: short(positive, 28),
        no: short(&report.others(scores.class), 28),
        class_names: report.classes.iter().map(|class| short(&model.classes[class.class], NAME)).collect(),
        own_threshold: own_threshold(report),
        own_stop: scores.own,
        last_stop: scores.stops.len().saturating_sub(1),
        at: decision(scores),
        auc: score_or_dash(ranking.map(|ranking| ranking.auc)),
        ap: score_or_dash(ranking.map(|ranking| ranking.average_precision)),
        ece: score(scores.calibration.ece),
        roc: inline(Plot::Roc, "roc"),
        pr: inline(Plot::PrecisionRecall, "pr"),
        histogram: inline(Plot::Histogram, "histogram"),
        calibration: inline(Plot::Calibration, "calibration"),
        stop_rows: stop_rows(scores),
        bin_rows: bin_rows(scores),
        lift_rows: lift_rows(&evaluation.lift),
        confusion: if several {
            confusion_matrix(&evaluation.confusion_matrix, &model.classes).inline("confusion")
        } else {
            String::new()
        },
        mistakes: mistakes(report),
        class_rows: class_rows(report),
        average_rows: average_rows(report),
        classes_left: evaluation.classes.len().saturating_sub(ROWS),
        nonzero: count(kept[0].nonzero as f64),
        n_features: count(model.features.len() as f64),
        intercept: number(kept[0].intercept),
        found: if rows.is_empty() {
            "every coefficient is zero".to_owned()
        } else {
            format!("the {} largest of {}", rows.len(), count(kept[0].nonzero as f64))
        },
        unit: if model.standardize { " per SD" } else { "" },
        ratio_ticks: ratio_ticks(&axis.ticks, reach),
        effects: rows,
        has_intervals: report.inference.is_some(),
        inference: inferred(report),
        kept_note: if left {
            format!("This page carries the {} largest{each}; logodds inspect shows all.", count(most as f64))
        } else {
            String::new()
        },
        training_facts: training_facts(model),
        training_curve: curve(model),
        tolerance: number(model.training.tolerance),
        certificates: certificates(model),
        models_left: model.models.len().saturating_sub(ROWS),
        sweep: sweep(model),
        data_facts: data_facts(report, names),
        unseen: evaluation
            .unseen
            .iter()
            .take(ROWS)
            .map(|unseen| {
                let share = unseen.rows as f64 / (evaluation.rows + evaluation.rows_dropped).max(1) as f64;
                vec![short(&unseen.column, NAME), count(unseen.rows as f64), percent(share)]
            })
            .collect(),
        column_rows: column_rows(model),
        columns_left: model.columns.len().saturating_sub(ROWS),
    };
    page.render().expect("a string takes all that is written")
}

/// The models in the order of their classes; those that are too many to be carried are left out.
fn inferred(report: &Report<'_>) -> Vec<Inferred> {
    let Some(inference) = &report.inference else { return Vec::new() };
    let of = |fitted: &FittedModel| {
        of_class(inference, &fitted.class).map(|model| Inferred {
            class: short(&fitted.class, NAME),
            facts: intervals::facts(inference, model),
            warnings: intervals::warnings(inference, model),
        })
    };
    report.model.models.iter().take(report.classes.len()).filter_map(of).collect()
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
                "A logistic regression that tells {} from {}",
                short(positive, NAME),
                short(negative, NAME)
            )
        }
        None => format!(
            "{} logistic regressions, each of which tells one class from the rest",
            model.models.len()
        ),
    };
    let from = if model.columns.len() == model.features.len() {
        plural(model.features.len(), "column")
    } else {
        format!("{} in {}", plural(model.features.len(), "feature"), plural(model.columns.len(), "column"))
    };
    format!(
        "{what} by {from}. Trained on {}, judged on {}.",
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
        // Without a penalty there may be no optimum at all.
        warnings.push(match &training.stopped {
            Some(why) => format!("{who} not at an optimum. Why training ended: {why}."),
            None => format!("{who} not converged: the coefficients are not those of the optimum."),
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
        warnings.push("The data hold one class only: there is nothing to rank.".to_owned());
    }
    warnings
}

/// Where the slider begins.
fn own_threshold(report: &Report<'_>) -> String {
    let scores = &report.classes[0];
    scores.stops.get(scores.own).map_or_else(|| "–".into(), |stop| stop.threshold.clone())
}

fn figures(report: &Report<'_>) -> Vec<Figure> {
    let evaluation = &report.evaluation;
    let several = evaluation.classes.len() > 2;
    let note = |text: &str| text.to_owned();
    let mean = if several { "mean over the classes" } else { "1 ranks all rightly, 0.5 is chance" };
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
