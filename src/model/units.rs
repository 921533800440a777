//! Converts coefficients between the units of the original columns and the units of the panels.

use std::ops::Range;

use crate::data::{ColumnKind, Encoding};
use crate::objective::Coefficients;

/// Coefficients in original units that give the same linear predictor as `panel` gives for panel values
/// `(value - centre) / scale`:
///
/// ```text
/// beta = w / scale,   intercept = b - sum w centre / scale
/// ```
///
/// # Panics
/// If the encoding has another number of features.
pub fn to_original_units(encoding: &Encoding, panel: &Coefficients) -> Coefficients {
    convert(encoding, panel, |w, centre, scale| {
        let beta = w / scale;
        (beta, -beta * centre)
    })
}

/// The inverse of [`to_original_units`]: coefficients for panel values.
///
/// ```text
/// w = beta scale,   b = intercept + sum beta centre
/// ```
///
/// # Panics
/// If the encoding has another number of features.
pub fn to_panel_units(encoding: &Encoding, original: &Coefficients) -> Coefficients {
    convert(encoding, original, |beta, centre, scale| (beta * scale, beta * centre))
}

/// Shifts the coefficients of each categorical column, and the intercept by the opposite amount. Every
/// training row has one of the levels, so its linear predictor stays the same. Without a penalty all such
/// shifts have the same objective. This one has the smallest sum of squares: it is the limit of vanishing L2
/// penalties. With an intercept, the coefficients of each column get mean 0. Without one, the shifts of all
/// columns must add up to 0, and
///
/// ```text
/// mean_k = lambda / n_k,   lambda = (sum of the means) / (sum of 1 / n_k),   n_k levels
/// ```
///
/// # Panics
/// If the encoding has another number of features.
pub(crate) fn centre_levels(encoding: &Encoding, original: &mut Coefficients) {
    assert_eq!(encoding.n_features(), original.n_features(), "one coefficient for each encoded feature");
    let mut columns: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for column in &encoding.columns {
        let first = at;
        at += column.width();
        if column.kind == ColumnKind::Categorical && at > first {
            columns.push(first..at);
        }
    }
    let inverse: f64 = columns.iter().map(|levels| 1.0 / levels.len() as f64).sum();
    for m in 0..original.n_models() {
        let (features, intercept) = original.model_mut(m).split_at_mut(encoding.n_features());
        let mean = |levels: &Range<usize>| features[levels.clone()].iter().sum::<f64>() / levels.len() as f64;
        let means: Vec<f64> = columns.iter().map(mean).collect();
        let lambda = if encoding.intercept { 0.0 } else { means.iter().sum::<f64>() / inverse };
        for (levels, mean) in columns.iter().zip(means) {
            let shift = mean - lambda / levels.len() as f64;
            features[levels.clone()].iter_mut().for_each(|w| *w -= shift);
            if encoding.intercept {
                intercept[0] += shift;
            }
        }
    }
}

/// Applies `change(coefficient, centre, scale) -> (coefficient, share of the intercept)`.
fn convert(
    encoding: &Encoding,
    from: &Coefficients,
    change: impl Fn(f64, f64, f64) -> (f64, f64),
) -> Coefficients {
    let transform = encoding.panel_transform();
    let n_features = from.n_features();
    assert_eq!(transform.len(), n_features, "one coefficient for each encoded feature");
    let mut to = Coefficients::zeros(n_features, from.n_models());
    for m in 0..from.n_models() {
        let mut intercept = from.intercept(m);
        let column = to.model_mut(m);
        for ((w, &old), &(centre, scale)) in column.iter_mut().zip(from.features(m)).zip(&transform) {
            let (new, share) = change(old, centre, scale);
            *w = new;
            intercept += share;
        }
        column[n_features] = intercept;
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Column, ColumnKind, Nan};

    #[test]
    fn both_units_give_the_same_linear_predictor() {
        let column = |mean: f64, scale: f64| Column {
            name: "x".into(),
            kind: ColumnKind::Numeric,
            mean: Some(mean),
            scale: Some(scale),
            missing: Some(mean),
            temporal: None,
            unit: None,
            level_type: None,
            levels: None,
        };
        let columns = vec![column(3.0, 2.0), column(-1e6, 1e3)];
        let encoding = Encoding { columns, standardize: true, intercept: true, nan: Nan::Null };
        let mut panel = Coefficients::zeros(2, 1);
        panel.values_mut().copy_from_slice(&[0.5, -2.0, 0.25]);

        let original = to_original_units(&encoding, &panel);
        let x = [4.0, -1.002e6];
        let z = original.intercept(0) + original.features(0)[0] * x[0] + original.features(0)[1] * x[1];
        let on_panels = 0.25 + 0.5 * (x[0] - 3.0) / 2.0 - 2.0 * (x[1] + 1e6) / 1e3;
        assert!((z - on_panels).abs() < 1e-9, "{z} {on_panels}");

        let back = to_panel_units(&encoding, &original);
        for (a, b) in back.values().iter().zip(panel.values()) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }
}
