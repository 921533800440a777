//! The pass for many models, bound by arithmetic: two tiled products, the sigmoid between them.

use super::GpuEngine;
use super::adapter::AdapterKind;
use super::kernels::{TILE_GRADIENT, TILE_RESIDUAL};
use super::layout::{Model, Tile};
use super::table::Table;
use crate::error::EngineError;
use crate::objective::{Coefficients, ModelSpec, Sums};
use crate::panels::{PANEL_ROWS, Sample};

/// Models of an invocation of `tile_residual`.
const TILE_MODELS: usize = 16;
/// Models of one reading of X, at most: arithmetic has long been the limit.
const MOST_MODELS: usize = 512;
/// Columns of a workgroup of `tile_gradient`.
const TILE_COLUMNS: usize = 32;
/// Multiply-adds handed over at once: well below a second on the slowest GPU, whose watchdog would
/// otherwise take the device away.
pub(super) const SUBMISSION_WORK: u64 = 20_000_000_000;
/// Row blocks that the device adds up in float32, at most; the rest is added in float64 on the host.
const CHAIN_BLOCKS: usize = 256;

/// How the work is cut for a kind of device.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Bytes of X and residuals between their two uses: what stays in the last cache.
    cache_bytes: usize,
    /// Workgroups wanted of `tile_gradient`, so that the device is filled.
    workgroups: usize,
    /// Panels of one of them, at least: adding up its lanes costs about as much as one panel.
    chunk_panels: usize,
}

impl Cut {
    fn of(kind: AdapterKind) -> Self {
        if kind == AdapterKind::Software {
            Self { cache_bytes: 4 << 20, workgroups: 8, chunk_panels: 16 }
        } else {
            Self { cache_bytes: 32 << 20, workgroups: 512, chunk_panels: 4 }
        }
    }
}

/// Models of one reading of X: as many whole tiles as have their sums in half a buffer, the other half being for those
/// that are added up for more row blocks, and for what comes back beside them.
pub(super) fn models_per_reading(engine: &GpuEngine<'_>) -> usize {
    let of_model = size_of::<f32>() * (engine.table.n_features + 1);
    let fitting = usize::try_from(engine.device.max_storage_bytes() / 2).unwrap_or(usize::MAX) / of_model;
    (fitting / TILE_MODELS * TILE_MODELS).clamp(TILE_MODELS, MOST_MODELS)
}

/// Adds loss and gradient of every model to `sums`.
pub(super) fn add(
    engine: &GpuEngine<'_>,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    sample: Sample,
    sums: &mut Sums,
) -> Result<(), EngineError> {
    let group = models_per_reading(engine);
    for first in (0..models.len()).step_by(group) {
        let end = (first + group).min(models.len());
        evaluate_block(engine, first, &models[first..end], coefficients, sample, sums)?;
    }
    Ok(())
}

/// How a pass is cut into row blocks: panels whose X and residuals stay in the cache together.
struct Plan {
    /// Models of the pass, in whole tiles.
    n_models: usize,
    /// Panels of a row block, at most.
    panels: usize,
    /// Panels that a workgroup of `tile_gradient` adds up.
    chunk_panels: usize,
    /// Chunks of a row block, at most.
    n_chunks: usize,
}

impl Plan {
    fn new(engine: &GpuEngine<'_>, n_models: usize, sample: Sample) -> Self {
        let table = &engine.table;
        let n_models = n_models.next_multiple_of(TILE_MODELS);
        let panel_bytes = 4 * PANEL_ROWS * (n_models + table.n_features);
        let most = table.blocks.iter().map(|b| b.sampled(sample).1).max().unwrap_or(1).max(1);
        let cut = Cut::of(engine.device.summary().kind);
        let panels = (cut.cache_bytes / panel_bytes).clamp(1, 4096).min(most);
        let tiles = table.n_features.div_ceil(TILE_COLUMNS) * (n_models / TILE_MODELS);
        let workgroups = (cut.workgroups / tiles.max(1)).clamp(1, panels);
        let chunk_panels = panels.div_ceil(workgroups).max(cut.chunk_panels);
        Self { n_models, panels, chunk_panels, n_chunks: panels.div_ceil(chunk_panels) }
    }

    /// The row blocks of a sample, each with the number of the buffers that hold it.
    fn tasks(&self, table: &Table, sample: Sample) -> Vec<(usize, Tile)> {
        let mut tasks = Vec::new();
        for (b, block) in table.blocks.iter().enumerate() {
            let (first_panel, n_panels) = block.sampled(sample);
            for start in (0..n_panels).step_by(self.panels) {
                let tile = Tile {
                    n_features: table.n_features as u32,
                    n_models: self.n_models as u32,
                    first_panel: (first_panel + start * sample.stride()) as u32,
                    n_panels: (n_panels - start).min(self.panels) as u32,
                    chunk_panels: self.chunk_panels as u32,
                    stride: sample.stride() as u32,
                    ..Tile::default()
                };
                tasks.push((b, tile));
            }
        }
        tasks
    }
}

