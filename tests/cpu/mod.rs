//! The CPU engine against float64, with the same tables and bounds as for the shaders.

use logodds::engine::cpu::CpuEngine;
use logodds::engine::{Engine, SgdState};

use crate::gpu::epoch::{Plan, WHOLE, run};
use crate::gpu::problem::{Problem, problem};
use crate::gpu::reference::Reference;
use crate::support::assert_close;

/// Compares one pass over X with float64.
fn check_pass(problem: &Problem) {
    let mut oracle = Reference { panels: &problem.panels, rows: &problem.rows };
    let mut engine = CpuEngine::new(&problem.panels, &problem.rows);
    let actual = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
    let expected = oracle.evaluate(&problem.models, &problem.coefficients).unwrap();
    // Float32 predictors of order 1 have errors of 1e-6, which average out in means over rows.
    assert_close(&actual.loss, &expected.loss, 4e-6, 1e-7);
    assert_close(actual.gradient.values(), expected.gradient.values(), 4e-6, 2e-6);
}

fn check_epoch(problem: &Problem, batch_rows: usize, intercept: bool) -> SgdState {
    let mut oracle = Reference { panels: &problem.panels, rows: &problem.rows };
    let mut engine = CpuEngine::new(&problem.panels, &problem.rows);
    run(&mut engine, &mut oracle, problem, &Plan { batch_rows, intercept, limits: WHOLE })
}

#[test]
fn a_pass_matches_float64_around_the_edges_of_panels_and_tiles() {
    for n_rows in [1, 7, 8, 255, 256, 257, 1000, 5000] {
        for n_features in [0, 1, 3, 17, 64, 65] {
            for n_models in [1, 2, 3, 8, 33] {
                eprintln!("{n_rows} rows, {n_features} features, {n_models} models");
                check_pass(&problem(n_rows, n_features, n_models));
            }
        }
    }
    check_pass(&problem(300, 700, 5));
    check_pass(&problem(300, 5, 530));
}

#[test]
fn a_pass_over_extreme_predictors_keeps_its_digits() {
    for scale in [0.0, 30.0, 1e4] {
        let mut problem = problem(700, 5, 12);
        problem.coefficients.values_mut().iter_mut().for_each(|w| *w = f64::from((*w * scale) as f32));
        check_pass(&problem);
    }
}

#[test]
fn an_epoch_matches_float64() {
    for (n_rows, n_features, n_models, batch_rows) in [
        (1000, 5, 3, 100),
        (1000, 64, 1, 256),
        (700, 65, 6, 700),
        (300, 0, 2, 37),
        (1, 2, 1, 8),
        (2500, 33, 5, 999),
        (1300, 3, 2, 2),
    ] {
        eprintln!("{n_rows} rows, {n_features} features, {n_models} models, batches of {batch_rows}");
        check_epoch(&problem(n_rows, n_features, n_models), batch_rows, true);
    }
}

#[test]
fn an_intercept_that_is_not_trained_stays() {
    let problem = problem(600, 4, 2);
    let state = check_epoch(&problem, 64, false);
    assert_eq!(state.snapshot.intercept(1), problem.coefficients.intercept(1));
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let problem = problem(5000, 33, 9);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut engine = CpuEngine::new(&problem.panels, &problem.rows);
            engine.evaluate(&problem.models, &problem.coefficients).unwrap()
        })
    };
    assert_eq!(with(1), with(3));
}
