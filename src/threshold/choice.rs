//! Chooses one threshold exactly, among all distinct probabilities.

use serde::Serialize;

use super::criterion::{Criterion, Unreachable};
use crate::metrics::{Curve, Point, Ranked};

/// Most points in a displayed trade-off.
const SHOWN: usize = 20;
/// Points closer than this, in rates, to the line between their neighbours are not shown.
const LEAST: f64 = 1e-3;

/// The weighted confusion matrix of a threshold, and its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Decisions {
    /// The threshold.
    pub threshold: f64,
    /// Weight of the true positives: rows of the class that are predicted as such.
    pub true_positives: f64,
    /// Weight of the false positives: other rows that are predicted as the class.
    pub false_positives: f64,
    /// Weight of the false negatives: rows of the class that are not predicted as such.
    pub false_negatives: f64,
    /// Weight of the true negatives: other rows that are not predicted as the class.
    pub true_negatives: f64,
    /// `tp / (tp + fp)`; 1 if no row is predicted as the class.
    pub precision: f64,
    /// `tp / (tp + fn)`, the true positive rate.
    pub recall: f64,
    /// `fp / (fp + tn)`.
    pub false_positive_rate: f64,
    /// `2 tp / (2 tp + fp + fn)`.
    pub f1: f64,
    /// `(tp + tn) / S`.
    pub accuracy: f64,
    /// The value of the criterion.
    pub value: f64,
}

/// The threshold chosen for a class against the rest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassThreshold {
    /// The class.
    pub class: String,
    /// The decisions with the threshold that the model had.
    pub before: Decisions,
    /// The decisions with the chosen threshold.
    pub after: Decisions,
    /// Decisions with other thresholds, and with the chosen one, from the highest threshold to the lowest.
    pub trade_off: Vec<Decisions>,
}

/// The choice of a threshold for one class.
pub(super) struct ThresholdChoice<'a> {
    ranked: &'a Ranked,
    by: Criterion,
    /// The total weight of each side, without points.
    sides: Curve,
}

impl<'a> ThresholdChoice<'a> {
    /// Prepares the choice; `ranked` are the rows, ranked by the probability of the class.
    pub(super) fn new(ranked: &'a Ranked, by: Criterion) -> Self {
        let sides = Curve { positive: ranked.positive(), negative: ranked.negative(), points: Vec::new() };
        Self { ranked, by, sides }
    }

    /// The candidate points, with thresholds that a model can store. Each threshold is the middle between the
    /// lowest probability that is predicted positive and the next lower one (or 0).
    ///
    /// Any threshold in this gap decides these rows alike. In the middle, new rows just below the lowest
    /// positive and new rows just above the next lower one are treated alike.
    fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let mut points = self.ranked.points().peekable();
        std::iter::from_fn(move || {
            loop {
                let point = points.next()?;
                let upper = point.threshold.min(1.0);
                let lower = points.peek().map_or(0.0, |next| next.threshold);
                let middle = lower + (upper - lower) / 2.0;
                let threshold = if middle > lower { middle } else { upper };
                // Probabilities that were rounded to 0 or 1 leave no threshold between 0 and 1.
                if threshold > 0.0 && threshold < 1.0 {
                    return Some(Point { threshold, ..point });
                }
            }
        })
    }

    /// The best point; in a tie, the point with the threshold nearest to one half.
    pub(super) fn best(&self) -> Result<Point, Unreachable> {
        let mut best: Option<((f64, f64), Point)> = None;
        for point in self.points() {
            let Some(merit) = self.by.merit(&self.sides, &point) else { continue };
            let nearer = |other: &Point| (point.threshold - 0.5).abs() < (other.threshold - 0.5).abs();
            let better = best
                .as_ref()
                .is_none_or(|(known, other)| merit > *known || (merit == *known && nearer(other)));
            if better {
                best = Some((merit, point));
            }
        }
        best.map(|(_, point)| point).ok_or_else(|| self.by.unreachable(&self.sides, self.points()))
    }

    /// The decisions with `threshold`.
    pub(super) fn at(&self, threshold: f64) -> Decisions {
        // The last point whose rows all reach the threshold.
        let reached = self.ranked.points().take_while(|point| point.threshold >= threshold).last();
        let nothing = Point { threshold, true_positives: 0.0, false_positives: 0.0 };
        self.decisions(&Point { threshold, ..reached.unwrap_or(nothing) })
    }

    pub(super) fn decisions(&self, point: &Point) -> Decisions {
        let (tp, fp) = (point.true_positives, point.false_positives);
        let of = |by: Criterion| by.value(&self.sides, point);
        Decisions {
            threshold: point.threshold,
            true_positives: tp,
            false_positives: fp,
            false_negatives: self.sides.positive - tp,
            true_negatives: self.sides.negative - fp,
            precision: point.precision(),
            recall: self.sides.recall(point),
            false_positive_rate: self.sides.false_positive_rate(point),
            f1: of(Criterion::F1),
            accuracy: of(Criterion::Accuracy),
            value: of(self.by),
        }
    }

    /// The corners of the curves, and `chosen`, from the highest threshold to the lowest.
    pub(super) fn trade_off(&self, chosen: &Point) -> Vec<Decisions> {
        let corners = self.ranked.corner_curve(SHOWN, LEAST).points;
        let mut calls: Vec<(f64, f64)> =
            corners.iter().map(|corner| (corner.true_positives, corner.false_positives)).collect();
        calls.push((chosen.true_positives, chosen.false_positives));
        let shown =
            self.points().filter(|point| calls.contains(&(point.true_positives, point.false_positives)));
        shown.map(|point| self.decisions(&point)).collect()
    }
}
