//! Loss and gradient of the stack, as means over the rows.

use super::Coefficients;

/// The mean loss of each model and its gradient, penalties not included.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// `(1/S) sum_i s_i [log(1 + exp(z_i)) - y_i z_i]` per model.
    pub loss: Vec<f64>,
    /// `(1/S) sum_i s_i (sigmoid(z_i) - y_i) [x_i, 1]` per model.
    pub gradient: Coefficients,
}

/// An [`Evaluation`] in float64, and what a duality gap needs besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// Loss and gradient.
    pub evaluation: Evaluation,
    /// What a bound on the distance to the minimum is made of, if it was asked for.
    pub(super) dual: Option<Dual>,
    /// What each model makes of the fold that it is scored on.
    pub(super) held_out: Vec<Option<HeldOutSums>>,
}

/// What a duality gap is made of, besides loss and gradient.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dual {
    /// The share of the rows with y = 1 in the gradient.
    pub(super) positive: Coefficients,
    /// `(1/S) sum s_i f*(r_i)` over the rows with y = 0 and those with y = 1, f* the conjugate of the loss.
    pub(super) conjugate: Vec<[f64; 2]>,
}

/// Whether an evaluation in float64 also bounds the distance to the minimum, for half as much again of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// It does.
    With,
    /// It does not.
    Without,
}

impl Exact {
    /// What each model makes of the fold that it is scored on.
    pub fn held_out(&self) -> &[Option<HeldOutSums>] {
        &self.held_out
    }
}

/// Sums over the rows of the fold that a model is scored on; class weights do not count there.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeldOutSums {
    /// Weight of the rows with y = 0 and of those with y = 1.
    pub weight: [f64; 2],
    /// `sum s_i [log(1 + exp(z_i)) - y_i z_i]`.
    pub loss: f64,
    /// `sum s_i (p_i - y_i)^2`.
    pub squares: f64,
    /// Weight of the rows of either side for which `p_i >= 1/2` says the other.
    pub wrong: [f64; 2],
}
