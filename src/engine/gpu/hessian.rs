//! The curvature of one model: each row's root, then a tiled product of the scaled features with themselves.

use super::GpuEngine;
use super::kernels::{HESSIAN, ROOT_CURVATURE};
use super::layout::{Model, Tile};
use super::tiled::SUBMISSION_WORK;
use crate::error::EngineError;
use crate::objective::ModelSpec;
use crate::panels::{PANEL_ROWS, Sample};

/// Rows and columns of the matrix in a workgroup of `hessian`.
const TILE_ORDER: usize = 32;
/// Panels of a chunk, at most: what is added up in float32; the rest is added in float64 on the host.
const CHUNK_PANELS: usize = 64;
/// Chunks at most: enough to fill a device.
const MAX_CHUNKS: usize = 64;
/// Bytes of all partial matrices together.
const PARTIAL_BYTES: usize = 64 << 20;

/// Adds the upper triangle of the sums, row after row.
pub(super) fn add(
    engine: &GpuEngine<'_>,
    model: &ModelSpec,
    column: &[f64],
    sample: Sample,
    sums: &mut [f64],
) -> Result<(), EngineError> {
    let (device, table) = (&engine.device, &engine.table);
    let order = table.n_features + 1;
    let root = device.pipeline(&ROOT_CURVATURE, &[])?;
    let product = device.pipeline(&HESSIAN, &[])?;

    let n_chunks = (PARTIAL_BYTES / (4 * order * order)).clamp(1, MAX_CHUNKS);
    let panel_work = PANEL_ROWS * order * (order + TILE_ORDER) / 2;
    let most = (n_chunks * CHUNK_PANELS).min((SUBMISSION_WORK as usize / panel_work).max(1));
    let column: Vec<f32> = column.iter().map(|&w| w as f32).collect();
    let coefficients = device.upload("logodds.root_curvature.coefficients", &column)?;
    let specs = [Model::from(model)];
    let models = device.upload("logodds.root_curvature.models", &specs)?;
    let roots4 = device.storage("logodds.root_curvature.roots4", (4 * most * PANEL_ROWS) as u64)?;
    let words = n_chunks * order * order;
    let partials = device.storage("logodds.hessian.partials", 4 * words as u64)?;
    let uniforms = device.uniforms("logodds.hessian.tile", 1)?;

    for block in &table.blocks {
        let (first, n_panels) = block.sampled(sample);
        let bound = [
            device.bind(
                &root,
                size_of::<Tile>(),
                &[&uniforms, &block.x, &block.label, &block.weight, &coefficients, &models, &roots4],
            )?,
            device.bind(&product, size_of::<Tile>(), &[&uniforms, &block.x, &roots4, &partials])?,
        ];
        for start in (0..n_panels).step_by(most) {
            let panels = (n_panels - start).min(most);
            let tile = Tile {
                n_features: table.n_features as u32,
                n_models: 1,
                first_panel: (first + start * sample.stride()) as u32,
                n_panels: panels as u32,
                chunk_panels: panels.div_ceil(n_chunks) as u32,
                stride: sample.stride() as u32,
                ..Tile::default()
            };
            device.write_uniforms(&uniforms, &[tile])?;
            let mut encoder = device.encoder("logodds.hessian");
            encoder.clear_buffer(&partials, 0, None);
            let tiles = order.div_ceil(TILE_ORDER) as u32;
            let chunks = tile.n_panels.div_ceil(tile.chunk_panels);
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&root.pipeline);
            pass.set_bind_group(0, &bound[0], &[0]);
            pass.dispatch_workgroups(tile.n_panels, 1, 1);
            pass.set_pipeline(&product.pipeline);
            pass.set_bind_group(0, &bound[1], &[0]);
            pass.dispatch_workgroups(tiles, tiles, chunks);
            drop(pass);
            let read = device.read("the Hessian", encoder, &[(&partials, words)])?;
            for partial in read[0].chunks_exact(order * order).take(chunks as usize) {
                sums.iter_mut().zip(partial).for_each(|(sum, &part)| *sum += f64::from(part));
            }
        }
    }
    Ok(())
}
