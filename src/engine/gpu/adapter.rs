//! Lists the adapters of this machine, and chooses one.

use std::fmt;

use serde::{Serialize, Serializer};

use super::device::GpuDevice;
use crate::error::EngineError;

/// The kind of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the host's memory.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// The CPU, which runs the shaders (Mesa lavapipe, WARP).
    Software,
    /// Not reported by the driver.
    Other,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Software => "software",
            Self::Other => "unknown kind",
        })
    }
}

impl Serialize for AdapterKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<wgpu::DeviceType> for AdapterKind {
    fn from(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Cpu => Self::Software,
            wgpu::DeviceType::Other => Self::Other,
        }
    }
}

/// A description of one adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdapterSummary {
    /// Its index in the list, the INDEX of `--device`.
    pub index: usize,
    /// Name reported by the driver.
    pub name: String,
    /// The graphics API: Vulkan, Metal or DX12.
    pub backend: String,
    /// Kind of the adapter.
    pub kind: AdapterKind,
    /// Name and version of the driver.
    pub driver: String,
    /// The largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// The largest part of a buffer that a shader can bind, in bytes.
    pub max_binding_bytes: u64,
    /// Memory shared by a workgroup, in bytes.
    pub max_workgroup_bytes: u64,
}

impl fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.backend)
    }
}

/// Which adapter the user requests. The CPU engine is not an adapter; the caller handles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterChoice {
    /// A hardware GPU, if there is one.
    Auto,
    /// A hardware GPU, or an error.
    Gpu,
    /// A software adapter, or an error.
    Software,
    /// The adapter of this index in [`list_adapters`], or an error.
    Index(usize),
}

/// The result of [`select`].
#[derive(Debug, Clone)]
pub enum Selection {
    /// The open device, and why it was chosen.
    Device(GpuDevice, String),
    /// There is no hardware GPU for [`AdapterChoice::Auto`], with the reason.
    NoGpu(String),
}

/// All adapters of this machine. Empty without a driver.
pub fn list_adapters() -> Vec<AdapterSummary> {
    adapters().iter().enumerate().map(|(index, adapter)| summary(index, adapter)).collect()
}

/// Opens the adapter that `choice` requests.
///
/// # Errors
/// There is no such adapter, or its driver fails to open it.
pub fn select(choice: AdapterChoice) -> Result<Selection, EngineError> {
    let adapters = adapters();
    let summaries: Vec<_> = adapters.iter().enumerate().map(|(i, a)| summary(i, a)).collect();
    let chosen = choose(choice, &summaries)?;
    let reason = reason(choice, chosen, &summaries);
    Ok(match chosen {
        Some(index) => {
            Selection::Device(GpuDevice::open(&adapters[index], summaries[index].clone())?, reason)
        }
        None => Selection::NoGpu(reason),
    })
}

/// The reason for the result `chosen` of [`choose`], in a few words.
pub fn reason(choice: AdapterChoice, chosen: Option<usize>, adapters: &[AdapterSummary]) -> String {
    match (choice, chosen) {
        (AdapterChoice::Auto | AdapterChoice::Gpu, Some(index)) => format!("{} found", adapters[index].kind),
        (AdapterChoice::Software, _) => "software adapter requested".to_owned(),
        (AdapterChoice::Index(index), _) => format!("adapter {index} requested"),
        (_, None) if adapters.is_empty() => "no adapter found".to_owned(),
        (_, None) => "no hardware GPU found".to_owned(),
    }
}

/// The index in `adapters` of the adapter that `choice` requests.
///
/// A discrete GPU is preferred to an integrated one, an integrated one to a virtual one, and the first of
/// its kind is chosen. `None` if there is no hardware GPU for [`AdapterChoice::Auto`].
///
/// # Errors
/// There is no such adapter.
pub fn choose(choice: AdapterChoice, adapters: &[AdapterSummary]) -> Result<Option<usize>, EngineError> {
    let first = |kind| adapters.iter().position(|a| a.kind == kind);
    let hardware =
        [AdapterKind::Discrete, AdapterKind::Integrated, AdapterKind::Virtual].into_iter().find_map(first);
    match choice {
        AdapterChoice::Auto => Ok(hardware),
        AdapterChoice::Gpu => {
            hardware.map(Some).ok_or_else(|| EngineError::NoGpu { found: describe(adapters) })
        }
        AdapterChoice::Software => first(AdapterKind::Software)
            .map(Some)
            .ok_or_else(|| EngineError::NoSoftwareAdapter { found: describe(adapters) }),
        AdapterChoice::Index(index) if index < adapters.len() => Ok(Some(index)),
        AdapterChoice::Index(index) => Err(EngineError::NoSuchAdapter { index, found: describe(adapters) }),
    }
}

fn describe(adapters: &[AdapterSummary]) -> String {
    if adapters.is_empty() {
        return "no adapter at all: no Vulkan, Metal or DX12 driver responds".to_owned();
    }
    let each: Vec<_> = adapters.iter().map(|a| format!("adapter {} is {a}, {}", a.index, a.kind)).collect();
    each.join("; ")
}

fn adapters() -> Vec<wgpu::Adapter> {
    // No validation layers, since wgpu would warn on every start where they are not installed.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

fn summary(index: usize, adapter: &wgpu::Adapter) -> AdapterSummary {
    let info = adapter.get_info();
    let limits = adapter.limits();
    AdapterSummary {
        index,
        name: info.name,
        backend: info.backend.to_string(),
        kind: info.device_type.into(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        max_buffer_bytes: limits.max_buffer_size,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_workgroup_bytes: u64::from(limits.max_compute_workgroup_storage_size),
    }
}
