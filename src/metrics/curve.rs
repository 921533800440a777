//! ROC and precision-recall curves: the decisions at every threshold.

use super::Ranked;

/// The decisions when scores of at least `threshold` are predicted positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The threshold: one of the scores, or infinity where nothing is predicted positive.
    pub threshold: f64,
    /// tp: weight of the true positives.
    pub true_positives: f64,
    /// fp: weight of the false positives.
    pub false_positives: f64,
}

/// The decisions at every distinct threshold, descending: the exact ROC and precision-recall curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// P: weight of the positives.
    pub positive: f64,
    /// N: weight of the negatives.
    pub negative: f64,
    /// From threshold infinity (nothing is predicted positive) to the lowest score (everything is).
    pub points: Vec<Point>,
}

impl Curve {
    /// tpr, recall: `tp / P`; 0 without positives.
    pub fn recall(&self, point: &Point) -> f64 {
        if self.positive > 0.0 { point.true_positives / self.positive } else { 0.0 }
    }

    /// fpr: `fp / N`; 0 without negatives.
    pub fn false_positive_rate(&self, point: &Point) -> f64 {
        if self.negative > 0.0 { point.false_positives / self.negative } else { 0.0 }
    }
}

impl Point {
    /// `tp / (tp + fp)`; 1 if nothing is predicted positive, as in scikit-learn.
    pub fn precision(&self) -> f64 {
        let called = self.true_positives + self.false_positives;
        if called > 0.0 { self.true_positives / called } else { 1.0 }
    }
}

impl Ranked {
    /// The decisions at every threshold: one point more than there are distinct scores.
    ///
    /// # References
    /// Fawcett, An introduction to ROC analysis, 2006, algorithm 1; scikit-learn, `roc_curve` (without
    /// `drop_intermediate`) and `precision_recall_curve`.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let nothing = Point { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };
        std::iter::once(nothing).chain(self.steps().scan(nothing, |point, step| {
            point.threshold = step.score;
            point.true_positives += step.positive;
            point.false_positives += step.negative;
            Some(*point)
        }))
    }

    /// The exact curves: 24 bytes for each distinct score. For a picture, see [`Ranked::thin_curve`].
    pub fn curve(&self) -> Curve {
        Curve { positive: self.positive(), negative: self.negative(), points: self.points().collect() }
    }
}
