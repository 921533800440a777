//! The memory that training takes beside the table.

use crate::config::{Solver, ValidConfig};
use crate::data::{Dataset, Room, TableShape};
use crate::engine::exact::Gram;
use crate::objective::Penalty;
use crate::solver::{FullBatch, Route, WorkingSet};

/// Float64 numbers of a model for each row: linear predictors and the values computed from them.
const OF_ROW: u64 = 4;
/// Float64 numbers of a model for each feature: its iterates, gradients and L-BFGS pairs.
const OF_FEATURE: u64 = 40;
/// Working matrices of a solver, beside the stored ones: one shared, one scaled, one factored.
const MATRICES: u64 = 3;

/// Bytes that all models of a table of this shape take during training.
pub(super) fn beside(config: &ValidConfig, shape: &TableShape) -> u64 {
    let models = if shape.classes == 2 { 1 } else { shape.classes as u64 };
    let numbers =
        OF_ROW.saturating_mul(shape.rows as u64).saturating_add(OF_FEATURE * (shape.features as u64 + 1));
    let penalty = config.penalty.resolve(shape.rows as f64);
    // Only Newton's method keeps a matrix for each model; other solvers share one.
    let kept = if config.solver == Solver::Newton { models } else { 1 };
    let own = own_order(config, shape, &[penalty]).map_or(0, |order| matrices(kept, order));
    models.saturating_mul(numbers).saturating_mul(8).saturating_add(own).saturating_add(shared(
        config,
        shape,
        &[penalty],
    ))
}

/// The memory left for another table beside a training table and its training.
pub(crate) fn room_beside(config: &ValidConfig, dataset: &Dataset) -> Room {
    let shape = dataset.shape();
    // The memory that the system has available does not include the table.
    let table = if config.memory.is_some() { dataset.bytes() } else { 0 };
    Room { memory: config.memory, held: table.saturating_add(beside(config, &shape)) }
}

/// Bytes that a solver takes for models of these penalties, whatever their number.
pub(crate) fn shared(config: &ValidConfig, shape: &TableShape, penalties: &[Penalty]) -> u64 {
    let &TableShape { rows, features, .. } = shape;
    let own = own_order(config, shape, penalties);
    let of_own = own.map_or(0, |order| matrices(MATRICES, order) + 2 * Gram::partial_bytes(order));
    // After row-space steps, steps over the features finish the solution: one matrix shared, one factored.
    let order = features + 1;
    let is_in_rows = own.is_some_and(|own| own < order) && features <= FullBatch::MAX_FEATURES;
    let of_mending = if is_in_rows { matrices(2, order) + Gram::partial_bytes(order) } else { 0 };
    let of_sets = if routes(config, shape, penalties).any(|route| route == Route::WorkingSets) {
        let has_ridge = penalties.iter().any(|penalty| penalty.l1 > 0.0 && penalty.l2 > 0.0);
        let set = WorkingSet::largest(rows, features, has_ridge);
        let order = WorkingSet::order(set);
        let of_set = matrices(1 + MATRICES, order) + 2 * Gram::partial_bytes(order);
        shape.bytes(set).saturating_add(of_set)
    } else {
        0
    };
    of_own.saturating_add(of_mending).saturating_add(of_sets)
}

/// The routes that models of these penalties may take.
fn routes<'a>(
    config: &ValidConfig,
    shape: &TableShape,
    penalties: &'a [Penalty],
) -> impl Iterator<Item = Route> + 'a {
    Route::possible(config.solver, (shape.rows, shape.features), penalties, config.validation.is_some())
}

/// The order of the largest curvature matrices that models of these penalties may keep; `None` if they keep none.
pub(crate) fn own_order(config: &ValidConfig, shape: &TableShape, penalties: &[Penalty]) -> Option<usize> {
    let table = (shape.rows, shape.features);
    routes(config, shape, penalties).filter_map(|route| route.hessian_order(table)).max()
}

fn matrices(count: u64, order: usize) -> u64 {
    (order as u64).saturating_pow(2).saturating_mul(8 * count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainConfig;

    fn config(set: impl FnOnce(&mut TrainConfig)) -> ValidConfig {
        let mut config =
            TrainConfig { data: vec!["t".into()], target: Some("y".into()), ..TrainConfig::default() };
        set(&mut config);
        config.check().expect("settings that go together")
    }

    #[test]
    fn working_sets_and_what_follows_the_space_of_the_rows_count() {
        let shape = TableShape { rows: 1500, features: 4000, classes: 2, folds: 0, words: 1 };
        let lasso = config(|c| c.l1 = Some(0.01));
        // A working set of 3,000 features: its table, and the matrices of its Newton steps.
        let of_set = 1536 * 3000 * 4 + 4 * 3001 * 3001 * 8;
        assert!(beside(&lasso, &shape) > of_set);
        let few = TableShape { rows: 100, ..shape };
        assert!(beside(&lasso, &few) < of_set / 10, "few rows leave few coefficients");
        let elastic = config(|c| (c.l1, c.l2) = (Some(0.01), Some(0.01)));
        assert!(beside(&elastic, &few) > 4 * 4001 * 4001 * 8 - 1, "with a share of L2, any number");
        let ridge = config(|_| ());
        assert!(beside(&ridge, &shape) > 2 * 4001 * 4001 * 8 + 3 * 1501 * 1501 * 8);
        let lbfgs = config(|c| (c.l1, c.solver) = (Some(0.01), Some(Solver::Lbfgs)));
        assert!(beside(&lbfgs, &few) > 3 * 4001 * 4001 * 8, "a Gram matrix of all features");
    }
}
