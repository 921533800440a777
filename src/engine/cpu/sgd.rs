//! One epoch of accelerated, variance-reduced proximal gradient descent.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::block::{Packed, Partial, RowBlock, Scratch, Segment};
use super::{CpuEngine, MODELS_PER_WALK, gradient, linear_predictor, residual};
use crate::engine::{Epoch, SgdState};
use crate::objective::ModelSpec;
use crate::panels::PANEL_ROWS;

/// Fewest multiply-adds of a batch that is split over threads. For smaller batches, the overhead exceeds
/// the gain.
const PARALLEL_WORK: usize = 1 << 19;

/// Runs `epoch` for all models. See [`crate::engine::MiniBatch::sgd_epoch`].
pub(super) fn run(engine: &CpuEngine<'_>, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) {
    let n_rows = engine.panels.n_rows();
    let mut walks: Vec<Walk<'_>> = (0..models.len())
        .step_by(MODELS_PER_WALK)
        .map(|first| Walk::new(engine, models, first, epoch, state))
        .collect();
    let mut scratch = Vec::new();
    for &batch in epoch.batch_order {
        let start = batch as usize * epoch.batch_rows;
        let end = (start + epoch.batch_rows).min(n_rows);
        let blocks = blocks(engine, epoch.panel_order, start..end);
        for walk in &mut walks {
            walk.step(engine, epoch, &blocks, &mut scratch);
        }
    }
    for walk in walks {
        walk.finish(epoch, state);
    }
}

/// The segments of the positions `range` along `panel_order`, grouped into blocks that fit into the cache.
fn blocks(engine: &CpuEngine<'_>, panel_order: &[u32], range: Range<usize>) -> Vec<Vec<Segment>> {
    let mut blocks: Vec<Vec<Segment>> = Vec::new();
    let (mut at, mut room) = (range.start, 0);
    while at < range.end {
        let lane = at % PANEL_ROWS;
        let len = (PANEL_ROWS - lane).min(range.end - at);
        if room < len {
            blocks.push(Vec::new());
            room = engine.panels_in_cache() * PANEL_ROWS;
        }
        room -= len;
        let panel = panel_order[at / PANEL_ROWS] as usize;
        blocks.last_mut().expect("a block was opened").push(Segment { panel, lanes: lane..lane + len });
        at += len;
    }
    blocks
}

/// Up to [`MODELS_PER_WALK`] models that take their steps together.
struct Walk<'a> {
    models: &'a [ModelSpec],
    /// Index in the stack of the first model.
    first: usize,
    /// The coupled points of all models, then their snapshots.
    packed: Packed,
    /// For each model: n / S.
    scale: Vec<f64>,
    snapshot: Vec<Vec<f64>>,
    iterate: Vec<Vec<f64>>,
    sum: Vec<Vec<f64>>,
    /// For each block of the batch: the models' gradient changes.
    partials: Vec<Partial>,
    coupled: Vec<f64>,
}

impl<'a> Walk<'a> {
    fn new(
        engine: &CpuEngine<'_>,
        models: &'a [ModelSpec],
        first: usize,
        epoch: &Epoch<'_>,
        state: &SgdState,
    ) -> Self {
        let models = &models[first..(first + MODELS_PER_WALK).min(models.len())];
        let n_rows = engine.panels.n_rows() as f64;
        let stride = state.snapshot.stride();
        let columns = |of: &crate::objective::Coefficients| {
            (first..first + models.len()).map(|m| of.model(m).to_vec()).collect::<Vec<_>>()
        };
        let mut walk = Self {
            models,
            first,
            packed: Packed::zeros(stride, 2 * models.len()),
            scale: models.iter().map(|model| n_rows / model.weight_sum(engine.rows)).collect(),
            snapshot: columns(&state.snapshot),
            iterate: columns(&state.iterate),
            sum: vec![vec![0.0; stride]; models.len()],
            partials: Vec::new(),
            coupled: vec![0.0; stride],
        };
        for k in 0..models.len() {
            walk.packed.set(models.len() + k, &walk.snapshot[k]);
            walk.couple(k, epoch.coupling[first + k]);
        }
        walk
    }

