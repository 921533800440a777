//! A block of rows, its scratch memory, and the fused pass over it.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::gradient::{self, Carry};
use super::{linear_predictor, residual};
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Rows are handled in groups of this many: the widest lane group of any processor.
pub(super) const GROUP: usize = 16;

/// Models of one register tile.
pub(super) const TILE_MODELS: usize = 6;

/// A run of lanes of one panel.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) panel: usize,
    pub(super) lanes: Range<usize>,
}

impl Segment {
    /// All lanes of a panel.
    pub(super) fn whole(panel: usize) -> Self {
        Self { panel, lanes: 0..PANEL_ROWS }
    }

    /// The lanes widened to whole groups: what is computed, the excess with residual 0.
    pub(super) fn cover(&self) -> Range<usize> {
        self.lanes.start / GROUP * GROUP..self.lanes.end.next_multiple_of(GROUP)
    }
}

/// Segments that are handled together while they are in cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBlock<'a> {
    pub(super) panels: &'a Panels,
    pub(super) rows: &'a Rows,
    pub(super) segments: &'a [Segment],
}

impl RowBlock<'_> {
    /// Rows computed: those of all covers.
    pub(super) fn cover_rows(&self) -> usize {
        self.segments.iter().map(|s| s.cover().len()).sum()
    }

    /// Each segment with the place of its cover in the block.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Segment, usize)> {
        self.segments.iter().scan(0, |at, segment| {
            let place = *at;
            *at += segment.cover().len();
            Some((segment, place))
        })
    }
}

/// Coefficients in float32, in the order in which the predictor tiles read them: the first model
/// alone, then tiles of up to [`TILE_MODELS`] models; inside a tile feature after feature (the
/// intercept last), models adjacent.
#[derive(Debug)]
pub(super) struct Packed {
    stride: usize,
    n_models: usize,
    values: Vec<f32>,
}

impl Packed {
    /// The columns `models` of `coefficients`.
    pub(super) fn new(coefficients: &Coefficients, models: Range<usize>) -> Self {
        let mut packed = Self::zeros(coefficients.stride(), models.len());
        for (k, m) in models.enumerate() {
            packed.set(k, coefficients.model(m));
        }
        packed
    }

    /// Room for `n_models` columns of `stride` values.
    pub(super) fn zeros(stride: usize, n_models: usize) -> Self {
        Self { stride, n_models, values: vec![0.0; stride * n_models] }
    }

    /// Writes column `k`.
    pub(super) fn set(&mut self, k: usize, column: &[f64]) {
        let first = if k == 0 { 0 } else { (k - 1) / TILE_MODELS * TILE_MODELS + 1 };
        let width = if k == 0 { 1 } else { TILE_MODELS.min(self.n_models - first) };
        let tile = &mut self.values[first * self.stride..][..width * self.stride];
        for (slot, &value) in tile.iter_mut().skip(k - first).step_by(width).zip(column) {
            #[allow(clippy::cast_possible_truncation, reason = "kernels read float32")]
            {
                *slot = value as f32;
            }
        }
    }

    /// The first model's column; then each tile as the index of its first model, its width, its values.
    pub(super) fn split_first(&self) -> (&[f32], impl Iterator<Item = (usize, usize, &[f32])> + Clone) {
        let (first, others) = self.values.split_at(self.stride);
        let tiles = others.chunks(TILE_MODELS * self.stride).enumerate();
        (first, tiles.map(|(t, tile)| (1 + t * TILE_MODELS, tile.len() / self.stride, tile)))
    }

    pub(super) fn n_models(&self) -> usize {
        self.n_models
    }
}

/// Sums over some rows, not yet divided by the weight sum.
#[derive(Debug, Clone)]
pub(super) struct Partial {
    stride: usize,
    pub(super) loss: Vec<f64>,
    values: Vec<f64>,
}

impl Partial {
    pub(super) fn zeros(n_features: usize, n_models: usize) -> Self {
        let stride = n_features + 1;
        Self { stride, loss: vec![0.0; n_models], values: vec![0.0; stride * n_models] }
    }

    /// The gradient sum of model `k`, the intercept last.
    pub(super) fn gradient(&self, k: usize) -> &[f64] {
        &self.values[k * self.stride..][..self.stride]
    }

    pub(super) fn gradient_mut(&mut self, k: usize) -> &mut [f64] {
        &mut self.values[k * self.stride..][..self.stride]
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (a, b) in self.loss.iter_mut().zip(&other.loss) {
            *a += b;
        }
        for (a, b) in self.values.iter_mut().zip(&other.values) {
            *a += b;
        }
    }

    pub(super) fn clear(&mut self) {
        self.loss.fill(0.0);
        self.values.fill(0.0);
    }
}

/// Predictors, then residuals, of a block: model after model; and the lane sums between its parts.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    values: Vec<f32>,
    lanes: Vec<f32>,
}

impl Scratch {
    /// Room for `n_models` models over `rows` rows. What it holds is unspecified.
    pub(super) fn take(&mut self, n_models: usize, rows: usize) -> &mut [f32] {
        room(&mut self.values, n_models * rows)
    }
}

/// The first `len` of `values`, which grow if they are fewer.
fn room(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}

/// Models from which on a pass is bound by arithmetic: X may come twice from beyond the second-level
/// cache, if only the chains of sums stay in registers.
const MANY_MODELS: usize = 8;

/// The fused pass over one block: predictor, residual and loss, gradient; added to `out`.
///
/// A few models take the block in parts that stay in cache between predictor and gradient, and hand
/// their lane sums from part to part; many take it whole. Either adds in the same order.
pub(super) struct Evaluate<'a> {
    pub(super) block: RowBlock<'a>,
    pub(super) models: &'a [ModelSpec],
    pub(super) packed: &'a Packed,
    /// Segments of a part.
    pub(super) part: usize,
    pub(super) scratch: &'a mut Scratch,
    pub(super) out: &'a mut Partial,
}

impl WithSimd for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, models, packed, part, scratch, out } = self;
        let Scratch { values, lanes } = scratch;
        let part = if models.len() >= MANY_MODELS { block.segments.len() } else { part };
        let n_parts = block.segments.len().div_ceil(part);
        let n_lanes = if n_parts > 1 { block.panels.n_features() * models.len() * S::F32_LANES } else { 0 };
        let lanes = room(lanes, n_lanes);
        for (i, segments) in block.segments.chunks(part).enumerate() {
            let block = RowBlock { segments, ..block };
            let rows = block.cover_rows();
            let z = room(values, models.len() * rows);
            linear_predictor::block(simd, block, packed, z);
            for (k, (model, z)) in models.iter().zip(z.chunks_exact_mut(rows)).enumerate() {
                let (loss, intercept) = residual::block(simd, block, model, z);
                out.loss[k] += loss;
                *out.gradient_mut(k).last_mut().expect("an intercept") += intercept;
            }
            let carry = Carry { lanes: &mut *lanes, is_first: i == 0, is_last: i + 1 == n_parts };
            gradient::block(simd, block, z, carry, out);
        }
    }
}
