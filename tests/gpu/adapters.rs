//! The requested adapter is chosen, or the error for its absence tells a way out.

use logodds::engine::Engine;
use logodds::engine::gpu::{
    AdapterChoice, AdapterKind, AdapterSummary, GpuDevice, GpuEngine, Limits, Selection, choose,
    list_adapters, select,
};
use logodds::objective::{Coefficients, ModelSpec};
use logodds::panels::{Panels, Rows};

use super::software;

fn adapter(index: usize, kind: AdapterKind) -> AdapterSummary {
    AdapterSummary {
        index,
        name: format!("card {index}"),
        backend: "vulkan".to_owned(),
        kind,
        driver: String::new(),
        max_buffer_bytes: 1 << 30,
        max_binding_bytes: 1 << 30,
        max_workgroup_bytes: 1 << 15,
    }
}

#[test]
fn auto_takes_discrete_before_integrated_before_virtual_and_never_software() {
    use AdapterKind::{Discrete, Integrated, Software, Virtual};
    let list = |kinds: &[AdapterKind]| -> Vec<_> {
        kinds.iter().enumerate().map(|(i, &kind)| adapter(i, kind)).collect()
    };
    let auto = |kinds: &[AdapterKind]| choose(AdapterChoice::Auto, &list(kinds)).unwrap();
    assert_eq!(auto(&[Software, Virtual, Integrated, Discrete, Discrete]), Some(3));
    assert_eq!(auto(&[Software, Virtual, Integrated]), Some(2));
    assert_eq!(auto(&[Virtual, Software]), Some(0));
    assert_eq!(auto(&[Software]), None);
    assert_eq!(auto(&[]), None);
}

#[test]
fn absent_adapters_are_errors_with_a_way_out() {
    let none = choose(AdapterChoice::Gpu, &[]).unwrap_err().to_string();
    assert!(none.contains("no adapter at all") && none.contains("--device cpu"), "{none}");
    let soft = choose(AdapterChoice::Software, &[adapter(0, AdapterKind::Discrete)]).unwrap_err().to_string();
    assert!(soft.contains("mesa-vulkan-drivers") && soft.contains("card 0"), "{soft}");
    let index =
        choose(AdapterChoice::Index(3), &[adapter(0, AdapterKind::Discrete)]).unwrap_err().to_string();
    assert!(index.contains("index 3") && index.contains("adapter 0 is card 0"), "{index}");
}

#[test]
fn software_adapter_is_listed_and_named() {
    let Some(device) = software() else { return };
    assert_eq!(device.summary().kind, AdapterKind::Software);
    assert!(list_adapters().contains(device.summary()));
}

#[test]
fn panel_larger_than_a_buffer_is_refused() {
    let Some(device) = software() else { return };
    let rows = Rows::new(vec![0, 1], &[1.0; 2], 2);
    let error =
        GpuEngine::with_limits(device, &Panels::zeros(2, 9), &rows, Limits { max_buffer_bytes: 9000 })
            .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("9 features") && text.contains("9216") && text.contains("9000"), "{text}");
}

#[test]
fn lost_device_is_an_error_and_not_a_panic() {
    let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
    let gpu = GpuDevice::from_parts(device.clone(), queue, adapter(0, AdapterKind::Discrete));
    let (panels, rows) = (Panels::zeros(2, 3), Rows::new(vec![0, 1], &[1.0; 2], 2));
    let mut engine = GpuEngine::new(&gpu, &panels, &rows).unwrap();
    device.destroy();
    let model = ModelSpec { class: 1, ..ModelSpec::shared() };
    let error = engine.evaluate(&[model], &Coefficients::zeros(3, 1)).unwrap_err().to_string();
    assert!(error.contains("lost") && error.contains("card 0"), "{error}");
    let error = GpuEngine::new(&gpu, &panels, &rows).unwrap_err().to_string();
    assert!(error.contains("lost") && error.contains("--device cpu"), "{error}");
}

#[test]
#[ignore = "run by machine_without_drivers_has_no_adapters, in a process whose loader finds no driver"]
fn list_is_empty() {
    assert_eq!(list_adapters(), []);
    assert!(
        matches!(select(AdapterChoice::Auto), Ok(Selection::NoGpu(reason)) if reason.contains("no adapter"))
    );
    assert!(select(AdapterChoice::Software).is_err());
}

#[test]
#[cfg(target_os = "linux")]
fn machine_without_drivers_has_no_adapters() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["gpu::adapters::list_is_empty", "--exact", "--ignored"])
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && text.contains("1 passed"), "{text}");
}
