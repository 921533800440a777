//! What is minimised, and nothing about how: the loss, the penalty, the certificate.
//!
//! For model m, with labels y in {0, 1} ("is this class"), row weights s >= 0, S = sum of s:
//!
//! ```text
//! F(w, b) = (1/S) sum_i s_i [ log(1 + exp(z_i)) - y_i z_i ] + l1 |w|_1 + (l2/2) |w|_2^2,   z_i = x_i . w + b
//! ```
//!
//! The intercept b is never penalised.

mod certificate;
mod coefficients;
mod evaluation;
mod float64;
mod hessian;
mod logistic;
mod penalty;
mod predictor;
mod smoothness;

pub use certificate::{Certificate, certify, kkt_residual};
pub use coefficients::Coefficients;
pub use evaluation::{Evaluation, Exact, evaluate};
pub use hessian::Hessian;
pub use logistic::{log1pexp, sigmoid};
pub use penalty::Penalty;
pub use smoothness::{Smoothness, smoothness};

use crate::panels::{NO_CLASS, Rows};
pub use predictor::linear_predictor;

/// One column of the stack: which rows are positive, how rows are weighted, what is penalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelSpec {
    /// Rows of this class have y = 1, all others y = 0.
    pub class: u32,
    /// Penalty on the coefficients in panel space.
    pub penalty: Penalty,
    /// Factor on the weight of rows with y = 1.
    pub positive_weight: f64,
    /// Factor on the weight of rows with y = 0.
    pub negative_weight: f64,
}

impl ModelSpec {
    /// One that has no positive row and weighs every row alike: what the models of a stack share.
    pub fn shared() -> Self {
        Self { class: NO_CLASS, penalty: Penalty::default(), positive_weight: 1.0, negative_weight: 1.0 }
    }

    /// `S`: the sum of the row weights as this model sees them.
    pub fn weight_sum(&self, rows: &Rows) -> f64 {
        self.weight_sum_of(rows.class_weight())
    }

    /// `S` over rows whose weights add up to `class_weight` in each class.
    pub fn weight_sum_of(&self, class_weight: &[f64]) -> f64 {
        let positive = class_weight.get(self.class as usize).copied().unwrap_or(0.0);
        let all: f64 = class_weight.iter().sum();
        self.positive_weight * positive + self.negative_weight * (all - positive)
    }
}
