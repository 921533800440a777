//! Checks that a table is the training table of a model.

use super::pass::{ModelSums, TableSums};
use crate::error::{InferenceError, Result};
use crate::model::{FittedModel, Model};
use crate::objective::{Coordinates, ModelSpec};

/// Largest relative difference between the objective here and in the model file. Blocks and training round
/// to float32 in different places, and near separation such errors are amplified.
const SAME_OBJECTIVE: f64 = 1e-5;

/// Checks the number and total weight of the rows against training.
pub(super) fn check_table(model: &Model, table: &TableSums) -> Result<()> {
    let training = &model.training;
    let other = |what: String| Err(InferenceError::OtherRows { what }.into());
    if table.rows != training.rows {
        return other(format!("{} rows are used here, {} were used in training", table.rows, training.rows));
    }
    if (table.weight_sum - training.weight_sum).abs() > 1e-9 * training.weight_sum {
        return other(format!(
            "their weights add up to {} here, and added up to {} in training",
            table.weight_sum, training.weight_sum
        ));
    }
    Ok(())
}

/// Checks the objective of the model against training.
pub(super) fn check_objective(
    fitted: &FittedModel,
    model: &ModelSpec,
    column: &[f64],
    sums: &ModelSums,
    table: &TableSums,
) -> Result<()> {
    let penalty = Coordinates::new(column.len() - 1, true).value(&model.penalty, column);
    let [negative, positive] = sums.loss;
    let here = (negative + positive) / table.weight_sum + penalty;
    let agrees = |here: f64| (here - fitted.objective).abs() <= SAME_OBJECTIVE * fitted.objective + 1e-12;
    if agrees(here) {
        return Ok(());
    }
    let weight = table.class_weight[model.class as usize];
    let balanced = 0.5 * (positive / weight + negative / (table.weight_sum - weight)) + penalty;
    if agrees(balanced) {
        return Err(InferenceError::ClassWeights.into());
    }
    let what = format!(
        "the objective of class {:?} is {here:.9} here, and was {:.9} in training",
        fitted.class, fitted.objective
    );
    Err(InferenceError::OtherRows { what }.into())
}
