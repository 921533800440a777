//! `z = X w + b` for the rows of a block and all models of a walk.
//!
//! A register tile holds some row vectors times some models. Each z is one chain of multiply-adds
//! over the features in order, whatever the tile, so the tile does not show in the bits.

use std::ops::Range;

use pulp::Simd;

use super::block::{Packed, RowBlock};
use crate::panels::PANEL_ROWS;

/// Writes `z[k * rows + i]` for every model k and row i of the block's covers.
#[inline(always)]
pub(super) fn block<S: Simd>(simd: S, block: RowBlock<'_>, packed: &Packed, z: &mut [f32]) {
    let rows = block.cover_rows();
    let (first, others) = packed.split_first();
    for (segment, place) in block.places() {
        let panel = block.panels.panel(segment.panel);
        let cover = segment.cover();
        let vectors = cover.start / S::F32_LANES..cover.end / S::F32_LANES;
        let shift = |vector: usize| place / S::F32_LANES + vector - vectors.start;
        // The first model walks whole columns: X comes from memory in the long runs that a hardware
        // prefetcher follows. The others find it in the cache.
        for (vector, height) in runs(vectors.clone(), tallest_tile::<S>(1)) {
            Tile { panel, vector, coefficients: first }.dispatch(simd, height, 1, z, rows, shift(vector));
        }
        for (vector, height) in runs(vectors.clone(), tallest_tile::<S>(packed.n_models() - 1)) {
            // Models innermost: these rows of X stay in the first-level cache for all of them.
            for (k, width, coefficients) in others.clone() {
                let z = &mut z[k * rows..];
                Tile { panel, vector, coefficients }.dispatch(simd, height, width, z, rows, shift(vector));
            }
        }
    }
}

/// Cuts row vectors into runs of `tallest`, then of the powers of two below it: first vector and length.
#[inline(always)]
fn runs(mut vectors: Range<usize>, tallest: usize) -> impl Iterator<Item = (usize, usize)> {
    std::iter::from_fn(move || {
        let left = vectors.len();
        (left > 0).then(|| {
            let height = tallest.min(1 << left.ilog2());
            let first = vectors.start;
            vectors.start += height;
            (first, height)
        })
    })
}

/// Row vectors of the tallest tile whose sums fit the registers.
#[inline(always)]
fn tallest_tile<S: Simd>(n_models: usize) -> usize {
    match (n_models, S::REGISTER_COUNT >= 32) {
        (0 | 1, true) => 16,
        (2, true) | (0 | 1, false) => 8,
        (_, true) => 4,
        (_, false) => 2,
    }
}

#[derive(Clone, Copy)]
struct Tile<'a> {
    panel: &'a [f32],
    /// First row vector.
    vector: usize,
    /// `[feature][model]`, the intercept last.
    coefficients: &'a [f32],
}

impl Tile<'_> {
    #[inline(always)]
    fn dispatch<S: Simd>(self, simd: S, height: usize, width: usize, z: &mut [f32], rows: usize, at: usize) {
        macro_rules! cases {
            ($(($h:literal, $w:literal)),*) => {
                match (height, width) {
                    $(($h, $w) => self.run::<S, $h, $w>(simd, z, rows, at),)*
                    _ => unreachable!("no tile of {height} vectors by {width} models"),
                }
            };
        }
        cases!(
            (1, 1),
            (1, 2),
            (1, 3),
            (1, 4),
            (1, 5),
            (1, 6),
            (2, 1),
            (2, 2),
            (2, 3),
            (2, 4),
            (2, 5),
            (2, 6),
            (4, 1),
            (4, 2),
            (4, 3),
            (4, 4),
            (4, 5),
            (4, 6),
            (8, 1),
            (8, 2),
            (16, 1)
        );
    }

    #[inline(always)]
    fn run<S: Simd, const H: usize, const W: usize>(self, simd: S, z: &mut [f32], rows: usize, at: usize) {
        let (intercepts, coefficients) =
            self.coefficients.as_chunks::<W>().0.split_last().expect("an intercept");
        let mut sums = [[simd.splat_f32s(0.0); W]; H];
        for row in &mut sums {
            *row = std::array::from_fn(|k| simd.splat_f32s(intercepts[k]));
        }
        for (column, coefficients) in self.panel.chunks_exact(PANEL_ROWS).zip(coefficients) {
            // A sparse model reads only the columns that it uses.
            if W == 1 && coefficients[0] == 0.0 {
                continue;
            }
            let (vectors, _) = S::as_simd_f32s(column);
            let x: &[S::f32s; H] = vectors[self.vector..][..H].try_into().expect("H vectors");
            for k in 0..W {
                let w = simd.splat_f32s(coefficients[k]);
                for h in 0..H {
                    sums[h][k] = simd.mul_add_e_f32s(x[h], w, sums[h][k]);
                }
            }
        }
        for k in 0..W {
            let (out, _) = S::as_mut_simd_f32s(&mut z[k * rows..][..rows]);
            for h in 0..H {
                out[at + h] = sums[h][k];
            }
        }
    }
}
