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
mod coordinates;
mod evaluation;
mod hessian;
mod logistic;
mod penalty;
mod sides;
mod sums;

pub use certificate::Certificate;
pub use coefficients::Coefficients;
pub use coordinates::Coordinates;
pub use evaluation::{Evaluation, Exact, Gaps, HeldOutSums};
pub use hessian::Hessian;
pub(crate) use logistic::log1pexp_and_sigmoid;
pub use logistic::{Logistic, log1pexp, logistics, logit, sigmoid, sigmoids};
pub use penalty::Penalty;
pub use sides::Sides;
pub use sums::Sums;

use crate::panels::{NO_CLASS, Rows, Totals, class_of, fold_of};

/// The folds that a model does not learn from: their rows have weight 0 for it.
///
/// The first of them is the one that the model is scored on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeldOut {
    first: u32,
    end: u32,
}

impl HeldOut {
    /// Every fold is learned from.
    pub const NONE: Self = Self { first: 0, end: 0 };

    /// One fold is held out.
    pub fn fold(fold: u32) -> Self {
        Self { first: fold, end: fold + 1 }
    }

    /// A fold and all after it: what a model of the past may not know.
    pub fn from(fold: u32) -> Self {
        Self { first: fold, end: 0xffff }
    }

    /// First fold held out, and the first after it that is not.
    pub fn range(self) -> (u32, u32) {
        (self.first, self.end)
    }

    /// Whether the rows of a fold are held out.
    #[inline]
    pub fn contains(self, fold: u32) -> bool {
        // Below the first, the difference wraps around to a large number.
        fold.wrapping_sub(self.first) < self.end - self.first
    }

    /// The fold that the model is scored on, if any is held out.
    pub fn scored(self) -> Option<u32> {
        (self.first < self.end).then_some(self.first)
    }
}

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
    /// The folds that count nothing.
    pub held_out: HeldOut,
}

impl ModelSpec {
    /// One that has no positive row and weighs every row alike: what the models of a stack share.
    pub fn shared() -> Self {
        Self {
            class: NO_CLASS,
            penalty: Penalty::default(),
            positive_weight: 1.0,
            negative_weight: 1.0,
            held_out: HeldOut::NONE,
        }
    }

    /// The weight of a row with such a label and weight, as this model sees it.
    #[inline]
    pub fn weight(&self, label: u32, weight: f64) -> f64 {
        let factor = if class_of(label) == self.class { self.positive_weight } else { self.negative_weight };
        if self.held_out.contains(fold_of(label)) { 0.0 } else { weight * factor }
    }

    /// What the rows with y = 1 and those with y = 0 add up to, of the folds that are learned from.
    pub fn sides(&self, totals: &Totals) -> [f64; 2] {
        let mut sides = [0.0; 2];
        for (_, by_class) in (0..).zip(totals.folds()).filter(|&(fold, _)| !self.held_out.contains(fold)) {
            let positive = by_class.get(self.class as usize).copied().unwrap_or(0.0);
            sides[0] += positive;
            sides[1] += by_class.iter().sum::<f64>() - positive;
        }
        sides
    }

    /// `S`: the sum of the row weights as this model sees them.
    pub fn weight_sum(&self, rows: &Rows) -> f64 {
        self.weight_sum_of(rows.weights())
    }

    /// `S` over rows whose weights add up to `totals`.
    pub fn weight_sum_of(&self, totals: &Totals) -> f64 {
        let [positive, negative] = self.sides(totals);
        self.positive_weight * positive + self.negative_weight * negative
    }
}
