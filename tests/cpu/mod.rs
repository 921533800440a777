//! The CPU engine against float64, with the same tables and bounds as for the shaders.

use logodds::engine::cpu::CpuEngine;
use logodds::engine::{Engine, SgdState};

use crate::support::problems::{Problem, problem};
use crate::support::twins::{check_epoch, check_hessians, check_pass, check_samples};

fn check_pass_of(problem: &Problem) {
    check_pass(&mut CpuEngine::new(&problem.panels, &problem.rows), problem);
}

fn check_epoch_of(problem: &Problem, batch_rows: usize, intercept: bool) -> SgdState {
    check_epoch(&mut CpuEngine::new(&problem.panels, &problem.rows), problem, batch_rows, intercept)
}

#[test]
fn a_pass_matches_float64_around_the_edges_of_panels_and_tiles() {
    for n_rows in [1, 7, 8, 255, 256, 257, 1000, 5000] {
        for n_features in [0, 1, 3, 17, 64, 65] {
            for n_models in [1, 2, 3, 8, 33] {
                eprintln!("{n_rows} rows, {n_features} features, {n_models} models");
                check_pass_of(&problem(n_rows, n_features, n_models));
            }
        }
    }
    check_pass_of(&problem(300, 700, 5));
    check_pass_of(&problem(300, 5, 530));
}

#[test]
fn a_pass_over_extreme_predictors_keeps_its_digits() {
    for scale in [0.0, 30.0, 1e4] {
        let mut problem = problem(700, 5, 12);
        problem.coefficients.values_mut().iter_mut().for_each(|w| *w = f64::from((*w * scale) as f32));
        check_pass_of(&problem);
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
        check_epoch_of(&problem(n_rows, n_features, n_models), batch_rows, true);
    }
}

#[test]
fn an_intercept_that_is_not_trained_stays() {
    let problem = problem(600, 4, 2);
    let state = check_epoch_of(&problem, 64, false);
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

#[test]
fn a_hessian_matches_float64() {
    check_hessians(|panels, rows, check| check(&mut CpuEngine::new(panels, rows)));
}

#[test]
fn a_pass_over_a_sample_matches_float64() {
    for n_models in [1, 5, 20] {
        let problem = problem(2900, 17, n_models);
        check_samples(&mut CpuEngine::new(&problem.panels, &problem.rows), &problem);
    }
}
