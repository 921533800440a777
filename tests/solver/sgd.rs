use logodds::config::Scoring;
use logodds::engine::cpu::CpuEngine;
use logodds::engine::exact::{certify, smoothness};
use logodds::objective::{Coefficients, Coordinates, ModelSpec, Penalty};
use logodds::panels::{Panels, Rows};
use logodds::solver::{Problem, Sgd, Solution, Stop, Validation};

use crate::support::problems;

fn sgd() -> Sgd {
    Sgd { epochs: 500, batch_rows: None, learning_rate: None, momentum: None, tolerance: 1e-6, seed: 0 }
}

fn run(settings: &Sgd, panels: &Panels, rows: &Rows, models: &[ModelSpec]) -> Solution {
    let coordinates = Coordinates::new(panels.n_features(), true);
    let smoothness = smoothness(panels, rows, models, &coordinates);
    let start = Coefficients::zeros(panels.n_features(), models.len());
    let problem = Problem { smoothness: &smoothness, ..Problem::new(models, rows, &coordinates, start) };
    settings.run(&mut CpuEngine::new(panels, rows), &problem, None, &mut |_| true).expect("a CPU run")
}

#[test]
fn reaches_the_optimum_for_every_penalty() {
    let (panels, rows) = problems::table(3000, 12, 3, 1);
    let coordinates = Coordinates::new(12, true);
    for penalty in [(0.0, 1e-2), (0.0, 1e-4), (1e-2, 0.0), (5e-3, 5e-3)] {
        let models = problems::one_vs_rest(3, Penalty { l1: penalty.0, l2: penalty.1 });
        let solution = run(&sgd(), &panels, &rows, &models);
        for c in certify(&panels, &rows, &models, &solution.coefficients, &coordinates) {
            // Progress ends where a further third of the epochs gains 2e-5 of the objective; on these
            // well-conditioned tables that is far inside this residual.
            assert!(c.kkt_residual < 1e-3, "{penalty:?}: residual {}", c.kkt_residual);
        }
    }
}

