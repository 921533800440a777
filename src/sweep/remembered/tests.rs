//! A run that is killed at any answer makes none of those before it again.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::engine::cpu::CpuEngine;
use crate::error::EngineError;
use crate::objective::Penalty;
use crate::solver::{RowSpace, Solution, WorkingSet};
use crate::train::HostTable;

/// Counts what is computed, and dies at the `last`.
struct Life {
    made: AtomicUsize,
    last: usize,
}

impl Life {
    fn make<T>(&self, what: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.made.fetch_add(1, Ordering::Relaxed) + 1 == self.last {
            return Err(EngineError::NotFinite { what: "killed" }.into());
        }
        what()
    }
}

struct Mortal<'a> {
    engine: &'a mut dyn Engine,
    life: &'a Life,
}

impl Engine for Mortal<'_> {
    fn device(&self) -> String {
        self.engine.device()
    }

    fn models_per_reading(&self) -> usize {
        self.engine.models_per_reading()
    }

    fn evaluate_on(&mut self, models: &[ModelSpec], at: &Coefficients, sample: Sample) -> Result<Evaluation> {
        self.life.make(|| self.engine.evaluate_on(models, at, sample))
    }

    fn hessian(&mut self, model: &ModelSpec, column: &[f64], sample: Sample) -> Result<Hessian> {
        self.life.make(|| self.engine.hessian(model, column, sample))
    }

    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        self.engine.sgd_epoch(models, epoch, state)
    }
}

struct MortalHost<'a> {
    host: &'a dyn Host,
    life: &'a Life,
}

impl Host for MortalHost<'_> {
    fn evaluate(&self, models: &[ModelSpec], coefficients: &Coefficients, gaps: Gaps) -> Result<Exact> {
        self.life.make(|| self.host.evaluate(models, coefficients, gaps))
    }

    fn hessian(&self, model: &ModelSpec, column: &[f64]) -> Result<Hessian> {
        self.life.make(|| self.host.hessian(model, column))
    }

    fn mean_squares(&self) -> Result<Vec<f64>> {
        self.life.make(|| self.host.mean_squares())
    }

    fn rows(&self) -> &Rows {
        self.host.rows()
    }

    fn is_exact(&self, feature: usize) -> bool {
        self.host.is_exact(feature)
    }

    fn room(&self) -> u64 {
        u64::MAX
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.host.select(features)
    }

    fn row_spectrum(&self) -> Result<(Arc<Spectrum>, f64)> {
        self.life.make(|| self.host.row_spectrum())
    }

    fn scores(&self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>> {
        self.life.make(|| self.host.scores(coefficients))
    }

    fn combine_rows(&self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        self.life.make(|| self.host.combine_rows(weights))
    }

    fn with_table(
        &self,
        panels: &Panels,
        work: &mut dyn FnMut(&mut dyn Engine, &dyn Host) -> Result<()>,
    ) -> Result<()> {
        let life = self.life;
        self.host.with_table(panels, &mut |engine, host| {
            work(&mut Mortal { engine, life }, &MortalHost { host, life })
        })
    }
}

/// What a run leads to and tells, and how much was computed for it.
type Ended = (Result<(Solution, Vec<Progress>)>, usize);

/// Two runs, the second from the end of the first, as a sweep has its waves.
fn run(journal: &Journal, (panels, rows): (&Panels, &Rows), l1: f64, last: usize) -> Ended {
    let life = Life { made: AtomicUsize::new(0), last };
    let mut engine = CpuEngine::new(panels, rows);
    let mut engine = Mortal { engine: &mut engine, life: &life };
    let table = HostTable::new(panels, rows);
    let host = MortalHost { host: &table, life: &life };
    let (mut engine, host) =
        (Remembered { engine: &mut engine, journal }, RememberedHost::new(&host, journal));
    let told = RefCell::new(Vec::new());
    let mut watch = |progress: &Progress| {
        told.borrow_mut().push(*progress);
        true
    };
    let offsets = vec![0.0; panels.n_features()];
    let mut wave = |start: Coefficients, factor: f64| {
        let penalty = |p: f64| Penalty { l1: factor * l1 * p, l2: factor * 0.05 * p };
        let models = [1.0, 0.5].map(|p| ModelSpec { class: 1, penalty: penalty(p), ..ModelSpec::shared() });
        let problem = Problem {
            models: &models,
            n_rows: panels.n_rows(),
            intercept: true,
            offsets: &offsets,
            smoothness: &[],
            start,
            is_warm: true,
            gaps: Gaps::Without,
        };
        let (max_iterations, tolerance) = (100, 1e-7);
        if l1 == 0.0 {
            RowSpace { max_iterations, tolerance }.run(&mut engine, &host, &problem, &mut watch)
        } else {
            WorkingSet { max_iterations, tolerance }.run(&mut engine, &host, &problem, &mut watch)
        }
    };
    let first = wave(Coefficients::zeros(panels.n_features(), 2), 1.0);
    let second = first.and_then(|first| wave(first.coefficients, 0.5));
    (second.map(|solution| (solution, told.take())), life.made.into_inner())
}

fn wide() -> (Panels, Rows) {
    let mut rng = StdRng::seed_from_u64(5);
    let (n, d) = (40, 300);
    let values: Vec<f32> = (0..n * d).map(|_| rng.random::<f32>() - 0.5).collect();
    let class = (0..n).map(|i| u32::from(values[i * d] + 0.5 * values[i * d + 7] > 0.0)).collect();
    (Panels::from_rows(&values, d), Rows::new(class, &vec![1.0; n], 2))
}

#[test]
fn a_kill_loses_the_answer_it_was_in_and_nothing_else() {
    let (panels, rows) = wide();
    for l1 in [0.0, 0.02] {
        let (whole, all) = run(&Journal::default(), (&panels, &rows), l1, usize::MAX);
        let (whole, told) = whole.unwrap();
        assert!(all > 20, "{all}");
        for last in 1..=all {
            let folder = tempfile::tempdir().unwrap();
            let open = |resume| Journal::open(folder.path(), resume, 7, &|_| {}).unwrap();
            let (killed, _) = run(&open(false), (&panels, &rows), l1, last);
            assert!(killed.is_err());
            let (resumed, made) = run(&open(true), (&panels, &rows), l1, usize::MAX);
            assert_eq!(made, all - (last - 1), "l1 {l1}, killed at {last} of {all}");
            let (resumed, told_again) = resumed.unwrap();
            assert_eq!(resumed.coefficients, whole.coefficients, "l1 {l1}, killed at {last}");
            assert_eq!((resumed.passes, &told_again), (whole.passes, &told), "l1 {l1}, killed at {last}");
            let (_, made) = run(&open(true), (&panels, &rows), l1, usize::MAX);
            assert_eq!(made, 0, "l1 {l1}: all of it is known");
        }
    }
}
