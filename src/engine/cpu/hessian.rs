//! `X' D X` of some models, each at a point: the curvature of its loss.
//!
//! A block of rows is first copied, scaled by the square root of D, feature after feature (the
//! intercept last); its product with itself then runs in register tiles over the upper triangle.
//! Sums are float32 inside a block, float64 across blocks, in an order that the number of rows
//! and features alone decides.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::block::{Packed, RowBlock, Segment};
use super::{Chunks, CpuEngine, linear_predictor, residual};
use crate::engine::At;
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::{PANEL_ROWS, Sample};

/// Float32 values of a scaled block: 2 MiB, in a last-level cache. Smaller ones add up lanes and float64 sums so often
/// that it costs more than the nearer cache saves.
const BLOCK_VALUES: usize = 512 * 1024;

/// Float64 values of all partial sums together.
const PARTIAL_VALUES: usize = 1 << 23;

/// The same where several points share the reading of a block.
const GROUP_VALUES: usize = 1 << 20;

/// Tasks at most.
const MAX_CHUNKS: usize = 64;

/// Order from which the tiles of one block are shared between threads.
const PARALLEL_ORDER: usize = 384;

/// Rows of the matrix in a tile, and columns.
const TILE_HEIGHT: usize = 4;
const TILE_WIDTH: usize = 6;

/// The pass; see [`crate::engine::Engine::add_curvatures`]. Every block is read once for all points of a group, whose
/// partial sums stay within [`GROUP_VALUES`].
pub(super) fn add(engine: &CpuEngine<'_>, points: &[At<'_>], sample: Sample, sums: &mut [Vec<f64>]) {
    let order = engine.panels.n_features() + 1;
    let panels_per_block = (BLOCK_VALUES / (PANEL_ROWS * order)).clamp(1, 8);
    let most_chunks = (PARTIAL_VALUES / (order * order)).clamp(1, MAX_CHUNKS);
    let chunks = Chunks::new(sample.n_panels(engine.panels.n_panels()), panels_per_block, most_chunks);
    let group = (GROUP_VALUES / (order * order * chunks.len().max(1))).max(1);
    for (points, sums) in points.chunks(group).zip(sums.chunks_mut(group)) {
        let packed: Vec<Packed> = points
            .iter()
            .map(|(_, column)| Packed::new(&Coefficients::from_columns(order - 1, [*column]), 0..1))
            .collect();
        let partials: Vec<Vec<Vec<f64>>> = (0..chunks.len())
            .into_par_iter()
            .map(|chunk| {
                let mut partials = vec![vec![0.0; order * order]; points.len()];
                let mut scratch = Vec::new();
                for block in chunks.blocks(chunk) {
                    let segments: Vec<_> = block.map(|k| Segment::whole(sample.panel(k))).collect();
                    let block = RowBlock { panels: engine.panels, rows: engine.rows, segments: &segments };
                    for (((model, _), packed), partial) in points.iter().zip(&packed).zip(&mut partials) {
                        engine.arch.dispatch(Scale { block, model, packed, scratch: &mut scratch });
                        let scaled = &scratch[..order * block.cover_rows()];
                        add_product(engine.arch, scaled, order, partial);
                    }
                }
                partials
            })
            .collect();
        for partials in &partials {
            for (sums, partial) in sums.iter_mut().zip(partials) {
                sums.iter_mut().zip(partial).for_each(|(sum, part)| *sum += part);
            }
        }
    }
}

/// Adds the product of a scaled block with itself, stripe by stripe.
fn add_product(arch: Arch, scaled: &[f32], order: usize, sums: &mut [f64]) {
    let stripe = |(t, sums): (usize, &mut [f64])| {
        arch.dispatch(Stripe { scaled, order, first: t * TILE_HEIGHT, sums });
    };
    if order >= PARALLEL_ORDER {
        sums.par_chunks_mut(TILE_HEIGHT * order).enumerate().for_each(stripe);
    } else {
        sums.chunks_mut(TILE_HEIGHT * order).enumerate().for_each(stripe);
    }
}

/// Fills `scratch` with the block's features times the square root of the row's curvature.
struct Scale<'a> {
    block: RowBlock<'a>,
    model: &'a ModelSpec,
    packed: &'a Packed,
    /// `[feature][row]`.
    scratch: &'a mut Vec<f32>,
}

impl WithSimd for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, model, packed, scratch } = self;
        let (rows, d) = (block.cover_rows(), block.panels.n_features());
        scratch.resize((d + 1) * rows, 0.0);
        let (features, root) = scratch.split_at_mut(d * rows);
        linear_predictor::block(simd, block, packed, root);
        residual::root_curvature(simd, block, model, root);
        for (segment, place) in block.places() {
            let panel = block.panels.panel(segment.panel);
            let (root, _) = S::as_simd_f32s(&root[place..][..PANEL_ROWS]);
            for (column, out) in panel.chunks_exact(PANEL_ROWS).zip(features.chunks_exact_mut(rows)) {
                let (x, _) = S::as_simd_f32s(column);
                let (out, _) = S::as_mut_simd_f32s(&mut out[place..][..PANEL_ROWS]);
                for ((out, &x), &root) in out.iter_mut().zip(x).zip(root) {
                    *out = simd.mul_f32s(x, root);
                }
            }
        }
    }
}

/// Adds a few rows of the product, from the diagonal on, to `sums`.
struct Stripe<'a> {
    /// `[feature][row]`.
    scaled: &'a [f32],
    order: usize,
    /// First row of the matrix.
    first: usize,
    /// Its rows.
    sums: &'a mut [f64],
}

impl WithSimd for Stripe<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let height = self.sums.len() / self.order;
        for column in (self.first..self.order).step_by(TILE_WIDTH) {
            self.dispatch(simd, height, TILE_WIDTH.min(self.order - column), column);
        }
    }
}

impl Stripe<'_> {
    #[inline(always)]
    fn dispatch<S: Simd>(&mut self, simd: S, height: usize, width: usize, column: usize) {
        macro_rules! cases {
            ($(($h:literal, $w:literal)),*) => {
                match (height, width) {
                    $(($h, $w) => self.tile::<S, $h, $w>(simd, column),)*
                    _ => unreachable!("no tile of {height} by {width}"),
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
            (3, 1),
            (3, 2),
            (3, 3),
            (3, 4),
            (3, 5),
            (3, 6),
            (4, 1),
            (4, 2),
            (4, 3),
            (4, 4),
            (4, 5),
            (4, 6)
        );
    }

    #[inline(always)]
    fn tile<S: Simd, const H: usize, const W: usize>(&mut self, simd: S, column: usize) {
        let rows = self.scaled.len() / self.order;
        let feature = |j: usize| S::as_simd_f32s(&self.scaled[j * rows..][..rows]).0;
        let a: [&[S::f32s]; H] = std::array::from_fn(|h| feature(self.first + h));
        let b: [&[S::f32s]; W] = std::array::from_fn(|k| feature(column + k));
        let mut sums = [[simd.splat_f32s(0.0); W]; H];
        for v in 0..rows / S::F32_LANES {
            for h in 0..H {
                for k in 0..W {
                    sums[h][k] = simd.mul_add_e_f32s(a[h][v], b[k][v], sums[h][k]);
                }
            }
        }
        for (h, sums) in sums.into_iter().enumerate() {
            for (k, sum) in sums.into_iter().enumerate() {
                self.sums[h * self.order + column + k] += f64::from(simd.reduce_sum_f32s(sum));
            }
        }
    }
}
