//! How sure an area under the ROC curve is, and the difference of two on the same rows.

use rayon::prelude::*;

use super::ranked::descending_key;

/// One score of each row, and the order of the rows by it.
#[derive(Debug)]
pub struct Order {
    /// `(descending key, row)`: equal keys are equal scores, in the order of their rows.
    rows: Vec<(u64, usize)>,
}

impl Order {
    /// Sorts, in parallel: 16 bytes a row.
    pub fn new(scores: &[f64]) -> Self {
        let keyed = scores.par_iter().enumerate().map(|(row, &score)| (descending_key(score), row));
        let mut rows: Vec<(u64, usize)> = keyed.collect();
        rows.par_sort_unstable();
        Self { rows }
    }

    /// The rows of each distinct score, from the highest down.
    pub fn steps(&self) -> impl Iterator<Item = &[(u64, usize)]> {
        self.rows.chunk_by(|a, b| a.0 == b.0)
    }
}

/// Areas under the ROC curves of several scores of the same rows, and their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct DeLong {
    /// The areas.
    pub auc: Vec<f64>,
    /// Their covariance, areas x areas.
    pub covariance: Vec<Vec<f64>>,
}

impl DeLong {
    /// Of one column of scores for each area; `None` unless there are two positives and two negatives.
    ///
    /// With the placement of a positive i the share of the negatives that it scores above, ties counting
    /// one half, and that of a negative j the share of the positives that score above it,
    ///
    /// ```text
    /// auc_a = mean_i V10_a(i) = mean_j V01_a(j)
    /// cov_ab = S10_ab / P + S01_ab / N
    /// ```
    ///
    /// where S10 and S01 are the sample covariances of the placements over the P positives and over the N
    /// negatives. Placements come from one sort of each column, O(n log n), and take its place: nothing
    /// but 16 bytes a row is needed beside the scores, one column at a time.
    ///
    /// # References
    /// DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated receiver
    /// operating characteristic curves, 1988; Sun and Xu, Fast implementation of DeLong's algorithm, 2014.
    pub fn new(mut columns: Vec<Vec<f64>>, is_positive: &[bool]) -> Option<Self> {
        let positives = is_positive.iter().filter(|&&positive| positive).count();
        let sides = [is_positive.len() - positives, positives];
        if sides[0] < 2 || sides[1] < 2 {
            return None;
        }
        let auc: Vec<f64> = columns.iter_mut().map(|scores| place(scores, is_positive, sides)).collect();
        let covariance = |a: usize, b: usize| {
            let mut sums = [0.0; 2];
            for ((x, y), &positive) in columns[a].iter().zip(&columns[b]).zip(is_positive) {
                sums[usize::from(positive)] += (x - auc[a]) * (y - auc[b]);
            }
            let of_side = |side: usize| sums[side] / (sides[side] as f64 - 1.0) / sides[side] as f64;
            of_side(0) + of_side(1)
        };
        let indices = 0..auc.len();
        let covariance =
            indices.clone().map(|a| indices.clone().map(|b| covariance(a, b)).collect()).collect();
        Some(Self { auc, covariance })
    }

    /// Variance of the difference between two of the areas.
    pub fn variance_of_difference(&self, a: usize, b: usize) -> f64 {
        let c = &self.covariance;
        // Of equal columns it is 0, but for rounding.
        (c[a][a] + c[b][b] - 2.0 * c[a][b]).max(0.0)
    }
}

/// Replaces scores by placements; returns the area.
fn place(scores: &mut [f64], is_positive: &[bool], [negatives, positives]: [usize; 2]) -> f64 {
    let order = Order::new(scores);
    let (mut true_positives, mut false_positives) = (0_usize, 0_usize);
    // Twice the pairs in the right order: whole numbers.
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
    twice_area as f64 / (2.0 * negatives as f64 * positives as f64)
}
