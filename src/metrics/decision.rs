//! Metrics of decisions: which class was said, which was true.

/// Rows by true and predicted class, counted and weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    n_classes: usize,
    rows: Vec<u64>,
    weight: Vec<f64>,
}

/// How well one class is told from the others. A ratio with nothing below the line is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassDecisions {
    /// Share of the rows said to be of the class that are.
    pub precision: f64,
    /// Share of the rows of the class that were said to be.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
}

impl Confusion {
    /// Empty, for `n_classes` classes.
    pub fn new(n_classes: usize) -> Self {
        let cells = n_classes * n_classes;
        Self { n_classes, rows: vec![0; cells], weight: vec![0.0; cells] }
    }

    /// Counts a row.
    pub fn add(&mut self, truth: usize, prediction: usize, weight: f64) {
        let cell = truth * self.n_classes + prediction;
        self.rows[cell] += 1;
        self.weight[cell] += weight;
    }

    /// Rows by true class (down) and predicted class (across).
    pub fn matrix(&self) -> Vec<Vec<u64>> {
        self.rows.chunks(self.n_classes).map(<[u64]>::to_vec).collect()
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Weight of the rows by true class (down) and predicted class (across).
    pub fn weights(&self) -> Vec<Vec<f64>> {
        self.weight.chunks(self.n_classes).map(<[f64]>::to_vec).collect()
    }

    /// Adds the rows of `other`, which has as many classes.
    pub fn merge(&mut self, other: &Self) {
        self.rows.iter_mut().zip(&other.rows).for_each(|(sum, rows)| *sum += rows);
        self.weight.iter_mut().zip(&other.weight).for_each(|(sum, weight)| *sum += weight);
    }

    /// Whether class `k` is true or predicted of any row.
    pub fn occurs(&self, k: usize) -> bool {
        let n = self.n_classes;
        (0..n).any(|other| self.rows[k * n + other] > 0 || self.rows[other * n + k] > 0)
    }

    /// Weight of the rows whose true class is `k`.
    pub fn class_weight(&self, k: usize) -> f64 {
        self.weight[k * self.n_classes..][..self.n_classes].iter().sum()
    }

    /// Weight of the rows whose predicted class is `k`.
    pub fn predicted_weight(&self, k: usize) -> f64 {
        self.weight.iter().skip(k).step_by(self.n_classes).sum()
    }

    /// Mean recall of the classes that have rows.
    ///
    /// # References
    /// Brodersen et al., The balanced accuracy and its posterior distribution, 2010; scikit-learn,
    /// `balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        let present = (0..self.n_classes).filter(|&k| self.class_weight(k) > 0.0);
        let (n, sum) = present.fold((0.0, 0.0), |(n, sum), k| (n + 1.0, sum + self.class(k).recall));
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
        let total: f64 = self.weight.iter().sum();
        let several = |of: &dyn Fn(usize) -> f64| (0..self.n_classes).filter(|&k| of(k) > 0.0).count() > 1;
        // Else what is below the line is 0 but for rounding.
        if !(several(&|k| self.class_weight(k)) && several(&|k| self.predicted_weight(k))) {
            return 0.0;
        }
        // As shares: squares of weights could leave the range of float64.
        let share = |weight: f64| weight / total;
        let (mut both, mut of_truth, mut of_prediction) = (0.0, 1.0, 1.0);
        for k in 0..self.n_classes {
            let (truth, prediction) = (share(self.class_weight(k)), share(self.predicted_weight(k)));
            both += truth * prediction;
            of_truth -= truth * truth;
            of_prediction -= prediction * prediction;
        }
        ratio(self.accuracy() - both, (of_truth.max(0.0) * of_prediction.max(0.0)).sqrt())
    }

    /// Share of the weight whose class was said.
    pub fn accuracy(&self) -> f64 {
        let diagonal: f64 = self.weight.iter().step_by(self.n_classes + 1).sum();
        ratio(diagonal, self.weight.iter().sum())
    }

    /// How well class `k` is told from the others.
    pub fn class(&self, k: usize) -> ClassDecisions {
        let n = self.n_classes;
        let hit = self.weight[k * n + k];
        let (said, of_class) = (self.predicted_weight(k), self.class_weight(k));
        ClassDecisions {
            precision: ratio(hit, said),
            recall: ratio(hit, of_class),
            f1: ratio(2.0 * hit, said + of_class),
            support: self.rows[k * n..][..n].iter().sum(),
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
