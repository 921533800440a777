//! Comparisons of an engine with the float64 reference, with the same tables and bounds for every engine.

use logodds::engine::{At, Engine, Epoch, MiniBatch, SgdState};
use logodds::objective::{Coordinates, Evaluation, Hessian, ModelSpec};
use logodds::panels::{PANEL_ROWS, Panels, Rows, Sample};

use super::assert_close;
use super::problems::{Noise, Problem, problem};
use super::reference::{Reference, evaluate_on, hessians};

fn reference(problem: &Problem) -> Reference<'_> {
    Reference { panels: &problem.panels, rows: &problem.rows }
}

/// Predictors are sums of up to a few hundred float32 terms of order 1/sqrt(d), with absolute errors of
/// 1e-6. Means over rows average these out, so bounds of 4e-6 relative and 2e-6 absolute (gradients cancel)
/// leave a margin.
#[track_caller]
pub(crate) fn assert_same(actual: &Evaluation, expected: &Evaluation) {
    assert_close(&actual.loss, &expected.loss, 4e-6, 1e-7);
    assert_close(actual.gradient.values(), expected.gradient.values(), 4e-6, 2e-6);
}

/// Compares one pass over X.
pub(crate) fn check_pass(engine: &mut dyn Engine, problem: &Problem) {
    let actual = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
    let expected = reference(problem).evaluate(&problem.models, &problem.coefficients).unwrap();
    assert_same(&actual, &expected);
}

/// Compares passes over samples of the panels.
pub(crate) fn check_samples(engine: &mut dyn Engine, problem: &Problem) {
    for stride in [1, 2, 3, 7, 100] {
        let sample = Sample::every(stride);
        let found = evaluate_on(engine, &problem.models, &problem.coefficients, sample);
        let expected = evaluate_on(&mut reference(problem), &problem.models, &problem.coefficients, sample);
        assert_same(&found, &expected);
    }
}

const HESSIAN_SIZES: &[(usize, usize)] =
    &[(1, 3), (255, 1), (256, 31), (257, 32), (257, 0), (1000, 65), (2900, 3), (600, 300), (5000, 31)];

/// The values of a matrix, row by row.
fn values(hessian: &Hessian) -> Vec<f64> {
    (0..hessian.order()).flat_map(|i| hessian.row(i).to_vec()).collect()
}

/// Entries are means of at most 1/4 times squares of at most 1. Float32 sums of 256 rows, and their
/// predictors, have relative errors of about 1e-6.
pub(crate) fn assert_same_hessians(
    engine: &mut dyn Engine,
    problem: &Problem,
    points: &[At<'_>],
    sample: Sample,
) {
    let found = hessians(engine, points, sample);
    let expected = hessians(&mut reference(problem), points, sample);
    for ((found, expected), point) in found.iter().zip(&expected).zip(points) {
        assert_close(&values(found), &values(expected), 4e-6, 1e-6);
        // In one reading with others or alone: the same bits.
        assert_eq!(found, &hessians(engine, &[*point], sample)[0]);
    }
}

/// Compares Hessians over tables around the edges of panels and tiles. `engine` hands over the engine of a table.
pub(crate) fn check_hessians(mut engine: impl FnMut(&Panels, &Rows, &mut dyn FnMut(&mut dyn Engine))) {
    for &(n_rows, n_features) in HESSIAN_SIZES {
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

/// Runs one epoch on both, with panels and batches in reverse order, except that the partly filled panel is
/// last.
pub(crate) fn check_epoch(
    engine: &mut dyn MiniBatch,
    problem: &Problem,
    batch_rows: usize,
    intercept: bool,
) -> SgdState {
    let mut oracle = reference(problem);
    let (n_rows, d, n_models) = (problem.rows.n_rows(), problem.panels.n_features(), problem.models.len());
    let mut noise = Noise(n_rows as u64);
    let whole = n_rows / PANEL_ROWS;
    let panel_order: Vec<u32> =
        (0..whole).rev().chain(whole..n_rows.div_ceil(PANEL_ROWS)).map(|p| p as u32).collect();
    let batch_order: Vec<u32> = (0..n_rows.div_ceil(batch_rows) as u32).rev().collect();
    let mut state =
        SgdState { snapshot: problem.coefficients.clone(), iterate: noise.coefficients(d, n_models, 0.5) };
    if !intercept {
        for m in 0..n_models {
            state.iterate.model_mut(m)[d] = state.snapshot.intercept(m);
        }
    }
    let gradient = oracle.evaluate(&problem.models, &state.snapshot).unwrap().gradient;
    let coupling: Vec<_> = (0..n_models).map(|m| [0.3, 1.0, 0.7][m % 3]).collect();
    let step: Vec<_> = (0..n_models).map(|m| [0.05, 0.2][m % 2]).collect();
    let coordinates = Coordinates::new(d, intercept);
    let epoch = Epoch {
        panel_order: &panel_order,
        batch_rows,
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
