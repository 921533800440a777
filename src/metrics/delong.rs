//! The variance of an AUC, and of the difference of two AUCs on the same rows.

use rayon::prelude::*;

use super::ranked::descending_key;

/// The scores of the rows, and the rows in descending order.
#[derive(Debug)]
pub struct Order {
    /// `(descending key, row)`: equal keys mean equal scores; these rows keep their order.
    rows: Vec<(u64, usize)>,
}

impl Order {
    /// Sorts in parallel, with 16 bytes a row.
    pub fn new(scores: &[f64]) -> Self {
        let keyed = scores.par_iter().enumerate().map(|(row, &score)| (descending_key(score), row));
        let mut rows: Vec<(u64, usize)> = keyed.collect();
        rows.par_sort_unstable();
        Self { rows }
    }

    /// The rows of each distinct score, from the highest to the lowest.
    pub fn steps(&self) -> impl Iterator<Item = &[(u64, usize)]> {
        self.rows.chunk_by(|a, b| a.0 == b.0)
    }
}

/// Area under the ROC curve of `scores`, which are replaced by the influence of each row on it. `None`,
/// without any replacement, unless there are at least two positives and two negatives.
///
/// The placement V10 of a positive i is the share of negatives with a lower score, where ties count one half.
/// The placement V01 of a negative j is the share of positives with a higher score. Then
///
/// ```text
/// auc = mean_i V10(i) = mean_j V01(j)
/// influence(i) = (V10(i) - auc) / sqrt(P (P - 1)),   influence(j) = (V01(j) - auc) / sqrt(N (N - 1))
/// ```
///
/// The sum of `influence_a influence_b` over the rows is DeLong's covariance of two areas on the same rows,
/// `S10_ab / P + S01_ab / N`, with the sample covariances S of the placements. The mean of several areas, for
/// several labels of the same rows, has the mean of the influences.
///
/// One sort, O(n log n), gives all placements; it needs 16 bytes a row beside the scores.
///
/// # References
/// DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
/// characteristic curves, 1988; Sun and Xu, Fast implementation of DeLong's algorithm, 2014.
pub fn delong(scores: &mut [f64], is_positive: &[bool]) -> Option<f64> {
    let positives = is_positive.iter().filter(|&&positive| positive).count();
    let negatives = is_positive.len() - positives;
    if negatives < 2 || positives < 2 {
        return None;
    }
    let order = Order::new(scores);
    let (mut true_positives, mut false_positives) = (0_usize, 0_usize);
    // Twice the number of correctly ordered pairs, an integer.
    let mut twice_area = 0_u128;
    for step in order.steps() {
        let gained = step.iter().filter(|&&(_, row)| is_positive[row]).count();
        let lost = step.len() - gained;
        for &(_, row) in step {
            scores[row] = if is_positive[row] {
                (2 * (negatives - false_positives - lost) + lost) as f64 / (2 * negatives) as f64
            } else {
                (2 * true_positives + gained) as f64 / (2 * positives) as f64
            };
        }
        twice_area += lost as u128 * (2 * true_positives + gained) as u128;
        true_positives += gained;
        false_positives += lost;
    }
    let (n, p) = (negatives as f64, positives as f64);
    let auc = twice_area as f64 / (2.0 * n * p);
    let scale = [(n * (n - 1.0)).sqrt(), (p * (p - 1.0)).sqrt()];
    scores.par_iter_mut().zip(is_positive).for_each(|(placement, &positive)| {
        *placement = (*placement - auc) / scale[usize::from(positive)];
    });
    Some(auc)
}
