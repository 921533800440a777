//! The mini-batch loop: an epoch recorded in command lists, no read-back between its steps.

use super::GpuEngine;
use super::device::GpuDevice;
use super::kernels::{BATCH_GRADIENT, BATCH_RESIDUAL, BATCH_UPDATE};
use super::layout::{Quad, Step, held_labels};
use super::pipeline::{Pipeline, fold_grid};
use super::table::Table;
use crate::engine::{Epoch, SgdState};
use crate::error::EngineError;
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::PANEL_ROWS;

/// Steps of one command list. Their sum of iterates comes back at its end and is continued in float64,
/// so that it stays exact over any number of steps, and no list runs into a watchdog.
const LIST_STEPS: usize = 512;
/// Rows of a first-stage partial sum, at least.
const CHUNK_ROWS: usize = 256;
/// Workgroups wanted of the first stage.
const GRADIENT_WORKGROUPS: usize = 512;
/// Columns of a workgroup of the first stage.
const TILE_COLUMNS: usize = 32;

/// Four models side by side in each word: `(d + 1) x n_quads x 4`.
fn pack(coefficients: &Coefficients) -> Vec<f32> {
    let stride = coefficients.n_models().next_multiple_of(4);
    let mut packed = vec![0.0; coefficients.stride() * stride];
    for m in 0..coefficients.n_models() {
        for (j, &w) in coefficients.model(m).iter().enumerate() {
            packed[j * stride + m] = w as f32;
        }
    }
    packed
}

fn quads(engine: &GpuEngine<'_>, models: &[ModelSpec], epoch: &Epoch<'_>) -> Vec<Quad> {
    let mut quads = vec![Quad::default(); models.len().div_ceil(4)];
    for (m, model) in models.iter().enumerate() {
        let (quad, k) = (&mut quads[m / 4], m % 4);
        quad.class_index[k] = model.class;
        quad.positive_weight[k] = model.positive_weight as f32;
        quad.negative_weight[k] = model.negative_weight as f32;
        quad.step[k] = epoch.step[m] as f32;
        quad.l1[k] = model.penalty.l1 as f32;
        quad.l2[k] = model.penalty.l2 as f32;
        quad.inverse_weight_sum[k] = (1.0 / model.weight_sum(engine.rows)) as f32;
        quad.coupling[k] = epoch.coupling[m] as f32;
        (quad.held_first[k], quad.held_span[k]) = held_labels(model);
    }
    quads
}

/// How a batch is cut for the first stage of its gradient.
#[derive(Debug, Clone, Copy)]
struct Cut {
    chunk_rows: usize,
    n_chunks: usize,
}

impl Cut {
    fn new(n_rows: usize, most_chunks: usize) -> Self {
        let chunks = n_rows.div_ceil(CHUNK_ROWS).min(most_chunks);
        let chunk_rows = n_rows.div_ceil(chunks).next_multiple_of(32);
        Self { chunk_rows, n_chunks: n_rows.div_ceil(chunk_rows) }
    }
}

/// The blocks, in order, that hold a position of `start .. start + n_rows`.
fn touched(table: &Table, epoch: &Epoch<'_>, start: usize, n_rows: usize) -> Vec<usize> {
    let panels = &epoch.panel_order[start / PANEL_ROWS..(start + n_rows).div_ceil(PANEL_ROWS)];
    if table.blocks.len() == 1 {
        return vec![0];
    }
    let block_of = |&p: &u32| table.blocks.partition_point(|b| b.first_panel <= p) - 1;
    let mut blocks: Vec<_> = panels.iter().map(block_of).collect();
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}

