//! Which solver runs, and running it.

use std::time::Instant;

use super::host::HostTable;
use super::memory::room_beside;
use super::stack::{Stack, start};
use crate::config::{Solver, ValidConfig};
use crate::data::Dataset;
use crate::engine::Engine;
use crate::error::{ConfigError, Result};
use crate::model::{CurveRecorder, CurveStep, TrainingCurve};
use crate::objective::{Gaps, Penalty, smoothness};
use crate::observer::{EpochReport, Observer};
use crate::solver::{self, FullBatch, Host, Method, Problem, Progress, RowSpace, Sgd, Solution, WorkingSet};

/// Features from which an L1 penalty is met by working sets: below, a Hessian of all of them costs less.
const WORKING_SET_FEATURES: usize = 2000;

/// Trains the stack of a run, and records how that went.
pub(super) fn solve(
    config: &ValidConfig,
    dataset: &Dataset,
    stack: &Stack,
    engine: &mut dyn Engine,
    validation: Option<solver::Validation<'_>>,
    held_out_bytes: u64,
    observer: &dyn Observer,
) -> Result<(Solution, Option<TrainingCurve>)> {
    let n_rows = dataset.panels.n_rows();
    let room = room_beside(config, dataset).left().saturating_sub(held_out_bytes);
    let host = HostTable::new(&dataset.panels, &dataset.rows).with_room(room);
    let smoothness = match config.solver {
        Solver::Sgd => smoothness(&dataset.panels, &dataset.rows, &stack.models, config.intercept),
        _ => Vec::new(),
    };
    let problem = Problem {
        models: &stack.models,
        n_rows,
        intercept: config.intercept,
        offsets: &stack.offsets,
        smoothness: &smoothness,
        start: start(&dataset.rows, &stack.models, dataset.panels.n_features(), config.intercept),
        is_warm: false,
        gaps: Gaps::With,
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
    let solution = minimise(config, engine, &host, &problem, validation, &mut watch)?;
    Ok((solution, curve.finish()))
}

/// Whether models, all with an L1 penalty or not, are trained on working sets.
pub(super) fn takes_working_sets(is_sparse: bool, n_features: usize) -> bool {
    is_sparse && n_features >= WORKING_SET_FEATURES
}

/// Whether all models of some penalties are trained over small tables: in working sets, or in the space of the rows. A
/// start close by then saves more than sharing passes over X does.
pub(crate) fn takes_small_tables(n_rows: usize, n_features: usize, penalties: &[Penalty]) -> bool {
    let is_sparse = penalties.iter().all(|penalty| penalty.l1 > 0.0);
    takes_working_sets(is_sparse, n_features)
        || RowSpace::suits_table(n_rows, n_features) && penalties.iter().all(RowSpace::suits_penalty)
}

/// The order of the largest matrix that each model of some penalties may keep of its curvature; none where none does.
pub(crate) fn hessian_order(n_rows: usize, n_features: usize, penalties: &[Penalty]) -> Option<usize> {
    let has_ridge = penalties.iter().any(RowSpace::suits_penalty);
    let of_rows = (RowSpace::suits_table(n_rows, n_features) && has_ridge).then_some(n_rows + 1);
    // Working sets are solved one by one, whatever the models.
    if takes_small_tables(n_rows, n_features, penalties) || n_features > FullBatch::MAX_FEATURES {
        of_rows
    } else {
        Some(n_features + 1)
    }
}

/// Minimises the objective of every model of a problem with the solver that `config` names, or that suits the
/// table.
pub(crate) fn minimise(
    config: &ValidConfig,
    engine: &mut dyn Engine,
    host: &dyn Host,
    problem: &Problem<'_>,
    validation: Option<solver::Validation<'_>>,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Solution> {
    let n_features = problem.start.n_features();
    let (max_iterations, tolerance) = (config.max_iterations, config.tolerance);
    let full_batch = |method| FullBatch { method, max_iterations, tolerance };
    let is_sparse = problem.models.iter().all(|model| model.penalty.l1 > 0.0);
    let wants_sets = takes_working_sets(is_sparse, n_features) && validation.is_none();
    match config.solver {
        Solver::Auto | Solver::Newton if wants_sets => {
            WorkingSet { max_iterations, tolerance }.run(engine, host, problem, watch)
        }
        Solver::Auto | Solver::Newton if validation.is_none() && RowSpace::suits(problem) => {
            RowSpace { max_iterations, tolerance }.run(engine, host, problem, watch)
        }
        Solver::Newton if n_features > FullBatch::MAX_FEATURES => {
            let why = format!(
                "{n_features} features are more than the {} that a Hessian may have; \
                 use --solver lbfgs",
                FullBatch::MAX_FEATURES
            );
            Err(ConfigError::NotApplicable { flag: "--solver newton", why }.into())
        }
        Solver::Auto => full_batch(Method::Auto).run(engine, host, problem, validation, watch),
        Solver::Newton => full_batch(Method::Newton).run(engine, host, problem, validation, watch),
        Solver::Lbfgs => full_batch(Method::Lbfgs).run(engine, host, problem, validation, watch),
        Solver::Sgd => {
            let sgd = Sgd {
                epochs: config.epochs,
                batch_rows: config.batch_size,
                learning_rate: config.learning_rate,
                momentum: config.momentum,
                tolerance,
                seed: config.seed,
            };
            // Kept is the best model on the validation rows, not the minimum.
            let may_move = validation.is_none();
            let found = sgd.run(engine, problem, validation, watch)?;
            full_batch(Method::Newton).prove(engine, host, problem, found, may_move)
        }
    }
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
