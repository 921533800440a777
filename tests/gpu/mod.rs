//! The GPU engine on the software adapter, against float64.
//!
//! `LOGODDS_TEST_ADAPTER` selects: `auto` (the default) skips the tests without a software adapter, and
//! prints that; `require` fails without one; `off` always skips.

mod adapters;
mod curvature;
mod epoch;
mod evaluate;
mod shaders;

use std::io::Write as _;
use std::sync::OnceLock;

use logodds::engine::gpu::{AdapterChoice, AdapterKind, AdapterSummary, GpuDevice, Selection, select};

/// The software adapter, opened once so that each kernel is compiled once. `None` means to skip the test.
pub(crate) fn software() -> Option<&'static GpuDevice> {
    static DEVICE: OnceLock<Option<GpuDevice>> = OnceLock::new();
    let wanted = std::env::var("LOGODDS_TEST_ADAPTER").unwrap_or_else(|_| "auto".to_owned());
    assert!(["auto", "require", "off"].contains(&wanted.as_str()), "LOGODDS_TEST_ADAPTER={wanted}");
    let device = DEVICE.get_or_init(|| {
        let found = match (wanted.as_str(), select(AdapterChoice::Software)) {
            ("off", _) => Err("LOGODDS_TEST_ADAPTER=off".to_owned()),
            (_, Ok(Selection::Device(device, _))) => Ok(device),
            (_, Ok(Selection::NoGpu(reason))) => Err(reason),
            (_, Err(error)) => Err(error.to_string()),
        };
        if let Err(reason) = &found {
            // Bypasses the test harness, which would capture the message: a skipped test must not look like
            // a pass.
            let _ = writeln!(std::io::stderr(), "SKIPPED every test on an adapter: {reason}");
        }
        found.ok()
    });
    assert!(device.is_some() || wanted != "require", "LOGODDS_TEST_ADAPTER=require and no software adapter");
    device.as_ref()
}

/// A device with these limits that computes nothing.
pub(crate) fn noop(required_limits: wgpu::Limits) -> GpuDevice {
    let summary = AdapterSummary {
        index: 0,
        name: "noop".to_owned(),
        backend: "noop".to_owned(),
        kind: AdapterKind::Other,
        driver: String::new(),
        max_buffer_bytes: required_limits.max_buffer_size,
        max_binding_bytes: required_limits.max_storage_buffer_binding_size,
        max_workgroup_bytes: u64::from(required_limits.max_compute_workgroup_storage_size),
    };
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
    let (device, queue) = wgpu::Device::noop(&descriptor);
    GpuDevice::from_parts(device, queue, summary)
}
