//! What training takes beside the table.

use super::solve::hessian_order;
use crate::config::{Solver, ValidConfig};
use crate::objective::Gram;

/// Float64 numbers that a model has for each row: predictors and what follows from them.
const OF_ROW: u64 = 4;
/// Float64 numbers that a model has for each feature: its iterates, gradients and L-BFGS pairs.
const OF_FEATURE: u64 = 40;
/// Matrices that a solver has at hand besides those that are kept: one shared, one scaled, one factored.
const MATRICES: u64 = 3;

/// Bytes that models of so many classes take while they are trained on so many rows and features.
pub(super) fn beside(config: &ValidConfig, rows: usize, features: usize, classes: usize) -> u64 {
    let models = if classes == 2 { 1 } else { classes as u64 };
    let numbers = OF_ROW.saturating_mul(rows as u64).saturating_add(OF_FEATURE * (features as u64 + 1));
    let models_bytes = models.saturating_mul(numbers).saturating_mul(8);
    let penalty = config.penalty.resolve(rows as f64);
    let order = match config.solver {
        Solver::Sgd => None,
        Solver::Auto | Solver::Newton | Solver::Lbfgs => hessian_order(rows, features, &[penalty]),
    };
    let Some(order) = order else { return models_bytes };
    // Only Newton's method has a matrix for each model at all times; others share one.
    let kept = if config.solver == Solver::Newton { models } else { 1 };
    let matrices = (order as u64).saturating_pow(2).saturating_mul(8 * (kept + MATRICES));
    models_bytes.saturating_add(matrices).saturating_add(2 * Gram::partial_bytes(order))
}
