//! A mini-batch epoch on the device ends at the result of the float64 loop.

use logodds::engine::SgdState;
use logodds::engine::gpu::{GpuDevice, GpuEngine, Limits};

use super::software;
use crate::support::problems::{Problem, problem};
use crate::support::twins::check_epoch;

/// The parameters of an epoch.
struct Plan {
    batch_rows: usize,
    intercept: bool,
    /// Limits of the device's buffers.
    limits: Limits,
}

const WHOLE: Limits = Limits { max_buffer_bytes: u64::MAX };

fn check(device: &GpuDevice, problem: &Problem, plan: &Plan) -> SgdState {
    let mut engine = GpuEngine::with_limits(device, &problem.panels, &problem.rows, plan.limits).unwrap();
    check_epoch(&mut engine, problem, plan.batch_rows, plan.intercept)
}

#[test]
fn batches_that_do_not_divide_panels_match_float64() {
    let Some(device) = software() else { return };
    for (n_rows, n_features, n_models, batch_rows) in [
        (1000, 5, 3, 100),
        (1000, 64, 1, 256),
        (700, 65, 6, 700),
        (300, 0, 2, 37),
        (1, 2, 1, 8),
        (2500, 33, 5, 999),
    ] {
        eprintln!("{n_rows} rows, {n_features} features, {n_models} models, batches of {batch_rows}");
        let plan = Plan { batch_rows, intercept: true, limits: WHOLE };
        check(device, &problem(n_rows, n_features, n_models), &plan);
    }
}

#[test]
fn intercept_that_is_not_trained_stays() {
    let Some(device) = software() else { return };
    let problem = problem(600, 4, 2);
    let before = problem.coefficients.intercept(1);
    let state = check(device, &problem, &Plan { batch_rows: 64, intercept: false, limits: WHOLE });
    assert_eq!(state.snapshot.intercept(1), before);
}

#[test]
fn batch_over_several_buffers_matches_float64() {
    let Some(device) = software() else { return };
    let problem = problem(2000, 9, 3);
    for batch_rows in [300, 1500] {
        // Two panels a buffer: a batch of 1500 rows spans at least three buffers.
        let limits = Limits { max_buffer_bytes: 2 * 9 * 1024 };
        check(device, &problem, &Plan { batch_rows, intercept: true, limits });
    }
}

#[test]
fn more_models_than_one_loop_takes_match_float64() {
    let Some(device) = software() else { return };
    check(device, &problem(500, 3, 259), &Plan { batch_rows: 200, intercept: true, limits: WHOLE });
}

#[test]
fn epoch_of_more_steps_than_a_command_list_matches_float64() {
    let Some(device) = software() else { return };
    check(device, &problem(1300, 3, 2), &Plan { batch_rows: 2, intercept: true, limits: WHOLE });
}

#[test]
fn same_epoch_gives_the_same_bits() {
    let Some(device) = software() else { return };
    let problem = problem(1500, 20, 9);
    let plan = Plan { batch_rows: 200, intercept: true, limits: WHOLE };
    assert_eq!(check(device, &problem, &plan), check(device, &problem, &plan));
}

#[test]
fn strong_l1_keeps_exact_zeros() {
    let Some(device) = software() else { return };
    let mut problem = problem(800, 12, 4);
    problem.models.iter_mut().for_each(|m| m.penalty.l1 = 10.0);
    let state = check(device, &problem, &Plan { batch_rows: 64, intercept: true, limits: WHOLE });
    for m in 0..4 {
        assert!(state.iterate.features(m).iter().all(|&w| w == 0.0));
    }
}
