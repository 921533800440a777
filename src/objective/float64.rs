//! The two products of a panel in float64: what certificates and predictions are made of.
//!
//! Loops over fixed groups, compiled for the processor's vectors by the caller's dispatch.

use std::ops::Range;

use crate::objective::Coefficients;
use crate::panels::PANEL_ROWS;

/// Models handled together: each conversion of x to float64 serves all of them.
pub(super) const TILE: usize = 4;

/// One value per row of a panel, for each model of a tile.
pub(super) type PanelTile = [[f64; PANEL_ROWS]; TILE];

const LANES: usize = 8;

/// `z = X w + b` for up to [`TILE`] `models`; tiles beyond them are left at 0.
#[inline(always)]
pub(super) fn predictors(
    panel: &[f32],
    coefficients: &Coefficients,
    models: Range<usize>,
    z: &mut PanelTile,
) {
    let d = coefficients.n_features();
    for (k, z) in z.iter_mut().enumerate() {
        z.fill(if k < models.len() { coefficients.intercept(models.start + k) } else { 0.0 });
    }
    for (j, column) in panel.chunks_exact(PANEL_ROWS).enumerate().take(d) {
        let w: [f64; TILE] =
            std::array::from_fn(
                |k| if k < models.len() { coefficients.model(models.start + k)[j] } else { 0.0 },
            );
        let [z0, z1, z2, z3] = z;
        for (i, &x) in column.iter().enumerate() {
            let x = f64::from(x);
            z0[i] += w[0] * x;
            z1[i] += w[1] * x;
            z2[i] += w[2] * x;
            z3[i] += w[3] * x;
        }
    }
}

/// Calls `add(j, sums)` with `sum_i r_i x_ij` for each feature j and each model of the tile.
#[inline(always)]
pub(super) fn gradients(panel: &[f32], r: &PanelTile, mut add: impl FnMut(usize, [f64; TILE])) {
    for (j, column) in panel.chunks_exact(PANEL_ROWS).enumerate() {
        let mut lanes = [[0.0; LANES]; TILE];
        for (group, x) in column.as_chunks::<LANES>().0.iter().enumerate() {
            for (k, lanes) in lanes.iter_mut().enumerate() {
                let r = &r[k].as_chunks::<LANES>().0[group];
                for i in 0..LANES {
                    lanes[i] += r[i] * f64::from(x[i]);
                }
            }
        }
        add(j, std::array::from_fn(|k| lanes[k].iter().sum()));
    }
}
