//! What a small gradient does not say: whether the objective is close to its minimum, and whether there is one.
//!
//! Along a flat direction the gradient is small wherever a model stands. So a model without a duality gap, or with one
//! that is too large, is taken on by Newton steps with its own Hessian in float64, over all rows and at the very
//! point. Half of what such a step promises is the Newton decrement:
//!
//! ```text
//! F(w) - F* = g' H^-1 g / 2,   up to terms of third order
//! ```
//!
//! Where classes are separated, completely or by some rows alone, there is no minimum: each Newton step moves the rows
//! that are separated on by one unit of the linear predictor, towards their side, and leaves all others where they are.
//!
//! # References
//! - Boyd and Vandenberghe, Convex Optimization, 2004, section 9.5.1 (the decrement).
//! - Albert and Anderson, On the Existence of Maximum Likelihood Estimates in Logistic Regression Models, 1984.

use super::factor::{self, Dependent};
use super::full_batch::{FullBatch, MAX_ORDER};
use super::separation::is_unpenalised;
use super::stages::Run;
use super::states::{Stage, State};
use super::{Passes, Problem, Solution, Stop};
use crate::error::Result;
use crate::objective::{Certificate, Coefficients, Hessian, Sides};
use crate::panels::Sample;

/// Newton steps at most.
const MAX_STEPS: usize = 24;

/// A direction of which the curvature is at most this share of its features' is decided by float32 rounding, where the
/// features are kept in one word: a column's values are rounded by 2^-25 of them, root mean square 2^-26.
const BLURRED: f64 = 1e-9;

/// An L2 penalty, per feature, from which float32 rounding of the gradient moves the minimum by less than matters:
/// `E_j^2 / (2 l2)` of each feature, `E_j <= 2^-25` being what rounding changes of its gradient.
const CLEAR_L2: f64 = 1e-9;

/// What is known of a model besides its certificate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proof {
    /// `g' H^-1 g / 2`, where it was computed.
    pub newton_decrement: Option<f64>,
    /// A direction, a coefficient for each feature and the intercept, that separates the classes.
    pub separating: Option<Vec<f64>>,
    /// Features that are combinations of others, but for the rounding of their values.
    pub undetermined: Vec<usize>,
    /// Features that are nearly so, but not exactly: they are solved for in another basis.
    pub nearly_dependent: Vec<usize>,
    /// Whether how close the minimum is could not be told: the values of such a feature have too few digits, or the
    /// Hessian is singular all the same.
    pub is_beyond_precision: bool,
    /// Whether the table was too large to be copied, and to be solved in that basis.
    pub is_too_large: bool,
    /// Features whose float32 rounding decides where the minimum is: to be kept exactly.
    pub blurred: Vec<usize>,
}

impl Proof {
    /// Whether the decrement, if there is one, is within the tolerance times the objective.
    pub fn is_within(&self, objective: f64, tolerance: f64) -> bool {
        let allowed = Certificate::distance_allowed(objective, tolerance);
        !self.is_beyond_precision
            && self.blurred.is_empty()
            && self.newton_decrement.is_none_or(|decrement| decrement <= allowed)
    }
}

impl FullBatch {
    /// Proves what another solver found, and takes it on where it is not close enough and `may_move`.
    ///
    /// # Errors
    /// Those of the host.
    pub fn prove(
        &self,
        table: &mut dyn Passes,
        problem: &Problem<'_>,
        solution: Solution,
        may_move: bool,
    ) -> Result<Solution> {
        if problem.start.stride() > MAX_ORDER {
            return Ok(solution);
        }
        let found = Problem { start: solution.coefficients.clone(), ..problem.clone() };
        let mut run = Run::new(self, table, &found, None);
        // A model that reached its bound is proved where it is.
        let held = vec![Stop::Limit; solution.stops.len()];
        run.resume(if may_move { &solution.stops } else { &held })?;
        run.prove()?;
        let mut proved = run.finish();
        if !may_move {
            proved.stops = solution.stops;
        }
        let add = |(a, b): (&usize, &usize)| a + b;
        Ok(Solution {
            iterations: solution.iterations.iter().zip(&proved.iterations).map(add).collect(),
            passes: solution.passes + proved.passes,
            method: solution.method,
            ..proved
        })
    }
}

