//! The two products of a panel in float64: what certificates and predictions are made of.
//!
//! Some columns at a time are widened to float64 in a buffer that stays in the first-level cache: X then comes
//! from memory in long runs, and the products read it without converting it again. Register tiles hold rows
//! times models, or features times models; every sum is one chain in order, whatever the tile.

use std::ops::Range;

use pulp::Simd;

use crate::objective::Coefficients;
use crate::panels::{PANEL_ROWS, Panels};

/// Models handled together where there are several: each reading of x serves all of them.
pub(super) const TILE: usize = 4;

/// One value per row of a panel, for each of T models.
pub(super) type PanelTile<const T: usize> = [[f64; PANEL_ROWS]; T];

/// Values handled side by side in plain loops.
pub(super) const LANES: usize = 8;

/// Columns widened at a time: 16 KiB, beside residuals of as much in the first-level cache.
const CHUNK: usize = 8;

type Wide = [[f64; PANEL_ROWS]; CHUNK];

/// Widens the columns `features`, up to [`CHUNK`] of them, of panel `p`.
#[inline(always)]
fn widen(panels: &Panels, p: usize, features: Range<usize>, wide: &mut Wide) {
    for (out, j) in wide.iter_mut().zip(features) {
        panels.widen(p, j, out);
    }
}

/// The features, [`CHUNK`] at a time.
#[inline(always)]
fn chunks(n_features: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n_features).step_by(CHUNK).map(move |first| first..n_features.min(first + CHUNK))
}

/// `z = X w + b` over panel `p` for up to T `models`; columns beyond them are left at 0.
#[inline(always)]
pub(super) fn predictors<S: Simd, const T: usize>(
    simd: S,
    (panels, p): (&Panels, usize),
    coefficients: &Coefficients,
    models: Range<usize>,
    z: &mut PanelTile<T>,
) {
    for (k, z) in z.iter_mut().enumerate() {
        z.fill(if k < models.len() { coefficients.intercept(models.start + k) } else { 0.0 });
    }
    let mut wide: Wide = [[0.0; PANEL_ROWS]; CHUNK];
    let mut w = [[0.0; T]; CHUNK];
    for features in chunks(panels.n_features()) {
        let n = features.len();
        for k in 0..models.len() {
            let column = &coefficients.features(models.start + k)[features.clone()];
            w.iter_mut().zip(column).for_each(|(w, &value)| w[k] = value);
        }
        // Sparse models read only the columns near those that they use.
        if w[..n].as_flattened().iter().all(|&w| w == 0.0) {
            continue;
        }
        widen(panels, p, features, &mut wide);
        let (wide, w) = (&wide[..n], &w[..n]);
        match (T, S::REGISTER_COUNT >= 32) {
            (1, _) => add_predictors::<S, T, 8>(simd, wide, w, z),
            (..=TILE, true) => add_predictors::<S, T, 4>(simd, wide, w, z),
            (..=TILE, false) | (_, true) => add_predictors::<S, T, 2>(simd, wide, w, z),
            (_, false) => add_predictors::<S, T, 1>(simd, wide, w, z),
        }
    }
}

#[inline(always)]
fn add_predictors<S: Simd, const T: usize, const G: usize>(
    simd: S,
    wide: &[[f64; PANEL_ROWS]],
    w: &[[f64; T]],
    z: &mut PanelTile<T>,
) {
    for first in (0..PANEL_ROWS / S::F64_LANES).step_by(G) {
        let mut sums = [[simd.splat_f64s(0.0); G]; T];
        for (sums, z) in sums.iter_mut().zip(z.iter()) {
            sums.copy_from_slice(&S::as_simd_f64s(z).0[first..][..G]);
        }
        for (x, w) in wide.iter().zip(w) {
            let x: &[S::f64s; G] = S::as_simd_f64s(x).0[first..][..G].try_into().expect("G vectors");
            for k in 0..T {
                let w = simd.splat_f64s(w[k]);
                for g in 0..G {
                    sums[k][g] = simd.mul_add_e_f64s(x[g], w, sums[k][g]);
                }
            }
        }
        for (sums, z) in sums.iter().zip(z.iter_mut()) {
            S::as_mut_simd_f64s(z).0[first..][..G].copy_from_slice(sums);
        }
    }
}

/// Calls `add(j, sums)` with `sum_i r_i x_ij` over panel `p` for each feature j, each of the T models and each of the K
/// sets of residuals.
#[inline(always)]
pub(super) fn gradients<S: Simd, const T: usize, const K: usize>(
    simd: S,
    (panels, p): (&Panels, usize),
    r: &[PanelTile<T>; K],
    mut add: impl FnMut(usize, [[f64; T]; K]),
) {
    let mut wide: Wide = [[0.0; PANEL_ROWS]; CHUNK];
    for features in chunks(panels.n_features()) {
        let (first, n) = (features.start, features.len());
        widen(panels, p, features, &mut wide);
        let mut j = 0;
        while j < n {
            let add = |h: usize, sums| add(first + j + h, sums);
            let (wide, left) = (&wide[j..n], n - j);
            j += match T {
                1 if left >= 4 => tile_gradients::<S, T, K, 4>(simd, wide, r, add),
                2.. if left >= 2 && S::REGISTER_COUNT >= 32 => {
                    tile_gradients::<S, T, K, 2>(simd, wide, r, add)
                }
                _ => tile_gradients::<S, T, K, 1>(simd, wide, r, add),
            };
        }
    }
}

/// The first H features of `wide`; returns H.
#[inline(always)]
fn tile_gradients<S: Simd, const T: usize, const K: usize, const H: usize>(
    simd: S,
    wide: &[[f64; PANEL_ROWS]],
    r: &[PanelTile<T>; K],
    mut add: impl FnMut(usize, [[f64; T]; K]),
) -> usize {
    let mut sums = [[[simd.splat_f64s(0.0); H]; T]; K];
    let x: [&[S::f64s]; H] = std::array::from_fn(|h| S::as_simd_f64s(&wide[h]).0);
    let r: [[&[S::f64s]; T]; K] =
        std::array::from_fn(|s| std::array::from_fn(|k| S::as_simd_f64s(&r[s][k]).0));
    for v in 0..PANEL_ROWS / S::F64_LANES {
        for s in 0..K {
            for k in 0..T {
                for h in 0..H {
                    sums[s][k][h] = simd.mul_add_e_f64s(x[h][v], r[s][k][v], sums[s][k][h]);
                }
            }
        }
    }
    for h in 0..H {
        // Loops and not `map`: its closures are compiled without the processor's vectors, call by call.
        let mut of_feature = [[0.0; T]; K];
        for (out, sums) in of_feature.iter_mut().zip(&sums) {
            for (out, sums) in out.iter_mut().zip(sums) {
                *out = simd.reduce_sum_f64s(sums[h]);
            }
        }
        add(h, of_feature);
    }
    H
}