    /// Computes the coupled point of model `k`, and packs it for the linear predictor.
    fn couple(&mut self, k: usize, theta: f64) {
        for ((y, x), w) in self.coupled.iter_mut().zip(&self.iterate[k]).zip(&self.snapshot[k]) {
            *y = theta * x + (1.0 - theta) * w;
        }
        self.packed.set(k, &self.coupled);
    }

    fn step(
        &mut self,
        engine: &CpuEngine<'_>,
        epoch: &Epoch<'_>,
        blocks: &[Vec<Segment>],
        scratch: &mut Vec<Scratch>,
    ) {
        let n_features = engine.panels.n_features();
        let batch_rows: usize = blocks.iter().flatten().map(|s| s.lanes.len()).sum();
        if self.partials.len() < blocks.len() {
            self.partials.resize_with(blocks.len(), || Partial::zeros(n_features, self.models.len()));
        }
        if scratch.len() < blocks.len() {
            scratch.resize_with(blocks.len(), Scratch::default);
        }
        let (models, packed) = (self.models, &self.packed);
        let pass = |((segments, out), scratch): ((&Vec<Segment>, &mut Partial), &mut Scratch)| {
            let block = RowBlock { panels: engine.panels, rows: engine.rows, segments };
            engine.arch.dispatch(Change { block, models, packed, scratch, out });
        };
        if blocks.len() > 1 && batch_rows * n_features * 3 * models.len() >= PARALLEL_WORK {
            blocks.par_iter().zip(&mut self.partials).zip(scratch).for_each(pass);
        } else {
            blocks.iter().zip(&mut self.partials).zip(scratch).for_each(pass);
        }
        let (first, others) = self.partials[..blocks.len()].split_first_mut().expect("a batch has rows");
        for partial in others {
            first.add(partial);
        }
        for k in 0..self.models.len() {
            self.update(k, epoch, 1.0 / batch_rows as f64);
        }
    }

    /// The proximal step of model `k`, from the summed gradient change of a batch. `per_row` is 1 / batch
    /// rows.
    fn update(&mut self, k: usize, epoch: &Epoch<'_>, per_row: f64) {
        let m = self.first + k;
        let (step, penalty) = (epoch.step[m], self.models[k].penalty);
        let scale = self.scale[k] * per_row;
        let mean = epoch.gradient.model(m);
        let change = self.partials[0].gradient(k);
        for j in 0..mean.len() {
            let x = &mut self.iterate[k][j];
            if epoch.coordinates.moves(j) {
                let forward = *x - step * (mean[j] + scale * change[j]);
                *x = epoch.coordinates.prox(&penalty, j, forward, step);
            }
            self.sum[k][j] += *x;
        }
        self.couple(k, epoch.coupling[m]);
    }

    fn finish(self, epoch: &Epoch<'_>, state: &mut SgdState) {
        let n_batches = epoch.batch_order.len() as f64;
        for k in 0..self.models.len() {
            let m = self.first + k;
            let theta = epoch.coupling[m];
            for (j, w) in state.snapshot.model_mut(m).iter_mut().enumerate() {
                *w = to_f32(theta * self.sum[k][j] / n_batches + (1.0 - theta) * *w);
            }
            for (out, &x) in state.iterate.model_mut(m).iter_mut().zip(&self.iterate[k]) {
                *out = to_f32(x);
            }
        }
    }
}

/// Rounds to float32, so that every engine can start the next epoch from exactly this value.
#[allow(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
fn to_f32(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Computes the change of the gradient from the snapshots to the coupled points, for one block.
struct Change<'a> {
    block: RowBlock<'a>,
    models: &'a [ModelSpec],
    packed: &'a Packed,
    scratch: &'a mut Scratch,
    out: &'a mut Partial,
}

impl WithSimd for Change<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, models, packed, scratch, out } = self;
        let rows = block.cover_rows();
        let z = scratch.take(2 * models.len(), rows);
        linear_predictor::block(simd, block, packed, z);
        let (coupled, snapshots) = z.split_at_mut(models.len() * rows);
        out.clear();
        for (k, model) in models.iter().enumerate() {
            let z = &mut coupled[k * rows..][..rows];
            let sum = residual::change(simd, block, model, z, &snapshots[k * rows..][..rows]);
            *out.gradient_mut(k).last_mut().expect("an intercept") += sum;
        }
        gradient::block(simd, block, coupled, gradient::Carry::none(), out);
    }
}
