//! Runs of the full-batch solvers over tables in memory.

use logodds::engine::cpu::CpuEngine;
use logodds::engine::exact::certify;
use logodds::objective::{Certificate, Coefficients, Coordinates, ModelSpec};
use logodds::panels::{Panels, Rows};
use logodds::solver::{FullBatch, Method, Problem, RowSpace, Solution, WorkingSet};
use logodds::train::TablePasses;

pub(crate) const METHODS: [Method; 3] = [Method::Newton, Method::Lbfgs, Method::Auto];

/// A run that ended, with the certificates of its end.
pub(crate) struct Run {
    pub(crate) solution: Solution,
    pub(crate) certificates: Vec<Certificate>,
}

/// From where `train` starts: coefficients 0, intercepts at the log odds where there are rows of both sides.
pub(crate) fn problem<'a>(
    models: &'a [ModelSpec],
    panels: &Panels,
    rows: &'a Rows,
    coordinates: &'a Coordinates,
) -> Problem<'a> {
    let mut start = Coefficients::zeros(panels.n_features(), models.len());
    for (m, model) in models.iter().enumerate().filter(|_| coordinates.intercept().is_some()) {
        let positive = model.positive_weight * rows.class_weight()[model.class as usize];
        let odds = positive / (model.weight_sum(rows) - positive);
        if odds > 0.0 && odds.is_finite() {
            start.model_mut(m)[panels.n_features()] = odds.ln();
        }
    }
    Problem::new(models, rows, coordinates, start)
}

fn ended(panels: &Panels, rows: &Rows, problem: &Problem<'_>, solution: Solution) -> Run {
    let certificates = certify(panels, rows, problem.models, &solution.coefficients, problem.coordinates);
    Run { solution, certificates }
}

pub(crate) fn full_batch_with(
    settings: &FullBatch,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    intercept: bool,
) -> Run {
    let coordinates = Coordinates::new(panels.n_features(), intercept);
    let problem = problem(models, panels, rows, &coordinates);
    let mut engine = CpuEngine::new(panels, rows);
    let solution = settings
        .run(&mut TablePasses::new(&mut engine, panels, rows), &problem, None, &mut |_| true)
        .expect("a CPU run");
    ended(panels, rows, &problem, solution)
}

pub(crate) fn settings(method: Method, tolerance: f64) -> FullBatch {
    FullBatch { method, max_iterations: 500, tolerance }
}

pub(crate) fn full_batch(
    method: Method,
    tolerance: f64,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
) -> Run {
    full_batch_with(&settings(method, tolerance), panels, rows, models, true)
}

pub(crate) fn working_set(tolerance: f64, panels: &Panels, rows: &Rows, models: &[ModelSpec]) -> Run {
    let coordinates = Coordinates::new(panels.n_features(), true);
    let problem = problem(models, panels, rows, &coordinates);
    let mut engine = CpuEngine::new(panels, rows);
    let solution = WorkingSet { max_iterations: 100, tolerance }
        .run(&mut TablePasses::new(&mut engine, panels, rows), &problem, &mut |_| true)
        .expect("a CPU run");
    ended(panels, rows, &problem, solution)
}

pub(crate) fn row_space(tolerance: f64, panels: &Panels, rows: &Rows, models: &[ModelSpec]) -> Run {
    let coordinates = Coordinates::new(panels.n_features(), true);
    let problem = problem(models, panels, rows, &coordinates);
    assert!(RowSpace::suits(&problem));
    let mut engine = CpuEngine::new(panels, rows);
    let solution = RowSpace { max_iterations: 100, tolerance }
        .run(&mut TablePasses::new(&mut engine, panels, rows), &problem, &mut |_| true)
        .expect("a CPU run");
    ended(panels, rows, &problem, solution)
}
