//! Runs of the full-batch solvers over tables in memory.

use logodds::engine::cpu::CpuEngine;
use logodds::objective::{Certificate, Coefficients, Gaps, ModelSpec, certify};
use logodds::panels::{Panels, Rows};
use logodds::solver::{FullBatch, Method, Problem, RowSpace, Solution, WorkingSet};
use logodds::train::HostTable;

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
    rows: &Rows,
    offsets: &'a [f64],
    intercept: bool,
) -> Problem<'a> {
    let mut start = Coefficients::zeros(panels.n_features(), models.len());
    for (m, model) in models.iter().enumerate().filter(|_| intercept) {
        let positive = model.positive_weight * rows.class_weight()[model.class as usize];
        let odds = positive / (model.weight_sum(rows) - positive);
        if odds > 0.0 && odds.is_finite() {
            start.model_mut(m)[panels.n_features()] = odds.ln();
        }
    }
    Problem {
        models,
        n_rows: panels.n_rows(),
        intercept,
        offsets,
        smoothness: &[],
        start,
        is_warm: false,
        gaps: Gaps::With,
    }
}

fn ended(panels: &Panels, rows: &Rows, problem: &Problem<'_>, solution: Solution) -> Run {
    let (w, offsets) = (&solution.coefficients, problem.offsets);
    let certificates = certify(panels, rows, problem.models, w, offsets, problem.intercept);
    Run { solution, certificates }
}

pub(crate) fn full_batch_with(
    settings: &FullBatch,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    intercept: bool,
) -> Run {
    let offsets = vec![0.0; panels.n_features()];
    let problem = problem(models, panels, rows, &offsets, intercept);
    let host = HostTable::new(panels, rows);
    let solution = settings
        .run(&mut CpuEngine::new(panels, rows), &host, &problem, None, &mut |_| true)
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
    let offsets = vec![0.0; panels.n_features()];
    let problem = problem(models, panels, rows, &offsets, true);
    let host = HostTable::new(panels, rows);
    let solution = WorkingSet { max_iterations: 100, tolerance }
        .run(&mut CpuEngine::new(panels, rows), &host, &problem, &mut |_| true)
        .expect("a CPU run");
    ended(panels, rows, &problem, solution)
}

pub(crate) fn row_space(tolerance: f64, panels: &Panels, rows: &Rows, models: &[ModelSpec]) -> Run {
    let offsets = vec![0.0; panels.n_features()];
    let problem = problem(models, panels, rows, &offsets, true);
    assert!(RowSpace::suits(&problem));
    let host = HostTable::new(panels, rows);
    let solution = RowSpace { max_iterations: 100, tolerance }
        .run(&mut CpuEngine::new(panels, rows), &host, &problem, &mut |_| true)
        .expect("a CPU run");
    ended(panels, rows, &problem, solution)
}
