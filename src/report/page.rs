//! What the templates are filled with.

use askama::Template;

use super::effects::{Largest, SHOWN, effects, kept_of_each, largest};
use super::payload::payload;
use super::plot::Plot;
use super::scores::ClassScores;
use super::stops::Stop;
use super::text::{count, number, percent, plural, ratio as odds_ratio, score, score_or_dash};
use super::training::{Curve, Sweep, certificates, column_rows, curve, data_facts, sweep, training_facts};
use super::{Names, Report};
use crate::metrics::Curve as Decisions;
use crate::model::Task;
use crate::plots::{Effect, STYLE, confusion_matrix, ratio_axis, short, variables};

/// Rows of the longer tables at most.
pub(super) const ROWS: usize = 200;
/// Rows of the tables behind the charts.
const POINTS: usize = 20;
/// Mistakes that are named.
const MISTAKES: usize = 12;
/// Letters of a name in running text.
const NAME: usize = 60;

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
    // The threshold, for the class that is shown first.
    positive: String,
    yes: String,
    yes_short: String,
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
    // All classes.
    confusion: String,
    mistakes: Vec<Vec<String>>,
    class_rows: Vec<Vec<String>>,
    classes_left: usize,
    // Coefficients.
    nonzero: String,
    n_features: String,
    intercept: String,
    found: String,
    unit: &'a str,
    ratio_ticks: Vec<(String, String)>,
    effects: Vec<EffectRow>,
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

struct Figure {
    name: &'static str,
    value: String,
    note: String,
}

/// What a threshold decides, as text.
struct Decision {
    tp: String,
    fp: String,
    fn_: String,
    tn: String,
    precision: String,
    recall: String,
    f1: String,
    accuracy: String,
    specificity: String,
    said: String,
    cost: String,
    cost_row: String,
}

struct EffectRow {
    feature: String,
    lowers: bool,
    from: String,
    to: String,
    at: String,
    ratio: String,
    per_unit: String,
    coefficient: String,
}

pub(super) fn html(report: &Report<'_>, names: &Names) -> String {
    let (model, evaluation) = (report.model, &report.evaluation);
    let several = model.task == Task::OneVsRest;
    let scores = &report.classes[0];
    let inline = |plot, id| report.class_plot(plot, scores).inline(id);
    let ranking = scores.ranking;
    let positive = &model.classes[scores.class];

    let most = kept_of_each(report.classes.len());
    let kept: Vec<Largest> =
        model.models.iter().take(report.classes.len()).map(|fitted| largest(model, fitted, most)).collect();
    let sizes = kept.iter().filter_map(|largest| largest.kept.first()).map(|kept| kept.2.abs());
    let axis = ratio_axis(sizes.filter(|size| size.is_finite()).fold(0.0, f64::max));
    let reach = axis.range.end;
    let rows: Vec<EffectRow> = effects(model, &kept[0])
        .iter()
        .zip(&kept[0].kept)
        .map(|(effect, kept)| effect_row(effect, kept.1, reach))
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
        positive: short(positive, NAME),
        yes: short(positive, 28),
        yes_short: short(positive, 14),
        no: short(&report.others(scores.class), 28),
        class_names: report.classes.iter().map(|class| short(&model.classes[class.class], NAME)).collect(),
        own_threshold: scores.stops.get(scores.own).map_or_else(|| "–".into(), |stop| stop.threshold.clone()),
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
        confusion: if several {
            confusion_matrix(&evaluation.confusion_matrix, &model.classes).inline("confusion")
        } else {
            String::new()
        },
        mistakes: mistakes(report),
        class_rows: class_rows(report),
        classes_left: evaluation.classes.len().saturating_sub(ROWS),
        nonzero: count(kept[0].nonzero as f64),
        n_features: count(model.features.len() as f64),
        intercept: number(model.models[0].intercept),
        found: format!("the {} largest of {}", rows.len(), count(kept[0].nonzero as f64)),
        unit: if model.standardize { " per SD" } else { "" },
        ratio_ticks: ratio_ticks(&axis.ticks, reach),
        effects: rows,
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
    let unfinished = models.iter().filter(|fitted| !fitted.converged).count();
    if unfinished > 0 {
        warnings.push(if models.len() == 1 {
            "The model is not converged: its coefficients are not those of the optimum.".to_owned()
        } else {
            format!(
                "{unfinished} of {} models are not converged: their coefficients are not those of the optimum.",
                models.len()
            )
        });
    }
    if report.evaluation.auc.is_none() {
        warnings.push("The data hold one class only: there is nothing to rank.".to_owned());
    }
    warnings
}

