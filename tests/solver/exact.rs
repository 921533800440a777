//! Constructed problems whose exact solution is known, in scikit-learn's manner: the labels' shares follow from
//! the coefficients, so that the gradient vanishes there by construction.
//!
//! A row stands in the table twice, once as each class, with weights p and 1 - p, p = sigmoid(x . w + b). The mean loss
//! then has its minimum at (w, b). A penalty is balanced by adding to each row's p what its gradient asks for:
//! `(1/S) X' e = l2 w + l1 sign(w)`, `sum e = 0`, e of least norm.

use faer::Mat;
use faer::linalg::solvers::Solve;
use logodds::engine::cpu::CpuEngine;
use logodds::objective::{Coefficients, Coordinates, ModelSpec, Penalty, sigmoid};
use logodds::panels::{Panels, Rows};
use logodds::solver::{Progress, RowSpace, Stop, WorkingSet};
use logodds::train::TablePasses;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::{METHODS, full_batch, problem, row_space, working_set};

struct Exact {
    panels: Panels,
    rows: Rows,
    column: Vec<f64>,
}

/// The unknowns of a square system.
fn solve(a: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let matrix = Mat::from_fn(b.len(), b.len(), |i, j| a[i][j]);
    let solution = matrix.partial_piv_lu().solve(Mat::from_fn(b.len(), 1, |i, _| b[i]));
    (0..b.len()).map(|i| solution[(i, 0)]).collect()
}

fn construct(n: usize, d: usize, penalty: Penalty, seed: u64) -> Exact {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut uniform = || 2.0 * rng.random::<f64>() - 1.0;
    // Values that float32 holds, so that panels lose nothing.
    let x: Vec<Vec<f64>> = (0..n).map(|_| (0..d).map(|_| f64::from(uniform() as f32)).collect()).collect();
    let mut w: Vec<f64> = (0..d).map(|_| 0.2 * uniform()).collect();
    if penalty.l1 > 0.0 {
        // Half of them zero, where the loss gradient, 0, lies inside the subdifferential.
        w.iter_mut().skip(1).step_by(2).for_each(|w| *w = 0.0);
    }
    let b = 0.3;
    // e = A' (A A')^-1 t of least norm with A = [X, 1]' / n, or over the rows where there are fewer of them.
    let wanted: Vec<f64> = w
        .iter()
        .map(|&w| -(penalty.l2 * w + penalty.l1 * if w == 0.0 { 0.0 } else { w.signum() }))
        .chain([0.0])
        .collect();
    let row = |i: usize| x[i].iter().copied().chain([1.0]).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = (0..n).map(row).collect();
    let gram: Vec<Vec<f64>> = (0..=d)
        .map(|j| (0..=d).map(|k| rows.iter().map(|r| r[j] * r[k]).sum::<f64>() / n as f64).collect())
        .collect();
    let weights = solve(&gram, &wanted);
    let mut class = Vec::new();
    let mut weight = Vec::new();
    let mut values = Vec::new();
    for r in &rows {
        let z: f64 = r[..d].iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() + b;
        let e: f64 = r.iter().zip(&weights).map(|(x, v)| x * v).sum();
        // The residual of this row's pair: sigmoid(z) - share = e.
        let share = sigmoid(z) - e;
        assert!(share > 0.0 && share < 1.0, "the penalty asks for too much");
        for (c, s) in [(1, share), (0, 1.0 - share)] {
            class.push(c);
            weight.push(s as f32);
            values.extend(r[..d].iter().map(|&x| x as f32));
        }
    }
    let column = w.into_iter().chain([b]).collect();
    Exact { panels: Panels::from_rows(&values, d), rows: Rows::new(class, &weight, 2), column }
}

fn model(penalty: Penalty) -> ModelSpec {
    ModelSpec { class: 1, penalty, ..ModelSpec::shared() }
}

#[test]
fn tall_tables_give_the_constructed_solution() {
    for (k, (l1, l2)) in [(0.0, 0.0), (0.0, 0.05), (0.01, 0.0), (0.005, 0.02)].into_iter().enumerate() {
        let penalty = Penalty { l1, l2 };
        let exact = construct(2000, 10, penalty, k as u64);
        let mut runs: Vec<_> = METHODS
            .iter()
            .map(|&method| full_batch(method, 1e-10, &exact.panels, &exact.rows, &[model(penalty)]))
            .collect();
        if l1 > 0.0 {
            runs.push(working_set(1e-10, &exact.panels, &exact.rows, &[model(penalty)]));
        }
        for run in runs {
            let found = run.solution.coefficients.model(0);
            for (j, (found, expected)) in found.iter().zip(&exact.column).enumerate() {
                // Weights are float32: the shares, and with them the solution, are right to 6e-8, averaged over rows.
                assert!((found - expected).abs() < 1e-6, "{penalty:?}, coefficient {j}: {found}, {expected}");
                assert!(
                    l1 == 0.0 || (*expected == 0.0) == (*found == 0.0),
                    "{penalty:?}, coefficient {j}: {found}"
                );
            }
        }
    }
}

