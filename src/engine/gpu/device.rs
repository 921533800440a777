//! An open device with its buffers and read-backs. Every failure in wgpu becomes an error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::adapter::AdapterSummary;
use super::pipeline::{Pipeline, PipelineKey};
use crate::error::EngineError;

/// Bytes passed to the driver at a time. It needs as many again for staging.
const UPLOAD_BYTES: usize = 16 << 20;
/// How long to wait for the notification of a finished read-back.
const READ_BACK_GRACE: Duration = Duration::from_secs(60);

/// An open device. Clones share it.
#[derive(Debug, Clone)]
pub struct GpuDevice(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    pub(super) summary: AdapterSummary,
    uniform_stride: u64,
    /// The driver's message on losing the device.
    lost: Arc<Mutex<Option<String>>>,
    /// The first error that wgpu reported outside every error scope.
    stray: Arc<Mutex<Option<String>>>,
    pub(super) pipelines: Mutex<HashMap<PipelineKey, Pipeline>>,
}

impl GpuDevice {
    /// Opens `adapter` with the highest limits that it supports.
    ///
    /// # Errors
    /// The driver fails to open it.
    pub(super) fn open(adapter: &wgpu::Adapter, summary: AdapterSummary) -> Result<Self, EngineError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("logodds"),
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|e| EngineError::Open { adapter: summary.to_string(), reason: e.to_string() })?;
        Ok(Self::from_parts(device, queue, summary))
    }

    /// Wraps a device that the caller opened. `summary` describes its adapter.
    pub fn from_parts(device: wgpu::Device, queue: wgpu::Queue, summary: AdapterSummary) -> Self {
        let (lost, stray) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
        let (on_lost, on_stray) = (Arc::clone(&lost), Arc::clone(&stray));
        device.set_device_lost_callback(move |reason, message| {
            lock(&on_lost).get_or_insert(format!("{reason:?} {message}"));
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&on_stray).get_or_insert(error.to_string());
        }));
        let uniform_stride = u64::from(device.limits().min_uniform_buffer_offset_alignment).max(256);
        let pipelines = Mutex::default();
        Self(Arc::new(Inner { device, queue, summary, uniform_stride, lost, stray, pipelines }))
    }

    /// The adapter that was opened.
    pub fn summary(&self) -> &AdapterSummary {
        &self.0.summary
    }

    /// The largest storage buffer that a kernel can bind completely, in bytes.
    pub fn max_storage_bytes(&self) -> u64 {
        let limits = self.0.device.limits();
        // Some drivers compute byte offsets in u32, so buffers stay below 4 GiB.
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(u64::from(u32::MAX)) & !255
    }

    /// Memory that a workgroup can share, in bytes.
    pub(super) fn max_workgroup_bytes(&self) -> u64 {
        u64::from(self.0.device.limits().max_compute_workgroup_storage_size)
    }

    /// Distance in bytes between uniforms that a dispatch selects by offset.
    pub(super) fn uniform_stride(&self) -> u64 {
        self.0.uniform_stride
    }

    /// Runs `action`, and returns any error that wgpu reports meanwhile. `doing` and `bytes` are for its
    /// message.
    pub(super) fn guarded<T>(
        &self,
        doing: &str,
        bytes: u64,
        action: impl FnOnce() -> T,
    ) -> Result<T, EngineError> {
        let device = &self.0.device;
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = action();
        let scopes = [validation.pop(), internal.pop(), memory.pop()].map(pollster::block_on);
        let error = scopes.into_iter().flatten().next();
        let stray = lock(&self.0.stray).take();
        if error.is_some() || stray.is_some() {
            // wgpu reports a lost device only when polled. Before that, the errors look like invalid buffers.
            let _ = device.poll(wgpu::PollType::Poll);
        }
        let (adapter, doing) = (self.0.summary.to_string(), doing.to_owned());
        if let Some(reason) = lock(&self.0.lost).clone() {
            return Err(EngineError::Lost { adapter, doing, reason });
        }
        match (error, stray) {
            (Some(wgpu::Error::OutOfMemory { .. }), _) => {
                Err(EngineError::OutOfMemory { adapter, doing, bytes })
            }
            (Some(error), _) => Err(EngineError::Failed { adapter, doing, reason: error.to_string() }),
            (None, Some(reason)) => Err(EngineError::Failed { adapter, doing, reason }),
            (None, None) => Ok(value),
        }
    }

    /// A buffer of zeros.
    ///
    /// # Errors
    /// The device has no room for it, or allows no buffer of this size.
    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, EngineError> {
        let limit = self.max_storage_bytes();
        if bytes > limit {
            return Err(EngineError::LimitTooSmall {
                adapter: self.0.summary.to_string(),
                what: label.to_owned(),
                needed: bytes,
                limit,
                way_out: "use a smaller --batch-size or fewer models, or --device cpu",
            });
        }
        // A binding must not be empty, and a kernel may load one row beyond the end of an empty table.
        let size = bytes.max(1024).next_multiple_of(16);
        self.guarded(&format!("making {label}"), size, || {
            self.0.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            })
        })
    }

    /// A storage buffer of zeros that kernels can write and that can be copied from.
    pub(super) fn storage(&self, label: &str, bytes: u64) -> Result<wgpu::Buffer, EngineError> {
        use wgpu::BufferUsages as U;
        self.buffer(label, bytes, U::STORAGE | U::COPY_SRC | U::COPY_DST)
    }

    /// A storage buffer with the contents `data`.
    pub(super) fn upload<T: bytemuck::Pod>(
        &self,
        label: &str,
        data: &[T],
    ) -> Result<wgpu::Buffer, EngineError> {
        let bytes: &[u8] = bytemuck::cast_slice(data);
        let buffer = self.storage(label, bytes.len() as u64)?;
        self.guarded(&format!("filling {label}"), bytes.len() as u64, || self.write(&buffer, bytes))??;
        Ok(buffer)
    }

    /// A buffer for `capacity` uniforms, which are [`Self::uniform_stride`] apart.
    pub(super) fn uniforms(&self, label: &str, capacity: usize) -> Result<wgpu::Buffer, EngineError> {
        use wgpu::BufferUsages as U;
        self.buffer(label, capacity as u64 * self.uniform_stride(), U::UNIFORM | U::COPY_DST)
    }

    /// Writes `values` to a buffer made by [`Self::uniforms`].
    pub(super) fn write_uniforms<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
        values: &[T],
    ) -> Result<(), EngineError> {
        let stride = self.uniform_stride() as usize;
        let mut bytes = vec![0; values.len() * stride];
        for (slot, value) in bytes.chunks_exact_mut(stride).zip(values) {
            slot[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(value));
        }
        self.guarded("filling uniforms", bytes.len() as u64, || self.write(buffer, &bytes))?
    }

    /// Copies `bytes` in pieces. Waits after every fourth piece, since wgpu keeps a copy of each until it
    /// is uploaded.
    fn write(&self, buffer: &wgpu::Buffer, bytes: &[u8]) -> Result<(), EngineError> {
        for (k, chunk) in bytes.chunks(UPLOAD_BYTES).enumerate() {
            self.0.queue.write_buffer(buffer, (k * UPLOAD_BYTES) as u64, chunk);
            if k % 4 == 3 {
                self.0.queue.submit([]);
                self.wait("uploading")?;
            }
        }
        Ok(())
    }

    fn wait(&self, doing: &str) -> Result<(), EngineError> {
        self.0.device.poll(wgpu::PollType::wait_indefinitely()).map(drop).map_err(|e| EngineError::Failed {
            adapter: self.0.summary.to_string(),
            doing: doing.to_owned(),
            reason: e.to_string(),
        })
    }

    /// An empty command encoder.
    pub(super) fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.0.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }

    /// Submits the commands without waiting for them.
    pub(super) fn submit(&self, doing: &str, encoder: wgpu::CommandEncoder) -> Result<(), EngineError> {
        self.guarded(doing, 0, || self.0.queue.submit([encoder.finish()])).map(drop)
    }

    /// Submits the commands, waits, and reads the first words of some buffers. Each of `sources` is a
    /// buffer and its number of float32 words.
    pub(super) fn read(
        &self,
        doing: &str,
        mut encoder: wgpu::CommandEncoder,
        sources: &[(&wgpu::Buffer, usize)],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        use wgpu::BufferUsages as U;
        let words: usize = sources.iter().map(|s| s.1).sum();
        let staging = self.buffer("logodds.read_back", 4 * words as u64, U::MAP_READ | U::COPY_DST)?;
        let (tell, told) = mpsc::channel();
        self.guarded(doing, 4 * words as u64, || {
            let mut at = 0;
            for &(buffer, words) in sources {
                encoder.copy_buffer_to_buffer(buffer, 0, &staging, at, 4 * words as u64);
                at += 4 * words as u64;
            }
            self.0.queue.submit([encoder.finish()]);
            staging.map_async(wgpu::MapMode::Read, .., move |result| drop(tell.send(result)));
            self.wait(doing)
        })??;
        let failed = |reason: String| EngineError::Failed {
            adapter: self.0.summary.to_string(),
            doing: doing.to_owned(),
            reason,
        };
        // Another thread that polls this device may have taken the callback without having run it yet.
        match told.recv_timeout(READ_BACK_GRACE) {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(failed(e.to_string())),
            Err(_) => return Err(failed("the read-back timed out".to_owned())),
        }
        let view = staging.get_mapped_range(..).map_err(|e| failed(e.to_string()))?;
        let mut at = 0;
        let parts = sources.iter().map(|&(_, words)| {
            let part = bytemuck::pod_collect_to_vec(&view[at..at + 4 * words]);
            at += 4 * words;
            part
        });
        Ok(parts.collect())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
