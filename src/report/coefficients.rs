//! The coefficients section: a forest plot of the first model, and the inference on each model.

use super::Report;
use super::effects::{EffectRow, Largest, effect_row, effects, kept_of_each, largest, ratio_ticks, reach};
use super::intervals::{self, of_class};
use super::page::NAME;
use super::text::{count, number};
use crate::model::{FittedModel, Task};
use crate::plots::{ratio_axis, short};

/// The coefficients section.
pub(super) struct Coefficients {
    pub(super) nonzero: String,
    pub(super) n_features: String,
    pub(super) intercept: String,
    pub(super) found: String,
    pub(super) unit: &'static str,
    pub(super) ratio_ticks: Vec<(String, String)>,
    pub(super) effects: Vec<EffectRow>,
    pub(super) has_intervals: bool,
    pub(super) inference: Vec<Inferred>,
    pub(super) kept_note: String,
}

/// The inference on one model.
pub(super) struct Inferred {
    pub(super) class: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) warnings: Vec<String>,
}

/// The coefficients in a page, and the axis of their plot.
pub(super) struct Carried {
    /// The largest coefficients of each model in the page.
    pub(super) largest: Vec<Largest>,
    ticks: Vec<(f64, String)>,
    /// Log-odds at the right end of the axis.
    pub(super) reach: f64,
}

impl Carried {
    /// Selects the largest coefficients of each model.
    pub(super) fn choose(report: &Report<'_>) -> Self {
        let model = report.model;
        let n_models = report.classes.len();
        let most = kept_of_each(n_models);
        let known = |fitted: &FittedModel| {
            report.inference.as_ref().and_then(|inference| of_class(inference, &fitted.class))
        };
        let largest: Vec<Largest> = model
            .models
            .iter()
            .take(n_models)
            .map(|fitted| largest(model, fitted, known(fitted), most))
            .collect();
        let axis = ratio_axis(reach(largest.iter()));
        Self { largest, reach: axis.range.end, ticks: axis.ticks }
    }
}

impl Coefficients {
    pub(super) fn new(report: &Report<'_>, carried: &Carried) -> Self {
        let model = report.model;
        let first = &carried.largest[0];
        let rows: Vec<EffectRow> = effects(model, first)
            .iter()
            .zip(&first.kept)
            .map(|(effect, kept)| effect_row(effect, kept.coefficient, carried.reach))
            .collect();
        let nonzero = count(first.nonzero as f64);
        Self {
            n_features: count(model.features.len() as f64),
            intercept: number(first.intercept),
            found: if rows.is_empty() {
                "every coefficient is zero".to_owned()
            } else {
                format!("the {} largest of {nonzero}", rows.len())
            },
            nonzero,
            unit: if model.standardize { " per SD" } else { "" },
            ratio_ticks: ratio_ticks(&carried.ticks, carried.reach),
            effects: rows,
            has_intervals: report.inference.is_some(),
            inference: inferred(report),
            kept_note: kept_note(report, &carried.largest),
        }
    }
}

/// A note if some nonzero coefficients are not in the page.
fn kept_note(report: &Report<'_>, carried: &[Largest]) -> String {
    if carried.iter().all(|largest| largest.nonzero <= largest.kept.len()) {
        return String::new();
    }
    let each = if report.model.task == Task::OneVsRest { " of each model" } else { "" };
    let most = count(kept_of_each(report.classes.len()) as f64);
    format!("This page has the {most} largest{each}; logodds inspect shows all.")
}

/// Inference on the models, in the order of their classes; only for models in the page.
fn inferred(report: &Report<'_>) -> Vec<Inferred> {
    let Some(inference) = &report.inference else { return Vec::new() };
    let of = |fitted: &FittedModel| {
        of_class(inference, &fitted.class).map(|model| Inferred {
            class: short(&fitted.class, NAME),
            facts: intervals::facts(inference, model),
            warnings: intervals::warnings(inference, model),
        })
    };
    report.model.models.iter().take(report.classes.len()).filter_map(of).collect()
}
