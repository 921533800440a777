//! Models without a penalty whose features are nearly combinations of others: solved in a [`Basis`] of their own.
//!
//! The minimum is found over a table in which remainders stand in the features' places, and judged over the table as
//! it is.

use super::factor::{self, Dependent, Factor};
use super::full_batch::FullBatch;
use super::stages::Run;
use super::states::{Stage, State};
use super::{Method, Problem, Proof, Solution, Stop};
use crate::engine::exact::{Basis, Remainder};
use crate::error::Result;
use crate::objective::{Coefficients, Hessian, Penalty, sigmoid};
use crate::panels::Sample;

/// Tables in which features are substituted have at most so many values: they are copied.
const MAX_VALUES: usize = 1 << 24;

/// Bytes of a value in a copy: two float32 words, and another second one while remainders take their places.
const OF_VALUE: u64 = 12;

/// Bytes of a remainder of each row, before they stand in the copy.
const OF_REMAINDER: u64 = 16;

/// Substitutions within each other: what is left of a feature may itself be nearly a combination.
const MAX_DEPTH: usize = 4;

/// The share of a feature's curvature that others leave, at most, where the rows are asked: sums of products keep what
/// is more than that to some four digits.
const SUSPECT: f64 = 1e-11;

/// Refinements of a direction: each takes what rounding left of the one before.
const REFINEMENTS: usize = 2;

/// A standard deviation that rounding of the values may have in an objective that is called a minimum, as a share of
/// it: three are 1e-8.
const LEAST_DIGITS: f64 = 3e-9;

/// Rounding of a value that is kept in two float32 words, root mean square, as a share of it: each word's is uniform
/// within half a unit of the last of its 24 bits, which is 2^-25.3 of the word, and the second word is the first's.
const ROUNDING: f64 = 6e-16;

