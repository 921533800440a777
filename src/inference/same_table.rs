//! Whether a table is the one that a model was trained on.

use super::pass::{ModelSums, TableSums};
use crate::error::{InferenceError, Result};
use crate::model::{FittedModel, Model};
use crate::objective::ModelSpec;

/// How much the objective may differ from the model file's, relatively: blocks and training round to float32 in
/// different places, and rows near separation multiply that.
const SAME_OBJECTIVE: f64 = 1e-5;

/// Whether these are the rows of training, as far as their number and weight tell.
pub(super) fn check_table(model: &Model, table: &TableSums) -> Result<()> {
    let training = &model.training;
    let other = |what: String| Err(InferenceError::OtherRows { what }.into());
    if table.rows != training.rows {
        return other(format!("{} rows count here, and {} did then", table.rows, training.rows));
    }
    if (table.weight_sum - training.weight_sum).abs() > 1e-9 * training.weight_sum {
        return other(format!(
            "their weights add up to {}, and did to {} then",
            table.weight_sum, training.weight_sum
        ));
    }
    Ok(())
}

/// Whether the model has the objective here that it had in training.
pub(super) fn check_objective(
    fitted: &FittedModel,
    model: &ModelSpec,
    column: &[f64],
    sums: &ModelSums,
    table: &TableSums,
) -> Result<()> {
    let penalty = model.penalty.value(&column[..column.len() - 1]);
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
        "the objective of class {:?} is {here:.9} here, and was {:.9} then",
        fitted.class, fitted.objective
    );
    Err(InferenceError::OtherRows { what }.into())
}
