//! What float32 rounding of the features may have changed of an objective.

use super::ModelSpec;
use crate::panels::{Panels, Rows};

/// Rounding of a float32 value, root mean square, as a share of it: uniform within half a unit of the last of 24 bits.
const ROUNDING: f64 = 2.4e-8;

/// Standard deviations that a bound allows for.
const DEVIATIONS: f64 = 6.0;

/// A bound on the change of a model's objective by the rounding of features that are not kept exactly, at any
/// coefficients as large as these:
///
/// ```text
/// e = 2.4e-8 sqrt(sum_j w_j^2 rms(x_j)^2),   j over the rounded features
/// |F~ - F| <= 6 e rms(r) / sqrt(n) + e^2 / 8,   rms(r)^2 <= F,   n = (sum_i s_i)^2 / sum_i s_i^2
/// ```
///
/// A row's predictor is off by e, independently of other rows', so that the slopes r of the loss average it out; its
/// curvature is a quarter at most. `mean_squares` holds `rms(x_j)^2` of each feature.
///
/// # Panics
/// If there is not one mean square for each feature.
pub fn rounding_bound(
    panels: &Panels,
    rows: &Rows,
    model: &ModelSpec,
    coefficients: &[f64],
    mean_squares: &[f64],
    objective: f64,
) -> f64 {
    assert_eq!(mean_squares.len(), panels.n_features(), "a mean square for each feature");
    let of = |j: usize| coefficients[j].powi(2) * mean_squares[j];
    let of_row =
        ROUNDING * (0..mean_squares.len()).filter(|&j| panels.is_rounded(j)).map(of).sum::<f64>().sqrt();
    if of_row == 0.0 {
        return 0.0;
    }
    let weight = |slot: usize| model.weight(rows.labels()[slot], rows.exact_weight(slot)).powi(2);
    let share = (0..rows.n_rows()).map(weight).sum::<f64>().sqrt() / model.weight_sum(rows);
    DEVIATIONS * of_row * objective.max(0.0).sqrt() * share + of_row.powi(2) / 8.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::{Coefficients, Gaps, evaluate};

    #[test]
    fn rounding_changes_no_more_of_an_objective_than_its_bound_and_not_much_less() {
        let n = 2000;
        let x = |i: usize, j: usize| 3.0 * ((i * (j + 3)) as f64 * 0.618_033_988_749_895).fract() - 1.0;
        let coefficients = [40.0, -25.0, 0.5];
        let class = (0..n).map(|i| u32::from((i as f64 * 0.754_877_666_246_692_7).fract() < 0.4)).collect();
        let rows = Rows::new(class, &vec![1.0_f32; n], 2);
        let columns: Vec<(usize, Vec<f64>)> =
            (0..2).map(|j| (j, (0..n).map(|i| x(i, j)).collect())).collect();
        let exact = Panels::zeros(n, 2).with_columns(&columns);
        let mut rounded = Panels::zeros(n, 2).with_rounded(vec![true, true]);
        rounded.values_mut().copy_from_slice(exact.values());
        let model = ModelSpec { class: 1, ..ModelSpec::shared() };
        let loss = |panels: &Panels| {
            let columns = Coefficients::from_columns(2, [&coefficients[..]]);
            evaluate(panels, &rows, &[model], &columns, Gaps::Without).evaluation.loss[0]
        };
        let (found, expected) = (loss(&rounded), loss(&exact));
        let bound = rounding_bound(&rounded, &rows, &model, &coefficients, &[1.0, 1.0], found);
        let change = (found - expected).abs();
        assert!(change > 0.0 && change <= bound && bound < 1e3 * change, "{change:e}, bound {bound:e}");
        assert_eq!(rounding_bound(&exact, &rows, &model, &coefficients, &[1.0, 1.0], found), 0.0);
    }
}
