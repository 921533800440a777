//! Metrics of decisions, from predicted and true classes.

use super::Margins;

/// A confusion matrix, in counts and in weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    n_classes: usize,
    rows: Vec<u64>,
    weight: Vec<f64>,
}

/// Metrics of one class against the rest. A ratio with denominator 0 is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassDecisions {
    /// `tp / (tp + fp)`.
    pub precision: f64,
    /// `tp / (tp + fn)`.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
}

impl Confusion {
    /// An empty matrix for `n_classes` classes.
    pub fn new(n_classes: usize) -> Self {
        let cells = n_classes * n_classes;
        Self { n_classes, rows: vec![0; cells], weight: vec![0.0; cells] }
    }

    /// Adds a row.
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

    /// Adds the rows of `other`, which has the same classes.
    pub fn merge(&mut self, other: &Self) {
        self.rows.iter_mut().zip(&other.rows).for_each(|(sum, rows)| *sum += rows);
        self.weight.iter_mut().zip(&other.weight).for_each(|(sum, weight)| *sum += weight);
    }

    /// Whether any row has class `k` as true or predicted class.
    pub fn occurs(&self, k: usize) -> bool {
        let n = self.n_classes;
        (0..n).any(|other| self.rows[k * n + other] > 0 || self.rows[other * n + k] > 0)
    }

    /// Weight of the rows of each class, by true and by predicted class.
    pub fn margins(&self) -> Margins {
        let n = self.n_classes;
        Margins {
            truth: self.weight.chunks(n).map(|row| row.iter().sum()).collect(),
            predicted: (0..n).map(|k| self.weight.iter().skip(k).step_by(n).sum()).collect(),
            hit: self.weight.iter().step_by(n + 1).copied().collect(),
        }
    }

    /// See [`Margins::balanced_accuracy`].
    pub fn balanced_accuracy(&self) -> f64 {
        self.margins().balanced_accuracy()
    }

    /// See [`Margins::mcc`].
    pub fn mcc(&self) -> f64 {
        self.margins().mcc()
    }

    /// Share of the weight that is predicted correctly.
    pub fn accuracy(&self) -> f64 {
        self.margins().accuracy()
    }

    /// The metrics of class `k` against the rest.
    pub fn class(&self, k: usize) -> ClassDecisions {
        self.classes().swap_remove(k)
    }

    /// The metrics of each class against the rest.
    pub fn classes(&self) -> Vec<ClassDecisions> {
        let margins = self.margins();
        let rows = self.rows.chunks(self.n_classes).enumerate();
        rows.map(|(k, rows)| ClassDecisions {
            precision: margins.precision(k),
            recall: margins.recall(k),
            f1: margins.f1(k),
            support: rows.iter().sum(),
        })
        .collect()
    }
}
