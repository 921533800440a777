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
use crate::objective::Penalty;
use crate::observer::{EpochReport, Observer};
use crate::solver::{
    self, FullBatch, Method, Passes, Problem, Progress, RowSpace, Sgd, Solution, WorkingSet,
};

/// Number of features from which L1 models use working sets; below it, a Hessian of all features costs less.
const WORKING_SET_FEATURES: usize = 2000;

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

/// Whether models use working sets; `is_sparse` if all of them have an L1 penalty.
pub(super) fn takes_working_sets(is_sparse: bool, n_features: usize) -> bool {
    is_sparse && n_features >= WORKING_SET_FEATURES
}

/// Whether all models of these penalties are trained on small tables: on working sets, or in the row space.
/// Then a close starting point saves more than sharing passes over X.
pub(crate) fn takes_small_tables(n_rows: usize, n_features: usize, penalties: &[Penalty]) -> bool {
    let is_sparse = penalties.iter().all(|penalty| penalty.l1 > 0.0);
    takes_working_sets(is_sparse, n_features)
        || RowSpace::suits_table(n_rows, n_features) && penalties.iter().all(RowSpace::suits_penalty)
}

/// The order of the largest curvature matrix that each model of these penalties may keep; `None` if it keeps
/// none.
pub(crate) fn hessian_order(n_rows: usize, n_features: usize, penalties: &[Penalty]) -> Option<usize> {
    let has_ridge = penalties.iter().any(RowSpace::suits_penalty);
    let of_rows = (RowSpace::suits_table(n_rows, n_features) && has_ridge).then_some(n_rows + 1);
    // Working sets are solved one after the other, whatever the number of models.
    if takes_small_tables(n_rows, n_features, penalties) || n_features > FullBatch::MAX_FEATURES {
        of_rows
    } else {
        Some(n_features + 1)
    }
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
    let is_sparse = problem.models.iter().all(|model| model.penalty.l1 > 0.0);
    let wants_sets = takes_working_sets(is_sparse, n_features) && validation.is_none();
    let method = match config.solver {
        Solver::Auto | Solver::Newton if wants_sets => {
            return WorkingSet { max_iterations, tolerance }.run(table, problem, watch);
        }
        Solver::Auto | Solver::Newton if validation.is_none() && RowSpace::suits(problem) => {
            return RowSpace { max_iterations, tolerance }.run(table, problem, watch);
        }
        Solver::Newton if n_features > FullBatch::MAX_FEATURES => {
            let why = format!(
                "{n_features} features are more than the {} that a Hessian may have; \
                 use --solver lbfgs",
                FullBatch::MAX_FEATURES
            );
            return Err(ConfigError::NotApplicable { flag: "--solver newton", why }.into());
        }
        Solver::Sgd => {
            let why = "mini-batches do not reach the optima that are compared here".to_owned();
            return Err(ConfigError::NotApplicable { flag: "--solver sgd", why }.into());
        }
        Solver::Auto => Method::Auto,
        Solver::Newton => Method::Newton,
        Solver::Lbfgs => Method::Lbfgs,
    };
    full_batch(config, method).run(table, problem, validation, watch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curvature_is_of_the_order_that_the_chosen_solver_works_in() {
        let (ridge, lasso) = (Penalty { l1: 0.0, l2: 0.1 }, Penalty { l1: 0.1, l2: 0.0 });
        let tall = |penalties: &[Penalty]| hessian_order(100_000, 50, penalties);
        assert_eq!([tall(&[ridge]), tall(&[lasso]), tall(&[ridge, lasso])], [Some(51); 3]);
        let wide = |penalties: &[Penalty]| hessian_order(1000, 6000, penalties);
        assert_eq!(wide(&[ridge, ridge]), Some(1001), "in the space of the rows");
        assert_eq!(wide(&[lasso, lasso]), None, "on working sets");
        assert_eq!(wide(&[ridge, lasso]), Some(1001), "a wave may hold models of one kind alone");
        assert_eq!(hessian_order(100, 3000, &[ridge]), Some(101));
        assert_eq!(hessian_order(10_000, 6000, &[ridge]), None, "more features than a Hessian may have");
    }
}
