//! `g = X' r` over the rows of a block, for all models of a walk.
//!
//! A register tile holds the lane sums of some features times some models; each is one chain of
//! multiply-adds over the row vectors in order, then one sum over lanes, whatever the tile. A sum over
//! lanes costs as much as ten multiply-adds, so chains are long: they may run through several blocks.

use pulp::Simd;

use super::block::{Partial, RowBlock, TILE_MODELS};
use crate::panels::PANEL_ROWS;

/// Where the chains of a block stand in a run of blocks.
pub(super) struct Carry<'a> {
    /// `[feature][model][lane]`; empty for a run of one.
    pub(super) lanes: &'a mut [f32],
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

impl Carry<'_> {
    /// A run of one block.
    pub(super) fn none() -> Self {
        Self { lanes: &mut [], is_first: true, is_last: true }
    }
}

/// Goes on with the chains of residuals `r[k * rows + i]`; the last block of a run adds them to `out`,
/// the intercept's not included.
#[inline(always)]
pub(super) fn block<S: Simd>(simd: S, block: RowBlock<'_>, r: &[f32], carry: Carry<'_>, out: &mut Partial) {
    let (lanes, _) = S::as_mut_simd_f32s(&mut *carry.lanes);
    let n_features = block.panels.n_features();
    let n_models = out.loss.len();
    let tallest = if n_models == 1 {
        8
    } else if S::REGISTER_COUNT >= 32 {
        4
    } else {
        2
    };
    let mut feature = 0;
    while feature < n_features {
        let height = tallest.min(1 << (n_features - feature).ilog2());
        for first in (0..n_models).step_by(TILE_MODELS) {
            let width = TILE_MODELS.min(n_models - first);
            let tile = Tile { block, r, feature, first, is_first: carry.is_first, is_last: carry.is_last };
            tile.dispatch(simd, height, width, lanes, out);
        }
        feature += height;
    }
}

#[derive(Clone, Copy)]
struct Tile<'a> {
    block: RowBlock<'a>,
    r: &'a [f32],
    /// First feature.
    feature: usize,
    /// First model.
    first: usize,
    is_first: bool,
    is_last: bool,
}

impl Tile<'_> {
    #[inline(always)]
    fn dispatch<S: Simd>(
        self,
        simd: S,
        height: usize,
        width: usize,
        lanes: &mut [S::f32s],
        out: &mut Partial,
    ) {
        macro_rules! cases {
            ($(($h:literal, $w:literal)),*) => {
                match (height, width) {
                    $(($h, $w) => self.run::<S, $h, $w>(simd, lanes, out),)*
                    _ => unreachable!("no tile of {height} features by {width} models"),
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
            (8, 1)
        );
    }

    #[inline(always)]
    fn run<S: Simd, const H: usize, const W: usize>(self, simd: S, lanes: &mut [S::f32s], out: &mut Partial) {
        let rows = self.block.cover_rows();
        let n_models = out.loss.len();
        let carried = |h: usize| (self.feature + h) * n_models + self.first;
        let mut sums = [[simd.splat_f32s(0.0); W]; H];
        if !self.is_first {
            for (h, sums) in sums.iter_mut().enumerate() {
                sums.copy_from_slice(&lanes[carried(h)..][..W]);
            }
        }
        for (segment, place) in self.block.places() {
            let cover = segment.cover();
            let n = cover.len() / S::F32_LANES;
            let columns = &self.block.panels.panel(segment.panel)[self.feature * PANEL_ROWS..];
            let x: [&[S::f32s]; H] =
                std::array::from_fn(|h| &S::as_simd_f32s(&columns[h * PANEL_ROWS..][cover.clone()]).0[..n]);
            let r: [&[S::f32s]; W] = std::array::from_fn(|k| {
                &S::as_simd_f32s(&self.r[(self.first + k) * rows + place..][..cover.len()]).0[..n]
            });
            for v in 0..n {
                for h in 0..H {
                    for k in 0..W {
                        sums[h][k] = simd.mul_add_e_f32s(x[h][v], r[k][v], sums[h][k]);
                    }
                }
            }
        }
        if !self.is_last {
            for (h, sums) in sums.iter().enumerate() {
                lanes[carried(h)..][..W].copy_from_slice(sums);
            }
            return;
        }
        for (h, sums) in sums.into_iter().enumerate() {
            for (k, sum) in sums.into_iter().enumerate() {
                out.gradient_mut(self.first + k)[self.feature + h] += f64::from(simd.reduce_sum_f32s(sum));
            }
        }
    }
}
