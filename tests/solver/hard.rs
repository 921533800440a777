//! Tables that make solvers fail: each ends, and says the truth.

use logodds::objective::Penalty;
use logodds::panels::{Panels, Rows};
use logodds::solver::{Method, Stop};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::{METHODS, Run, full_batch, working_set};
use crate::support::problems;

const NONE: Penalty = Penalty { l1: 0.0, l2: 0.0 };

/// Independent columns of the given scales, and the classes of a noisy linear rule.
fn scaled(n: usize, scales: &[f32], noise: f32, seed: u64) -> (Panels, Rows) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut values, mut class) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let row: Vec<f32> = scales.iter().map(|_| 2.0 * rng.random::<f32>() - 1.0).collect();
        let rule = row.iter().sum::<f32>() + noise * (2.0 * rng.random::<f32>() - 1.0);
        class.push(u32::from(rule > 0.0));
        values.extend(row.iter().zip(scales).map(|(x, s)| x * s));
    }
    (Panels::from_rows(&values, scales.len()), Rows::new(class, &vec![1.0; n], 2))
}

fn assert_converged(run: &Run, tolerance: f64, what: &str) {
    for (c, stop) in run.certificates.iter().zip(&run.solution.stops) {
        assert!(c.kkt_residual <= tolerance && *stop == Stop::Converged, "{what}: {c:?}, {stop:?}");
    }
}

#[test]
fn separation_without_a_penalty_is_named() {
    for n in [40, 5000] {
        let (panels, rows) = scaled(n, &[1.0; 4], 0.0, 1);
        for method in METHODS {
            let run = full_batch(method, 1e-6, &panels, &rows, &problems::one_vs_rest(2, NONE));
            assert!(
                run.solution.stops.iter().all(|&s| s == Stop::Separated),
                "{n} rows, {method:?}: {:?}",
                run.solution.stops
            );
            assert!(run.solution.coefficients.values().iter().all(|w| w.is_finite()));
        }
        // With a penalty it is a problem like any other.
        let models = problems::one_vs_rest(2, Penalty { l1: 0.0, l2: 1e-8 });
        // Not for lbfgs, whose one matrix is far from the curvature where all rows are on their side.
        for method in [Method::Newton, Method::Auto] {
            assert_converged(&full_batch(method, 1e-7, &panels, &rows, &models), 1e-7, "a tiny penalty");
        }
    }
}

#[test]
fn a_table_that_is_almost_separable_is_not_called_so() {
    let (panels, rows) = scaled(4000, &[1.0; 4], 0.05, 2);
    for method in METHODS {
        let run = full_batch(method, 1e-8, &panels, &rows, &problems::one_vs_rest(2, NONE));
        assert_converged(&run, 1e-8, "almost separable");
    }
}

#[test]
fn duplicate_and_constant_columns_do_no_harm() {
    let (plain, rows) = problems::table(3000, 4, 2, 3);
    let value = |slot: usize, j: usize| match j {
        0..4 => plain.value(slot, j),
        4 | 5 => plain.value(slot, 1),
        6 => 0.0,
        _ => 3.0,
    };
    let values: Vec<f32> = (0..3000).flat_map(|slot| (0..8).map(move |j| value(slot, j))).collect();
    let panels = Panels::from_rows(&values, 8);
    for penalty in [NONE, Penalty { l1: 0.0, l2: 1e-3 }, Penalty { l1: 1e-2, l2: 0.0 }] {
        let models = problems::one_vs_rest(2, penalty);
        for method in METHODS {
            assert_converged(
                &full_batch(method, 1e-7, &panels, &rows, &models),
                1e-7,
                &format!("{method:?} {penalty:?}"),
            );
        }
        if penalty.l1 > 0.0 {
            assert_converged(&working_set(1e-7, &panels, &rows, &models), 1e-7, "working sets");
        }
    }
}

#[test]
fn scales_sixteen_orders_apart_are_no_trouble_for_newton_and_end_for_all() {
    let (panels, rows) = scaled(5000, &[1e-8, 1.0, 1e8], 1.0, 4);
    let models = problems::one_vs_rest(2, NONE);
    // The residual of the large column is in units 1e8 times those of the others: float32 values of it are 6e-8 of its
    // gradient's terms, so this is as good as 1e-6 at scale 1.
    let tolerance = 100.0;
    for method in METHODS {
        let run = full_batch(method, tolerance, &panels, &rows, &models);
        assert!(run.certificates.iter().all(|c| c.objective.is_finite() && c.objective < 0.69), "{method:?}");
    }
    let run = full_batch(Method::Newton, 1e-3, &panels, &rows, &models);
    assert_converged(&run, 1e-3, "newton");
}

#[test]
fn forty_one_positives_in_four_hundred_thousand_rows_are_found() {
    let mut rng = StdRng::seed_from_u64(5);
    let n = 400_000;
    let mut values = Vec::with_capacity(2 * n);
    let mut class = Vec::with_capacity(n);
    for i in 0..n {
        let positive = i % 9757 == 1;
        let shift = if positive { 0.7 } else { 0.0 };
        values.extend([rng.random::<f32>() + shift, rng.random::<f32>()]);
        class.push(u32::from(positive));
    }
    assert_eq!(class.iter().sum::<u32>(), 41);
    let (panels, rows) = (Panels::from_rows(&values, 2), Rows::new(class, &vec![1.0; n], 2));
    for penalty in [Penalty { l1: 0.0, l2: 1e-6 }, Penalty { l1: 1e-7, l2: 0.0 }] {
        for method in METHODS {
            let run = full_batch(method, 1e-8, &panels, &rows, &problems::one_vs_rest(2, penalty)[1..]);
            assert_converged(&run, 1e-8, &format!("{method:?} {penalty:?}"));
            assert!(run.solution.coefficients.features(0)[0] > 0.1);
        }
    }
}

#[test]
fn one_row_and_more_classes_than_rows() {
    let one = (Panels::from_rows(&[0.5, -1.0], 2), Rows::new(vec![0], &[1.0], 2));
    let few =
        (Panels::from_rows(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.5], 2), Rows::new(vec![0, 1, 2], &[1.0; 3], 5));
    for (panels, rows) in [one, few] {
        let models = problems::one_vs_rest(rows.class_rows().len(), Penalty { l1: 0.0, l2: 0.1 });
        for method in METHODS {
            // A class without a row has its optimum at an intercept of minus infinity, where no step gains
            // anything: it must end all the same, and not far from there.
            let run = full_batch(method, 1e-6, &panels, &rows, &models);
            let certificates = &run.certificates;
            assert!(certificates.iter().all(|c| c.kkt_residual <= 1e-5), "{method:?}: {certificates:?}");
        }
    }
}
