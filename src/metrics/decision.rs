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

    /// Share of the weight whose class was said.
    pub fn accuracy(&self) -> f64 {
        let diagonal: f64 = self.weight.iter().step_by(self.n_classes + 1).sum();
        ratio(diagonal, self.weight.iter().sum())
    }

    /// How well class `k` is told from the others.
    pub fn class(&self, k: usize) -> ClassDecisions {
        let n = self.n_classes;
        let hit = self.weight[k * n + k];
        let said: f64 = (0..n).map(|truth| self.weight[truth * n + k]).sum();
        let of_class: f64 = self.weight[k * n..][..n].iter().sum();
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
