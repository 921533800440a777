//! Which adapters there are, and which one to take.

use std::fmt;

use serde::{Serialize, Serializer};

use super::device::GpuDevice;
use crate::error::EngineError;

/// What an adapter is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the host's memory.
    Integrated,
    /// A GPU handed to a virtual machine.
    Virtual,
    /// Shaders run by the CPU (Mesa lavapipe, WARP).
    Software,
    /// The driver does not say.
    Other,
}

impl AdapterKind {
    /// Whether a GPU, and not the CPU, runs the shaders.
    pub fn is_hardware(self) -> bool {
        matches!(self, Self::Discrete | Self::Integrated | Self::Virtual)
    }
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

/// One adapter, for people and for the choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdapterSummary {
    /// Its place in the list, the INDEX of `--device`.
    pub index: usize,
    /// What the driver calls it.
    pub name: String,
    /// The interface it is reached through: Vulkan, Metal, DX12.
    pub backend: String,
    /// What it is made of.
    pub kind: AdapterKind,
    /// Driver and version, as the driver says them.
    pub driver: String,
    /// The largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// The largest part of a buffer that a shader sees at once, in bytes.
    pub max_binding_bytes: u64,
    /// Memory shared by a workgroup, in bytes.
    pub max_workgroup_bytes: u64,
}

impl fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.backend)
    }
}

/// What the user asks for; the CPU engine is the caller's affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterChoice {
    /// A hardware GPU if there is one.
    Auto,
    /// A hardware GPU, or an error.
    Gpu,
    /// A software adapter, or an error.
    Software,
    /// The adapter of this index in [`list_adapters`], or an error.
    Index(usize),
}

/// What [`select`] found.
#[derive(Debug, Clone)]
pub enum Selection {
    /// The device, open, and why it was taken.
    Device(GpuDevice, String),
    /// [`AdapterChoice::Auto`] found no hardware GPU, and why.
    NoGpu(String),
}

/// Every adapter of this machine; empty where there is no driver at all.
pub fn list_adapters() -> Vec<AdapterSummary> {
    adapters().iter().enumerate().map(|(index, adapter)| summary(index, adapter)).collect()
}

/// Opens the adapter that `choice` names.
///
/// # Errors
/// There is no such adapter, or its driver does not open it.
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

/// Why [`choose`] chose as it did, in a few words.
pub fn reason(choice: AdapterChoice, chosen: Option<usize>, adapters: &[AdapterSummary]) -> String {
    match (choice, chosen) {
        (AdapterChoice::Auto | AdapterChoice::Gpu, Some(index)) => format!("{} found", adapters[index].kind),
        (AdapterChoice::Software, _) => "software adapter asked for".to_owned(),
        (AdapterChoice::Index(index), _) => format!("adapter {index} asked for"),
        (_, None) if adapters.is_empty() => "no adapter found".to_owned(),
        (_, None) => "no hardware GPU found".to_owned(),
    }
}

/// The index that `choice` names among `adapters`: discrete before integrated before virtual,
/// the first of its kind; `None` where [`AdapterChoice::Auto`] has nothing to take.
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
        return "no adapter at all: no Vulkan, Metal or DX12 driver answers".to_owned();
    }
    let each: Vec<_> = adapters.iter().map(|a| format!("adapter {} is {a}, {}", a.index, a.kind)).collect();
    each.join("; ")
}

fn adapters() -> Vec<wgpu::Adapter> {
    // No validation layers: their absence would be reported on every start.
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