/// More features than rows: the minimiser lies in the span of the rows for L2 alone, and meets the optimality
/// conditions for the others; there float64 residuals and duality gaps are the judges.
#[test]
fn wide_tables_meet_the_optimality_conditions() {
    let (panels, rows) = wide();
    for (l1, l2) in [(0.0, 0.1), (0.0, 1e-3), (0.02, 0.0), (0.01, 0.01)] {
        let models = [model(Penalty { l1, l2 })];
        let mut runs: Vec<_> =
            METHODS.iter().map(|&method| full_batch(method, 1e-8, &panels, &rows, &models)).collect();
        if l1 == 0.0 {
            runs.push(row_space(1e-8, &panels, &rows, &models));
        } else {
            runs.push(working_set(1e-8, &panels, &rows, &models));
        }
        let objective = runs[0].certificates[0].objective;
        for run in &runs {
            let c = run.certificates[0];
            assert!(c.kkt_residual <= 1e-8, "l1 {l1}, l2 {l2}: {c:?}, {:?}", run.solution.stops);
            assert!(c.duality_gap.unwrap() <= 1e-6, "l1 {l1}, l2 {l2}: {c:?}");
            assert!((c.objective - objective).abs() <= 1e-9, "l1 {l1}, l2 {l2}: {c:?}, {objective}");
        }
    }
}

/// A table of more features than rows, two of which tell the classes apart.
fn wide() -> (Panels, Rows) {
    let mut rng = StdRng::seed_from_u64(9);
    let (n, d) = (60, 400);
    let values: Vec<f32> = (0..n * d).map(|_| rng.random::<f32>() - 0.5).collect();
    let class = (0..n).map(|i| u32::from(values[i * d] + values[i * d + 7] > 0.0)).collect();
    (Panels::from_rows(&values, d), Rows::new(class, &vec![1.0; n], 2))
}

#[test]
fn small_tables_of_a_wide_one_begin_and_stop_where_they_are_told() {
    let (panels, rows) = wide();
    let coordinates = Coordinates::new(panels.n_features(), true);
    for penalty in [Penalty { l1: 0.0, l2: 1e-4 }, Penalty { l1: 0.01, l2: 0.0 }] {
        let models = [model(penalty)];
        let run = |start: Option<&Coefficients>, steps: usize| {
            let mut problem = problem(&models, &panels, &rows, &coordinates);
            problem.start = start.cloned().unwrap_or(problem.start);
            let mut engine = CpuEngine::new(&panels, &rows);
            let mut table = TablePasses::new(&mut engine, &panels, &rows);
            let mut told = Vec::new();
            let mut watch = |progress: &Progress| {
                told.push(*progress);
                told.len() < steps
            };
            let (max_iterations, tolerance) = (100, 1e-8);
            let solution = match penalty.l1 {
                0.0 => RowSpace { max_iterations, tolerance }.run(&mut table, &problem, &mut watch),
                _ => WorkingSet { max_iterations, tolerance }.run(&mut table, &problem, &mut watch),
            };
            (solution.unwrap(), told)
        };
        let (whole, told) = run(None, usize::MAX);
        assert_eq!(whole.stops, [Stop::Converged]);
        assert!(told.len() > 3 && told.is_sorted_by_key(|progress| progress.iteration), "{told:?}");
        assert!(told.is_sorted_by(|a, b| a.passes <= b.passes), "{told:?}");
        assert_eq!(told.last().unwrap().iteration, whole.iterations[0]);
        let (_, again) = run(Some(&whole.coefficients), usize::MAX);
        assert!(2 * again.len() < told.len(), "{again:?} from there, {told:?} from nowhere");
        let (stopped, told) = run(None, 1);
        assert_eq!(stopped.stops, [Stop::Interrupted]);
        assert!(told.len() <= 2 && stopped.passes < 0.7 * whole.passes, "{told:?}");
    }
}
