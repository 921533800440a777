//! Metrics of an order: how well scores put positives above negatives.

use rayon::prelude::*;

/// Area under the ROC curve and average precision of one ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Probability that a positive row scores above a negative one, ties counting one half.
    pub auc: f64,
    /// Mean precision over the positives.
    pub average_precision: f64,
}

/// Ranks rows `(score, weight, is_positive)`, or `None` if one of the two sides has no weight.
///
/// With thresholds t descending over the distinct scores, P and N the weight of positives and
/// negatives, and tp, fp the weight of those with a score of at least t:
///
/// ```text
/// auc = sum_t (fp_t - fp_{t-1}) (tp_t + tp_{t-1}) / 2 / (P N)
/// average_precision = sum_t (tp_t - tp_{t-1}) / P * tp_t / (tp_t + fp_t)
/// ```
///
/// Rows of equal score form one step, so the result does not depend on their order.
///
/// # References
/// Fawcett, An introduction to ROC analysis, 2006, algorithm 2. scikit-learn,
/// `roc_auc_score` and `average_precision_score` (no interpolation).
pub fn ranking(mut rows: Vec<(f64, f64, bool)>) -> Option<Ranking> {
    rows.par_sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut true_positives, mut false_positives) = (0.0, 0.0);
    let (mut area, mut precision_sum) = (0.0, 0.0);
    // `==` and not the bits: zero and minus zero are the same score.
    for step in rows.chunk_by(|a, b| a.0 == b.0) {
        let side = |positive: bool| step.iter().filter(|row| row.2 == positive).map(|row| row.1).sum::<f64>();
        let (gained, lost) = (side(true), side(false));
        area += lost * (true_positives + gained / 2.0);
        true_positives += gained;
        false_positives += lost;
        if gained > 0.0 {
            precision_sum += gained * (true_positives / (true_positives + false_positives));
        }
    }
    (true_positives > 0.0 && false_positives > 0.0).then(|| Ranking {
        auc: area / (true_positives * false_positives),
        average_precision: precision_sum / true_positives,
    })
}
