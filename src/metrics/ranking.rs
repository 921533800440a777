//! Metrics of an order: how well scores put positives above negatives.

use super::Ranked;

/// Area under the ROC curve and average precision of one ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Probability that a positive row scores above a negative one, ties counting one half.
    pub auc: f64,
    /// Mean precision over the positives.
    pub average_precision: f64,
}

impl Ranked {
    /// Area under the ROC curve and average precision, or `None` if one of the two sides has no weight.
    ///
    /// With thresholds t descending over the distinct scores, P and N the weight of positives and
    /// negatives, and tp, fp the weight of those with a score of at least t:
    ///
    /// ```text
    /// auc = sum_t (fp_t - fp_{t-1}) (tp_t + tp_{t-1}) / 2 / (P N)
    /// average_precision = sum_t (tp_t - tp_{t-1}) / P * tp_t / (tp_t + fp_t)
    /// ```
    ///
    /// Without weights the area is a sum of whole halves: exact while `P N < 2^52`.
    ///
    /// # References
    /// Fawcett, An introduction to ROC analysis, 2006, algorithm 2. scikit-learn,
    /// `roc_auc_score` and `average_precision_score` (no interpolation).
    pub fn ranking(&self) -> Option<Ranking> {
        let (mut true_positives, mut false_positives) = (0.0, 0.0);
        let (mut area, mut precision_sum) = (0.0, 0.0);
        for step in self.steps() {
            area += step.negative * (true_positives + step.positive / 2.0);
            true_positives += step.positive;
            false_positives += step.negative;
            if step.positive > 0.0 {
                precision_sum += step.positive * (true_positives / (true_positives + false_positives));
            }
        }
        (true_positives > 0.0 && false_positives > 0.0).then(|| Ranking {
            auc: area / (true_positives * false_positives),
            average_precision: precision_sum / true_positives,
        })
    }
}
