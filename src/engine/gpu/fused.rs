//! The pass for few models, bound by memory: X read once for score and gradient.

use super::GpuEngine;
use super::adapter::AdapterKind;
use super::kernels::{FUSED_1, FUSED_4};
use super::layout::{Fused, held_labels};
use crate::error::EngineError;
use crate::objective::{Coefficients, ModelSpec, Sums};
use crate::panels::{PANEL_ROWS, Sample};

/// Bytes of X between their two readings, over all workgroups: what stays in the last cache of a large GPU.
const CACHE_BYTES: usize = 40 << 20;
/// Panels that one workgroup adds up in float32, at most; the rest is added in float64 on the host.
const CHAIN_PANELS: usize = 256;

/// Workgroups over `n_panels` panels, each of which goes through a panel at a time: enough to hide the latency
/// of memory (64 invocations with four vec4 loads in flight are 4 KiB), not so many that
/// their panels push each other out of the cache, or that bringing back their sums takes long.
fn n_workgroups(n_panels: usize, n_features: usize, software: bool) -> usize {
    let panel_bytes = 4 * PANEL_ROWS * n_features.max(1);
    let resident = if software { 64 } else { (CACHE_BYTES / panel_bytes).clamp(256, 1024) };
    resident.max(n_panels.div_ceil(CHAIN_PANELS)).min(n_panels)
}

/// Words of `sums` in the kernel: 16 lanes a column, columns rounded up so that few variants are compiled.
fn sums_len(n_features: usize) -> usize {
    16 * n_features.next_multiple_of(16).max(16)
}

fn lanes(n_models: usize) -> usize {
    if n_models == 1 { 1 } else { 4 }
}

/// Whether the stack is small enough, and the sums of its columns fit in a workgroup's memory.
pub(super) fn takes(engine: &GpuEngine<'_>, n_models: usize) -> bool {
    // Beside the sums, `parts` in the kernel: four groups' worth of a panel.
    let words = (sums_len(engine.table.n_features) + 4 * PANEL_ROWS) * lanes(n_models);
    n_models <= super::FUSED_MODELS
        && (words * size_of::<f32>()) as u64 <= engine.device.max_workgroup_bytes()
}

/// Adds loss and gradient of every model to `sums`.
pub(super) fn add(
    engine: &GpuEngine<'_>,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    sample: Sample,
    sums: &mut Sums,
) -> Result<(), EngineError> {
    let (device, table) = (&engine.device, &engine.table);
    let (d, n_models, lanes) = (table.n_features, models.len(), lanes(models.len()));
    let n_groups = n_models.div_ceil(lanes);
    let kernel = if lanes == 1 { &FUSED_1 } else { &FUSED_4 };
    let pipeline = device.pipeline(kernel, &[("SUMS", sums_len(d) as f64)])?;

    let mut packed = vec![0.0f32; n_groups * (d + 1) * lanes];
    for m in 0..n_models {
        for (j, &w) in coefficients.model(m).iter().enumerate() {
            packed[((m / lanes) * (d + 1) + j) * lanes + m % lanes] = w as f32;
        }
    }
    let coefficients4 = device.upload("logodds.fused.coefficients", &packed)?;

    // Dispatches in the order block, group; a partial is d + 2 words of `lanes`.
    let software = device.summary().kind == AdapterKind::Software;
    let mut tasks = Vec::new();
    let mut n_partials = 0;
    for block in &table.blocks {
        let (first_panel, n_panels) = block.sampled(sample);
        for (g, group) in models.chunks(lanes).enumerate() {
            let n_workgroups = n_workgroups(n_panels, d, software);
            let mut task = Fused {
                n_features: d as u32,
                n_panels: n_panels as u32,
                first_panel: first_panel as u32,
                stride: sample.stride() as u32,
                n_workgroups: n_workgroups as u32,
                coefficients_at: (g * (d + 1)) as u32,
                partials_at: (n_partials * (d + 2)) as u32,
                ..Fused::default()
            };
            for (lane, model) in group.iter().enumerate() {
                task.classes[lane] = model.class;
                task.positive_weight[lane] = model.positive_weight as f32;
                task.negative_weight[lane] = model.negative_weight as f32;
                (task.held_first[lane], task.held_span[lane]) = held_labels(model);
            }
            tasks.push((g, n_workgroups, task));
            n_partials += n_workgroups;
        }
    }
    let words = n_partials * (d + 2) * lanes;
    let partials = device.storage("logodds.fused.partials", 4 * words as u64)?;
    let uniforms = device.uniforms("logodds.fused.task", tasks.len())?;
    device.write_uniforms(&uniforms, &tasks.iter().map(|t| t.2).collect::<Vec<_>>())?;

    let mut encoder = device.encoder("logodds.fused");
    for (b, block) in table.blocks.iter().enumerate() {
        let bound = device.bind(
            &pipeline,
            size_of::<Fused>(),
            &[&uniforms, &block.x, &block.label, &block.weight, &coefficients4, &partials],
        )?;
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline.pipeline);
        for g in 0..n_groups {
            let at = b * n_groups + g;
            pass.set_bind_group(0, &bound, &[(at as u64 * device.uniform_stride()) as u32]);
            pass.dispatch_workgroups(tasks[at].1 as u32, 1, 1);
        }
    }
    let read = device.read("the fused pass", encoder, &[(&partials, words)])?;

    let mut rest = read[0].chunks_exact((d + 2) * lanes);
    for &(g, n_workgroups, _) in &tasks {
        for partial in rest.by_ref().take(n_workgroups) {
            for lane in 0..lanes.min(n_models - g * lanes) {
                let m = g * lanes + lane;
                for (sum, part) in sums.gradient_mut(m).iter_mut().zip(partial.chunks_exact(lanes)) {
                    *sum += f64::from(part[lane]);
                }
                *sums.loss_mut(m) += f64::from(partial[(d + 1) * lanes + lane]);
            }
        }
    }
    Ok(())
}
