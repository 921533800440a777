//! Compiles kernels and binds their buffers.

use super::device::{GpuDevice, lock};
use super::kernels::{Binding, KERNELS, Kernel};
use crate::error::EngineError;

/// Most workgroups in one dimension of a grid: WebGPU's limit, which every device supports.
const GRID: u32 = 65_535;

/// A kernel's name and its overrides, bit for bit.
pub(super) type PipelineKey = (&'static str, Vec<(&'static str, u64)>);

/// A compiled kernel.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    kernel: &'static Kernel,
    layout: wgpu::BindGroupLayout,
    pub(super) pipeline: wgpu::ComputePipeline,
}

impl GpuDevice {
    /// The pipeline of `kernel` with these override constants (its defaults if empty). Compiled at first use.
    pub(super) fn pipeline(
        &self,
        kernel: &'static Kernel,
        overrides: &[(&'static str, f64)],
    ) -> Result<Pipeline, EngineError> {
        let key = (kernel.name, overrides.iter().map(|&(name, value)| (name, value.to_bits())).collect());
        let mut pipelines = lock(&self.0.pipelines);
        if let Some(found) = pipelines.get(&key) {
            return Ok(found.clone());
        }
        let overrides = if overrides.is_empty() { kernel.overrides } else { overrides };
        let compiled = self.guarded(kernel.name, 0, || compile(&self.0.device, kernel, overrides)).map_err(
            |e| match e {
                EngineError::Failed { adapter, reason, .. } => {
                    EngineError::Kernel { kernel: kernel.name, adapter, reason }
                }
                other => other,
            },
        )?;
        pipelines.insert(key, compiled.clone());
        Ok(compiled)
    }

    /// Compiles every kernel now, with its default override constants.
    ///
    /// # Errors
    /// The device rejects a kernel.
    pub fn compile_all(&self) -> Result<(), EngineError> {
        KERNELS.iter().try_for_each(|kernel| self.pipeline(kernel, &[]).map(drop))
    }

    /// Binds `buffers`, in the order of the kernel's bindings. A uniform binding covers one struct of
    /// `uniform_bytes`.
    pub(super) fn bind(
        &self,
        pipeline: &Pipeline,
        uniform_bytes: usize,
        buffers: &[&wgpu::Buffer],
    ) -> Result<wgpu::BindGroup, EngineError> {
        let kernel = pipeline.kernel;
        assert_eq!(buffers.len(), kernel.bindings.len(), "a buffer for each binding of {}", kernel.name);
        let entries: Vec<_> = buffers
            .iter()
            .zip(kernel.bindings)
            .enumerate()
            .map(|(slot, (buffer, &(_, kind)))| wgpu::BindGroupEntry {
                binding: slot as u32,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: (kind == Binding::Uniform)
                        .then(|| wgpu::BufferSize::new(uniform_bytes as u64))
                        .flatten(),
                }),
            })
            .collect();
        self.guarded(&format!("binding {}", kernel.name), 0, || {
            self.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&format!("logodds.{}", kernel.name)),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }
}

/// The dimensions of a two-dimensional grid with at least `workgroups` workgroups. One row suffices up to
/// [`GRID`].
pub(super) fn fold_grid(workgroups: u32) -> (u32, u32) {
    let rows = workgroups.div_ceil(GRID).max(1);
    (workgroups.div_ceil(rows).max(1), rows)
}

/// Compiles `kernel` with an explicit layout. Failures go to the current error scope.
fn compile(device: &wgpu::Device, kernel: &'static Kernel, overrides: &[(&'static str, f64)]) -> Pipeline {
    let label = format!("logodds.{}", kernel.name);
    let entries: Vec<_> = kernel
        .bindings
        .iter()
        .enumerate()
        .map(|(slot, &(_, kind))| wgpu::BindGroupLayoutEntry {
            binding: slot as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match kind {
                    Binding::Uniform => wgpu::BufferBindingType::Uniform,
                    Binding::ReadOnly => wgpu::BufferBindingType::Storage { read_only: true },
                    Binding::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
                },
                has_dynamic_offset: kind == Binding::Uniform,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(&label),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(&label),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(&label),
        source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&label),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: overrides,
            // Every kernel writes its workgroup memory before it reads it.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    Pipeline { kernel, layout, pipeline }
}