impl Run<'_, '_> {
    /// Minimises in a basis in which no feature is nearly a combination of others, unless the table is too large to be
    /// copied: then the fit stays as it is, and unproved.
    pub(super) fn substitute(&mut self, m: usize) -> Result<()> {
        let (problem, d) = (self.problem, self.problem.start.n_features());
        let n_values = d.saturating_mul(problem.rows.n_rows());
        let remainders = self.remainders[m].len().saturating_mul(problem.rows.n_rows()) as u64;
        let copied = OF_VALUE.saturating_mul(n_values as u64).saturating_add(OF_REMAINDER * remainders);
        let proof = &mut self.proofs[m];
        proof.is_too_large =
            !proof.nearly_dependent.is_empty() && (n_values > MAX_VALUES || copied > self.table.room());
        if self.depth >= MAX_DEPTH || proof.is_too_large {
            return Ok(());
        }
        let mut basis = Basis::default();
        basis.add(std::mem::take(&mut self.remainders[m]));
        let all: Vec<usize> = (0..d).collect();
        let panels = basis.panels(self.table.select(&all));

        let models = [self.fits[m].model];
        let start = basis.from_features(&self.fits[m].point.column);
        let centres = basis.transposed(problem.coordinates.centres());
        let coordinates = problem.coordinates.clone().with_centres(&centres);
        let inner = Problem {
            models: &models,
            coordinates: &coordinates,
            smoothness: &[],
            start: Coefficients::from_columns(d, [start.as_slice()]),
            is_warm: true,
            ..problem.clone()
        };
        let solver = FullBatch { method: Method::Newton, ..self.settings.clone() };
        let depth = self.depth + 1;
        let mut solution = None;
        self.table.over(&panels, &mut |table| {
            solution = Some(solver.run_within(table, &inner, None, &mut |_| true, depth)?);
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
    fn rounding_of_loss(&mut self, m: usize, column: &[f64]) -> Result<f64> {
        let (model, rows) = (&self.fits[m].model, self.problem.rows);
        let squares = self.table.mean_squares()?;
        let of_row: f64 = squares.iter().zip(column).map(|(square, w)| square * w * w).sum();
        let weight = |slot: usize| model.weight(rows.labels()[slot], rows.exact_weight(slot)).powi(2);
        let share = (0..rows.n_rows()).map(weight).sum::<f64>().sqrt() / model.weight_sum(rows);
        Ok(ROUNDING * of_row.sqrt() * self.fits[m].point.objective.max(0.0).sqrt() * share)
    }

    /// Finds the features that are combinations of others as far as the Hessian tells, and asks the rows which of them
    /// are so but for rounding, and what is left of the others.
    pub(super) fn find_dependencies(&mut self, m: usize, hessian: &Hessian) -> Result<()> {
        let suspects = factor::dependent(hessian, self.problem.coordinates, &Penalty::default(), SUSPECT);
        let mut found: Vec<usize> = suspects.iter().map(|suspect| suspect.feature).collect();
        found.sort_unstable();
        let proof = &self.proofs[m];
        let mut known = [proof.undetermined.as_slice(), &proof.nearly_dependent].concat();
        known.sort_unstable();
        // What the rows said once does not change from step to step.
        if found == known {
            return Ok(());
        }
        let directions = self.refined(m, hessian, &suspects)?;
        let scores = self.table.scores(&directions)?;
        let sizes: Vec<f64> = self.table.mean_squares()?.into_iter().map(f64::sqrt).collect();
        self.passes += 2.0;
        let (model, rows) = (&self.fits[m].model, self.problem.rows);
        let weight = |slot: usize| model.weight(rows.labels()[slot], rows.exact_weight(slot));
        let all = model.weight_sum(rows);
        let dot = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).enumerate().map(|(slot, (a, b))| weight(slot) * a * b).sum()
        };
        let is_exact = |j: usize| self.table.is_exact(j);
        let mut remainders: Vec<Remainder> = Vec::new();
        // What is left of one may be what is left of another: then it is a combination of it, and of the others.
        let mut apart: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        for (k, mut scores) in scores.into_iter().enumerate() {
            let (feature, direction) = (suspects[k].feature, directions.model(k).to_vec());
            let intercept = directions.intercept(k);
            scores.iter_mut().for_each(|u| *u += intercept);
            let rms = (dot(&scores, &scores) / all).sqrt();
            let (mut own, mut combination) = (scores, direction.clone());
            for (u, of) in &apart {
                let share = dot(&own, u) / dot(u, u);
                own.iter_mut().zip(u).for_each(|(own, u)| *own -= share * u);
                combination.iter_mut().zip(of).for_each(|(part, of)| *part -= share * of);
            }
            let own_rms = (dot(&own, &own) / all).sqrt();
            if Remainder::new(feature, combination.clone(), &sizes, own_rms, is_exact).is_some() {
                remainders.extend(Remainder::new(feature, direction, &sizes, rms, is_exact));
                apart.push((own, combination));
            }
        }
        let proof = &mut self.proofs[m];
        proof.nearly_dependent = remainders.iter().map(Remainder::feature).collect();
        found.retain(|feature| !proof.nearly_dependent.contains(feature));
        proof.undetermined = found;
        self.remainders[m] = remainders;
        Ok(())
    }

    /// The directions of suspects, with what the rows leave along the other features taken out: of a Hessian that is
    /// nearly singular besides, rounding enters a direction many times enlarged.
    fn refined(&mut self, m: usize, hessian: &Hessian, suspects: &[Dependent]) -> Result<Coefficients> {
        let (d, coordinates) = (self.problem.start.n_features(), self.problem.coordinates);
        let columns = suspects.iter().map(|suspect| suspect.direction.as_slice());
        let mut directions = Coefficients::from_columns(d, columns);
        let mut held: Vec<usize> = suspects.iter().map(|suspect| suspect.feature).collect();
        held.extend((0..=d).filter(|&j| !coordinates.moves(j)));
        let others = hessian.clone().without(&held);
        let Some(factor) = Factor::new(d + 1, |a, b| others.row(a)[b], 0.0) else { return Ok(directions) };
        let curvatures = self.curvatures(m)?;
        for _ in 0..REFINEMENTS {
            let mut scores = self.table.scores(&directions)?;
            for (k, scores) in scores.iter_mut().enumerate() {
                let intercept = directions.intercept(k);
                scores.iter_mut().zip(&curvatures).for_each(|(u, h)| *u = h * (*u + intercept));
            }
            let along = self.table.combine_rows(&scores)?;
            self.passes += 2.0;
            for (k, (mut along, scores)) in along.into_iter().zip(&scores).enumerate() {
                along.push(scores.iter().sum());
                held.iter().for_each(|&place| along[place] = 0.0);
                factor.solve(&mut along);
                directions.model_mut(k).iter_mut().zip(along).for_each(|(part, by)| *part -= by);
            }
        }
        Ok(directions)
    }

    /// `s_i p_i (1 - p_i) / S` of each row: the weights of the Hessian.
    fn curvatures(&mut self, m: usize) -> Result<Vec<f64>> {
        let fit = &self.fits[m];
        let column =
            Coefficients::from_columns(self.problem.start.n_features(), [fit.point.column.as_slice()]);
        let (scores, rows) = (self.table.scores(&column)?, self.problem.rows);
        let share = 1.0 / fit.model.weight_sum(rows);
        let of = |(slot, z): (usize, &f64)| {
            let (weight, z) = (rows.exact_weight(slot), z + column.intercept(0));
            share * fit.model.weight(rows.labels()[slot], weight) * sigmoid(z) * sigmoid(-z)
        };
        Ok(scores[0].iter().enumerate().map(of).collect())
    }
}
