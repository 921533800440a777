//! A run that is killed at any answer computes none of the earlier answers again.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::engine::cpu::CpuEngine;
use crate::error::EngineError;
use crate::objective::{Coordinates, Penalty};
use crate::solver::{RowSpace, Solution, WorkingSet};
use crate::train::TablePasses;

/// Counts the computations, and fails at number `last`.
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
    table: &'a mut dyn Passes,
    life: &'a Life,
}

impl Passes for Mortal<'_> {
    fn models_per_reading(&self) -> usize {
        self.table.models_per_reading()
    }

    fn rows(&self) -> &Rows {
        self.table.rows()
    }

    fn n_features(&self) -> usize {
        self.table.n_features()
    }

    fn is_exact(&self, feature: usize) -> bool {
        self.table.is_exact(feature)
    }

    fn room(&self) -> u64 {
        self.table.room()
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.table.select(features)
    }

    fn evaluation_sums(&mut self, models: &[ModelSpec], at: &Coefficients, sample: Sample) -> Result<Sums> {
        self.life.make(|| self.table.evaluation_sums(models, at, sample))
    }

    fn exact_sums(&mut self, models: &[ModelSpec], at: &Coefficients, gaps: Gaps) -> Result<Sums> {
        self.life.make(|| self.table.exact_sums(models, at, gaps))
    }

    fn curvature_sums(&mut self, points: &[At<'_>], sample: Sample) -> Result<Vec<Vec<f64>>> {
        self.life.make(|| self.table.curvature_sums(points, sample))
    }

    fn exact_hessian(&mut self, point: At<'_>) -> Result<Hessian> {
        self.life.make(|| self.table.exact_hessian(point))
    }

    fn mean_squares(&mut self) -> Result<Vec<f64>> {
        self.life.make(|| self.table.mean_squares())
    }

    fn row_spectrum(&mut self) -> Result<(Arc<Spectrum>, f64)> {
        self.life.make(|| self.table.row_spectrum())
    }

    fn scores(&mut self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>> {
        self.life.make(|| self.table.scores(coefficients))
    }

    fn combine_rows(&mut self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        self.life.make(|| self.table.combine_rows(weights))
    }

    fn over(&mut self, panels: &Panels, work: &mut dyn FnMut(&mut dyn Passes) -> Result<()>) -> Result<()> {
        let life = self.life;
        self.table.over(panels, &mut |table| work(&mut Mortal { table, life }))
    }
}

/// The result and progress of a run, and the number of computations.
type Ended = (Result<(Solution, Vec<Progress>)>, usize);

/// Two runs; the second starts at the end of the first, like the waves of a sweep.
fn run(journal: &Journal, (panels, rows): (&Panels, &Rows), l1: f64, last: usize) -> Ended {
    let life = Life { made: AtomicUsize::new(0), last };
    let mut engine = CpuEngine::new(panels, rows);
    let mut table = TablePasses::new(&mut engine, panels, rows);
    let mut table = Mortal { table: &mut table, life: &life };
    let mut table = Journaled::new(&mut table, journal);
    let told = RefCell::new(Vec::new());
    let mut watch = |progress: &Progress| {
        told.borrow_mut().push(*progress);
        true
    };
    let coordinates = Coordinates::new(panels.n_features(), true);
    let mut wave = |start: Coefficients, factor: f64| {
        let penalty = |p: f64| Penalty { l1: factor * l1 * p, l2: factor * 0.05 * p };
        let models = [1.0, 0.5].map(|p| ModelSpec { class: 1, penalty: penalty(p), ..ModelSpec::shared() });
        let problem = Problem {
            is_warm: true,
            gaps: Gaps::Without,
            ..Problem::new(&models, rows, &coordinates, start)
        };
        let (max_iterations, tolerance) = (100, 1e-7);
        if l1 == 0.0 {
            RowSpace { max_iterations, tolerance }.run(&mut table, &problem, &mut watch)
        } else {
            WorkingSet { max_iterations, tolerance }.run(&mut table, &problem, &mut watch)
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