/// Models `first ..` of the stack, one pass over X.
fn evaluate_block(
    engine: &GpuEngine<'_>,
    first: usize,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    sample: Sample,
    sums: &mut Sums,
) -> Result<(), EngineError> {
    let (device, table) = (&engine.device, &engine.table);
    let d = table.n_features;
    let plan = Plan::new(engine, models.len(), sample);
    let Plan { n_models, panels, n_chunks, .. } = plan;
    let residual = device.pipeline(&TILE_RESIDUAL, &[])?;
    let gradient = device.pipeline(&TILE_GRADIENT, &[])?;

    let mut packed = vec![0.0f32; (d + 1) * n_models];
    let mut specs = vec![Model::default(); n_models];
    for (m, model) in models.iter().enumerate() {
        for (j, &w) in coefficients.model(first + m).iter().enumerate() {
            packed[j * n_models + m] = w as f32;
        }
        specs[m] = Model::from(model);
    }
    let coefficients4 = device.upload("logodds.tile_residual.coefficients4", &packed)?;
    let specs = device.upload("logodds.tile_residual.models", &specs)?;

    let residuals4 =
        device.storage("logodds.tile_residual.residuals4", (4 * panels * n_models * PANEL_ROWS) as u64)?;
    let total_words = panels * 2 * n_models;
    let totals = device.storage("logodds.tile_residual.totals", 4 * total_words as u64)?;
    let partial_words = n_chunks * d * n_models;
    let partials4 = device.storage("logodds.tile_gradient.partials4", 4 * partial_words as u64)?;

    let tasks = plan.tasks(table, sample);
    let uniforms = device.uniforms("logodds.tile", tasks.len().min(CHAIN_BLOCKS))?;
    let mut bound = Vec::new();
    for block in &table.blocks {
        bound.push((
            device.bind(
                &residual,
                size_of::<Tile>(),
                &[
                    &uniforms,
                    &block.x,
                    &block.label,
                    &block.weight,
                    &coefficients4,
                    &specs,
                    &residuals4,
                    &totals,
                ],
            )?,
            device.bind(&gradient, size_of::<Tile>(), &[&uniforms, &block.x, &residuals4, &partials4])?,
        ));
    }

    for chain in tasks.chunks(CHAIN_BLOCKS) {
        device.write_uniforms(&uniforms, &chain.iter().map(|t| t.1).collect::<Vec<_>>())?;
        let mut encoder = device.encoder("logodds.tiled");
        encoder.clear_buffer(&totals, 0, None);
        encoder.clear_buffer(&partials4, 0, None);
        let mut work = 0;
        for (k, (b, tile)) in chain.iter().enumerate() {
            let offset = [(k as u64 * device.uniform_stride()) as u32];
            let model_tiles = (n_models / TILE_MODELS) as u32;
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&residual.pipeline);
            pass.set_bind_group(0, &bound[*b].0, &offset);
            pass.dispatch_workgroups(tile.n_panels, model_tiles, 1);
            if d > 0 {
                pass.set_pipeline(&gradient.pipeline);
                pass.set_bind_group(0, &bound[*b].1, &offset);
                let chunks = tile.n_panels.div_ceil(tile.chunk_panels);
                pass.dispatch_workgroups(d.div_ceil(TILE_COLUMNS) as u32, model_tiles, chunks);
            }
            drop(pass);
            work += 2 * u64::from(tile.n_panels) * (PANEL_ROWS * (d + 16) * n_models) as u64;
            if work > SUBMISSION_WORK {
                let next = device.encoder("logodds.tiled");
                device.submit("the tiled pass", std::mem::replace(&mut encoder, next))?;
                work = 0;
            }
        }
        let sources = [(&totals, total_words), (&partials4, partial_words)];
        let read = device.read("the tiled pass", encoder, &sources)?;
        add_read(&read, n_models, first, models.len(), sums);
    }
    Ok(())
}

/// Adds what came back, `totals` and `partials4` of rows of `width` models, to models `first ..`.
fn add_read(read: &[Vec<f32>], width: usize, first: usize, n_models: usize, sums: &mut Sums) {
    let d = sums.n_features();
    for (k, row) in read[0].chunks_exact(width).enumerate() {
        for (m, &part) in row[..n_models].iter().enumerate() {
            // Even rows hold residual sums, odd rows loss sums.
            let sum =
                if k % 2 == 0 { &mut sums.gradient_mut(first + m)[d] } else { sums.loss_mut(first + m) };
            *sum += f64::from(part);
        }
    }
    for (k, row) in read[1].chunks_exact(width).enumerate() {
        for (m, &part) in row[..n_models].iter().enumerate() {
            sums.gradient_mut(first + m)[k % d] += f64::from(part);
        }
    }
}
