//! Every full-batch solver reaches the optimum, whatever the penalty, the stack and the table.

use logodds::config::Scoring;
use logodds::engine::cpu::CpuEngine;
use logodds::engine::exact::{evaluate, linear_predictor};
use logodds::objective::{Coordinates, Gaps, ModelSpec, Penalty};
use logodds::panels::{Panels, Rows};
use logodds::solver::{Method, Stop, Validation};
use logodds::train::TablePasses;

use super::support::{METHODS, Run, full_batch, full_batch_with, problem, settings, working_set};
use crate::support::problems;

const PENALTIES: [(f64, f64); 6] =
    [(0.0, 1e-2), (0.0, 1e-4), (1e-2, 0.0), (5e-3, 5e-3), (1e-4, 0.0), (0.0, 0.0)];

fn penalty((l1, l2): (f64, f64)) -> Penalty {
    Penalty { l1, l2 }
}

#[test]
fn every_solver_meets_the_tolerance_for_every_penalty() {
    // Large enough that samples are taken.
    let (panels, rows) = problems::table(12_000, 12, 3, 1);
    for pair in PENALTIES {
        let models = problems::one_vs_rest(3, penalty(pair));
        let mut objectives = Vec::new();
        for method in METHODS {
            let run = full_batch(method, 1e-9, &panels, &rows, &models);
            assert!(run.solution.stops.iter().all(|&s| s == Stop::Converged), "{method:?} {pair:?}");
            for c in &run.certificates {
                assert!(c.kkt_residual <= 1e-9, "{method:?} {pair:?}: {c:?}");
            }
            objectives.push(run.certificates.iter().map(|c| c.objective).collect::<Vec<_>>());
        }
        if pair.0 > 0.0 {
            let run = working_set(1e-9, &panels, &rows, &models);
            assert!(run.certificates.iter().all(|c| c.kkt_residual <= 1e-9), "{pair:?}");
            objectives.push(run.certificates.iter().map(|c| c.objective).collect());
        }
        for other in &objectives[1..] {
            for (a, b) in objectives[0].iter().zip(other) {
                // A residual of 1e-9 leaves an objective that differs in the square of it.
                assert!((a - b).abs() <= 1e-12, "{pair:?}: solvers end at {a} and {b}");
            }
        }
    }
}

#[test]
fn the_certificate_of_a_run_is_that_of_its_coefficients() {
    let (panels, rows) = problems::table(3000, 7, 2, 2);
    let models = problems::one_vs_rest(2, Penalty { l1: 1e-3, l2: 1e-3 });
    for method in METHODS {
        let run = full_batch(method, 1e-8, &panels, &rows, &models);
        for (found, expected) in run.solution.certificates.iter().zip(&run.certificates) {
            assert_eq!(found.as_ref(), Some(expected), "{method:?}");
        }
    }
}

#[test]
fn the_duality_gap_bounds_the_distance_to_the_optimum() {
    let (panels, rows) = problems::table(2000, 9, 2, 3);
    for pair in [(0.0, 1e-2), (1e-2, 0.0), (5e-3, 5e-3)] {
        let models = problems::one_vs_rest(2, penalty(pair));
        let best = full_batch(Method::Newton, 1e-12, &panels, &rows, &models);
        for tolerance in [1e-2, 1e-4, 1e-6] {
            let run = full_batch(Method::Newton, tolerance, &panels, &rows, &models);
            for (c, best) in run.certificates.iter().zip(&best.certificates) {
                let gap = c.duality_gap.expect("a penalty");
                assert!(c.objective - best.objective <= gap + 1e-15, "{pair:?}, {tolerance}: {c:?}");
                // And it closes with the residual, so that it says something.
                assert!(gap <= 100.0 * tolerance, "{pair:?}, {tolerance}: {c:?}");
            }
        }
    }
}

#[test]
fn a_stack_of_mixed_penalties_gives_each_model_what_it_gets_alone() {
    let (panels, rows) = problems::table(9000, 9, 4, 4);
    let models: Vec<ModelSpec> =
        PENALTIES.iter().flat_map(|&pair| problems::one_vs_rest(4, penalty(pair))).collect();
    for method in [Method::Newton, Method::Lbfgs] {
        let stacked = full_batch(method, 1e-8, &panels, &rows, &models);
        for (m, model) in models.iter().enumerate() {
            let alone = full_batch(method, 1e-8, &panels, &rows, &[*model]);
            let bits = (stacked.solution.coefficients.model(m), alone.solution.coefficients.model(0));
            assert_eq!(bits.0, bits.1, "{method:?}, model {m}");
            assert_eq!(stacked.solution.iterations[m], alone.solution.iterations[0], "{method:?}, model {m}");
        }
    }
}

