//! Coefficients in descending order of their effect.

use super::text::{number, ratio, significant};
use crate::inference::{CoefficientInference, ModelInference, Status};
use crate::model::{FittedModel, Model};
use crate::plots::{Effect, short};

/// Coefficients in a page: in all models together, at least for each model, and at most for each model.
const IN_ALL: usize = 6_000;
const OF_ONE: (usize, usize) = (20, 1_000);

/// Rows of a forest plot, the same number as in `page.js`.
pub(super) const SHOWN: usize = 20;

/// Intervals are cut off where they exceed the largest effect by this factor.
const WIDEST: f64 = 2.0;

/// A coefficient in the page.
#[derive(Debug, Clone)]
pub(super) struct ShownCoefficient {
    /// Index of the feature.
    pub(super) feature: usize,
    /// Coefficient in original units.
    pub(super) coefficient: f64,
    /// Coefficient times the scale of the feature.
    pub(super) standardised: f64,
    /// Interval of `standardised`, if there is one.
    pub(super) interval: Option<[f64; 2]>,
}

/// The nonzero coefficients of a model that are largest per standard deviation.
#[derive(Debug, Clone)]
pub(super) struct Largest {
    pub(super) kept: Vec<ShownCoefficient>,
    pub(super) nonzero: usize,
    pub(super) intercept: f64,
}

/// The largest coefficients of a model. With inference they come from it: levels are compared with their
/// reference.
pub(super) fn largest(
    model: &Model,
    fitted: &FittedModel,
    inference: Option<&ModelInference>,
    most: usize,
) -> Largest {
    let transform = model.encoding().panel_transform();
    let mut values: Vec<(f64, Option<[f64; 2]>)> = fitted.coefficients.iter().map(|&w| (w, None)).collect();
    let mut intercept = fitted.intercept;
    if let Some(inference) = inference {
        let n_before = inference.coefficients.len() - values.len();
        let (before, of_features) = inference.coefficients.split_at(n_before);
        intercept = before.first().map_or(intercept, |found| found.estimate);
        let interval = |c: &CoefficientInference| {
            let is_known = c.status == Status::Estimated;
            c.low.zip(c.high).filter(|_| is_known).map(|(low, high)| [low, high])
        };
        values = of_features.iter().map(|c| (c.estimate, interval(c))).collect();
    }
    let mut kept: Vec<ShownCoefficient> = values
        .into_iter()
        .zip(transform)
        .enumerate()
        .filter(|(_, ((coefficient, _), _))| *coefficient != 0.0)
        .map(|(feature, ((coefficient, interval), (_, scale)))| ShownCoefficient {
            feature,
            coefficient: carried(coefficient),
            standardised: carried(coefficient * scale),
            interval: interval.map(|ends| ends.map(|end| carried(end * scale))),
        })
        .collect();
    let size = |kept: &ShownCoefficient| kept.standardised.abs();
    kept.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.feature.cmp(&b.feature)));
    let nonzero = kept.len();
    kept.truncate(most);
    Largest { kept, nonzero, intercept }
}

/// The end of the axis, in log-odds: the largest effect, and the ends of the intervals unless these are far
/// wider.
pub(super) fn reach<'a>(of: impl Iterator<Item = &'a Largest>) -> f64 {
    let finite = |sizes: &mut dyn Iterator<Item = f64>| {
        sizes.filter(|size| size.is_finite()).map(f64::abs).fold(0.0, f64::max)
    };
    let (mut sizes, mut ends): (f64, f64) = (0.0, 0.0);
    for largest in of {
        let shown = &largest.kept[..largest.kept.len().min(SHOWN)];
        sizes = sizes.max(finite(&mut largest.kept.iter().map(|kept| kept.standardised)));
        ends = ends.max(finite(&mut shown.iter().filter_map(|kept| kept.interval).flatten()));
    }
    sizes.max(ends.min(WIDEST * sizes))
}

/// Rounds to eight significant digits, as in the payload, so that the first view equals the view of the
/// script.
fn carried(coefficient: f64) -> f64 {
    significant(coefficient, 8).parse().unwrap_or(coefficient)
}

/// Number of coefficients of each model in the page.
pub(super) fn kept_of_each(n_models: usize) -> usize {
    (IN_ALL / n_models.max(1)).clamp(OF_ONE.0, OF_ONE.1)
}

/// The rows of a forest plot.
pub(super) fn effects(model: &Model, largest: &Largest) -> Vec<Effect> {
    let effect = |kept: &ShownCoefficient| Effect {
        feature: model.features[kept.feature].clone(),
        standardised: kept.standardised,
        interval: kept.interval,
    };
    largest.kept.iter().take(SHOWN).map(effect).collect()
}

/// A row of the forest plot: names and numbers as text, positions in percent of the axis.
pub(super) struct EffectRow {
    pub(super) feature: String,
    pub(super) lowers: bool,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) at: String,
    /// Both ends of the interval on the axis, and its text as odds ratios.
    pub(super) interval: Option<(String, String, String)>,
    pub(super) ratio: String,
    pub(super) per_unit: String,
    pub(super) coefficient: String,
}

/// A position on the axis of odds ratios, in percent of its width.
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
        interval: effect.interval.map(|[low, high]| {
            let ratios = format!("{} to {}", ratio(low.exp()), ratio(high.exp()));
            (percent(place(low, reach)), percent(place(high, reach)), ratios)
        }),
        ratio: ratio(effect.standardised.exp()),
        per_unit: ratio(coefficient.exp()),
        coefficient: number(coefficient),
    }
}

/// The tick at 1, and the outermost tick on each side; a phone has no room for more.
pub(super) fn ratio_ticks(ticks: &[(f64, String)], reach: f64) -> Vec<(String, String)> {
    let last = ticks.iter().map(|tick| tick.0.abs()).fold(0.0, f64::max);
    let shown = ticks.iter().filter(|tick| tick.0 == 0.0 || tick.0.abs() == last);
    shown.map(|(at, text)| (format!("{:.2}", place(*at, reach)), text.clone())).collect()
}
