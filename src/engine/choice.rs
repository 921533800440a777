//! Which engine runs the passes, and why.

use super::MiniBatch;
use super::cpu::CpuEngine;
use super::gpu::{AdapterChoice, GpuDevice, GpuEngine, Selection, select};
use crate::config::Device;
use crate::error::Result;
use crate::panels::{Panels, Rows};

/// A device that was found before any data is read.
pub(crate) struct Chosen {
    gpu: Option<GpuDevice>,
    /// Why it was taken, in a few words.
    pub(crate) reason: String,
}

impl Chosen {
    /// Finds the device that `device` asks for.
    ///
    /// # Errors
    /// It is not there, or does not open.
    pub(crate) fn find(device: Device) -> Result<Self> {
        let choice = match device {
            Device::Cpu => return Ok(Self { gpu: None, reason: "asked for".into() }),
            Device::Auto => AdapterChoice::Auto,
            Device::Gpu => AdapterChoice::Gpu,
            Device::Software => AdapterChoice::Software,
            Device::Index(index) => AdapterChoice::Index(index as usize),
        };
        Ok(match select(choice)? {
            Selection::Device(gpu, reason) => Self { gpu: Some(gpu), reason },
            Selection::NoGpu(reason) => Self { gpu: None, reason },
        })
    }

    /// Whether the passes run on the host, where there is a float64 form of them.
    pub(crate) fn is_host(&self) -> bool {
        self.gpu.is_none()
    }

    /// What sums a Hessian, and how precisely.
    pub(crate) fn precision(&self) -> String {
        match &self.gpu {
            Some(gpu) => format!("float32 products on {}", gpu.summary()),
            None => "float64 on the host".to_owned(),
        }
    }

    /// Puts a table on the device.
    ///
    /// # Errors
    /// The device has no room for it.
    pub(crate) fn engine<'a>(&self, panels: &'a Panels, rows: &'a Rows) -> Result<Box<dyn MiniBatch + 'a>> {
        Ok(match &self.gpu {
            Some(gpu) => Box::new(GpuEngine::new(gpu, panels, rows)?),
            None => Box::new(CpuEngine::new(panels, rows)),
        })
    }
}
