//! Metrics of a ranking.

use rayon::prelude::*;

use super::Ranked;
use super::ranked::Stretch;

/// Area under the ROC curve and average precision of one ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Probability that a positive row scores above a negative one; ties count one half.
    pub auc: f64,
    /// Mean precision over the positives.
    pub average_precision: f64,
}

impl Ranked {
    /// Area under the ROC curve and average precision; `None` if one side has no weight.
    ///
    /// With the distinct scores t, descending, the weights P and N of positives and negatives, and the
    /// weights tp and fp of positives and negatives with a score of at least t:
    ///
    /// ```text
    /// auc = sum_t (fp_t - fp_{t-1}) (tp_t + tp_{t-1}) / 2 / (P N)
    /// average_precision = sum_t (tp_t - tp_{t-1}) / P * tp_t / (tp_t + fp_t)
    /// ```
    ///
    /// Without weights the area is a sum of integers and halves, exact while `P N < 2^52`.
    ///
    /// # References
    /// Fawcett, An introduction to ROC analysis, 2006, algorithm 2. scikit-learn,
    /// `roc_auc_score` and `average_precision_score` (no interpolation).
    pub fn ranking(&self) -> Option<Ranking> {
        let of_stretch = |stretch: &Stretch| {
            let [mut false_positives, mut true_positives] = stretch.before;
            let (mut area, mut precision_sum) = (0.0, 0.0);
            for step in self.steps_of(stretch) {
                area += step.negative * (true_positives + step.positive / 2.0);
                true_positives += step.positive;
                false_positives += step.negative;
                if step.positive > 0.0 {
                    precision_sum += step.positive * (true_positives / (true_positives + false_positives));
                }
            }
            (area, precision_sum)
        };
        if self.positive() <= 0.0 || self.negative() <= 0.0 {
            return None;
        }
        let sums: Vec<(f64, f64)> = self.stretches().par_iter().map(of_stretch).collect();
        let (area, precision_sum) = sums.iter().fold((0.0, 0.0), |(a, p), sum| (a + sum.0, p + sum.1));
        Some(Ranking {
            auc: area / (self.positive() * self.negative()),
            average_precision: precision_sum / self.positive(),
        })
    }
}
