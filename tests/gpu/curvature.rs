//! Hessians, and passes over samples, agree with float64.

use logodds::engine::gpu::{GpuDevice, GpuEngine, Limits};
use logodds::panels::Sample;

use super::software;
use crate::support::problems::problem;
use crate::support::twins::{assert_same_hessians, check_hessians, check_samples};

#[test]
fn shader_hessian_matches_float64() {
    let Some(device) = software() else { return };
    check_hessians(|panels, rows, check| check(&mut GpuEngine::new(device, panels, rows).unwrap()));
}

#[test]
fn shader_hessian_over_several_buffers_matches_float64() {
    let Some(device) = software() else { return };
    let problem = problem(2900, 9, 1);
    // Two panels a buffer.
    let limits = Limits { max_buffer_bytes: 2 * 9 * 1024 };
    let mut engine = GpuEngine::with_limits(device, &problem.panels, &problem.rows, limits).unwrap();
    for stride in [1, 2, 5] {
        let column = problem.coefficients.model(0);
        assert_same_hessians(&mut engine, &problem, &[(problem.models[0], column)], Sample::every(stride));
    }
}

#[test]
fn shader_pass_over_a_sample_matches_float64() {
    let Some(device) = software() else { return };
    let check = |device: &GpuDevice, n_models: usize, limits: Limits| {
        let problem = problem(2900, 17, n_models);
        let mut engine = GpuEngine::with_limits(device, &problem.panels, &problem.rows, limits).unwrap();
        check_samples(&mut engine, &problem);
    };
    // Fused for one and for several models, and tiled; with one buffer, and with buffers that some samples
    // skip.
    for n_models in [1, 5, 20] {
        check(device, n_models, Limits::default());
        check(device, n_models, Limits { max_buffer_bytes: 2 * 17 * 1024 });
    }
}
