//! Every kernel is valid, translates to every backend, and has a row in the table. These tests need no
//! device.

use std::collections::BTreeSet;
use std::mem::offset_of;

use logodds::engine::gpu::kernels::{KERNELS, Kernel};
use logodds::engine::gpu::layout;
use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

use super::noop;

fn parse(kernel: &Kernel) -> (naga::Module, ModuleInfo) {
    let source = kernel.source();
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{}: {}", kernel.name, e.emit_to_string(&source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::default())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}: {}", kernel.name, e.emit_to_string(&source)));
    (module, info)
}

#[test]
fn every_kernel_translates_to_spirv_msl_and_hlsl() {
    for kernel in KERNELS {
        let (module, info) = parse(kernel);
        let constants = kernel.overrides.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        let entry = (naga::ShaderStage::Compute, "main");
        let (module, info) = process_overrides(&module, &info, Some(entry), &constants).unwrap();
        spv::write_vec(&module, &info, &spv::Options::default(), None)
            .unwrap_or_else(|e| panic!("{} to SPIR-V: {e}", kernel.name));
        msl::write_string(&module, &info, &msl::Options::default(), &msl::PipelineOptions::default())
            .unwrap_or_else(|e| panic!("{} to MSL: {e}", kernel.name));
        let (options, pipeline) = (hlsl::Options::default(), hlsl::PipelineOptions::default());
        hlsl::Writer::new(&mut String::new(), &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|e| panic!("{} to HLSL: {e}", kernel.name));
    }
}

#[test]
fn every_pipeline_fits_its_explicit_layout() {
    noop(wgpu::Limits::default()).compile_all().unwrap();
}

#[test]
fn no_kernel_exceeds_the_limits_every_device_has() {
    let default = wgpu::Limits::default();
    for kernel in KERNELS {
        let (module, _) = parse(kernel);
        let size = module.entry_points[0].workgroup_size;
        let invocations: u32 = size.iter().product();
        assert!(invocations <= default.max_compute_invocations_per_workgroup, "{}", kernel.name);
        let storage = kernel.bindings.len() - 1;
        assert!(storage as u32 <= default.max_storage_buffers_per_shader_stage, "{}", kernel.name);
    }
}

#[test]
fn every_shader_file_has_a_row() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".wgsl"))
        .collect();
    let rows: BTreeSet<String> = KERNELS.iter().map(|kernel| kernel.file.to_owned()).collect();
    assert_eq!(files, rows, "files under shaders/ against rows of the kernel table");
}

/// The twin test of each kernel, `module::function`.
const TWINS: &[(&str, &str)] = &[
    ("fused_1", "evaluate::fused_pass_of_one_model_matches_float64"),
    ("fused_4", "evaluate::fused_pass_of_several_models_matches_float64"),
    ("tile_residual", "evaluate::tiled_pass_matches_float64"),
    ("tile_gradient", "evaluate::tiled_pass_matches_float64"),
    ("root_curvature", "curvature::shader_hessian_matches_float64"),
    ("hessian", "curvature::shader_hessian_matches_float64"),
    ("batch_residual", "epoch::batches_that_do_not_divide_panels_match_float64"),
    ("batch_gradient", "epoch::batches_that_do_not_divide_panels_match_float64"),
    ("batch_update", "epoch::batches_that_do_not_divide_panels_match_float64"),
];

#[test]
fn every_kernel_has_a_twin_test() {
    for kernel in KERNELS {
        let (_, twin) = TWINS
            .iter()
            .find(|(name, _)| *name == kernel.name)
            .unwrap_or_else(|| panic!("{} has no twin test", kernel.name));
        let (module, function) = twin.split_once("::").unwrap();
        let path = format!("{}/tests/gpu/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::fs::read_to_string(path).unwrap().contains(&format!("fn {function}()")), "{twin}");
    }
}

/// Compares a Rust struct with the WGSL struct of the same name, field by field.
macro_rules! assert_layout {
    ($name:ident { $($field:ident),* $(,)? }) => {{
        let mut seen = 0;
        for kernel in KERNELS {
            let (module, _) = parse(kernel);
            let found = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(stringify!($name)));
            let Some((_, found)) = found else { continue };
            let naga::TypeInner::Struct { members, span } = &found.inner else { panic!("not a struct") };
            let wgsl: Vec<_> = members.iter().map(|m| (m.name.clone().unwrap(), m.offset as usize)).collect();
            let rust = [$((stringify!($field).to_owned(), offset_of!(layout::$name, $field))),*];
            assert_eq!(wgsl, rust, "{} of {}", stringify!($name), kernel.name);
            assert_eq!(*span as usize, size_of::<layout::$name>(), "size of {}", stringify!($name));
            seen += 1;
        }
        assert!(seen > 0, "no kernel has a struct {}", stringify!($name));
    }};
}

#[test]
fn shared_structs_have_the_same_layout_in_rust_and_wgsl() {
    assert_layout!(Fused {
        n_features,
        n_panels,
        n_workgroups,
        coefficients_at,
        partials_at,
        first_panel,
        stride,
        pad,
        classes,
        positive_weight,
        negative_weight,
        held_first,
        held_span,
    });
    assert_layout!(Tile { n_features, n_models, first_panel, n_panels, chunk_panels, stride, pad0, pad1 });
    assert_layout!(Model { class_index, positive_weight, negative_weight, held_first, held_span });
    assert_layout!(Step {
        n_features,
        n_quads,
        start,
        n_rows,
        first_panel,
        n_panels,
        chunk_rows,
        partials_at,
        n_partials,
        trains_intercept,
        scale,
        pad,
    });
    assert_layout!(Quad {
        class_index,
        positive_weight,
        negative_weight,
        step,
        l1,
        l2,
        inverse_weight_sum,
        coupling,
        held_first,
        held_span,
    });
}
