//! Chooses the threshold of a model exactly, among all distinct probabilities of labelled data.

mod choice;
mod criterion;

pub use choice::{ClassThreshold, Decisions};
pub use criterion::Criterion;

use rayon::prelude::*;
use serde::Serialize;

use crate::data;
use crate::error::{DataError, ModelFileError, Result};
use crate::evaluate::{Contest, Plan, Seen};
use crate::metrics::{Averages, Confusion, Scores};
use crate::model::{Model, Task};
use crate::objective::sigmoids;
use crate::observer::Observer;
use crate::output;
use choice::ThresholdChoice;

/// Options of [`choose`].
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdOptions {
    /// The criterion.
    pub by: Criterion,
    /// Column of row weights.
    pub weight: Option<String>,
    /// Bytes for blocks of the table and scores; by default the memory that is available.
    pub memory: Option<u64>,
    /// Several classes: accept thresholds that make the decision between all classes worse.
    pub allow_worse: bool,
}

/// The thresholds chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdReport {
    /// The criterion.
    pub by: String,
    /// Rows used: they have a label, and no null that the model cannot fill.
    pub rows: usize,
    /// Rows left out.
    pub rows_dropped: usize,
    /// Binary: the positive class; else each class against the rest.
    pub classes: Vec<ClassThreshold>,
    /// One-vs-rest: the decision between all classes, with the thresholds before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<[OverallDecision; 2]>,
    /// One-vs-rest: the decision without thresholds, which is the most probable class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<OverallDecision>,
    /// One-vs-rest: set if the decision is worse with the thresholds than without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worse: Option<Worse>,
}

/// How thresholds that are best for each class make the decision between all classes worse.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worse {
    /// The metric of the decision.
    pub metric: &'static str,
    /// Its value without thresholds.
    pub without: f64,
    /// Its value with them.
    pub with: f64,
}

/// Metrics of the decision between all classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverallDecision {
    /// Share of the rows whose class was predicted.
    pub accuracy: f64,
    /// Mean recall of the classes that occur.
    pub balanced_accuracy: f64,
    /// Mean F1 score of the classes.
    pub macro_f1: f64,
    /// Rows by true class (down) and predicted class (across).
    pub confusion_matrix: Vec<Vec<u64>>,
}

/// Chooses the threshold of a binary `model` on `data`, or the threshold of each class against the rest, and
/// stores it in the model in memory (see [`Model::save`]).
///
/// Each class gets its own threshold, but all classes compete for a row, so the thresholds together may do
/// worse than none. For Youden's index, F1 and accuracy such thresholds are refused, unless `allow_worse`.
///
/// Thresholds apply to each model's own probability, `sigmoid(z)`; see
/// [`Scorer::decide`](crate::predict::Scorer::decide) for the decision between several classes.
///
/// # Errors
/// The errors of [`evaluate`](crate::evaluate::evaluate); and [`ModelFileError`] if the data have rows of one
/// side only, no threshold reaches the requested rate, or the decision between all classes gets worse.
pub fn choose(
    model: &mut Model,
    data: &[String],
    options: &ThresholdOptions,
    observer: &dyn Observer,
) -> Result<ThresholdReport> {
    let source = data::open(data)?;
    output::check_once(source.files())?;
    let models = [&*model];
    let contest = Contest::new(&models, &source, None, options.weight.clone(), options.memory)?;
    let plan = Plan::new(&contest, options.memory, None);
    let is_binary = model.task == Task::Binary;
    // Evaluating the decision between several classes takes one more pass.
    let n_readings = plan.readings().len() + usize::from(!is_binary);
    let (classes, seen) = choose_each(&contest, &plan, n_readings, options, observer)?;
    let after = with_thresholds(model, classes.iter().map(|class| Some(class.after.threshold)));
    let mut decisions = None;
    if !is_binary {
        let plain = with_thresholds(model, model.models.iter().map(|_| None));
        let models = [&*model, &after, &plain];
        let contest = Contest::new(&models, &source, None, options.weight.clone(), options.memory)?;
        decisions = Some(judge(&contest, (n_readings - 1, n_readings), observer)?);
    }
    let by = options.by.to_string();
    let worse = decisions.as_ref().and_then(|[_, after, plain]| options.by.worse(plain, after));
    if let Some(worse) = worse.as_ref().filter(|_| !options.allow_worse) {
        let Worse { metric, without, with } = *worse;
        return Err(ModelFileError::WorseDecision { by, metric, without, with }.into());
    }
    *model = after;
    let (decision, without) = match decisions {
        Some([before, after, plain]) => (Some([before, after]), Some(plain)),
        None => (None, None),
    };
    let (rows, rows_dropped) = (seen.rows, seen.rows_dropped);
    Ok(ThresholdReport { by, rows, rows_dropped, classes, decision, without, worse })
}

