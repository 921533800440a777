//! How good a trained model is on labelled data.

use rayon::prelude::*;
use serde::Serialize;

use crate::data::{self, BlocksOptions};
use crate::error::{ModelFileError, Result};
use crate::metrics::{
    Confusion, Ranking, Scores, binary_brier, binary_log_loss, multiclass_brier, multiclass_log_loss,
    normalise,
};
use crate::model::{Model, Task};
use crate::output;
use crate::predict::{Scorer, Unseen, add_unseen, name_unseen, report_rows, rows_per_block};
use crate::train::Observer;

/// How to evaluate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluateOptions {
    /// Column of row weights.
    pub weight: Option<String>,
    /// Decision threshold of a binary model, in place of its own.
    pub threshold: Option<f64>,
}

/// What a model is worth on a table. With row weights every number is weighted by them, but for counts
/// of rows: `rows`, `rows_dropped`, `confusion_matrix`, `support` and `unseen`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Rows with a label, and no null that the model has no value for.
    pub rows: usize,
    /// The others, left out.
    pub rows_dropped: usize,
    /// Mean of `-log p(true class)`; several classes: of the probabilities scaled to sum to 1.
    pub log_loss: f64,
    /// Share of the rows whose class was predicted.
    pub accuracy: f64,
    /// Area under the ROC curve; several classes: the mean of each class against the rest, over
    /// the classes that occur. Null if there is only one class in the data.
    pub auc: Option<f64>,
    /// Average precision, likewise.
    pub average_precision: Option<f64>,
    /// Mean of `(p - y)^2`; several classes: summed over the classes.
    pub brier: f64,
    /// Rows by true class (down) and predicted class (across), in the order of `classes`.
    pub confusion_matrix: Vec<Vec<u64>>,
    /// Each class against the rest.
    pub classes: Vec<ClassEvaluation>,
    /// Binary: the decision threshold.
    pub threshold: Option<f64>,
    /// Values that training had not seen.
    pub unseen: Vec<Unseen>,
}

/// One class against the rest. A ratio with nothing below the line is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// The class.
    pub class: String,
    /// Share of the rows predicted to be of the class that are.
    pub precision: f64,
    /// Share of the rows of the class that were predicted.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
    /// Area under the ROC curve of the class against the rest.
    pub auc: Option<f64>,
}

/// Evaluates `model` on `data`, which carry the target column.
///
/// The table is read block by block; what stays in memory is a score for each row and model,
/// because an exact area under the curve needs them all.
///
/// # Errors
/// The data cannot be read, lack a column, hold a label that is none of the model's classes, or
/// no label at all; an option does not fit the model; or `observer`, who hears of the rows done, asks
/// to stop.
pub fn evaluate(
    model: &Model,
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    evaluate_with(model, data, options, observer, &mut |_, _| {})
}

/// Rows that were scored.
pub(crate) struct ScoredRows<'a> {
    /// Linear predictors, rows x models.
    pub(crate) z: &'a [f64],
    /// Class of each row; none if it is not evaluated.
    pub(crate) class: &'a [Option<u32>],
    /// Weights, if they are not all 1.
    pub(crate) weight: Option<&'a [f64]>,
}

/// [`evaluate`], which shows every block of rows to `seen`.
pub(crate) fn evaluate_with(
    model: &Model,
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
    seen: &mut dyn FnMut(&Scorer, &ScoredRows<'_>),
) -> Result<Evaluation> {
    let scorer = Scorer::try_new(model, options.threshold)?;
    let source = data::open(data)?;
    output::check_once(source.files())?;
    let encoding = model.encoding();
    let target = model.target();
    let blocks = data::blocks(
        &source,
        &encoding,
        BlocksOptions {
            target: Some(&target),
            weight: options.weight.clone(),
            keep: Vec::new(),
            rows_per_block: rows_per_block(encoding.n_features()),
        },
    )?;
    let mut tally = Tally::new(&scorer, model.task, model.classes.len());
    let mut unseen = vec![0; encoding.columns.len()];
    for block in blocks {
        let block = block?;
        let z = scorer.linear_predictor(&block.panels);
        let mut class = block.class.unwrap_or_else(|| vec![None; block.rows]);
        for &row in &block.incomplete {
            class[row] = None;
        }
        tally.add(&z, &class, block.weight.as_deref());
        seen(&scorer, &ScoredRows { z: &z, class: &class, weight: block.weight.as_deref() });
        add_unseen(&mut unseen, &block.unseen);
        report_rows(observer, tally.truth.len() + tally.rows_dropped, source.n_rows())?;
    }
    if tally.truth.is_empty() {
        let rows_dropped = tally.rows_dropped;
        return Err(ModelFileError::NoLabels { target: model.target.clone(), rows_dropped }.into());
    }
    let mut evaluation = tally.finish(&model.classes);
    evaluation.unseen = name_unseen(model, &unseen);
    Ok(evaluation)
}

/// What is kept of the rows seen so far.
struct Tally<'a> {
    scorer: &'a Scorer,
    task: Task,
    /// Binary: z. Else the scaled probabilities. Rows x models.
    scores: Vec<f64>,
    truth: Vec<u32>,
    weight: Vec<f64>,
    confusion: Confusion,
    log_loss: f64,
    brier: f64,
    rows_dropped: usize,
}