/// The steps of one command list: for each batch, an entry for each block it touches.
fn schedule(
    table: &Table,
    epoch: &Epoch<'_>,
    n_quads: usize,
    most_chunks: usize,
    batches: &[u32],
) -> Vec<Vec<(usize, Step)>> {
    let each = batches.iter().map(|&k| {
        let start = k as usize * epoch.batch_rows;
        let n_rows = epoch.batch_rows.min(table.n_rows - start);
        let cut = Cut::new(n_rows, most_chunks);
        let blocks = touched(table, epoch, start, n_rows);
        let n_partials = blocks.len() * cut.n_chunks;
        let entry = |(turn, b): (usize, usize)| {
            let block = &table.blocks[b];
            let step = Step {
                n_features: table.n_features as u32,
                n_quads: n_quads as u32,
                start: start as u32,
                n_rows: n_rows as u32,
                first_panel: block.first_panel,
                n_panels: block.n_panels,
                chunk_rows: cut.chunk_rows as u32,
                partials_at: (turn * cut.n_chunks) as u32,
                n_partials: n_partials as u32,
                trains_intercept: u32::from(epoch.coordinates.intercept().is_some()),
                scale: (table.n_rows as f64 / n_rows as f64) as f32,
                pad: 0,
            };
            (b, step)
        };
        blocks.into_iter().enumerate().map(entry).collect()
    });
    each.collect()
}

/// Runs `epoch` from `state`, as [`crate::engine::MiniBatch::sgd_epoch`] defines it.
pub(super) fn run(
    engine: &GpuEngine<'_>,
    models: &[ModelSpec],
    epoch: &Epoch<'_>,
    state: &mut SgdState,
) -> Result<(), EngineError> {
    let (device, table) = (&engine.device, &engine.table);
    let (d, n_quads) = (table.n_features, models.len().div_ceil(4));
    if epoch.batch_order.is_empty() || models.is_empty() {
        return Ok(());
    }
    let steps = Steps::new(engine, models, epoch, state)?;
    let words = (d + 1) * n_quads * 4;
    let mut sum = vec![0.0f64; words];
    let mut iterate = Vec::new();
    let mut lists = epoch.batch_order.chunks(LIST_STEPS).peekable();
    while let Some(batches) = lists.next() {
        let list = schedule(table, epoch, n_quads, steps.most_chunks, batches);
        let encoder = steps.record(device, &list, d, n_quads)?;
        let sources = [(&steps.total, words), (&steps.iterate, words)];
        let wanted = if lists.peek().is_some() { &sources[..1] } else { &sources[..] };
        let mut read = device.read("a mini-batch epoch", encoder, wanted)?;
        sum.iter_mut().zip(&read[0]).for_each(|(s, &part)| *s += f64::from(part));
        if wanted.len() == 2 {
            iterate = read.swap_remove(1);
        }
    }

    let n_batches = epoch.batch_order.len() as f64;
    for m in 0..models.len() {
        let theta = epoch.coupling[m];
        for j in (0..=d).filter(|&j| epoch.coordinates.moves(j)) {
            let at = j * n_quads * 4 + m;
            state.iterate.model_mut(m)[j] = f64::from(iterate[at]);
            let w = &mut state.snapshot.model_mut(m)[j];
            *w = f64::from((theta * sum[at] / n_batches + (1.0 - theta) * *w) as f32);
        }
    }
    Ok(())
}

/// Everything an epoch needs on the device, bound once.
struct Steps {
    most_chunks: usize,
    uniforms: wgpu::Buffer,
    iterate: wgpu::Buffer,
    total: wgpu::Buffer,
    pipelines: [Pipeline; 3],
    /// Per block: residual and gradient.
    bound: Vec<[wgpu::BindGroup; 2]>,
    update: wgpu::BindGroup,
}

