//! An open device: buffers and read-backs, with every failure of wgpu as an error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::adapter::AdapterSummary;
use super::pipeline::{Pipeline, PipelineKey};
use crate::error::EngineError;

/// Bytes handed to the driver at a time; it keeps as much again for staging.
const UPLOAD_BYTES: usize = 16 << 20;
/// How long a finished read-back may take to be told.
const READ_BACK_GRACE: Duration = Duration::from_secs(60);

/// An open adapter. Clones are the same device.
#[derive(Debug, Clone)]
pub struct GpuDevice(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    pub(super) summary: AdapterSummary,
    uniform_stride: u64,
    /// The driver's words on losing the device.
    lost: Arc<Mutex<Option<String>>>,
    /// What wgpu reports outside every error scope.
    stray: Arc<Mutex<Option<String>>>,
    pub(super) pipelines: Mutex<HashMap<PipelineKey, Pipeline>>,
}

impl GpuDevice {
    /// Opens `adapter` with all the limits it has.
    ///
    /// # Errors
    /// The driver refuses.
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

    /// Takes a device that the caller opened, `summary` saying what it is.
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

    /// What was opened.
    pub fn summary(&self) -> &AdapterSummary {
        &self.0.summary
    }

    /// The largest storage buffer that a kernel can see whole, in bytes.
    pub fn max_storage_bytes(&self) -> u64 {
        let limits = self.0.device.limits();
        // Kernels index float32 words with u32, so 4 GiB would do; drivers do byte offsets in u32 too.
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(u64::from(u32::MAX)) & !255
    }

    /// Memory a workgroup can share, in bytes.
    pub(super) fn max_workgroup_bytes(&self) -> u64 {
        u64::from(self.0.device.limits().max_compute_workgroup_storage_size)
    }

    /// Distance of two uniforms that a dispatch can choose between, in bytes.
    pub(super) fn uniform_stride(&self) -> u64 {
        self.0.uniform_stride
    }

    /// Runs `action`; whatever wgpu reports meanwhile is the error.
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
            // The loss is told while polling; until then its victims look like invalid buffers.
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
        // A binding must not be empty, and a kernel may load one row past an empty table.
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

    /// A storage buffer of zeros, to be written by kernels and copied from.
    pub(super) fn storage(&self, label: &str, bytes: u64) -> Result<wgpu::Buffer, EngineError> {
        use wgpu::BufferUsages as U;
        self.buffer(label, bytes, U::STORAGE | U::COPY_SRC | U::COPY_DST)
    }

    /// A storage buffer of `data`.
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

    /// A buffer of `capacity` uniforms, [`Self::uniform_stride`] apart.
    pub(super) fn uniforms(&self, label: &str, capacity: usize) -> Result<wgpu::Buffer, EngineError> {
        use wgpu::BufferUsages as U;
        self.buffer(label, capacity as u64 * self.uniform_stride(), U::UNIFORM | U::COPY_DST)
    }

    /// Fills a buffer of [`Self::uniforms`].
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

    /// Copies `bytes` in pieces, waiting now and then: wgpu holds each piece once more until it has arrived.
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

    /// An empty list of commands.
    pub(super) fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.0.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }

    /// Hands the commands to the device and does not wait.
    pub(super) fn submit(&self, doing: &str, encoder: wgpu::CommandEncoder) -> Result<(), EngineError> {
        self.guarded(doing, 0, || self.0.queue.submit([encoder.finish()])).map(drop)
    }

    /// Submits the commands, waits, and brings back `(buffer, float32 words)` each.
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
        // Another thread that polls this device may have taken the callback and not run it yet.
        match told.recv_timeout(READ_BACK_GRACE) {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(failed(e.to_string())),
            Err(_) => return Err(failed("the read-back never came".to_owned())),
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
