//! Coefficients in the order of their weight beside each other.

use super::text::{number, ratio, significant};
use crate::model::{FittedModel, Model};
use crate::plots::{Effect, short};

/// Coefficients that a page carries in all, of one model at least, and at most.
const IN_ALL: usize = 6_000;
const OF_ONE: (usize, usize) = (20, 1_000);

/// Rows of a forest plot; `page.js` shows as many.
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
        .map(|(j, (&coefficient, (_, scale)))| (j, carried(coefficient), carried(coefficient * scale)))
        .collect();
    kept.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then(a.0.cmp(&b.0)));
    let nonzero = kept.len();
    kept.truncate(most);
    Largest { kept, nonzero }
}

/// Eight significant digits: those that the page carries, so that what it says first is what its script says later.
fn carried(coefficient: f64) -> f64 {
    significant(coefficient, 8).parse().unwrap_or(coefficient)
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

/// A row of the forest plot: names and numbers as text, places in percent of the axis.
pub(super) struct EffectRow {
    pub(super) feature: String,
    pub(super) lowers: bool,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) at: String,
    pub(super) ratio: String,
    pub(super) per_unit: String,
    pub(super) coefficient: String,
}

/// A place on the axis of odds ratios, in percent of its width.
fn place(log_odds: f64, reach: f64) -> f64 {
    (50.0 + 50.0 * log_odds / reach).clamp(0.0, 100.0)
}

pub(super) fn effect_row(effect: &Effect, coefficient: f64, reach: f64) -> EffectRow {
    let at = place(effect.standardised, reach);
    let percent = |at: f64| format!("{at:.2}");
    EffectRow {
        feature: short(&effect.feature, 80),
        lowers: effect.standardised < 0.0,
        from: percent(at.min(50.0)),
        to: percent(at.max(50.0)),
        at: percent(at),
        ratio: ratio(effect.standardised.exp()),
        per_unit: ratio(coefficient.exp()),
        coefficient: number(coefficient),
    }
}

/// One, and the outermost ratio on each side: more has no room on a phone.
pub(super) fn ratio_ticks(ticks: &[(f64, String)], reach: f64) -> Vec<(String, String)> {
    let last = ticks.iter().map(|tick| tick.0.abs()).fold(0.0, f64::max);
    let shown = ticks.iter().filter(|tick| tick.0 == 0.0 || tick.0.abs() == last);
    shown.map(|(at, text)| (format!("{:.2}", place(*at, reach)), text.clone())).collect()
}
