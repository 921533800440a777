//! Where to set the threshold of a model: chosen on labelled data, exactly, over all distinct probabilities.

mod choice;
mod criterion;

pub use choice::{ClassThreshold, Decisions};
pub use criterion::Criterion;

use rayon::prelude::*;
use serde::Serialize;

use crate::data;
use crate::error::{ModelFileError, Result};
use crate::evaluate::{Contest, Plan, Seen};
use crate::metrics::{Averages, Confusion, Scores};
use crate::model::{Model, Task};
use crate::objective::sigmoid;
use crate::output;
use crate::train::Observer;
use choice::Choice;

/// How to choose thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdOptions {
    /// What by.
    pub by: Criterion,
    /// Column of row weights.
    pub weight: Option<String>,
    /// Bytes that scores may take while they are ranked; half of the available memory if not given.
    pub memory: Option<u64>,
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
/// Thresholds are on each model's own probability, `sigmoid(z)`; see
/// [`Scorer::decide`](crate::predict::Scorer::decide) for the decision between several classes.
///
/// # Errors
/// As [`evaluate`](crate::evaluate::evaluate); and [`ModelFileError`] if the data have rows of one side only,
/// or no threshold reaches the rate that was asked for.
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
    let contest = Contest::new(&models, &source, None, options.weight.clone())?;
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
        seen = contest.read(observer, (reading, n_readings), |rows| {
            held.par_iter_mut().zip(members.clone()).for_each(|(held, m)| {
                let column = rows.z[0].iter().skip(m).step_by(width);
                for (i, (&z, &class)) in column.zip(&rows.class).enumerate() {
                    held.push(sigmoid(z), rows.weight(i), class as usize == model_classes[m]);
                }
            });
            Ok(())
        })?;
        for (m, held) in members.zip(held) {
            let chosen = choose_one(model, m, held, options.by)?;
            let threshold = Some(chosen.after.threshold);
            if is_binary {
                after.threshold = threshold;
            } else {
                after.models[m].threshold = threshold;
            }
            classes.push(chosen);
        }
    }
    let decision = if is_binary {
        None
    } else {
        let both = [&*model, &after];
        let contest = Contest::new(&both, &source, None, options.weight.clone())?;
        let mut confusions = [(); 2].map(|()| Confusion::new(model.classes.len()));
        contest.read(observer, (n_readings - 1, n_readings), |rows| {
            confusions.par_iter_mut().enumerate().for_each(|(m, confusion)| {
                let predictions = contest.scorers[m].decide(&rows.z[m]);
                for (i, (&class, said)) in rows.class.iter().zip(predictions).enumerate() {
                    confusion.add(class as usize, said as usize, rows.weight(i));
                }
            });
            Ok(())
        })?;
        Some(confusions.map(|confusion| OverallDecision {
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            macro_f1: Averages::new(&confusion, &[]).by_class.f1,
            confusion_matrix: confusion.matrix(),
        }))
    };
    *model = after;
    let by = options.by.to_string();
    Ok(ThresholdReport { by, rows: seen.rows, rows_dropped: seen.rows_dropped, classes, decision })
}

fn choose_one(model: &Model, m: usize, scores: Scores, by: Criterion) -> Result<ClassThreshold> {
    let class = &model.models[m].class;
    let ranked = scores.rank();
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
