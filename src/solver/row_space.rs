//! L2-penalised models over more features than rows: Newton in the space of the rows.
//!
//! The minimiser is a combination of the rows, `w = X' a`, so it has as many degrees of freedom as there are rows: in
//! the coordinates of their [`Spectrum`](super::Spectrum) the problem is that of a small table. Newton solves it
//! whatever the penalty, where steps in all features would crawl. What float32 rounds off in that table is mended by
//! steps in the features themselves.
//!
//! # References
//! Hastie and Tibshirani, Efficient Quadratic Regularization for Expression Arrays, 2004.

use super::full_batch::{FullBatch, Method};
use super::{Passes, Problem, Progress, Solution};
use crate::error::Result;
use crate::objective::{Coefficients, Coordinates, Penalty};

/// Rows up to which their products are decomposed.
const MAX_ROWS: usize = 2048;

/// Newton in the space of the rows and its settings.
#[derive(Debug, Clone)]
pub struct RowSpace {
    /// Bound on the steps.
    pub max_iterations: usize,
    /// KKT residual at which a model is done.
    pub tolerance: f64,
}

impl RowSpace {
    /// Whether the space of the rows is much the smaller, and few enough that their products can be decomposed.
    pub fn suits_table(n_rows: usize, n_features: usize) -> bool {
        n_rows <= MAX_ROWS && n_features > 2 * n_rows
    }

    /// Whether a penalty asks nothing of single features.
    pub fn suits_penalty(penalty: &Penalty) -> bool {
        penalty.l1 == 0.0 && penalty.l2 > 0.0
    }

    /// Whether it suits the table and every penalty: one that is the same for all features.
    pub fn suits(problem: &Problem<'_>) -> bool {
        let n_features = problem.start.n_features();
        problem.coordinates.factors()[..n_features].iter().all(|&factor| factor == 1.0)
            && Self::suits_table(problem.rows.n_rows(), n_features)
            && problem.models.iter().all(|model| Self::suits_penalty(&model.penalty))
    }

    /// Minimises the objective of every model of the stack.
    ///
    /// `watch` is called after each step, in either space; the run stops when it returns false.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run(
        &self,
        table: &mut dyn Passes,
        problem: &Problem<'_>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Solution> {
        let (n_features, n_models) = (problem.start.n_features(), problem.models.len());
        let (spectrum, mut passes) = table.row_spectrum()?;
        let order = spectrum.table().n_features();
        let mut start = Coefficients::zeros(order, n_models);
        for m in 0..n_models {
            start.model_mut(m)[order] = problem.start.intercept(m);
        }
        if (0..n_models).any(|m| problem.start.features(m).iter().any(|&w| w != 0.0)) {
            for (m, scores) in table.scores(&problem.start)?.iter().enumerate() {
                start.model_mut(m)[..order].copy_from_slice(&spectrum.coordinates(scores));
            }
            passes += 1.0;
        }
        let coordinates = Coordinates::new(order, problem.coordinates.intercept().is_some());
        let inner = Problem { coordinates: &coordinates, start, is_warm: true, ..problem.clone() };
        let newton = FullBatch {
            method: Method::Newton,
            max_iterations: self.max_iterations,
            // The largest component of a gradient over the features is at most its length over the rows.
            tolerance: 0.1 * self.tolerance,
        };
        let share = order as f64 / n_features as f64;
        let solved = table.minimise_over(spectrum.table(), &newton, &inner, &mut |progress| {
            // No model is done before its residual over the features is known.
            let of_stack = Progress { active: n_models, converged: 0, ..*progress };
            watch(&Progress { passes: passes + share * progress.passes, ..of_stack })
        })?;
        passes += share * solved.passes;

        let weights: Vec<Vec<f64>> =
            (0..n_models).map(|m| spectrum.row_weights(solved.coefficients.features(m))).collect();
        let mut outer = Problem { is_warm: true, ..problem.clone() };
        for (m, features) in table.combine_rows(&weights)?.iter().enumerate() {
            let column = outer.start.model_mut(m);
            column[..n_features].copy_from_slice(features);
            column[n_features] = solved.coefficients.intercept(m);
        }
        passes += 1.0;
        let mend = FullBatch { method: Method::Lbfgs, tolerance: self.tolerance, ..newton };
        let steps = solved.iterations.iter().copied().max().unwrap_or(0);
        let mut watch = |progress: &Progress| {
            let iteration = steps + progress.iteration;
            watch(&Progress { iteration, passes: passes + progress.passes, ..*progress })
        };
        let mut solution = mend.run(table, &outer, None, &mut watch)?;
        solution.passes += passes;
        solution.iterations.iter_mut().zip(&solved.iterations).for_each(|(all, inner)| *all += inner);
        "newton over the rows".clone_into(&mut solution.method);
        Ok(solution)
    }
}
