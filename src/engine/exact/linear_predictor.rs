//! The linear predictor in float64, for whoever needs it on the host.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::products::{PanelTile, TILE, predictors};
use crate::objective::Coefficients;
use crate::panels::{PANEL_ROWS, Panels};

/// `z_im = x_i . w_m + b_m` for every row i and model m, summed in float64.
///
/// `coefficients` are in panel space. Panels are taken in parallel; inside one, features are
/// added in their order, so a row's value depends neither on threads nor on other rows.
///
/// # Shapes
/// `n_rows` x `n_models`, row after row.
///
/// # Panics
/// If panels and coefficients differ in their number of features.
pub fn linear_predictor(panels: &Panels, coefficients: &Coefficients) -> Vec<f64> {
    linear_predictor_of(panels, 0..panels.n_panels(), coefficients)
}

/// The same for the rows of some panels.
///
/// # Panics
/// If panels and coefficients differ in their number of features.
pub fn linear_predictor_of(panels: &Panels, range: Range<usize>, coefficients: &Coefficients) -> Vec<f64> {
    assert_eq!(panels.n_features(), coefficients.n_features(), "one coefficient for each feature");
    let n_models = coefficients.n_models();
    let n_rows = (range.end * PANEL_ROWS).min(panels.n_rows()).saturating_sub(range.start * PANEL_ROWS);
    let mut z = vec![0.0; n_rows * n_models];
    if n_models == 0 {
        return z;
    }
    z.par_chunks_mut(PANEL_ROWS * n_models).enumerate().for_each(|(p, rows)| {
        let mut tile: PanelTile<TILE> = [[0.0; PANEL_ROWS]; TILE];
        for first in (0..n_models).step_by(TILE) {
            let models = first..(first + TILE).min(n_models);
            let panel = (panels, range.start + p);
            pulp::Arch::new().dispatch(Predict {
                panel,
                coefficients,
                models: models.clone(),
                out: &mut tile,
            });
            for (i, row) in rows.chunks_exact_mut(n_models).enumerate() {
                for (z, of_model) in row[models.clone()].iter_mut().zip(&tile) {
                    *z = of_model[i];
                }
            }
        }
    });
    z
}

/// The predictors of one panel and a tile of models.
struct Predict<'a> {
    panel: (&'a Panels, usize),
    coefficients: &'a Coefficients,
    models: Range<usize>,
    out: &'a mut PanelTile<TILE>,
}

impl WithSimd for Predict<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        predictors(simd, self.panel, self.coefficients, self.models, self.out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_gets_its_own_sum_around_the_panel_edges() {
        for n_rows in [0, 1, PANEL_ROWS - 1, PANEL_ROWS, PANEL_ROWS + 1, 3 * PANEL_ROWS] {
            let x: Vec<f32> = (0..n_rows * 3).map(|i| ((i * 37) % 101) as f32 / 7.0 - 5.0).collect();
            // More models than a tile holds.
            let n_models = TILE + 1;
            let mut coefficients = Coefficients::zeros(3, n_models);
            for (k, value) in coefficients.values_mut().iter_mut().enumerate() {
                *value = (k * 5 % 11) as f64 / 4.0 - 1.0;
            }
            let expected: Vec<f64> = x
                .chunks_exact(3)
                .flat_map(|row| {
                    (0..n_models).map(|m| {
                        let w = coefficients.features(m);
                        let products = row.iter().zip(w).map(|(&x, w)| f64::from(x) * w);
                        products.fold(coefficients.intercept(m), |sum, product| sum + product)
                    })
                })
                .collect();
            let found = linear_predictor(&Panels::from_rows(&x, 3), &coefficients);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                // Multiply-adds round once where the products above round twice.
                assert!((found - expected).abs() <= 1e-14, "{n_rows} rows: {found} and {expected}");
            }
        }
    }
}
