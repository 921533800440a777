//! One algorithm a file, host side, float64 state, over the whole stack. A solver knows the
//! objective and the [`Passes`] over a table; no data format, no device.

mod bases;
mod curvature;
mod descent;
mod early_stopping;
mod factor;
mod full_batch;
mod passes;
mod proof;
mod quadratic;
mod renewal;
mod route;
mod row_space;
mod separation;
mod sgd;
mod spectrum;
mod stages;
mod states;
mod substitution;
mod working_set;

pub use early_stopping::{Validated, Validation};
pub use full_batch::{FullBatch, Method};
pub use passes::Passes;
pub use proof::Proof;
pub use route::Route;
pub use row_space::RowSpace;
pub use sgd::Sgd;
pub use spectrum::Spectrum;
pub use working_set::WorkingSet;

use crate::engine::exact::Smoothness;
use crate::objective::{Certificate, Coefficients, Coordinates, Gaps, ModelSpec};
use crate::panels::Rows;

/// What is to be minimised: the stack, and what a solver must know of the data.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// The models of the stack.
    pub models: &'a [ModelSpec],
    /// The classes and weights of the rows.
    pub rows: &'a Rows,
    /// What is asked of each coefficient.
    pub coordinates: &'a Coordinates,
    /// Curvature of each model's loss; only `sgd` needs it.
    pub smoothness: &'a [Smoothness],
    /// Where every model starts.
    pub start: Coefficients,
    /// Whether the start is close to the optimum: then samples of the rows have nothing to teach.
    pub is_warm: bool,
    /// Whether certificates bound the distance to the minimum.
    pub gaps: Gaps,
}

impl<'a> Problem<'a> {
    /// From a start that need not be close to the optimum, with bounds on the distance to the minimum.
    pub fn new(
        models: &'a [ModelSpec],
        rows: &'a Rows,
        coordinates: &'a Coordinates,
        start: Coefficients,
    ) -> Self {
        Self { models, rows, coordinates, smoothness: &[], start, is_warm: false, gaps: Gaps::With }
    }
}

/// What a run over another table leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The best point found of each model.
    pub coefficients: Coefficients,
    /// Iterations that each model took.
    pub iterations: Vec<usize>,
    /// Readings of that table.
    pub passes: f64,
}

impl From<Solution> for Minimum {
    fn from(solution: Solution) -> Self {
        let Solution { coefficients, iterations, passes, .. } = solution;
        Self { coefficients, iterations, passes }
    }
}

/// The state of a run after an epoch or iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Epochs or iterations done.
    pub iteration: usize,
    /// Readings of X so far, counted in whole tables.
    pub passes: f64,
    /// Mean objective over the stack.
    pub objective: f64,
    /// Largest residual over the stack: that of the optimality conditions, or for `sgd` with an L1
    /// penalty the proximal gradient mapping.
    pub kkt_residual: f64,
    /// Models still in the stack.
    pub active: usize,
    /// Models whose residual is within the tolerance.
    pub converged: usize,
    /// What the models that were active make of the held-out rows.
    pub validated: Option<Validated>,
}

/// Why a model left the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Its KKT residual is within the tolerance.
    Converged,
    /// Its objective no longer goes down by an amount that matters.
    ProgressEnded,
    /// Its score on the held-out rows stopped improving.
    Patience,
    /// The bound on epochs or iterations was reached.
    Limit,
    /// A plane separates the classes, and without a penalty there is no optimum.
    Separated,
    /// The caller asked to stop.
    Interrupted,
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The best point found of each model.
    pub coefficients: Coefficients,
    /// What is known of each model at those very numbers, where the run ended with it.
    pub certificates: Vec<Option<Certificate>>,
    /// What is known of each model besides.
    pub proofs: Vec<Proof>,
    /// Epochs or iterations that each model took.
    pub iterations: Vec<usize>,
    /// Why each model stopped.
    pub stops: Vec<Stop>,
    /// Readings of X, counted in whole tables.
    pub passes: f64,
    /// What ran, for people: `newton`.
    pub method: String,
}

impl Solution {
    /// Whether a model is within the tolerance of its minimum, by its certificate and its proof.
    pub fn has_converged(&self, m: usize, certificate: &Certificate, proof: &Proof, tolerance: f64) -> bool {
        let is_proved = certificate.duality_gap.is_some() || proof.newton_decrement.is_some();
        // Who stopped early was not asked for a proof.
        let is_open = matches!(self.stops[m], Stop::Interrupted | Stop::Patience) && !is_proved;
        certificate.is_within(tolerance)
            && proof.is_within(certificate.objective, tolerance)
            && self.stops[m] != Stop::Separated
            && !is_open
    }
}

/// The change of the loss between two close points, each given with its gradient, by the trapezoidal rule: it
/// keeps its digits where the difference of two objectives has none left.
fn trapezoid((from, before): (&[f64], &[f64]), (to, after): (&[f64], &[f64])) -> f64 {
    let slopes = before.iter().zip(after).map(|(a, b)| 0.5 * (a + b));
    let step = to.iter().zip(from).map(|(a, b)| a - b);
    slopes.zip(step).map(|(slope, step)| slope * step).sum()
}
