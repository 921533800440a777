//! Finds the coefficients that are infinite because of 0/1 features.

use super::identify::{self, Parameters};
use super::statistics::Context;
use crate::data::ColumnKind;
use crate::objective::ModelSpec;

/// Coefficients without a finite optimum.
pub(super) struct Infinite {
    /// The 0/1 features with a value that occurs on one side only (in rows of the class, or in other rows).
    pub(super) features: Vec<usize>,
    /// For each of these features: that value. The linear predictors of its rows go to infinity.
    pub(super) values: Vec<bool>,
    /// The reference levels among these features.
    pub(super) references: Vec<usize>,
    /// For each parameter: whether its coefficient is infinite.
    pub(super) is_separated: Vec<bool>,
    /// For each parameter: whether it is left out, so that the finite ones are identified.
    pub(super) is_left_out: Vec<bool>,
}

impl Infinite {
    /// No infinite coefficients.
    pub(super) fn none(n_places: usize) -> Self {
        let none = vec![false; n_places];
        Self {
            features: Vec::new(),
            values: Vec::new(),
            references: Vec::new(),
            is_separated: none.clone(),
            is_left_out: none,
        }
    }

    /// Finds the infinite coefficients. If a value of a 0/1 feature occurs on one side only, every step
    /// outwards raises the likelihood.
    pub(super) fn find(context: &Context<'_>, model: &ModelSpec, parameters: &Parameters) -> Self {
        let intercept = context.names.len();
        let class = model.class as usize;
        let one_sided = |j: usize, value: usize| context.table.columns.is_one_sided(j, value, class);
        let is_kept = |j: usize| parameters.dropped[j].is_none();
        let mut infinite = Self::none(intercept + 1);
        // The parameters that take up a constant.
        let constant = identify::constant(context.encoding);
        let mut takes_up = false;
        let columns =
            context.encoding.columns.iter().zip(identify::places(context.encoding)).zip(context.references);
        for ((column, places), &reference) in columns {
            for j in places.clone() {
                let low = column.kind == ColumnKind::Boolean && !constant.is_empty() && one_sided(j, 0);
                if low || (column.kind != ColumnKind::Numeric && one_sided(j, 1)) {
                    infinite.features.push(j);
                    infinite.values.push(!low);
                    infinite.is_separated[j] = true;
                    infinite.is_left_out[j] = true;
                }
                takes_up |= low;
            }
            if let Some(reference) = reference.filter(|&reference| infinite.is_separated[reference]) {
                // Every contrast with it is infinite. Without its rows the other levels add up to 1, so one
                // of them must be left out.
                if let Some(j) = places.clone().find(|&j| is_kept(j) && !infinite.is_left_out[j]) {
                    infinite.is_left_out[j] = true;
                }
                infinite.is_separated[places].fill(true);
                infinite.references.push(reference);
                takes_up = true;
            }
        }
        if takes_up {
            infinite.is_separated[constant].fill(true);
        }
        infinite
    }
}