fn figures(report: &Report<'_>) -> Vec<Figure> {
    let evaluation = &report.evaluation;
    let several = evaluation.classes.len() > 2;
    let note = |text: &str| text.to_owned();
    let mean = if several { "mean over the classes" } else { "1 ranks all rightly, 0.5 is chance" };
    let decided =
        evaluation.threshold.map_or_else(|| note("of the predicted class"), |t| format!("at threshold {t}"));
    vec![
        Figure { name: "Area under ROC", value: score_or_dash(evaluation.auc), note: note(mean) },
        Figure {
            name: "Average precision",
            value: score_or_dash(evaluation.average_precision),
            note: note(if several { mean } else { "area under precision and recall" }),
        },
        Figure { name: "Accuracy", value: score(evaluation.accuracy), note: decided },
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

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// What the first stop of the slider decides.
fn decision(scores: &ClassScores) -> Decision {
    let nothing = Stop { threshold: String::new(), true_positives: 0.0, false_positives: 0.0 };
    let stop = scores.stops.get(scores.own).unwrap_or(&nothing);
    let (tp, fp) = (stop.true_positives, stop.false_positives);
    let (fn_, tn) = (scores.curve.positive - tp, scores.curve.negative - fp);
    let all = tp + fp + fn_ + tn;
    let [text_tp, text_fp, text_fn, text_tn] = [tp, fp, fn_, tn].map(count);
    Decision {
        tp: text_tp,
        fp: text_fp,
        fn_: text_fn,
        tn: text_tn,
        precision: score(ratio(tp, tp + fp)),
        recall: score(ratio(tp, tp + fn_)),
        f1: score(ratio(2.0 * tp, 2.0 * tp + fp + fn_)),
        accuracy: score(ratio(tp + tn, all)),
        specificity: score(ratio(tn, tn + fp)),
        said: percent(ratio(tp + fp, all)),
        cost: count(fp + fn_),
        cost_row: number(ratio(fp + fn_, all)),
    }
}

fn stop_rows(scores: &ClassScores) -> Vec<Vec<String>> {
    let (stops, curve): (_, &Decisions) = (&scores.stops, &scores.curve);
    let n = POINTS.min(stops.len());
    let row = |k: usize| {
        let stop = &stops[(k as f64 * (stops.len() - 1) as f64 / (n.max(2) - 1) as f64).round() as usize];
        let (tp, fp) = (stop.true_positives, stop.false_positives);
        vec![
            stop.threshold.clone(),
            score(ratio(tp, tp + fp)),
            score(ratio(tp, curve.positive)),
            score(ratio(fp, curve.negative)),
            score(ratio(2.0 * tp, tp + fp + curve.positive)),
            count(tp),
            count(fp),
        ]
    };
    (0..n).map(row).collect()
}

pub(super) fn bin_rows(scores: &ClassScores) -> Vec<Vec<String>> {
    let row = |bin: &crate::metrics::Bin| {
        vec![
            format!("{} to {}", number(bin.lower), number(bin.upper)),
            count(bin.weight),
            score_or_dash(bin.mean_probability),
            score_or_dash(bin.observed),
        ]
    };
    scores.calibration.bins.iter().map(row).collect()
}

/// The largest cells beside the diagonal.
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

fn class_rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let row = |class: &crate::evaluate::ClassEvaluation| {
        vec![
            short(&class.class, NAME),
            count(class.support as f64),
            score(class.precision),
            score(class.recall),
            score(class.f1),
            score_or_dash(class.auc),
        ]
    };
    report.evaluation.classes.iter().take(ROWS).map(row).collect()
}

/// A place on the axis of odds ratios, in percent of its width.
fn place(log_odds: f64, reach: f64) -> f64 {
    (50.0 + 50.0 * log_odds / reach).clamp(0.0, 100.0)
}

fn effect_row(effect: &Effect, coefficient: f64, reach: f64) -> EffectRow {
    let at = place(effect.standardised, reach);
    let percent = |at: f64| format!("{at:.2}");
    EffectRow {
        feature: short(&effect.feature, 80),
        lowers: effect.standardised < 0.0,
        from: percent(at.min(50.0)),
        to: percent(at.max(50.0)),
        at: percent(at),
        ratio: odds_ratio(effect.standardised.exp()),
        per_unit: odds_ratio(coefficient.exp()),
        coefficient: number(coefficient),
    }
}

/// One, and the outermost ratio on each side: more has no room on a phone.
fn ratio_ticks(ticks: &[(f64, String)], reach: f64) -> Vec<(String, String)> {
    let last = ticks.iter().map(|tick| tick.0.abs()).fold(0.0, f64::max);
    let shown = ticks.iter().filter(|tick| tick.0 == 0.0 || tick.0.abs() == last);
    shown.map(|(at, text)| (format!("{:.2}", place(*at, reach)), text.clone())).collect()
}

const _: () = assert!(SHOWN == 20, "page.js shows as many");
