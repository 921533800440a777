//! Models without a penalty whose features are nearly combinations of others: solved in a [`Basis`] of their own.
//!
//! The minimum is found over a table in which remainders stand in the features' places, and judged over the table as
//! it is.

use super::descent::{Stage, State};
use super::factor::{self, Dependent};
use super::full_batch::FullBatch;
use super::stages::Run;
use super::{Method, Problem, Proof, Solution, Stop};
use crate::error::Result;
use crate::objective::{Basis, Coefficients, Remainder};
use crate::panels::Sample;

/// Tables in which features are substituted have at most so many values: they are copied.
const MAX_VALUES: usize = 1 << 24;

/// Substitutions within each other: what is left of a feature may itself be nearly a combination.
const MAX_DEPTH: usize = 4;

/// A standard deviation that rounding of the values may have in an objective that is called a minimum, as a share of
/// it: three are 1e-8.
const LEAST_DIGITS: f64 = 3e-9;

/// Rounding of a value that is kept in two float32 words, root mean square, as a share of it: each word's is uniform
/// within half a unit of the last of its 24 bits, which is 2^-25.3 of the word, and the second word is the first's.
const ROUNDING: f64 = 6e-16;

impl Run<'_, '_> {
    /// Minimises in a basis in which no feature is nearly a combination of others, unless the table is too large to be
    /// copied: then the fit stays as it is.
    pub(super) fn substitute(&mut self, m: usize) -> Result<()> {
        let (problem, d) = (self.problem, self.problem.start.n_features());
        if self.depth >= MAX_DEPTH || d.saturating_mul(problem.n_rows) > MAX_VALUES {
            return Ok(());
        }
        let hessian = self.host.hessian(&self.fits[m].model, &self.fits[m].point.column)?;
        self.passes += 1.0;
        let remainders = self.remainders(m, factor::dependent(&hessian, 0.0, problem.intercept, 0.0))?;
        let mut basis = Basis::default();
        basis.add(remainders);
        let all: Vec<usize> = (0..d).collect();
        let panels = basis.panels(self.host.select(&all));

        let models = [self.fits[m].model];
        let start = basis.from_features(&self.fits[m].point.column);
        let offsets = basis.transposed(problem.offsets);
        let inner = Problem {
            models: &models,
            offsets: &offsets,
            smoothness: &[],
            start: Coefficients::from_columns(d, [start.as_slice()]),
            is_warm: true,
            ..problem.clone()
        };
        let solver = FullBatch { method: Method::Newton, ..self.settings.clone() };
        let depth = self.depth + 1;
        let mut solution = None;
        self.host.with_table(&panels, &mut |engine, host| {
            solution = Some(solver.run_within(engine, host, &inner, None, &mut |_| true, depth)?);
            Ok(())
        })?;
        let Some(solution) = solution else { return Ok(()) };
        self.passes += 1.0 + solution.passes;
        self.adopt(m, &basis, solution)
    }

    /// Takes what was found in another basis, judged over the table as it is.
    fn adopt(&mut self, m: usize, basis: &Basis, mut solution: Solution) -> Result<()> {
        let proof = solution.proofs.swap_remove(0);
        let column = basis.to_features(solution.coefficients.model(0));
        let digits = self.rounding_of_loss(m, &column)?;
        let fit = &mut self.fits[m];
        fit.iterations += solution.iterations[0];
        fit.drop_aim();
        let before = std::mem::replace(&mut fit.point.column, column);
        let found = self.evaluate(Stage::Float64, Sample::ALL, &[m])?.into_iter().flatten().next();
        let fit = &mut self.fits[m];
        fit.point.column = before;
        let Some(found) = found.filter(|found| found.objective <= fit.point.objective) else {
            fit.state = State::Stopped(Stop::ProgressEnded);
            return Ok(());
        };
        fit.go(found);
        let is_clear = digits <= LEAST_DIGITS * fit.point.objective;
        fit.state = State::Stopped(match solution.stops[0] {
            Stop::Converged if !is_clear || fit.point.residual > self.settings.tolerance => {
                Stop::ProgressEnded
            }
            stop => stop,
        });
        self.proofs[m] = Proof {
            separating: proof.separating.map(|direction| basis.to_features(&direction)),
            nearly_dependent: std::mem::take(&mut self.proofs[m].nearly_dependent),
            is_beyond_precision: proof.is_beyond_precision || !is_clear,
            ..proof
        };
        Ok(())
    }

    /// One standard deviation of what the rounding of values changes of a loss, where it changes each row's
    /// independently:
    ///
    /// ```text
    /// 6e-16 sqrt(sum_j w_j^2 rms(x_j)^2)  rms(r) / sqrt(n),   rms(r)^2 <= the loss,   n = (sum_i s_i)^2 / sum_i s_i^2
    /// ```
    fn rounding_of_loss(&self, m: usize, column: &[f64]) -> Result<f64> {
        let (model, rows) = (&self.fits[m].model, self.host.rows());
        let squares = self.host.mean_squares()?;
        let of_row: f64 = squares.iter().zip(column).map(|(square, w)| square * w * w).sum();
        let weight = |slot: usize| model.weight(rows.labels()[slot], rows.exact_weight(slot)).powi(2);
        let share = (0..rows.n_rows()).map(weight).sum::<f64>().sqrt() / model.weight_sum(rows);
        Ok(ROUNDING * of_row.sqrt() * self.fits[m].point.objective.max(0.0).sqrt() * share)
    }

    /// What is left of features that are combinations of others as far as sums of products tell.
    pub(super) fn remainders(&mut self, m: usize, dependent: Vec<Dependent>) -> Result<Vec<Remainder>> {
        if dependent.is_empty() {
            return Ok(Vec::new());
        }
        let sizes: Vec<f64> = self.host.mean_squares()?.into_iter().map(f64::sqrt).collect();
        let columns = dependent.iter().map(|dependent| dependent.direction.as_slice());
        let columns = Coefficients::from_columns(self.problem.start.n_features(), columns);
        let scores = self.host.scores(&columns)?;
        self.passes += 2.0;
        let (model, rows) = (&self.fits[m].model, self.host.rows());
        let weight = |slot: usize| model.weight(rows.labels()[slot], rows.exact_weight(slot));
        let all = model.weight_sum(rows);
        let remainder = |(k, (Dependent { feature, direction }, scores)): (usize, (Dependent, Vec<f64>))| {
            let intercept = columns.intercept(k);
            let squares = scores.iter().enumerate().map(|(slot, u)| weight(slot) * (u + intercept).powi(2));
            let rms = (squares.sum::<f64>() / all).sqrt();
            Remainder::new(feature, direction, &sizes, rms, |j| self.host.is_exact(j))
        };
        Ok(dependent.into_iter().zip(scores).enumerate().filter_map(remainder).collect())
    }
}