impl Run<'_, '_> {
    /// Evaluates the starts of models whose descents have ended already.
    fn resume(&mut self, stops: &[Stop]) -> Result<()> {
        let all: Vec<usize> = (0..self.fits.len()).collect();
        let evaluated = self.evaluate(Stage::Float64, Sample::ALL, &all)?;
        for ((fit, points), &stop) in self.fits.iter_mut().zip(evaluated).zip(stops) {
            points.into_iter().next().into_iter().for_each(|point| fit.go(point));
            fit.state = State::Stopped(stop);
        }
        Ok(())
    }

    /// Takes on the models whose certificates do not say how close to the minimum they are.
    pub(super) fn prove(&mut self) -> Result<()> {
        if self.problem.start.stride() > MAX_ORDER {
            return Ok(());
        }
        let mut left: Vec<usize> = (0..self.fits.len()).filter(|&m| self.needs_proof(m)).collect();
        for &m in &left {
            self.fits[m].begin_proof();
        }
        // A model that reached its bound takes no more steps; how far it got is said all the same.
        for m in 0..self.fits.len() {
            if matches!(self.fits[m].state, State::Active | State::Waiting | State::Stopped(Stop::Limit))
                && !left.contains(&m)
                && is_unpenalised(&self.fits[m].model)
            {
                self.fits[m].drop_aim();
                self.take_aim(m)?;
            }
        }
        for _ in 0..MAX_STEPS {
            if left.is_empty() {
                break;
            }
            for &m in &left {
                self.take_aim(m)?;
                if !self.proofs[m].blurred.is_empty() {
                    // Where the minimum of the table itself is, float32 does not tell.
                    self.fits[m].state = State::Stopped(Stop::ProgressEnded);
                } else if self.proofs[m].is_beyond_precision {
                    self.substitute(m)?;
                }
            }
            left.retain(|&m| self.fits[m].is_active());
            self.conclude(&left)?;
            left.retain(|&m| self.fits[m].is_active());
            if left.is_empty() {
                break;
            }
            let evaluated = self.evaluate(Stage::Float64, Sample::ALL, &left)?;
            for (&m, points) in left.iter().zip(evaluated) {
                let fit = &mut self.fits[m];
                fit.iterations += 1;
                fit.judge(Stage::Float64, points, self.problem.coordinates);
                log::debug!(
                    "proof: model {m} at {:.12e}, residual {:.2e}",
                    fit.point.objective,
                    fit.point.residual
                );
                fit.settle(Stage::Float64, self.settings.tolerance);
            }
            left.retain(|&m| self.fits[m].is_active());
        }
        for m in left {
            self.fits[m].state = State::Stopped(Stop::ProgressEnded);
        }
        Ok(())
    }

    fn needs_proof(&self, m: usize) -> bool {
        let fit = &self.fits[m];
        let is_done = matches!(fit.state, State::Stopped(Stop::Converged | Stop::ProgressEnded));
        let is_open = match fit.point.certificate {
            Some(certificate) if certificate.duality_gap.is_some() => {
                !certificate.is_within(self.settings.tolerance) || self.may_be_blurred(m)
            }
            _ => is_unpenalised(&fit.model),
        };
        is_done && is_open && self.proofs[m].blurred.is_empty()
    }

    /// Stops fits that float32 rounding leads astray, be it that of the table or that of an engine's Hessians: their
    /// steps go on and on.
    pub(super) fn notice_blur(&mut self, stage: Stage) -> Result<()> {
        for m in self.active() {
            if !self.is_flat(m) || self.problem.start.stride() > MAX_ORDER {
                continue;
            }
            let hessian = self.table.exact_hessian((self.fits[m].model, &self.fits[m].point.column))?;
            self.passes += 1.0;
            let directions = self.blurred_directions(m, &hessian);
            if !directions.is_empty() {
                self.proofs[m].blurred = self.blurred(&hessian, &directions);
                // What an engine's float32 loses of columns that are kept exactly, float64 passes have.
                let has_all = self.proofs[m].blurred.is_empty();
                self.fits[m].state = match stage {
                    Stage::Table if has_all => State::Waiting,
                    _ => State::Stopped(Stop::ProgressEnded),
                };
            }
        }
        Ok(())
    }

    /// Whether the penalty of a model leaves directions that only the loss curves.
    fn is_flat(&self, m: usize) -> bool {
        let penalty = self.fits[m].model.penalty;
        penalty.l1 == 0.0 && penalty.l2 < CLEAR_L2 * self.problem.start.n_features() as f64
    }

