//! Full-batch descent of the whole stack: `newton`, `lbfgs`, and `auto`, which takes of both.
//!
//! All of them are proximal quasi-Newton methods, and differ in what they know of the curvature:
//!
//! - `newton`: each model's own Hessian, from a sample of the rows, updated by each step (BFGS) and computed anew
//!   where steps gain too little, from a larger sample if it was not stale;
//! - `lbfgs`: one Gram matrix shared by the whole stack, and each model's last steps (L-BFGS);
//! - `auto`: the shared matrix where an own one would cost more than the passes that it saves, else the own; a model
//!   that gets on too slowly with the shared one gets its own.
//!
//! Every run goes through the same stages, each of which starts where the one before ended:
//!
//! 1. *samples* of the rows, coarse to fine, each to the accuracy that it has;
//! 2. *table*: passes of the engine over all rows;
//! 3. *float64*: the last steps with the loss and gradient that the certificate is made of.
//!
//! A model whose residual is small enough waits for the others at the end of a stage, so that every pass serves as
//! many models as possible; one that is done leaves the stack. A step that fails is tried at three smaller lengths
//! at once, as columns of one pass.
//!
//! # References
//! - Lee, Sun and Saunders, Proximal Newton-Type Methods for Minimizing Composite Functions, 2014.
//! - Roosta-Khorasani and Mahoney, Sub-Sampled Newton Methods, 2019.

use super::stages::Run;
use super::{Passes, Problem, Progress, Solution, Validation};
use crate::error::Result;

/// Orders up to which a curvature is a matrix.
pub(super) const MAX_ORDER: usize = 4096;

/// Passes that an own Hessian may cost where a shared one would do.
const OWN_HESSIAN_PASSES: f64 = 3.0;

/// Multiply-adds of a Hessian that take as long as one of a pass.
const HESSIAN_SPEED: f64 = 1.3;

/// What a full-batch run knows of the curvature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A Hessian for each model.
    Newton,
    /// A matrix shared by all models, and the last steps of each.
    Lbfgs,
    /// Chosen by cost and progress.
    Auto,
}

/// Full-batch descent and its settings.
#[derive(Debug, Clone)]
pub struct FullBatch {
    /// What is known of the curvature.
    pub method: Method,
    /// Bound on the steps over the whole table.
    pub max_iterations: usize,
    /// KKT residual at which a model is done.
    pub tolerance: f64,
}

impl FullBatch {
    /// Features up to which a model may have a Hessian.
    pub const MAX_FEATURES: usize = MAX_ORDER - 1;

    /// Minimises the objective of every model of the stack.
    ///
    /// `watch` is called after each step over the whole table; the run stops when it returns false.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run(
        &self,
        table: &mut dyn Passes,
        problem: &Problem<'_>,
        validation: Option<Validation<'_>>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Solution> {
        self.run_within(table, problem, validation, watch, 0)
    }

    /// The same within so many substitutions of features.
    pub(super) fn run_within(
        &self,
        table: &mut dyn Passes,
        problem: &Problem<'_>,
        validation: Option<Validation<'_>>,
        watch: &mut dyn FnMut(&Progress) -> bool,
        depth: usize,
    ) -> Result<Solution> {
        let mut run = Run::new(self, table, problem, validation);
        run.depth = depth;
        run.on_samples()?;
        run.on_the_table(watch)?;
        run.expose_separation()?;
        run.prove()?;
        Ok(run.finish())
    }

    /// Whether a Hessian for each model is worth what it costs in passes.
    pub(super) fn prefers_own(&self, problem: &Problem<'_>, share: f64) -> bool {
        match self.method {
            Method::Newton => true,
            Method::Lbfgs => false,
            Method::Auto => {
                hessian_passes(problem.start.stride(), share, problem.models.len()) <= OWN_HESSIAN_PASSES
            }
        }
    }
}

/// What one model's Hessian on a share of the rows costs, in the model's share of a pass of the stack.
pub(super) fn hessian_passes(order: usize, share: f64, n_models: usize) -> f64 {
    // A pass is two multiply-adds a value and model, and at least the reading of X; a Hessian half of `order`.
    let pass = 2.0f64.max(6.0 / n_models.max(1) as f64);
    share * order as f64 / 2.0 / HESSIAN_SPEED / pass
}
