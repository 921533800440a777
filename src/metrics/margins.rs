//! Metrics of decisions that need only the diagonal and the margins of a confusion matrix.

/// Weight of the rows of each class, by true and by predicted class.
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// Weight of the rows with this true class.
    pub truth: Vec<f64>,
    /// Weight of the rows with this predicted class.
    pub predicted: Vec<f64>,
    /// Weight of the true positives: rows with this true and predicted class.
    pub hit: Vec<f64>,
}

impl Margins {
    /// Share of the weight that is predicted correctly.
    pub fn accuracy(&self) -> f64 {
        ratio(self.hit.iter().sum(), self.truth.iter().sum())
    }

    /// `tp / (tp + fp)` of class `k`; 0 if no row is predicted as `k`.
    pub fn precision(&self, k: usize) -> f64 {
        ratio(self.hit[k], self.predicted[k])
    }

    /// `tp / (tp + fn)` of class `k`; 0 if the class has no rows.
    pub fn recall(&self, k: usize) -> f64 {
        ratio(self.hit[k], self.truth[k])
    }

    /// Harmonic mean of precision and recall of class `k`.
    pub fn f1(&self, k: usize) -> f64 {
        ratio(2.0 * self.hit[k], self.predicted[k] + self.truth[k])
    }

    /// Mean recall over the classes that have rows.
    ///
    /// # References
    /// Brodersen et al., The balanced accuracy and its posterior distribution, 2010; scikit-learn,
    /// `balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        let present = (0..self.truth.len()).filter(|&k| self.truth[k] > 0.0);
        let (n, sum) = present.fold((0.0, 0.0), |(n, sum), k| (n + 1.0, sum + self.recall(k)));
        ratio(sum, n)
    }

    /// Matthews' correlation coefficient of true and predicted class, between -1 and 1; 0 if one of them is
    /// the same for all rows.
    ///
    /// With S the weight of all rows, c the weight of the correct ones, `t_k` the weight of true class k and
    /// `p_k` the weight of predicted class k:
    ///
    /// ```text
    /// mcc = (c S - sum_k t_k p_k) / sqrt((S^2 - sum_k p_k^2) (S^2 - sum_k t_k^2))
    /// ```
    ///
    /// # References
    /// Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004;
    /// scikit-learn, `matthews_corrcoef`.
    pub fn mcc(&self) -> f64 {
        let several = |of: &[f64]| of.iter().filter(|&&weight| weight > 0.0).count() > 1;
        // Otherwise the denominator would be 0 up to rounding.
        if !(several(&self.truth) && several(&self.predicted)) {
            return 0.0;
        }
        // Use shares: squares of weights could exceed the range of float64.
        let total: f64 = self.truth.iter().sum();
        let (mut both, mut of_truth, mut of_prediction) = (0.0, 1.0, 1.0);
        for (truth, predicted) in self.truth.iter().zip(&self.predicted) {
            let (truth, predicted) = (truth / total, predicted / total);
            both += truth * predicted;
            of_truth -= truth * truth;
            of_prediction -= predicted * predicted;
        }
        ratio(self.accuracy() - both, (of_truth.max(0.0) * of_prediction.max(0.0)).sqrt())
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
