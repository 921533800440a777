//! The results of an evaluation.

use serde::Serialize;

use crate::metrics::{Averages, Calibration, Interval, LiftPart};
use crate::predict::Unseen;

/// The metrics of a model on a table. With row weights every metric is weighted, except the counts of rows:
/// `rows`, `rows_dropped`, `confusion_matrix`, `support` and `unseen`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Rows used: they have a label, and no null that the model cannot fill.
    pub rows: usize,
    /// Rows left out.
    pub rows_dropped: usize,
    /// Mean of `-log p(true class)`; with several classes p is scaled to sum to 1.
    pub log_loss: f64,
    /// Share of the rows whose class was predicted correctly.
    pub accuracy: f64,
    /// Mean recall of the classes that occur.
    pub balanced_accuracy: f64,
    /// Matthews' correlation coefficient.
    pub mcc: f64,
    /// Area under the ROC curve. Several classes: mean over the classes that occur, each against the rest.
    /// Null if the data have only one class.
    pub auc: Option<f64>,
    /// Average precision; mean over the classes, as for `auc`.
    pub average_precision: Option<f64>,
    /// Mean of `(p - y)^2`, with several classes summed over the classes.
    pub brier: f64,
    /// Rows by true class (down) and predicted class (across), in the order of `classes`.
    pub confusion_matrix: Vec<Vec<u64>>,
    /// Each class against the rest.
    pub classes: Vec<ClassEvaluation>,
    /// Means over the classes: `macro`, `micro`, `weighted`.
    #[serde(flatten)]
    pub averages: Averages,
    /// Binary: calibration of the probability of the positive class. Several classes: calibration of the
    /// largest probability, where `observed` is the share of rows of that class.
    ///
    /// # References
    /// Guo et al., On calibration of modern neural networks, 2017 (several classes).
    pub calibration: Calibration,
    /// Binary: the ranking by deciles; several classes: see `classes`.
    pub lift: Vec<LiftPart>,
    /// Binary: the decision threshold.
    pub threshold: Option<f64>,
    /// Confidence intervals, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// Values that did not occur in training.
    pub unseen: Vec<Unseen>,
}

/// The metrics of one class against the rest. A ratio with denominator 0 is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// The class.
    pub class: String,
    /// `tp / (tp + fp)`.
    pub precision: f64,
    /// `tp / (tp + fn)`.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
    /// Area under the ROC curve of the class against the rest.
    pub auc: Option<f64>,
    /// Average precision; for a binary model, of its positive class.
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

/// The headline metrics of a model.
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
    /// Combines each metric with its counterpart.
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

    /// Applies `with` to each metric.
    pub fn map<V>(self, mut with: impl FnMut(T) -> V) -> Headline<V> {
        self.zip(Headline::<()>::default(), |value, ()| with(value))
    }
}

impl Headline<f64> {
    /// The values of each metric in several headlines.
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
    /// The headline metrics.
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

/// The method of confidence intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IntervalMethod {
    /// Percentiles over bootstrap resamples: for every metric.
    Bootstrap,
    /// The asymptotic variance of the AUC: for areas under ROC curves only.
    DeLong,
}

/// The method of confidence intervals and its settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IntervalBasis {
    /// The method.
    pub method: IntervalMethod,
    /// Confidence level.
    pub confidence: f64,
    /// Bootstrap: number of resamples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicates: Option<usize>,
    /// Bootstrap: seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// Confidence intervals of an evaluation; null where the method gives none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// The method.
    #[serde(flatten)]
    pub basis: IntervalBasis,
    /// Intervals of the headline metrics.
    #[serde(flatten)]
    pub headline: Headline<Option<Interval>>,
    /// Intervals of each class, in the order of [`Evaluation::classes`].
    pub classes: Vec<ClassIntervals>,
    /// A limitation of the intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// Confidence intervals of the metrics of a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassIntervals {
    /// Interval of the precision.
    pub precision: Option<Interval>,
    /// Interval of the recall.
    pub recall: Option<Interval>,
    /// Interval of the F1 score.
    pub f1: Option<Interval>,
    /// Interval of the area under the ROC curve.
    pub auc: Option<Interval>,
}

/// Several models on the same rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The evaluation of each model.
    pub evaluations: Vec<Evaluation>,
    /// The differences of every other model from the first, if intervals were requested.
    pub differences: Vec<Headline<Option<Difference>>>,
}

/// The difference between a model's metric and that of the first model, on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The difference.
    pub difference: f64,
    /// Its confidence interval, from paired rows.
    #[serde(flatten)]
    pub interval: Interval,
    /// DeLong: p-value for no difference; null with the bootstrap, or if `note` says why.
    pub p_value: Option<f64>,
    /// Why DeLong's method has no p-value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}
