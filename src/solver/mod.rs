//! One algorithm a file, host side, float64 state, over the whole stack. A solver knows the
//! objective and the passes of an [`Engine`](crate::engine::Engine); no data format, no device.

mod early_stopping;
mod sgd;

pub use early_stopping::Validation;
pub use sgd::{Sgd, SgdProgress};

use crate::objective::{Coefficients, ModelSpec, Smoothness};

/// What is to be minimised: the stack, and what a solver must know of the data.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// The models of the stack.
    pub models: &'a [ModelSpec],
    /// Rows of the table.
    pub n_rows: usize,
    /// Whether intercepts are trained.
    pub intercept: bool,
    /// What the panels subtracted from each feature, see [`crate::objective::kkt_residual`].
    pub offsets: &'a [f64],
    /// Curvature of each model's loss.
    pub smoothness: &'a [Smoothness],
    /// Where every model starts.
    pub start: Coefficients,
}

/// Why a model left the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Its KKT residual is within the tolerance.
    Converged,
    /// Its objective no longer goes down by an amount that matters.
    ProgressEnded,
    /// Its validation loss stopped improving.
    Patience,
    /// The bound on epochs or iterations was reached.
    Limit,
    /// The caller asked to stop.
    Interrupted,
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The best point found of each model.
    pub coefficients: Coefficients,
    /// Epochs or iterations that each model took.
    pub iterations: Vec<usize>,
    /// Why each model stopped.
    pub stops: Vec<Stop>,
    /// Readings of X, counted in whole tables.
    pub passes: usize,
}