impl<'a> Tally<'a> {
    fn new(scorer: &'a Scorer, task: Task, n_classes: usize) -> Self {
        Self {
            scorer,
            task,
            scores: Vec::new(),
            truth: Vec::new(),
            weight: Vec::new(),
            confusion: Confusion::new(n_classes),
            log_loss: 0.0,
            brier: 0.0,
            rows_dropped: 0,
        }
    }

    fn add(&mut self, z: &[f64], class: &[Option<u32>], weight: Option<&[f64]>) {
        let n_models = self.scorer.n_models();
        let positive = self.scorer.positive();
        let decisions = self.scorer.decide(z);
        let mut scores = z.to_vec();
        // Per row: (loss, squared error); added up below in row order, whatever the threads did.
        let losses: Vec<(f64, f64)> = scores
            .par_chunks_exact_mut(n_models)
            .zip(class)
            .map(|(row, class)| match (class, self.task) {
                (None, _) => (0.0, 0.0),
                (&Some(class), Task::Binary) => {
                    let is_positive = class as usize == positive;
                    (binary_log_loss(row[0], is_positive), binary_brier(row[0], is_positive))
                }
                (&Some(class), Task::OneVsRest) => {
                    let z = row.to_vec();
                    normalise(&z, row);
                    (multiclass_log_loss(&z, class as usize), multiclass_brier(row, class as usize))
                }
            })
            .collect();
        for (i, (row, &class)) in scores.chunks_exact(n_models).zip(class).enumerate() {
            let Some(class) = class else {
                self.rows_dropped += 1;
                continue;
            };
            let weight = weight.map_or(1.0, |weight| weight[i]);
            self.scores.extend_from_slice(row);
            self.truth.push(class);
            self.weight.push(weight);
            self.confusion.add(class as usize, decisions[i] as usize, weight);
            self.log_loss += weight * losses[i].0;
            self.brier += weight * losses[i].1;
        }
    }

    /// Ranks the rows by the scores of model `m` for `class`.
    fn ranking(&self, m: usize, class: usize) -> Option<Ranking> {
        let scores = self.scores.iter().skip(m).step_by(self.scorer.n_models());
        let rows = scores.zip(&self.truth).zip(&self.weight);
        let rows = rows.map(|((&score, &truth), &weight)| (score, weight, truth as usize == class));
        rows.collect::<Scores>().rank().ranking()
    }

    fn finish(self, classes: &[String]) -> Evaluation {
        let weight_sum: f64 = self.weight.iter().sum();
        let rankings: Vec<Option<Ranking>> = match self.task {
            Task::Binary => vec![self.ranking(0, self.scorer.positive())],
            Task::OneVsRest => (0..classes.len()).map(|class| self.ranking(class, class)).collect(),
        };
        let mean = |of: fn(&Ranking) -> f64| {
            let known: Vec<f64> = rankings.iter().flatten().map(of).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let describe = |(k, class): (usize, &String)| {
            let decisions = self.confusion.class(k);
            ClassEvaluation {
                class: class.clone(),
                precision: decisions.precision,
                recall: decisions.recall,
                f1: decisions.f1,
                support: decisions.support,
                // Binary: turning the order round and swapping the sides leaves the area as it is.
                auc: rankings.get(k).unwrap_or(&rankings[0]).map(|ranking| ranking.auc),
            }
        };
        Evaluation {
            rows: self.truth.len(),
            rows_dropped: self.rows_dropped,
            log_loss: self.log_loss / weight_sum,
            accuracy: self.confusion.accuracy(),
            auc: mean(|ranking| ranking.auc),
            average_precision: mean(|ranking| ranking.average_precision),
            brier: self.brier / weight_sum,
            confusion_matrix: self.confusion.matrix(),
            classes: classes.iter().enumerate().map(describe).collect(),
            threshold: self.scorer.threshold(),
            unseen: Vec::new(),
        }
    }
}
