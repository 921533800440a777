//! What an evaluation says.

use serde::Serialize;

use crate::metrics::{Averages, Calibration, Interval, LiftPart};
use crate::predict::Unseen;

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
    /// Mean recall of the classes that occur.
    pub balanced_accuracy: f64,
    /// Matthews' correlation coefficient.
    pub mcc: f64,
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
    /// Means over the classes: `macro`, `micro`, `weighted`.
    #[serde(flatten)]
    pub averages: Averages,
    /// Binary: of the probability of the positive class. Several classes: of that of the most probable
    /// class, `observed` being the share of the rows that are of it.
    ///
    /// # References
    /// Guo et al., On calibration of modern neural networks, 2017 (several classes).
    pub calibration: Calibration,
    /// Binary: the ranking by deciles; several classes: see `classes`.
    pub lift: Vec<LiftPart>,
    /// Binary: the decision threshold.
    pub threshold: Option<f64>,
    /// How sure the numbers are, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
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
    /// Average precision; of a binary model, of its positive class.
    pub average_precision: Option<f64>,
    /// Expected calibration error of the probability of the class.
    pub ece: f64,
    /// Several classes: the threshold of the class's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Several classes: the ranking by deciles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lift: Vec<LiftPart>,
}

/// The numbers that a model is judged by first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Headline<T> {
    /// See [`Evaluation::log_loss`].
    pub log_loss: T,
    /// See [`Evaluation::accuracy`].
    pub accuracy: T,
    /// See [`Evaluation::balanced_accuracy`].
    pub balanced_accuracy: T,
    /// See [`Evaluation::mcc`].
    pub mcc: T,
    /// See [`Evaluation::auc`].
    pub auc: T,
    /// See [`Evaluation::average_precision`].
    pub average_precision: T,
    /// See [`Evaluation::brier`].
    pub brier: T,
}

impl<T> Headline<T> {
    /// Each number with its counterpart.
    pub fn zip<U, V>(self, other: Headline<U>, mut with: impl FnMut(T, U) -> V) -> Headline<V> {
        Headline {
            log_loss: with(self.log_loss, other.log_loss),
            accuracy: with(self.accuracy, other.accuracy),
            balanced_accuracy: with(self.balanced_accuracy, other.balanced_accuracy),
            mcc: with(self.mcc, other.mcc),
            auc: with(self.auc, other.auc),
            average_precision: with(self.average_precision, other.average_precision),
            brier: with(self.brier, other.brier),
        }
    }

    /// What `with` makes of each number.
    pub fn map<V>(self, mut with: impl FnMut(T) -> V) -> Headline<V> {
        self.zip(Headline::<()>::default(), |value, ()| with(value))
    }
}

impl Headline<f64> {
    /// The values of each number in several of them.
    pub fn columns(all: impl IntoIterator<Item = Self>) -> Headline<Vec<f64>> {
        all.into_iter().fold(Headline::default(), |columns: Headline<Vec<f64>>, one| {
            columns.zip(one, |mut column, value| {
                column.push(value);
                column
            })
        })
    }
}

impl Evaluation {
    /// The numbers that the model is judged by first.
    pub fn headline(&self) -> Headline<Option<f64>> {
        Headline {
            log_loss: Some(self.log_loss),
            accuracy: Some(self.accuracy),
            balanced_accuracy: Some(self.balanced_accuracy),
            mcc: Some(self.mcc),
            auc: self.auc,
            average_precision: self.average_precision,
            brier: Some(self.brier),
        }
    }
}

/// How intervals are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IntervalMethod {
    /// Percentiles over tables drawn from this one: every metric.
    Bootstrap,
    /// Of the areas under the ROC curves alone, by their asymptotic variance.
    DeLong,
}

/// How intervals were found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IntervalBasis {
    /// The method.
    pub method: IntervalMethod,
    /// Share of such intervals that hold the true value.
    pub confidence: f64,
    /// Bootstrap: tables drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicates: Option<usize>,
    /// Bootstrap: seed of the draws.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// Intervals of the numbers of an evaluation; null where the method gives none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// How they were found.
    #[serde(flatten)]
    pub basis: IntervalBasis,
    /// Of the numbers of the whole.
    #[serde(flatten)]
    pub headline: Headline<Option<Interval>>,
    /// Of each class, in the order of [`Evaluation::classes`].
    pub classes: Vec<ClassIntervals>,
    /// What they do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// Intervals of the numbers of a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassIntervals {
    /// Of the precision.
    pub precision: Option<Interval>,
    /// Of the recall.
    pub recall: Option<Interval>,
    /// Of the F1 score.
    pub f1: Option<Interval>,
    /// Of the area under the ROC curve.
    pub auc: Option<Interval>,
}

/// Several models on the same rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What each model is worth.
    pub evaluations: Vec<Evaluation>,
    /// Each model but the first against the first, if intervals were asked for.
    pub differences: Vec<Headline<Option<Difference>>>,
}

/// By how much a number of a model exceeds that of the first one, on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The difference.
    pub difference: f64,
    /// Where it may lie, the rows being paired.
    #[serde(flatten)]
    pub interval: Interval,
    /// DeLong: probability of a difference at least as large if there were none; null with the bootstrap,
    /// and where `note` says why.
    pub p_value: Option<f64>,
    /// Why DeLong's method has no p-value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}
