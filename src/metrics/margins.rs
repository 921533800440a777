//! Metrics of decisions that need no more of a confusion matrix than its diagonal and its margins.

/// Weight of the rows of each class, by truth and by prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// Of the rows whose true class it is.
    pub truth: Vec<f64>,
    /// Of the rows whose predicted class it is.
    pub predicted: Vec<f64>,
    /// Of the rows where both hold.
    pub hit: Vec<f64>,
}

impl Margins {
    /// Share of the weight whose class was predicted.
    pub fn accuracy(&self) -> f64 {
        ratio(self.hit.iter().sum(), self.truth.iter().sum())
    }

    /// Share of the rows predicted to be of class `k` that are; 0 if there are none.
    pub fn precision(&self, k: usize) -> f64 {
        ratio(self.hit[k], self.predicted[k])
    }

    /// Share of the rows of class `k` that were predicted to be; 0 if there are none.
    pub fn recall(&self, k: usize) -> f64 {
        ratio(self.hit[k], self.truth[k])
    }

    /// Harmonic mean of precision and recall of class `k`.
    pub fn f1(&self, k: usize) -> f64 {
        ratio(2.0 * self.hit[k], self.predicted[k] + self.truth[k])
    }

    /// Mean recall of the classes that have rows.
    ///
    /// # References
    /// Brodersen et al., The balanced accuracy and its posterior distribution, 2010; scikit-learn,
    /// `balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        let present = (0..self.truth.len()).filter(|&k| self.truth[k] > 0.0);
        let (n, sum) = present.fold((0.0, 0.0), |(n, sum), k| (n + 1.0, sum + self.recall(k)));
        ratio(sum, n)
    }

    /// Matthews' correlation coefficient of true and predicted class, between -1 and 1; 0 where one of
    /// them is the same for all rows.
    ///
    /// With S the weight of all rows, c that of the right ones, `t_k` that of true and `p_k` that of
    /// predicted class k:
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
        // Else what is below the line is 0 but for rounding.
        if !(several(&self.truth) && several(&self.predicted)) {
            return 0.0;
        }
        // As shares: squares of weights could leave the range of float64.
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