impl Steps {
    fn new(
        engine: &GpuEngine<'_>,
        models: &[ModelSpec],
        epoch: &Epoch<'_>,
        state: &SgdState,
    ) -> Result<Self, EngineError> {
        let (device, table) = (&engine.device, &engine.table);
        let (d, n_quads) = (table.n_features, models.len().div_ceil(4));
        let batch_rows = epoch.batch_rows.min(table.n_rows);
        let tiles = (d + 1).div_ceil(TILE_COLUMNS) * n_quads;
        let most_chunks = (GRADIENT_WORKGROUPS / tiles).clamp(1, 64);
        let most_blocks = table.blocks.len().min(batch_rows / PANEL_ROWS + 2);
        let n_partials = most_blocks * Cut::new(batch_rows, most_chunks).n_chunks;
        let bytes = |n: usize| (n * n_quads * 16) as u64;

        let mut delta = Coefficients::zeros(d, models.len());
        for m in 0..models.len() {
            let pair = state.iterate.model(m).iter().zip(state.snapshot.model(m));
            for (out, (x, w)) in delta.model_mut(m).iter_mut().zip(pair) {
                *out = epoch.coupling[m] * (x - w);
            }
        }
        let uniforms =
            device.uniforms("logodds.batch.step", LIST_STEPS.min(epoch.batch_order.len()) * most_blocks)?;
        let quads = device.upload("logodds.batch.quads", &quads(engine, models, epoch))?;
        let order = device.upload("logodds.batch.panel_order", epoch.panel_order)?;
        let mu = device.upload("logodds.batch_update.full_gradient", &pack(epoch.gradient))?;
        let snapshot = device.upload("logodds.batch.snapshot", &pack(&state.snapshot))?;
        let iterate = device.upload("logodds.batch_update.iterate", &pack(&state.iterate))?;
        let delta = device.upload("logodds.batch.delta", &pack(&delta))?;
        let total = device.storage("logodds.batch_update.total", bytes(d + 1))?;
        let residuals = device.storage("logodds.batch_residual.residuals", bytes(batch_rows))?;
        let partials = device.storage("logodds.batch_gradient.partials", bytes(n_partials * (d + 1)))?;

        let pipelines = [
            device.pipeline(&BATCH_RESIDUAL, &[])?,
            device.pipeline(&BATCH_GRADIENT, &[])?,
            device.pipeline(&BATCH_UPDATE, &[])?,
        ];
        let mut bound = Vec::new();
        for block in &table.blocks {
            let inputs = [
                &uniforms,
                &block.x,
                &block.label,
                &block.weight,
                &order,
                &quads,
                &snapshot,
                &delta,
                &residuals,
            ];
            bound.push([
                device.bind(&pipelines[0], size_of::<Step>(), &inputs)?,
                device.bind(
                    &pipelines[1],
                    size_of::<Step>(),
                    &[&uniforms, &block.x, &order, &residuals, &partials],
                )?,
            ]);
        }
        let update = device.bind(
            &pipelines[2],
            size_of::<Step>(),
            &[&uniforms, &quads, &mu, &snapshot, &partials, &iterate, &delta, &total],
        )?;
        Ok(Self { most_chunks, uniforms, iterate, total, pipelines, bound, update })
    }

    /// The commands of one list, its uniforms written.
    fn record(
        &self,
        device: &GpuDevice,
        list: &[Vec<(usize, Step)>],
        d: usize,
        n_quads: usize,
    ) -> Result<wgpu::CommandEncoder, EngineError> {
        let steps: Vec<Step> = list.iter().flatten().map(|entry| entry.1).collect();
        device.write_uniforms(&self.uniforms, &steps)?;
        let mut encoder = device.encoder("logodds.epoch");
        encoder.clear_buffer(&self.total, 0, None);
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let update_grid = fold_grid(((d + 1) * n_quads).div_ceil(64) as u32);
        let mut at = 0;
        for entries in list {
            let offset = |k: usize| [(k as u64 * device.uniform_stride()) as u32];
            // Residuals of every block first: the gradient of one reads only those of its own rows.
            pass.set_pipeline(&self.pipelines[0].pipeline);
            for (k, (block, step)) in entries.iter().enumerate() {
                let (x, y) = fold_grid(step.n_rows.div_ceil(64));
                pass.set_bind_group(0, &self.bound[*block][0], &offset(at + k));
                pass.dispatch_workgroups(x, y, n_quads as u32);
            }
            pass.set_pipeline(&self.pipelines[1].pipeline);
            for (k, (block, step)) in entries.iter().enumerate() {
                let chunks = step.n_rows.div_ceil(step.chunk_rows);
                pass.set_bind_group(0, &self.bound[*block][1], &offset(at + k));
                pass.dispatch_workgroups((d + 1).div_ceil(TILE_COLUMNS) as u32, n_quads as u32, chunks);
            }
            pass.set_pipeline(&self.pipelines[2].pipeline);
            pass.set_bind_group(0, &self.update, &offset(at));
            pass.dispatch_workgroups(update_grid.0, update_grid.1, 1);
            at += entries.len();
        }
        drop(pass);
        Ok(encoder)
    }
}
