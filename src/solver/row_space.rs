//! L2-penalised models over more features than rows: Newton in the space of the rows.
//!
//! The minimiser is a combination of the rows, `w = X' a`, so it has as many degrees of freedom as there are rows. With
//! the eigenvalues of the rows' products, the problem is that of a small table T:
//!
//! ```text
//! X X' = U S U',   T = U sqrt(S),   w = X' U v / sqrt(S):   X w = T v,   |w|_2 = |v|_2
//! ```
//!
//! Newton solves it whatever the penalty, where steps in all features would crawl. What float32 rounds off in T is
//! mended by steps in the features themselves.
//!
//! # References
//! Hastie and Tibshirani, Efficient Quadratic Regularization for Expression Arrays, 2004.

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Mat, Side};

use super::full_batch::{FullBatch, Method};
use super::{Host, Problem, Progress, Solution};
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::objective::Coefficients;
use crate::panels::Panels;

/// Rows up to which their products are decomposed.
const MAX_ROWS: usize = 2048;

/// Eigenvalues below this share of the largest are rounding.
const LEAST_EIGENVALUE: f64 = 1e-12;

/// Newton in the space of the rows and its settings.
#[derive(Debug, Clone)]
pub struct RowSpace {
    /// Bound on the steps.
    pub max_iterations: usize,
    /// KKT residual at which a model is done.
    pub tolerance: f64,
}

impl RowSpace {
    /// Whether the space of the rows is much the smaller, and the penalty asks nothing of single features.
    pub fn suits(problem: &Problem<'_>) -> bool {
        let suits = |l1: f64, l2: f64| l1 == 0.0 && l2 > 0.0;
        problem.n_rows <= MAX_ROWS
            && problem.start.n_features() > 2 * problem.n_rows
            && problem.models.iter().all(|model| suits(model.penalty.l1, model.penalty.l2))
    }

    /// Minimises the objective of every model of the stack.
    ///
    /// `watch` is called after each step in the features; the run stops when it returns false.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run(
        &self,
        engine: &mut dyn Engine,
        host: &dyn Host,
        problem: &Problem<'_>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Solution> {
        let (n, n_models) = (problem.n_rows, problem.models.len());
        let products = host.row_products();
        let products = Mat::from_fn(n, n, |i, j| products[i * n + j]);
        let eigen = SelfAdjointEigen::new(products.as_ref(), Side::Lower)
            .map_err(|_| EngineError::NotFinite { what: "the matrix of the products of the rows" })?;
        let values: Vec<f64> = (0..n).map(|k| eigen.S()[k]).collect();
        let largest = values.iter().fold(0.0, |a: f64, &b| a.max(b));
        let kept: Vec<usize> = (0..n).filter(|&k| values[k] > LEAST_EIGENVALUE * largest).collect();
        #[allow(clippy::cast_possible_truncation, reason = "panels are float32")]
        let table: Vec<f32> = (0..n)
            .flat_map(|i| kept.iter().map(move |&k| (i, k)))
            .map(|(i, k)| (eigen.U()[(i, k)] * values[k].sqrt()) as f32)
            .collect();
        let panels =
            if kept.is_empty() { Panels::zeros(n, 0) } else { Panels::from_rows(&table, kept.len()) };

        let mut start = Coefficients::zeros(kept.len(), n_models);
        for m in 0..n_models {
            start.model_mut(m)[kept.len()] = problem.start.intercept(m);
        }
        let offsets = vec![0.0; kept.len()];
        let inner = Problem { offsets: &offsets, start, is_warm: true, ..problem.clone() };
        let newton = FullBatch {
            method: Method::Newton,
            max_iterations: self.max_iterations,
            // The largest component of a gradient over the features is at most its length over the rows.
            tolerance: 0.1 * self.tolerance,
        };
        let mut solved = None;
        host.with_table(&panels, &mut |engine, host| {
            solved = Some(newton.run(engine, host, &inner, None, &mut |_| true)?);
            Ok(())
        })?;
        let solved = solved.expect("the work was done");

        let mut outer = Problem { is_warm: true, ..problem.clone() };
        for m in 0..n_models {
            let v = solved.coefficients.features(m);
            let of_row = |i: usize| {
                kept.iter().zip(v).map(|(&k, v)| eigen.U()[(i, k)] * v / values[k].sqrt()).sum::<f64>()
            };
            let weights: Vec<f64> = (0..n).map(of_row).collect();
            let column = outer.start.model_mut(m);
            column[..problem.start.n_features()].copy_from_slice(&host.combine_rows(&weights));
            column[problem.start.n_features()] = solved.coefficients.intercept(m);
        }
        let mend = FullBatch { method: Method::Lbfgs, tolerance: self.tolerance, ..newton };
        let passes_before = 1.0 + solved.passes * kept.len() as f64 / problem.start.n_features() as f64;
        let mut watch =
            |progress: &Progress| watch(&Progress { passes: passes_before + progress.passes, ..*progress });
        let mut solution = mend.run(engine, host, &outer, None, &mut watch)?;
        solution.passes += passes_before;
        solution.iterations.iter_mut().zip(&solved.iterations).for_each(|(all, inner)| *all += inner);
        "newton over the rows".clone_into(&mut solution.method);
        Ok(solution)
    }
}
