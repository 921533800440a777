//! Where to set the threshold of a model: chosen on labelled data, exactly, over all distinct probabilities.

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
use choice::Choice;

/// How to choose thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdOptions {
    /// What by.
    pub by: Criterion,
    /// Column of row weights.
    pub weight: Option<String>,
    /// Bytes that blocks of the table and scores may take; what is available if not given.
    pub memory: Option<u64>,
    /// Several classes: keep thresholds too that make the decision between all of them worse.
    pub allow_worse: bool,
}

/// The thresholds chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdReport {
    /// What they were chosen by.
    pub by: String,
    /// Rows with a label, and no null that the model has no value for.
    pub rows: usize,
    /// The others, left out.
    pub rows_dropped: usize,
    /// Binary: the positive class; else each class against the rest.
    pub classes: Vec<ClassThreshold>,
    /// One-vs-rest: the decision between all classes, with the thresholds before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<[OverallDecision; 2]>,
    /// One-vs-rest: the same without thresholds, the most probable class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<OverallDecision>,
    /// One-vs-rest: set if the decision is worse with the thresholds than without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worse: Option<Worse>,
}

/// How thresholds make the decision between all classes worse, though each is the best for its class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worse {
    /// What the decision is judged by.
    pub metric: &'static str,
    /// Without thresholds.
    pub without: f64,
    /// With them.
    pub with: f64,
}

/// What the decision between all classes is worth.
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

/// Chooses the threshold of a binary `model` on `data`, or that of each class against the rest, and stores
/// it in the model (in memory; see [`Model::save`]).
///
/// Each class has its threshold for itself, while all classes compete for a row: together the thresholds may do
/// worse than none. By Youden's index, F1 or accuracy that is refused, unless `allow_worse`.
///
/// Thresholds are on each model's own probability, `sigmoid(z)`; see
/// [`Scorer::decide`](crate::predict::Scorer::decide) for the decision between several classes.
///
/// # Errors
/// As [`evaluate`](crate::evaluate::evaluate); and [`ModelFileError`] if the data have rows of one side only,
/// no threshold reaches the rate that was asked for, or the decision between all classes gets worse.
pub fn choose(
    model: &mut Model,
    data: &[String],
    options: &ThresholdOptions,
    observer: &dyn Observer,
) -> Result<ThresholdReport> {
    let source = data::open(data)?;
    output::check_once(source.files())?;
    let mut after = model.clone();
    let models = [&*model];
    let contest = Contest::new(&models, &source, None, options.weight.clone(), options.memory)?;
    let is_binary = model.task == Task::Binary;
    let plan = Plan::new(&contest, options.memory, None);
    let readings = plan.readings();
    // Between several classes, what the thresholds do together shows in one more reading.
    let n_readings = readings.len() + usize::from(!is_binary);
    let mut classes = Vec::with_capacity(model.models.len());
    let mut seen = Seen::default();
    for (reading, members) in readings.enumerate() {
        let empty = if options.weight.is_some() { Scores::weighted() } else { Scores::counted() };
        let mut held = vec![empty; members.len()];
        let width = model.models.len();
        let model_classes = model.model_classes();
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
            let chosen = choose_one(model, m, held, options.by, options.weight.as_ref())?;
            let threshold = Some(chosen.after.threshold);
            if is_binary {
                after.threshold = threshold;
            } else {
                after.models[m].threshold = threshold;
            }
            classes.push(chosen);
        }
    }
    let mut decisions = None;
    if !is_binary {
        let mut plain = model.clone();
        plain.models.iter_mut().for_each(|model| model.threshold = None);
        let all = [&*model, &after, &plain];
        let contest = Contest::new(&all, &source, None, options.weight.clone(), options.memory)?;
        let mut confusions = [(); 3].map(|()| Confusion::new(model.classes.len()));
        contest.read(observer, (n_readings - 1, n_readings), 0, |rows| {
            confusions.par_iter_mut().enumerate().for_each(|(m, confusion)| {
                let predictions = contest.scorers[m].decide(&rows.z[m]);
                for (i, (&class, said)) in rows.class.iter().zip(predictions).enumerate() {
                    confusion.add(class as usize, said as usize, rows.weight(i));
                }
            });
            Ok(())
        })?;
        decisions = Some(confusions.map(|confusion| OverallDecision {
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            macro_f1: Averages::new(&confusion, &[]).by_class.f1,
            confusion_matrix: confusion.matrix(),
        }));
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
    let choice = Choice::new(&ranked, by);
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