/// Chooses the threshold of each model separately. Each pass handles as many models as there is
/// memory for scores.
fn choose_each(
    contest: &Contest<'_>,
    plan: &Plan,
    n_readings: usize,
    options: &ThresholdOptions,
    observer: &dyn Observer,
) -> Result<(Vec<ClassThreshold>, Seen)> {
    let model = contest.models[0];
    let width = model.models.len();
    let model_classes = model.model_classes();
    let mut classes = Vec::with_capacity(width);
    let mut seen = Seen::default();
    for (reading, members) in plan.readings().enumerate() {
        let empty = if options.weight.is_some() { Scores::weighted() } else { Scores::counted() };
        let mut held = vec![empty; members.len()];
        seen = contest.read(observer, (reading, n_readings), plan.held(), |rows| {
            held.par_iter_mut().zip(members.clone()).for_each(|(held, m)| {
                let z: Vec<f64> = rows.z[0].iter().skip(m).step_by(width).copied().collect();
                let mut p = vec![0.0; z.len()];
                sigmoids(&z, &mut p);
                for (i, (&p, &class)) in p.iter().zip(&rows.class).enumerate() {
                    held.push(p, rows.weight(i), class as usize == model_classes[m]);
                }
            });
            Ok(())
        })?;
        for (m, held) in members.zip(held) {
            classes.push(choose_one(model, m, held, options.by, options.weight.as_ref())?);
        }
    }
    Ok((classes, seen))
}

/// A copy of `model` with other thresholds, one for each of its models.
fn with_thresholds(model: &Model, thresholds: impl Iterator<Item = Option<f64>>) -> Model {
    let mut changed = model.clone();
    for (m, threshold) in thresholds.enumerate() {
        match model.task {
            Task::Binary => changed.threshold = threshold,
            Task::OneVsRest => changed.models[m].threshold = threshold,
        }
    }
    changed
}

/// Metrics of the decision between all classes for each of three models. This takes one more pass over
/// the table.
fn judge(
    contest: &Contest<'_>,
    reading: (usize, usize),
    observer: &dyn Observer,
) -> Result<[OverallDecision; 3]> {
    let mut confusions = [(); 3].map(|()| Confusion::new(contest.classes().len()));
    contest.read(observer, reading, 0, |rows| {
        confusions.par_iter_mut().enumerate().for_each(|(m, confusion)| {
            let predictions = contest.scorers[m].decide(&rows.z[m]);
            for (i, (&class, said)) in rows.class.iter().zip(predictions).enumerate() {
                confusion.add(class as usize, said as usize, rows.weight(i));
            }
        });
        Ok(())
    })?;
    Ok(confusions.map(|confusion| OverallDecision {
        accuracy: confusion.accuracy(),
        balanced_accuracy: confusion.balanced_accuracy(),
        macro_f1: Averages::new(&confusion, &[]).by_class.f1,
        confusion_matrix: confusion.matrix(),
    }))
}

fn choose_one(
    model: &Model,
    m: usize,
    scores: Scores,
    by: Criterion,
    weight: Option<&String>,
) -> Result<ClassThreshold> {
    let class = &model.models[m].class;
    let ranked = scores.rank();
    if ranked.positive() + ranked.negative() <= 0.0 {
        return Err(DataError::WeightsZero { column: weight.cloned().unwrap_or_default() }.into());
    }
    if ranked.positive() <= 0.0 || ranked.negative() <= 0.0 {
        let found = if ranked.positive() > 0.0 { "every row" } else { "no row" };
        return Err(ModelFileError::OneSide { class: class.clone(), found }.into());
    }
    let choice = ThresholdChoice::new(&ranked, by);
    let chosen = choice.best().map_err(|nearest| ModelFileError::Unreachable {
        class: class.clone(),
        by: by.to_string(),
        best: nearest.best,
        at: nearest.at,
    })?;
    Ok(ClassThreshold {
        class: class.clone(),
        before: choice.at(model.thresholds()[m]),
        after: choice.decisions(&chosen),
        trade_off: choice.trade_off(&chosen),
    })
}
