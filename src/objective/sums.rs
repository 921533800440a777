//! What a pass over rows adds up: sums over parts of a table add to those over the whole.

use super::evaluation::Dual;
use super::{Coefficients, Evaluation, Exact, Gaps, HeldOutSums, ModelSpec};
use crate::panels::Totals;

/// Sums over some rows, for each model of a stack, as one vector of float64.
///
/// ```text
/// loss        sum_i s_i [log(1 + exp(z_i)) - y_i z_i]                    M
/// gradient    sum_i s_i (sigmoid(z_i) - y_i) [x_i, 1]                    M x (d + 1)
/// scored      loss, squared error, weights of false alarms and misses    M x 4          float64 passes
/// conjugate   sum_i s_i f*(r_i) over the rows with y = 0 and with y = 1  M x 2          with a duality gap
/// positive    the gradient's share of the rows with y = 1                M x (d + 1)    with a duality gap
/// ```
///
/// `scored` counts the rows of the fold that a model is scored on, without class weights. The weights s of a model add
/// up to S. Devices add; [`Self::evaluation`] and [`Self::exact`] divide by S.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    n_features: usize,
    n_models: usize,
    /// None: of loss and gradient alone.
    gaps: Option<Gaps>,
    values: Vec<f64>,
}

impl Sums {
    /// All zero, of loss and gradient.
    pub fn zeros(n_features: usize, n_models: usize) -> Self {
        Self { n_features, n_models, gaps: None, values: vec![0.0; n_models * (n_features + 2)] }
    }

    /// All zero, of everything that a float64 pass adds up.
    pub fn zeros_exact(n_features: usize, n_models: usize, gaps: Gaps) -> Self {
        let mut sums = Self::zeros(n_features, n_models);
        let dual = if gaps == Gaps::With { n_features + 3 } else { 0 };
        sums.values.resize(sums.values.len() + n_models * (4 + dual), 0.0);
        Self { gaps: Some(gaps), ..sums }
    }

    /// From the vector of sums that have the shape of `self`; none if it has another length.
    pub fn with_values(self, values: Vec<f64>) -> Option<Self> {
        (values.len() == self.values.len()).then_some(Self { values, ..self })
    }

    /// The vector.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Of a float64 pass: whether they have what a duality gap needs.
    pub fn gaps(&self) -> Option<Gaps> {
        self.gaps
    }

    /// Number of features, the intercept not counted.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The loss of model `m`.
    pub fn loss_mut(&mut self, m: usize) -> &mut f64 {
        &mut self.values[m]
    }

    /// The gradient of model `m`, the intercept last.
    pub fn gradient(&self, m: usize) -> &[f64] {
        let (first, stride) = (self.n_models, self.n_features + 1);
        &self.values[first + m * stride..][..stride]
    }

    /// The same, to be added to.
    pub fn gradient_mut(&mut self, m: usize) -> &mut [f64] {
        let (first, stride) = (self.n_models, self.n_features + 1);
        &mut self.values[first + m * stride..][..stride]
    }

    /// The sums over the rows that model `m` is scored on.
    pub fn scored_mut(&mut self, m: usize) -> &mut [f64] {
        let first = self.scored_at();
        &mut self.values[first + 4 * m..][..4]
    }

    /// The conjugates of model `m`, of the rows with y = 0 and of those with y = 1.
    pub fn conjugate_mut(&mut self, m: usize) -> &mut [f64] {
        let first = self.scored_at() + 4 * self.n_models;
        &mut self.values[first + 2 * m..][..2]
    }

    /// The share of the rows with y = 1 in the gradient of model `m`.
    pub fn positive_mut(&mut self, m: usize) -> &mut [f64] {
        let (first, stride) = (self.scored_at() + 6 * self.n_models, self.n_features + 1);
        &mut self.values[first + m * stride..][..stride]
    }

    fn scored_at(&self) -> usize {
        self.n_models * (self.n_features + 2)
    }

    /// The means, over rows whose weights add up to `totals`.
    pub fn evaluation(&self, models: &[ModelSpec], totals: &Totals) -> Evaluation {
        let (loss, rest) = self.values.split_at(self.n_models);
        let scales: Vec<f64> = models.iter().map(|model| 1.0 / model.weight_sum_of(totals)).collect();
        Evaluation {
            loss: loss.iter().zip(&scales).map(|(sum, scale)| sum * scale).collect(),
            gradient: self.scaled(&rest[..self.n_models * (self.n_features + 1)], &scales),
        }
    }

    /// The means of a float64 pass, over rows whose weights add up to `totals`.
    ///
    /// # Panics
    /// If they are not the sums of a float64 pass.
    pub fn exact(&self, models: &[ModelSpec], totals: &Totals) -> Exact {
        let (scored, dual) = self.values[self.scored_at()..].split_at(4 * self.n_models);
        let scored = scored.as_chunks::<4>().0;
        let held_out = |(model, sums): (&ModelSpec, &[f64; 4])| {
            model.held_out.scored().map(|fold| {
                let by_class = totals.folds().nth(fold as usize).unwrap_or_default();
                let positive = by_class.get(model.class as usize).copied().unwrap_or(0.0);
                let [loss, squares, false_alarms, misses] = *sums;
                HeldOutSums {
                    weight: [by_class.iter().sum::<f64>() - positive, positive],
                    loss,
                    squares,
                    wrong: [false_alarms, misses],
                }
            })
        };
        let dual = (self.gaps == Some(Gaps::With)).then(|| {
            let scales: Vec<f64> = models.iter().map(|model| 1.0 / model.weight_sum_of(totals)).collect();
            let (conjugate, positive) = dual.split_at(2 * self.n_models);
            let conjugate = conjugate.as_chunks::<2>().0.iter().zip(&scales);
            Dual {
                conjugate: conjugate.map(|(sums, scale)| sums.map(|sum| sum * scale)).collect(),
                positive: self.scaled(positive, &scales),
            }
        });
        Exact {
            evaluation: self.evaluation(models, totals),
            dual,
            held_out: models.iter().zip(scored).map(held_out).collect(),
        }
    }

    fn scaled(&self, columns: &[f64], scales: &[f64]) -> Coefficients {
        let mut means = Coefficients::zeros(self.n_features, self.n_models);
        let stride = self.n_features + 1;
        for (m, (column, scale)) in columns.chunks_exact(stride).zip(scales).enumerate() {
            means.model_mut(m).iter_mut().zip(column).for_each(|(mean, sum)| *mean = sum * scale);
        }
        means
    }
}
