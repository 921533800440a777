//! Chooses the solver and runs it.

use std::time::Instant;

use super::memory::room_beside;
use super::passes::TablePasses;
use super::stack::{Stack, start};
use crate::config::{Solver, ValidConfig};
use crate::data::Dataset;
use crate::engine::MiniBatch;
use crate::engine::exact::smoothness;
use crate::error::{ConfigError, Result};
use crate::model::{CurveRecorder, CurveStep, TrainingCurve};
use crate::observer::{EpochReport, Observer};
use crate::solver::{
    self, FullBatch, Method, Passes, Problem, Progress, Route, RowSpace, Sgd, Solution, WorkingSet,
};

/// Trains the models of a run and records their curve.
pub(super) fn solve(
    config: &ValidConfig,
    dataset: &Dataset,
    stack: &Stack,
    engine: &mut dyn MiniBatch,
    validation: Option<solver::Validation<'_>>,
    held_out_bytes: u64,
    observer: &dyn Observer,
) -> Result<(Solution, Option<TrainingCurve>)> {
    let n_rows = dataset.panels.n_rows();
    let room = room_beside(config, dataset).left().saturating_sub(held_out_bytes);
    let smoothness = match config.solver {
        Solver::Sgd => smoothness(&dataset.panels, &dataset.rows, &stack.models, &stack.coordinates),
        _ => Vec::new(),
    };
    let start = start(&dataset.rows, &stack.models, &stack.coordinates);
    let problem = Problem {
        smoothness: &smoothness,
        ..Problem::new(&stack.models, &dataset.rows, &stack.coordinates, start)
    };
    let bound = if config.solver == Solver::Sgd { config.epochs } else { config.max_iterations };
    let (start, mut last) = (Instant::now(), 0.0);
    let mut curve = CurveRecorder::default();
    let mut watch = |progress: &Progress| {
        let elapsed_secs = start.elapsed().as_secs_f64();
        observer.epoch(&EpochReport {
            epoch: progress.iteration,
            epochs: bound,
            passes: progress.passes,
            objective: progress.objective,
            kkt_residual: progress.kkt_residual,
            models_active: progress.active,
            models_converged: progress.converged,
            rows_per_second: n_rows as f64 / (elapsed_secs - last),
            elapsed_secs,
            validation_loss: progress.validated.map(|means| means.loss),
            validation_score: progress.validated.and_then(|means| means.score),
        });
        last = elapsed_secs;
        curve.add(CurveStep {
            passes: progress.passes,
            seconds: elapsed_secs,
            objective: Some(progress.objective),
            kkt_residual: progress.kkt_residual,
            converged: progress.converged,
        });
        !observer.is_interrupted()
    };
    let passes = |engine| TablePasses::new(engine, &dataset.panels, &dataset.rows).with_room(room);
    let solution = if config.solver == Solver::Sgd {
        // With validation rows the best model is kept, not the minimum.
        let may_move = validation.is_none();
        let found = sgd(config).run(engine, &problem, validation, &mut watch)?;
        full_batch(config, Method::Newton).prove(&mut passes(engine), &problem, found, may_move)?
    } else {
        minimise(config, &mut passes(engine), &problem, validation, &mut watch)?
    };
    Ok((solution, curve.finish()))
}

fn sgd(config: &ValidConfig) -> Sgd {
    Sgd {
        epochs: config.epochs,
        batch_rows: config.batch_size,
        learning_rate: config.learning_rate,
        momentum: config.momentum,
        tolerance: config.tolerance,
        seed: config.seed,
    }
}

fn full_batch(config: &ValidConfig, method: Method) -> FullBatch {
    FullBatch { method, max_iterations: config.max_iterations, tolerance: config.tolerance }
}

/// Minimises the objective of every model of a problem with the full-batch solver that `config` names, or that suits
/// the table.
pub(crate) fn minimise(
    config: &ValidConfig,
    table: &mut dyn Passes,
    problem: &Problem<'_>,
    validation: Option<solver::Validation<'_>>,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Solution> {
    let n_features = problem.start.n_features();
    let (max_iterations, tolerance) = (config.max_iterations, config.tolerance);
    match Route::of(config.solver, problem, validation.is_some()) {
        Route::WorkingSets => WorkingSet { max_iterations, tolerance }.run(table, problem, watch),
        Route::RowSpace => RowSpace { max_iterations, tolerance }.run(table, problem, watch),
        Route::FullBatch(Method::Newton) if n_features > FullBatch::MAX_FEATURES => {
            let why = format!(
                "{n_features} features are more than the {} that a Hessian may have; \
                 use --solver lbfgs",
                FullBatch::MAX_FEATURES
            );
            Err(ConfigError::NotApplicable { flag: "--solver newton", why }.into())
        }
        Route::FullBatch(method) => full_batch(config, method).run(table, problem, validation, watch),
        Route::MiniBatches => {
            let why = "mini-batches do not reach the optima that are compared here".to_owned();
            Err(ConfigError::NotApplicable { flag: "--solver sgd", why }.into())
        }
    }
}
