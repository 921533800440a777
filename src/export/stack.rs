//! The parts of a model that both exports need: its relevant columns, and the linear predictors.

use crate::data::{Column, ColumnKind};
use crate::model::Model;
use crate::objective::logit;

/// A column that an exported model reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) column: &'a Column,
    /// Index of its first feature.
    first_feature: usize,
    /// The centre that is subtracted from its numbers before multiplication.
    pub(super) centre: f64,
}

impl<'a> Input<'a> {
    /// Its levels and their indices; empty for a number.
    pub(super) fn levels(&self) -> impl Iterator<Item = (usize, Option<&'a str>)> + use<'a> {
        self.column.levels.iter().flatten().map(Option::as_deref).enumerate()
    }
}

/// The models in exported form:
///
/// ```text
/// z_m = intercept_m + sum over numbers j of coefficient_mj (x_j - centre_j) + sum over levels of the row
/// ```
///
/// Numbers are centred as in prediction, so that a column like a timestamp keeps its digits. Columns whose
/// coefficients are all 0 are left out, unless a null in them prevents a prediction.
pub(super) struct Stack<'a> {
    pub(super) model: &'a Model,
    /// The input columns, in the order of the model.
    pub(super) inputs: Vec<Input<'a>>,
    /// The intercept of each model, for centred numbers.
    pub(super) intercepts: Vec<f64>,
}

impl<'a> Stack<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        let transform = model.encoding().panel_transform();
        let mut inputs = Vec::new();
        let mut first_feature = 0;
        for column in &model.columns {
            let n_features = column.width();
            let features = first_feature..first_feature + n_features;
            let counts =
                model.models.iter().any(|m| m.coefficients[features.clone()].iter().any(|&w| w != 0.0));
            if counts || takes_prediction_away(column) {
                let centre = transform.get(first_feature).map_or(0.0, |&(centre, _)| centre);
                inputs.push(Input { column, first_feature, centre });
            }
            first_feature += n_features;
        }
        // A graph without inputs would not know the number of rows.
        if inputs.is_empty() {
            inputs.push(Input { column: &model.columns[0], first_feature: 0, centre: transform[0].0 });
        }
        let centred = model.panel_coefficients();
        let intercepts = (0..centred.n_models()).map(|m| centred.intercept(m)).collect();
        Self { model, inputs, intercepts }
    }

    /// Coefficient of a number (`level` 0) or of a level, in model `m`.
    pub(super) fn coefficient(&self, m: usize, input: &Input<'_>, level: usize) -> f64 {
        self.model.models[m].coefficients[input.first_feature + level]
    }

    /// Number of models.
    pub(super) fn n_models(&self) -> usize {
        self.model.models.len()
    }

    /// One-vs-rest: the logit of each model's threshold, which is subtracted from z before the largest is
    /// chosen; `None` if all thresholds are one half.
    pub(super) fn offsets(&self) -> Option<Vec<f64>> {
        let offsets: Vec<f64> = self.model.thresholds().into_iter().map(logit).collect();
        offsets.iter().any(|&offset| offset != 0.0).then_some(offsets)
    }
}

/// Whether a null in the column leaves the row without a prediction.
fn takes_prediction_away(column: &Column) -> bool {
    column.kind != ColumnKind::Categorical && column.missing.is_none()
}

/// `wanted`, with underscores appended until it differs from all `taken` names, ignoring case.
pub(super) fn fresh<'n>(wanted: &str, taken: impl Iterator<Item = &'n str> + Clone) -> String {
    let mut name = wanted.to_owned();
    while taken.clone().any(|other| other.to_lowercase() == name.to_lowercase()) {
        name.push('_');
    }
    name
}