    /// Whether float32 rounding may decide where the minimum of a model is.
    fn may_be_blurred(&self, m: usize) -> bool {
        self.is_flat(m) && (0..self.problem.start.n_features()).any(|feature| !self.table.is_exact(feature))
    }

    /// Directions whose curvature float32 rounding decides.
    fn blurred_directions(&self, m: usize, hessian: &Hessian) -> Vec<Dependent> {
        factor::dependent(hessian, self.problem.coordinates, &self.fits[m].model.penalty, BLURRED)
    }

    /// The features with a part in such directions that are not kept exactly.
    fn blurred(&self, hessian: &Hessian, directions: &[Dependent]) -> Vec<usize> {
        let size = |k: usize| hessian.row(k)[k].max(0.0).sqrt();
        let mut blurred = Vec::new();
        for Dependent { direction, .. } in directions {
            let parts: Vec<f64> =
                direction.iter().enumerate().map(|(k, part)| (part * size(k)).abs()).collect();
            let least = 1e-6 * parts.iter().fold(0.0, |a: f64, &b| a.max(b));
            blurred.extend((0..parts.len() - 1).filter(|&j| parts[j] >= least && !self.table.is_exact(j)));
        }
        blurred.sort_unstable();
        blurred.dedup();
        blurred
    }

    /// Gives a fit its Hessian at the point where it stands, and the Newton step from there, unless a step is being
    /// shortened.
    fn take_aim(&mut self, m: usize) -> Result<()> {
        if self.fits[m].has_aim() {
            return Ok(());
        }
        let hessian = self.table.exact_hessian((self.fits[m].model, &self.fits[m].point.column))?;
        self.passes += 1.0;
        let has_penalty = self.fits[m].model.penalty.l2 > 0.0;
        if !has_penalty {
            self.find_dependencies(m, &hessian)?;
        }
        let blurred = match self.may_be_blurred(m) {
            true => self.blurred(&hessian, &self.blurred_directions(m, &hessian)),
            false => Vec::new(),
        };
        let proof = &mut self.proofs[m];
        proof.blurred = blurred;
        // Without a penalty nothing is gained along them: they stay where they are.
        let held = if has_penalty { &[][..] } else { &proof.undetermined };
        let fit = &mut self.fits[m];
        fit.learn_exactly(hessian.without(held));
        let promise = fit.aim(Stage::Float64, self.problem.coordinates);
        // The minimum of the quadratic model lies half of what its slope promises below the point.
        proof.is_beyond_precision = fit.has_ridge() || !proof.nearly_dependent.is_empty();
        proof.newton_decrement = (!proof.is_beyond_precision).then(|| 0.5 * promise.max(0.0));
        Ok(())
    }

    /// Stops the fits that have arrived, or that have nowhere to arrive.
    fn conclude(&mut self, members: &[usize]) -> Result<()> {
        let steps: Vec<(usize, Vec<f64>)> =
            members.iter().filter_map(|&m| Some((m, self.fits[m].whole_step()?))).collect();
        let columns = steps.iter().map(|(_, step)| step.as_slice());
        let columns = Coefficients::from_columns(self.problem.start.n_features(), columns);
        let moves = self.table.scores(&columns)?;
        self.passes += 1.0;
        let tolerance = self.settings.tolerance;
        for (k, ((m, step), moves)) in steps.into_iter().zip(moves).enumerate() {
            let fit = &mut self.fits[m];
            let mut sides = Sides::default();
            let moves = moves.iter().map(|by| by + columns.intercept(k));
            sides.add(&fit.model, self.problem.rows, moves, |_| true);
            let is_moving = is_unpenalised(&fit.model) && sides.is_moving();
            if is_moving && sides.are_separated(Sides::ROUNDING) {
                self.proofs[m].separating = Some(step);
                fit.state = State::Stopped(Stop::Separated);
                continue;
            }
            let is_proved = match fit.point.certificate {
                Some(certificate) if certificate.duality_gap.is_some() => certificate.is_within(tolerance),
                _ => self.proofs[m].is_within(fit.point.objective, tolerance) && !is_moving,
            };
            if is_proved && fit.point.residual <= tolerance {
                fit.state = State::Stopped(Stop::Converged);
            }
        }
        Ok(())
    }
}
