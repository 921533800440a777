//! Coefficients in the order of their weight beside each other.

use crate::model::{FittedModel, Model};
use crate::plots::Effect;

/// Coefficients that a page carries in all, of one model at least, and at most.
const IN_ALL: usize = 6_000;
const OF_ONE: (usize, usize) = (20, 1_000);

/// Rows of a forest plot.
pub(super) const SHOWN: usize = 20;

/// The largest coefficients of a model that are not zero, by what they do for one standard deviation.
#[derive(Debug, Clone)]
pub(super) struct Largest {
    /// Index of the feature, coefficient in original units, and times the feature's scale.
    pub(super) kept: Vec<(usize, f64, f64)>,
    pub(super) nonzero: usize,
}

/// Those of a model.
pub(super) fn largest(model: &Model, fitted: &FittedModel, most: usize) -> Largest {
    let transform = model.encoding().panel_transform();
    let mut kept: Vec<(usize, f64, f64)> = fitted
        .coefficients
        .iter()
        .zip(transform)
        .enumerate()
        .filter(|(_, (coefficient, _))| **coefficient != 0.0)
        .map(|(j, (&coefficient, (_, scale)))| (j, coefficient, coefficient * scale))
        .collect();
    kept.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then(a.0.cmp(&b.0)));
    let nonzero = kept.len();
    kept.truncate(most);
    Largest { kept, nonzero }
}

/// How many coefficients of each of so many models a page carries.
pub(super) fn kept_of_each(n_models: usize) -> usize {
    (IN_ALL / n_models.max(1)).clamp(OF_ONE.0, OF_ONE.1)
}

/// The rows of a forest plot.
pub(super) fn effects(model: &Model, largest: &Largest) -> Vec<Effect> {
    let effect = |&(j, _, standardised): &(usize, f64, f64)| Effect {
        feature: model.features[j].clone(),
        standardised,
    };
    largest.kept.iter().take(SHOWN).map(effect).collect()
}