#[test]
fn a_stacked_model_is_bit_for_bit_the_model_alone() {
    let (panels, rows) = problems::table(1500, 9, 5, 2);
    let mut models = problems::one_vs_rest(5, Penalty { l1: 1e-3, l2: 1e-3 });
    // Enough models that they fill several register tiles, with penalties of their own.
    for k in 1..4 {
        let more: Vec<_> = models[..5]
            .iter()
            .map(|m| ModelSpec { penalty: Penalty { l1: 0.0, l2: 10f64.powi(-k) }, ..*m })
            .collect();
        models.extend(more);
    }
    let stacked = run(&sgd(), &panels, &rows, &models);
    for (m, model) in models.iter().enumerate() {
        let alone = run(&sgd(), &panels, &rows, &[*model]);
        assert_eq!(stacked.coefficients.model(m), alone.coefficients.model(0), "model {m}");
        assert_eq!(stacked.iterations[m], alone.iterations[0], "model {m}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_the_same_optimum() {
    let (panels, rows) = problems::table(2000, 6, 2, 3);
    let models = problems::one_vs_rest(2, Penalty { l1: 0.0, l2: 1e-2 });
    let first = run(&sgd(), &panels, &rows, &models);
    assert_eq!(first.coefficients, run(&sgd(), &panels, &rows, &models).coefficients);
    let other = run(&Sgd { seed: 7, ..sgd() }, &panels, &rows, &models);
    assert_ne!(first.coefficients, other.coefficients);
    let objective = |s: &Solution| {
        certify(&panels, &rows, &models, &s.coefficients, &Coordinates::new(6, true))[0].objective
    };
    let (a, b) = (objective(&first), objective(&other));
    assert!((a - b).abs() < 1e-4 * a, "{a} and {b}");
}

#[test]
fn a_penalty_above_the_l1_maximum_leaves_only_the_intercept() {
    let (panels, rows) = problems::table(700, 8, 2, 4);
    let models = problems::one_vs_rest(2, Penalty { l1: 10.0, l2: 0.0 });
    let solution = run(&sgd(), &panels, &rows, &models);
    for (m, model) in models.iter().enumerate() {
        assert!(solution.coefficients.features(m).iter().all(|&w| w == 0.0));
        // Intercept alone: log(p / (1 - p)) of the weighted share.
        let p = rows.class_weight()[model.class as usize] / rows.weight_sum();
        let b = solution.coefficients.intercept(m);
        assert!((b - (p / (1.0 - p)).ln()).abs() < 1e-3, "intercept {b}");
    }
}

#[test]
fn a_huge_learning_rate_is_cut_until_the_objective_goes_down() {
    let (panels, rows) = problems::table(1000, 5, 2, 5);
    let models = problems::one_vs_rest(2, Penalty { l1: 0.0, l2: 1e-2 });
    let solution = run(&Sgd { learning_rate: Some(1e6), ..sgd() }, &panels, &rows, &models);
    for c in certify(&panels, &rows, &models, &solution.coefficients, &Coordinates::new(5, true)) {
        assert!(c.objective < std::f64::consts::LN_2 && c.kkt_residual < 1e-2, "{c:?}");
    }
}

#[test]
fn every_batch_size_and_momentum_descends() {
    let (panels, rows) = problems::table(777, 4, 2, 6);
    let models = problems::one_vs_rest(2, Penalty { l1: 1e-3, l2: 1e-3 });
    for batch_rows in [1, 7, 256, 300, 777, 10_000] {
        for momentum in [None, Some(0.0), Some(0.9)] {
            let settings = Sgd { batch_rows: Some(batch_rows), momentum, ..sgd() };
            let solution = run(&settings, &panels, &rows, &models);
            for c in certify(&panels, &rows, &models, &solution.coefficients, &Coordinates::new(4, true)) {
                assert!(c.kkt_residual < 5e-3, "batch {batch_rows}, momentum {momentum:?}: {c:?}");
            }
        }
    }
}

#[test]
fn patience_returns_the_best_point_on_the_held_out_rows() {
    let (panels, rows) = problems::table(300, 40, 2, 7);
    let (held, held_rows) = problems::table(300, 40, 2, 8);
    let models = problems::one_vs_rest(2, Penalty { l1: 0.0, l2: 1e-7 });
    let coordinates = Coordinates::new(panels.n_features(), true);
    let smoothness = smoothness(&panels, &rows, &models, &coordinates);
    let start = Coefficients::zeros(40, 2);
    let problem = Problem { smoothness: &smoothness, ..Problem::new(&models, &rows, &coordinates, start) };
    let mut engine = CpuEngine::new(&held, &held_rows);
    let mut losses = Vec::new();
    let solution = sgd()
        .run(
            &mut CpuEngine::new(&panels, &rows),
            &problem,
            Some(Validation::new(&mut engine, (&held, &held_rows), Scoring::LogLoss, 3)),
            &mut |progress| {
                losses.push(progress.validated.expect("held-out rows").loss);
                true
            },
        )
        .expect("a CPU run");
    assert!(solution.stops.contains(&Stop::Patience), "{:?}", solution.stops);
    let best = certify(
        &held,
        &held_rows,
        &problems::one_vs_rest(2, Penalty::default()),
        &solution.coefficients,
        &coordinates,
    );
    let mean = best.iter().map(|c| c.objective).sum::<f64>() / 2.0;
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    // The mean of each model's best is no worse than the best mean.
    assert!(mean <= lowest * (1.0 + 1e-5), "{mean} against {lowest}");
}

#[test]
fn an_interrupted_run_returns_what_it_has() {
    let (panels, rows) = problems::table(500, 5, 2, 9);
    let models = problems::one_vs_rest(2, Penalty { l1: 0.0, l2: 1e-4 });
    let coordinates = Coordinates::new(panels.n_features(), true);
    let smoothness = smoothness(&panels, &rows, &models, &coordinates);
    let start = Coefficients::zeros(5, 2);
    let problem = Problem { smoothness: &smoothness, ..Problem::new(&models, &rows, &coordinates, start) };
    let mut engine = CpuEngine::new(&panels, &rows);
    let solution = sgd().run(&mut engine, &problem, None, &mut |p| p.iteration < 2).expect("a CPU run");
    assert_eq!(solution.stops, [Stop::Interrupted; 2]);
    assert_eq!(solution.iterations, [2; 2]);
    assert!(solution.coefficients.values().iter().any(|&w| w != 0.0));
}
