//! What float32 rounding of the features may have changed of an objective.

use rayon::prelude::*;

use crate::objective::ModelSpec;
use crate::panels::{PANEL_ROWS, Panels, Rows, class_of};

/// Rounding of a float32 value, root mean square, as a share of it: uniform within half a unit of the last of 24 bits.
const ROUNDING: f64 = 2.4e-8;

/// Rows whose weights one task adds up.
const ROWS_PER_TASK: usize = 1 << 16;

/// Rows whose rounding is taken for independent, at most.
const INDEPENDENT_ROWS: f64 = 4096.0;

/// Standard deviations that a bound allows for.
const DEVIATIONS: f64 = 6.0;

/// A table whose features are rounded to float32, but for those that are kept exactly.
#[derive(Debug)]
pub struct Rounding<'a> {
    rows: &'a Rows,
    /// `(1/S) sum_i s_i x_ij^2` of each feature; 0 for those that are kept exactly.
    squares: Vec<f64>,
    /// `sum_i s_i^2` of each class; empty where nothing is rounded.
    squared_weights: Vec<f64>,
}

impl<'a> Rounding<'a> {
    /// Of a table: one reading of the rows' weights where anything is rounded, and of the features whose mean square is
    /// not `known`.
    pub fn new(panels: &Panels, rows: &'a Rows, known: impl Fn(usize) -> Option<f64> + Sync) -> Self {
        let of = |j: usize| match panels.is_rounded(j) {
            true => known(j).unwrap_or_else(|| mean_square(panels, rows, j)),
            false => 0.0,
        };
        let squares: Vec<f64> = (0..panels.n_features()).into_par_iter().map(of).collect();
        let is_rounded = squares.iter().any(|square| *square > 0.0);
        let squared_weights = if is_rounded { squared_weights(rows) } else { Vec::new() };
        Self { rows, squares, squared_weights }
    }

    /// A bound on the change of a model's objective, at any coefficients as large as these:
    ///
    /// ```text
    /// e = 2.4e-8 sqrt(sum_j w_j^2 rms(x_j)^2),   j over the rounded features
    /// |F~ - F| <= 6 e rms(r) / sqrt(n) + e^2 / 8,   rms(r)^2 <= F,   n = min((sum_i s_i)^2 / sum_i s_i^2, 4096)
    /// ```
    ///
    /// A row's predictor is off by e, so that the slopes r of the loss average it out; the loss's curvature is a quarter at
    /// most. Equal values are rounded alike, so that no more than some thousand rows are taken for independent.
    ///
    /// # Panics
    /// If there is not one coefficient for each feature.
    pub fn bound(&self, model: &ModelSpec, coefficients: &[f64], objective: f64) -> f64 {
        assert_eq!(coefficients.len(), self.squares.len(), "a coefficient for each feature");
        let parts: f64 = self.parts(coefficients).map(|(_, part)| part).sum();
        if parts > 0.0 { bound(parts, objective, self.share(model)) } else { 0.0 }
    }

    /// The features that must be kept exactly for the bound to be at most `allowed`: as few as will do.
    ///
    /// # Panics
    /// If there is not one coefficient for each feature.
    pub fn too_coarse(
        &self,
        model: &ModelSpec,
        coefficients: &[f64],
        objective: f64,
        allowed: f64,
    ) -> Vec<usize> {
        assert_eq!(coefficients.len(), self.squares.len(), "a coefficient for each feature");
        let mut parts: Vec<(usize, f64)> = self.parts(coefficients).collect();
        if parts.is_empty() {
            return Vec::new();
        }
        parts.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (mut left, share) = (0.0, self.share(model));
        let mut kept = parts.len();
        while let Some((_, part)) = parts.get(parts.len() - kept)
            && bound(left + part, objective, share) <= allowed
        {
            left += part;
            kept -= 1;
        }
        parts.split_off(parts.len() - kept).into_iter().map(|(j, _)| j).collect()
    }

    /// `w_j^2 rms(x_j)^2` of the rounded features that have one.
    fn parts(&self, coefficients: &[f64]) -> impl Iterator<Item = (usize, f64)> {
        let parts = coefficients.iter().zip(&self.squares).map(|(w, square)| w * w * square);
        parts.enumerate().filter(|(_, part)| *part > 0.0)
    }

    /// `1 / sqrt(n)`; rows that a model holds out count too, which makes the bound larger.
    fn share(&self, model: &ModelSpec) -> f64 {
        let factor = |class: usize| match class == model.class as usize {
            true => model.positive_weight,
            false => model.negative_weight,
        };
        let of = |(class, square): (usize, &f64)| factor(class).powi(2) * square;
        let squares: f64 = self.squared_weights.iter().enumerate().map(of).sum();
        (squares.sqrt() / model.weight_sum(self.rows)).max(1.0 / INDEPENDENT_ROWS.sqrt())
    }
}

/// `sum_i s_i^2` of each class.
fn squared_weights(rows: &Rows) -> Vec<f64> {
    let starts: Vec<usize> = (0..rows.n_rows()).step_by(ROWS_PER_TASK).collect();
    let of_task = |first: usize| {
        let mut sums = vec![0.0; rows.class_weight().len()];
        for slot in first..rows.n_rows().min(first + ROWS_PER_TASK) {
            if let Some(sum) = sums.get_mut(class_of(rows.labels()[slot]) as usize) {
                *sum += rows.exact_weight(slot).powi(2);
            }
        }
        sums
    };
    // Collected first: the same bits on any number of threads.
    let tasks: Vec<Vec<f64>> = starts.into_par_iter().map(of_task).collect();
    let mut all = vec![0.0; rows.class_weight().len()];
    tasks.iter().for_each(|sums| all.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum));
    all
}

fn bound(parts: f64, objective: f64, share: f64) -> f64 {
    let of_row = ROUNDING * parts.sqrt();
    DEVIATIONS * of_row * objective.max(0.0).sqrt() * share + of_row.powi(2) / 8.0
}

/// `(1/S) sum_i s_i x_ij^2` of a feature.
pub fn mean_square(panels: &Panels, rows: &Rows, feature: usize) -> f64 {
    let (mut sum, mut x) = (0.0, [0.0; PANEL_ROWS]);
    for p in 0..panels.n_panels() {
        panels.widen(p, feature, &mut x);
        let weights = rows.panel_weights(p);
        sum += x.iter().zip(weights).map(|(x, s)| s * x * x).sum::<f64>();
    }
    sum / rows.weight_sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::exact::evaluate;
    use crate::objective::{Coefficients, Gaps};

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
        let rounding = Rounding::new(&rounded, &rows, |_| Some(1.0));
        let bound = rounding.bound(&model, &coefficients[..2], found);
        let change = (found - expected).abs();
        assert!(change > 0.0 && change <= bound && bound < 1e3 * change, "{change:e}, bound {bound:e}");
        assert_eq!(Rounding::new(&exact, &rows, |_| None).bound(&model, &coefficients[..2], found), 0.0);
        let too_coarse = |allowed: f64| rounding.too_coarse(&model, &coefficients[..2], found, allowed);
        assert_eq!(too_coarse(bound), [] as [usize; 0]);
        assert_eq!(too_coarse(0.9 * bound), [0]);
        assert_eq!(too_coarse(0.0).len(), 2);
    }
}
