//! Hessians, and passes over samples, agree with float64.

use logodds::engine::cpu::CpuEngine;
use logodds::engine::gpu::{GpuDevice, GpuEngine, Limits};
use logodds::engine::{At, Engine};
use logodds::objective::{Evaluation, Hessian, ModelSpec};
use logodds::panels::{Panels, Rows, Sample};

use super::problem::{Problem, problem};
use super::reference::{Reference, evaluate_on, hessians};
use super::software;
use crate::support::assert_close;

const SIZES: &[(usize, usize)] =
    &[(1, 3), (255, 1), (256, 31), (257, 32), (257, 0), (1000, 65), (2900, 3), (600, 300), (5000, 31)];

/// The values of a matrix, row by row.
fn values(hessian: &Hessian) -> Vec<f64> {
    (0..hessian.order()).flat_map(|i| hessian.row(i).to_vec()).collect()
}

/// Entries are means of at most 1/4 times squares of at most 1. Float32 sums of 256 rows, and their
/// predictors, have relative errors of about 1e-6.
fn assert_same_hessians(engine: &mut dyn Engine, problem: &Problem, points: &[At<'_>], sample: Sample) {
    let found = hessians(engine, points, sample);
    let mut oracle = Reference { panels: &problem.panels, rows: &problem.rows };
    let expected = hessians(&mut oracle, points, sample);
    for ((found, expected), point) in found.iter().zip(&expected).zip(points) {
        assert_close(&values(found), &values(expected), 4e-6, 1e-6);
        // In one reading with others or alone: the same bits.
        assert_eq!(found, &hessians(engine, &[*point], sample)[0]);
    }
}

fn check_hessians(mut engine: impl FnMut(&Panels, &Rows, &mut dyn FnMut(&mut dyn Engine))) {
    for &(n_rows, n_features) in SIZES {
        let problem = problem(n_rows, n_features, 3);
        for stride in [1, 3] {
            eprintln!("{n_rows} rows, {n_features} features, every {stride} panels");
            engine(&problem.panels, &problem.rows, &mut |engine| {
                // The Gram matrix that a stack shares: a model of no class, with zero coefficients.
                let zeros = vec![0.0; n_features + 1];
                let mut points: Vec<At<'_>> = vec![(ModelSpec::shared(), &zeros)];
                points.extend(
                    (problem.models.iter().copied().enumerate())
                        .map(|(m, model)| (model, problem.coefficients.model(m))),
                );
                assert_same_hessians(engine, &problem, &points, Sample::every(stride));
            });
        }
    }
}

#[test]
fn cpu_hessian_matches_float64() {
    check_hessians(|panels, rows, check| check(&mut CpuEngine::new(panels, rows)));
}

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

fn assert_same(actual: &Evaluation, expected: &Evaluation) {
    // The same bounds as for passes over the whole table.
    assert_close(&actual.loss, &expected.loss, 4e-6, 1e-7);
    assert_close(actual.gradient.values(), expected.gradient.values(), 4e-6, 2e-6);
}

fn check_samples(engine: &mut dyn Engine, problem: &Problem) {
    let mut oracle = Reference { panels: &problem.panels, rows: &problem.rows };
    for stride in [1, 2, 3, 7, 100] {
        let sample = Sample::every(stride);
        let found = evaluate_on(engine, &problem.models, &problem.coefficients, sample);
        let expected = evaluate_on(&mut oracle, &problem.models, &problem.coefficients, sample);
        assert_same(&found, &expected);
    }
}

#[test]
fn cpu_pass_over_a_sample_matches_float64() {
    for n_models in [1, 5, 20] {
        let problem = problem(2900, 17, n_models);
        check_samples(&mut CpuEngine::new(&problem.panels, &problem.rows), &problem);
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
