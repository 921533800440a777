//! A mini-batch epoch on the device ends at the result of the float64 loop.

use logodds::engine::gpu::{GpuDevice, GpuEngine, Limits};
use logodds::engine::{Epoch, MiniBatch, SgdState};
use logodds::objective::Coordinates;
use logodds::panels::PANEL_ROWS;

use super::problem::{Noise, Problem, problem};
use super::reference::Reference;
use super::software;
use crate::support::assert_close;

/// The parameters of an epoch.
pub(crate) struct Plan {
    pub(crate) batch_rows: usize,
    pub(crate) intercept: bool,
    /// Limits of the device's buffers.
    pub(crate) limits: Limits,
}

pub(crate) const WHOLE: Limits = Limits { max_buffer_bytes: u64::MAX };

/// Runs one epoch on both, with panels and batches in reverse order, except that the partly filled panel is
/// last.
pub(crate) fn run(
    engine: &mut dyn MiniBatch,
    oracle: &mut dyn MiniBatch,
    problem: &Problem,
    plan: &Plan,
) -> SgdState {
    let (n_rows, d, n_models) = (problem.rows.n_rows(), problem.panels.n_features(), problem.models.len());
    let mut noise = Noise(n_rows as u64);
    let whole = n_rows / PANEL_ROWS;
    let panel_order: Vec<u32> =
        (0..whole).rev().chain(whole..n_rows.div_ceil(PANEL_ROWS)).map(|p| p as u32).collect();
    let batch_order: Vec<u32> = (0..n_rows.div_ceil(plan.batch_rows) as u32).rev().collect();
    let mut state =
        SgdState { snapshot: problem.coefficients.clone(), iterate: noise.coefficients(d, n_models, 0.5) };
    if !plan.intercept {
        for m in 0..n_models {
            state.iterate.model_mut(m)[d] = state.snapshot.intercept(m);
        }
    }
    let gradient = oracle.evaluate(&problem.models, &state.snapshot).unwrap().gradient;
    let coupling: Vec<_> = (0..n_models).map(|m| [0.3, 1.0, 0.7][m % 3]).collect();
    let step: Vec<_> = (0..n_models).map(|m| [0.05, 0.2][m % 2]).collect();
    let coordinates = Coordinates::new(d, plan.intercept);
    let epoch = Epoch {
        panel_order: &panel_order,
        batch_rows: plan.batch_rows,
        batch_order: &batch_order,
        coordinates: &coordinates,
        coupling: &coupling,
        step: &step,
        gradient: &gradient,
    };
    let mut expected = state.clone();
    engine.sgd_epoch(&problem.models, &epoch, &mut state).unwrap();
    oracle.sgd_epoch(&problem.models, &epoch, &mut expected).unwrap();
    // Each step rounds x once (by 6e-8 of its size, of order 1), and the steps are contractions, so errors
    // do not grow: a few hundred steps stay below 1e-5. Soft thresholding does not enlarge errors either.
    assert_close(state.iterate.values(), expected.iterate.values(), 1e-5, 1e-5);
    assert_close(state.snapshot.values(), expected.snapshot.values(), 1e-5, 1e-5);
    let holds = |w: &f64| f64::from(*w as f32) == *w;
    assert!(state.iterate.values().iter().all(holds) && state.snapshot.values().iter().all(holds));
    state
}

fn check(device: &GpuDevice, problem: &Problem, plan: &Plan) -> SgdState {
    let mut engine = GpuEngine::with_limits(device, &problem.panels, &problem.rows, plan.limits).unwrap();
    run(&mut engine, &mut Reference { panels: &problem.panels, rows: &problem.rows }, problem, plan)
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