#[test]
fn auto_and_working_sets_give_a_stacked_model_the_optimum_that_it_gets_alone() {
    let (panels, rows) = problems::table(9000, 9, 4, 4);
    let sparse: Vec<(f64, f64)> = PENALTIES.into_iter().filter(|pair| pair.0 > 0.0).collect();
    let models = |pairs: &[(f64, f64)]| -> Vec<ModelSpec> {
        pairs.iter().flat_map(|&pair| problems::one_vs_rest(4, penalty(pair))).collect()
    };
    let (all, sparse) = (models(&PENALTIES), models(&sparse));
    let auto = |models: &[ModelSpec]| full_batch(Method::Auto, 1e-9, &panels, &rows, models);
    let sets = |models: &[ModelSpec]| working_set(1e-9, &panels, &rows, models);
    let check = |models: &[ModelSpec], run: &dyn Fn(&[ModelSpec]) -> Run| {
        let stacked = run(models);
        for (m, model) in models.iter().enumerate() {
            let (together, alone) = (stacked.certificates[m], run(&[*model]).certificates[0]);
            assert!(together.kkt_residual <= 1e-9 && alone.kkt_residual <= 1e-9, "{together:?}, {alone:?}");
            assert!((together.objective - alone.objective).abs() <= 1e-12, "{together:?}, {alone:?}");
        }
    };
    check(&all, &auto);
    check(&sparse, &sets);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let (panels, rows) = problems::table(9000, 20, 3, 5);
    let models = problems::one_vs_rest(3, Penalty { l1: 1e-3, l2: 1e-3 });
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let run = full_batch(Method::Auto, 1e-7, &panels, &rows, &models);
            (run.solution.coefficients, working_set(1e-7, &panels, &rows, &models).solution.coefficients)
        })
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn without_an_intercept_it_stays_at_zero() {
    let (panels, rows) = problems::table(6000, 5, 2, 6);
    for pair in PENALTIES {
        let models = problems::one_vs_rest(2, penalty(pair));
        for method in METHODS {
            let run = full_batch_with(&settings(method, 1e-8), &panels, &rows, &models, false);
            for (m, c) in run.certificates.iter().enumerate() {
                assert!(c.kkt_residual <= 1e-8, "{method:?} {pair:?}: {c:?}");
                assert_eq!(run.solution.coefficients.intercept(m), 0.0);
            }
        }
    }
}

/// A table in which row i of `panels` stands `times[i]` times.
fn repeated(panels: &Panels, rows: &Rows, times: impl Fn(usize) -> usize) -> (Panels, Rows) {
    let d = panels.n_features();
    let (mut values, mut class) = (Vec::new(), Vec::new());
    for slot in 0..panels.n_rows() {
        for _ in 0..times(slot) {
            values.extend((0..d).map(|j| panels.value(slot, j)));
            class.push(rows.class(slot));
        }
    }
    let weight = vec![1.0; class.len()];
    (Panels::from_rows(&values, d), Rows::new(class, &weight, rows.class_rows().len()))
}

/// The same optimum, found on another way: objectives agree to the square of the tolerance.
fn assert_same_optimum(a: &(Panels, Rows), b: &(Panels, Rows), models: &[ModelSpec]) {
    for method in METHODS {
        let [a, b] = [a, b].map(|(panels, rows)| full_batch(method, 1e-9, panels, rows, models));
        for (a, b) in a.certificates.iter().zip(&b.certificates) {
            assert!((a.objective - b.objective).abs() <= 1e-12, "{method:?}: {a:?} and {b:?}");
        }
    }
}

#[test]
fn a_weight_of_two_is_a_row_that_stands_twice_and_a_weight_of_zero_none() {
    let (panels, rows) = problems::table(3000, 6, 3, 7);
    let times = |slot: usize| slot % 3;
    let weighted = Rows::new(
        rows.labels()[..rows.n_rows()].to_vec(),
        &(0..rows.n_rows()).map(|slot| times(slot) as f32).collect::<Vec<_>>(),
        3,
    );
    let stands = repeated(&panels, &rows, times);
    let models = problems::one_vs_rest(3, Penalty { l1: 1e-3, l2: 1e-2 });
    assert_same_optimum(&(panels, weighted), &stands, &models);
}

#[test]
fn the_order_of_rows_and_columns_does_not_matter() {
    let (panels, rows) = problems::table(3000, 6, 2, 8);
    let (n, d) = (panels.n_rows(), panels.n_features());
    let models = problems::one_vs_rest(2, Penalty { l1: 1e-3, l2: 1e-2 });
    // 7919 is prime, so this is a permutation.
    let row = |i: usize| (i * 7919 + 5) % n;
    let values: Vec<f32> = (0..n)
        .flat_map(|i| (0..d).map(move |j| (row(i), (j + 2) % d)))
        .map(|(i, j)| panels.value(i, j))
        .collect();
    let class = (0..n).map(|i| rows.class(row(i))).collect();
    let weight: Vec<f32> = (0..n).map(|i| rows.weight()[row(i)]).collect();
    let other = (Panels::from_rows(&values, d), Rows::new(class, &weight, 2));
    assert_same_optimum(&(panels, rows), &other, &models);
}

