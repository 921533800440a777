//! Criteria for a threshold.

use std::fmt;
use std::str::FromStr;

use super::{OverallDecision, Worse};
use crate::metrics::{Curve, Point};

/// The criterion that chooses a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Criterion {
    /// The largest `tpr - fpr`.
    ///
    /// # References
    /// Youden, Index for rating diagnostic tests, 1950.
    Youden,
    /// The largest F1 score, `2 tp / (2 tp + fp + fn)`.
    F1,
    /// The largest accuracy.
    Accuracy,
    /// The smallest mean cost, `(fp_cost fp + fn_cost fn) / S`.
    Cost {
        /// Cost of a false positive.
        false_positive: f64,
        /// Cost of a false negative.
        false_negative: f64,
    },
    /// The fewest false positives with at least this true positive rate (recall); among those points, the
    /// most true positives.
    Tpr(f64),
    /// The most true positives with at most this false positive rate.
    Fpr(f64),
    /// The most true positives with at least this precision.
    Precision(f64),
}

/// A rate that no threshold reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unreachable {
    /// The nearest rate, and its threshold.
    pub(super) best: f64,
    pub(super) at: f64,
}

/// Relative rounding error that is allowed in a rate.
const ROUNDING: f64 = 1e-12;

impl Criterion {
    /// The value of the criterion at a point: a rate, a score or a cost.
    pub fn value(&self, curve: &Curve, point: &Point) -> f64 {
        let (tp, fp) = (point.true_positives, point.false_positives);
        let missed = curve.positive - tp;
        let total = curve.positive + curve.negative;
        match *self {
            Self::Youden => curve.recall(point) - curve.false_positive_rate(point),
            Self::F1 => 2.0 * tp / (2.0 * tp + fp + missed),
            Self::Accuracy => (tp + curve.negative - fp) / total,
            Self::Cost { false_positive, false_negative } => {
                (false_positive * fp + false_negative * missed) / total
            }
            Self::Tpr(_) => curve.recall(point),
            Self::Fpr(_) => curve.false_positive_rate(point),
            Self::Precision(_) => point.precision(),
        }
    }

    /// Whether the decision between several classes is worse with thresholds than without, by the multiclass
    /// metric nearest to the criterion. Costs and rates have no such metric.
    pub(super) fn worse(&self, without: &OverallDecision, with: &OverallDecision) -> Option<Worse> {
        let (metric, of): (_, fn(&OverallDecision) -> f64) = match self {
            Self::Youden => ("balanced accuracy", |decision| decision.balanced_accuracy),
            Self::F1 => ("macro F1", |decision| decision.macro_f1),
            Self::Accuracy => ("accuracy", |decision| decision.accuracy),
            Self::Cost { .. } | Self::Tpr(_) | Self::Fpr(_) | Self::Precision(_) => return None,
        };
        let (without, with) = (of(without), of(with));
        (with < without * (1.0 - ROUNDING)).then_some(Worse { metric, without, with })
    }

    /// The merit of a point: larger is better; `None` if the point misses the rate. The second number breaks
    /// ties.
    pub(super) fn merit(&self, curve: &Curve, point: &Point) -> Option<(f64, f64)> {
        let value = self.value(curve, point);
        let found = point.true_positives;
        match *self {
            Self::Youden | Self::F1 | Self::Accuracy => Some((value, 0.0)),
            Self::Cost { .. } => Some((-value, 0.0)),
            Self::Tpr(rate) => (value >= rate * (1.0 - ROUNDING)).then_some((-point.false_positives, found)),
            Self::Fpr(rate) => {
                (value <= rate * (1.0 + ROUNDING) && found > 0.0).then_some((found, -point.false_positives))
            }
            Self::Precision(rate) => {
                (value >= rate * (1.0 - ROUNDING) && found > 0.0).then_some((found, -point.false_positives))
            }
        }
    }

    /// The point nearest to the rate, if no point reaches it.
    pub(super) fn unreachable(&self, curve: &Curve, points: impl Iterator<Item = Point>) -> Unreachable {
        let fewer_is_better = matches!(self, Self::Fpr(_));
        let mut best = Unreachable { best: if fewer_is_better { 1.0 } else { 0.0 }, at: 1.0 };
        for point in points.filter(|point| point.true_positives > 0.0) {
            let value = self.value(curve, &point);
            if if fewer_is_better { value < best.best } else { value > best.best } {
                best = Unreachable { best: value, at: point.threshold };
            }
        }
        best
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Youden => write!(f, "youden"),
            Self::F1 => write!(f, "f1"),
            Self::Accuracy => write!(f, "accuracy"),
            Self::Cost { false_positive, false_negative } => {
                write!(f, "cost={false_positive}:{false_negative}")
            }
            Self::Tpr(rate) => write!(f, "tpr={rate}"),
            Self::Fpr(rate) => write!(f, "fpr={rate}"),
            Self::Precision(rate) => write!(f, "precision={rate}"),
        }
    }
}

impl FromStr for Criterion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
        let rate = |text: &str| {
            number(text).filter(|&rate| rate > 0.0 && rate <= 1.0).ok_or("expected a rate above 0, up to 1")
        };
        match text.split_once('=') {
            None if text == "youden" => Ok(Self::Youden),
            None if text == "f1" => Ok(Self::F1),
            None if text == "accuracy" => Ok(Self::Accuracy),
            Some(("tpr" | "recall", value)) => Ok(Self::Tpr(rate(value)?)),
            Some(("fpr", value)) => {
                let rate = number(value).filter(|rate| (0.0..1.0).contains(rate));
                Ok(Self::Fpr(rate.ok_or("expected a rate from 0 on, below 1")?))
            }
            Some(("precision", value)) => Ok(Self::Precision(rate(value)?)),
            Some(("cost", costs)) => {
                let pair = costs.split_once(':').and_then(|(a, b)| Some((number(a)?, number(b)?)));
                let (false_positive, false_negative) =
                    pair.filter(|&(a, b)| a >= 0.0 && b >= 0.0 && a + b > 0.0).ok_or(
                        "expected the costs of a false positive and of a false negative, as in cost=1:5",
                    )?;
                Ok(Self::Cost { false_positive, false_negative })
            }
            _ => {
                Err("expected youden, f1, accuracy, cost=FP:FN, tpr=RATE, fpr=RATE or precision=SHARE".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_read_as_they_are_written() {
        for text in ["youden", "f1", "accuracy", "cost=1:5", "tpr=0.95", "fpr=0.01", "precision=0.9"] {
            assert_eq!(text.parse::<Criterion>().unwrap().to_string(), text);
        }
        for text in
            ["", "auc", "cost", "cost=1", "cost=-1:2", "cost=0:0", "tpr=0", "tpr=1.1", "fpr=1", "precision=x"]
        {
            assert!(text.parse::<Criterion>().is_err(), "{text:?} must be refused");
        }
    }
}