#[test]
fn relabelled_classes_give_the_same_models_under_other_names() {
    let (panels, rows) = problems::table(3000, 6, 3, 9);
    let swapped: Vec<u32> = rows.labels()[..3000].iter().map(|c| (c + 1) % 3).collect();
    let other = Rows::new(swapped, &rows.weight()[..3000], 3);
    let models = problems::one_vs_rest(3, Penalty { l1: 0.0, l2: 1e-2 });
    for method in METHODS {
        let a = full_batch(method, 1e-8, &panels, &rows, &models);
        let b = full_batch(method, 1e-8, &panels, &other, &models);
        for class in 0..3 {
            let names =
                (a.solution.coefficients.model(class), b.solution.coefficients.model((class + 1) % 3));
            assert_eq!(names.0, names.1, "{method:?}, class {class}");
        }
    }
}

#[test]
fn a_penalty_above_the_l1_maximum_leaves_only_the_intercept() {
    let (panels, rows) = problems::table(3000, 8, 2, 10);
    let models = problems::one_vs_rest(2, Penalty { l1: 10.0, l2: 0.0 });
    let mut runs: Vec<_> = METHODS.iter().map(|&m| full_batch(m, 1e-9, &panels, &rows, &models)).collect();
    runs.push(working_set(1e-9, &panels, &rows, &models));
    for run in runs {
        for (m, model) in models.iter().enumerate() {
            assert!(run.solution.coefficients.features(m).iter().all(|&w| w == 0.0));
            // Intercept alone: log(p / (1 - p)) of the weighted share.
            let p = rows.class_weight()[model.class as usize] / rows.weight_sum();
            let b = run.solution.coefficients.intercept(m);
            // Curvature p (1 - p) of at least 0.1 turns a residual of 1e-9 into 1e-8.
            assert!((b - (p / (1.0 - p)).ln()).abs() < 1e-8, "intercept {b}");
        }
    }
}

#[test]
fn the_mean_probability_is_the_share_of_the_class() {
    let (panels, rows) = problems::table(4000, 8, 3, 11);
    let models = problems::one_vs_rest(3, Penalty { l1: 1e-3, l2: 1e-3 });
    for method in METHODS {
        let run = full_batch(method, 1e-9, &panels, &rows, &models);
        let z = linear_predictor(&panels, &run.solution.coefficients);
        for (m, model) in models.iter().enumerate() {
            let weights = rows.weight()[..rows.n_rows()].iter().map(|&s| f64::from(s));
            let mean: f64 = z
                .iter()
                .skip(m)
                .step_by(3)
                .zip(weights)
                .map(|(&z, s)| s * logodds::objective::sigmoid(z))
                .sum();
            let share = rows.class_weight()[model.class as usize];
            assert!((mean - share).abs() <= 1e-8 * rows.weight_sum(), "{method:?}: {mean} and {share}");
        }
    }
}

#[test]
fn patience_returns_the_best_point_on_the_held_out_rows() {
    let (panels, rows) = problems::table(300, 40, 2, 12);
    let (held, held_rows) = problems::table(300, 40, 2, 13);
    let models = problems::one_vs_rest(2, Penalty { l1: 0.0, l2: 1e-7 });
    let coordinates = Coordinates::new(40, true);
    let problem = problem(&models, &panels, &rows, &coordinates);
    let mut engine = CpuEngine::new(&held, &held_rows);
    let validation = Some(Validation::new(&mut engine, (&held, &held_rows), Scoring::LogLoss, 3));
    let mut losses = Vec::new();
    let solution = settings(Method::Lbfgs, 1e-12)
        .run(
            &mut TablePasses::new(&mut CpuEngine::new(&panels, &rows), &panels, &rows),
            &problem,
            validation,
            &mut |p| {
                losses.push(p.validated.expect("held-out rows").loss);
                true
            },
        )
        .expect("a CPU run");
    assert!(solution.stops.contains(&Stop::Patience), "{:?}", solution.stops);
    let at_end = evaluate(&held, &held_rows, &models, &solution.coefficients, Gaps::Without).evaluation.loss;
    let mean = at_end.iter().sum::<f64>() / 2.0;
    let best = losses.iter().fold(f64::INFINITY, |a, &b| a.min(b));
    // The kept points are each model's best, so no epoch's mean is better than theirs.
    assert!(mean <= best + 1e-7, "{mean} kept, {best} seen");
}
