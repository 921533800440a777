//! L1-penalised models over more features than a Hessian can have: working sets.
//!
//! Few coefficients will be nonzero. Each round solves the problem over the features that are nonzero or violate
//! their optimality condition most, gathered into a small table of their own; then one pass over the whole
//! table shows which others violate theirs. The set grows with the support. The last rounds take the float64
//! gradient, so that the residual that ends the run is that of the certificate, over all features.
//!
//! # References
//! - Johnson and Guestrin, Blitz: A Principled Meta-Algorithm for Scaling Sparse Optimization, ICML 2015.
//! - Massias, Gramfort and Salmon, Celer: a Fast Solver for the Lasso with Dual Extrapolation, ICML 2018.

use super::full_batch::{FullBatch, Method};
use super::{Passes, Problem, Progress, Proof, Solution, Stop};
use crate::error::Result;
use crate::objective::{Certificate, Coefficients, Coordinates, ModelSpec};
use crate::panels::Sample;

/// Features of the first working set.
const FIRST: usize = 128;

/// Size of a working set, as a multiple of the support.
const GROWTH: usize = 2;

/// How far below the threshold a slope may be to be worth watching, in units of the residual.
const REACH: f64 = 2.0;

/// Features of a working set up to which a Hessian of all of them is worth its price.
const MOST: usize = 4000;

/// Rounds that do not halve the residual before there is no more progress to make.
const MAX_IDLE: usize = 8;

/// A problem over the working set is solved to this share of the residual over all features.
const INNER_SHARE: f64 = 0.1;

/// Working sets and their settings.
#[derive(Debug, Clone)]
pub struct WorkingSet {
    /// Bound on the rounds.
    pub max_iterations: usize,
    /// KKT residual at which a model is done.
    pub tolerance: f64,
}

/// One model's way through its working sets.
struct Fit {
    model: ModelSpec,
    column: Vec<f64>,
    gradient: Vec<f64>,
    objective: f64,
    residual: f64,
    certificate: Option<Certificate>,
    set: Vec<usize>,
    rounds: usize,
    /// Rounds since the residual was halved.
    idle: usize,
    stop: Option<Stop>,
}

impl WorkingSet {
    /// The most features that a working set may come to have: an L1 penalty alone leaves no more coefficients than there
    /// are rows, one with a share of L2 any number of them.
    pub(crate) fn largest(n_rows: usize, n_features: usize, has_ridge: bool) -> usize {
        let support = if has_ridge { n_features } else { n_rows.min(n_features) };
        GROWTH.saturating_mul(support).max(FIRST).min(n_features)
    }

    /// The order of the matrices that a working set of so many features takes.
    pub(crate) fn order(n_features: usize) -> usize {
        n_features.min(MOST) + 1
    }

    /// Minimises the objective of every model of the stack, all of which have an L1 penalty.
    ///
    /// `watch` is called after each round, and within it after each step on a working set; the run stops when it
    /// returns false.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn run(
        &self,
        table: &mut dyn Passes,
        problem: &Problem<'_>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Solution> {
        let mut fits: Vec<Fit> = problem
            .models
            .iter()
            .enumerate()
            .map(|(m, model)| Fit {
                model: *model,
                column: problem.start.model(m).to_vec(),
                gradient: Vec::new(),
                objective: f64::INFINITY,
                residual: f64::INFINITY,
                certificate: None,
                set: Vec::new(),
                rounds: 0,
                idle: 0,
                stop: None,
            })
            .collect();
        let mut run = Run { settings: self, table, problem, passes: 0.0 };
        run.look(&mut fits, false)?;
        // Once float32 passes have nothing more to say, float64 does.
        let mut exact = false;
        while fits.iter().any(|fit| fit.stop.is_none()) {
            let state = progress(&fits, run.passes);
            for fit in fits.iter_mut().filter(|fit| fit.stop.is_none()) {
                if !run.round(fit, &state, watch)? {
                    break;
                }
            }
            let is_active = |fit: &&Fit| fit.stop.is_none();
            exact |= fits.iter().filter(is_active).all(|fit| fit.is_close(self.tolerance));
            run.look(&mut fits, exact)?;
            if !exact && fits.iter().filter(is_active).all(|fit| fit.residual <= self.tolerance) {
                (exact, _) = (true, run.look(&mut fits, true)?);
            }
            let progress = progress(&fits, run.passes);
            if !watch(&progress) {
                fits.iter_mut().for_each(|fit| fit.stop = fit.stop.or(Some(Stop::Interrupted)));
            }
        }
        let columns = fits.iter().map(|fit| fit.column.as_slice());
        Ok(Solution {
            coefficients: Coefficients::from_columns(problem.start.n_features(), columns),
            certificates: fits.iter().map(|fit| fit.certificate).collect(),
            proofs: vec![Proof::default(); fits.len()],
            iterations: fits.iter().map(|fit| fit.rounds).collect(),
            stops: fits.iter().map(|fit| fit.stop.unwrap_or(Stop::Limit)).collect(),
            passes: run.passes,
            method: "newton on working sets".to_owned(),
        })
    }
}

impl Fit {
    /// Whether the residual is small, or no longer falls as float32 sees it.
    fn is_close(&self, tolerance: f64) -> bool {
        self.residual <= 30.0 * tolerance || self.idle > 0
    }

    /// The features that are nonzero, then those that violate their condition most, up to the size that
    /// the support asks for; in ascending order.
    fn next_set(&self, coordinates: &Coordinates) -> Vec<usize> {
        let d = coordinates.n_features();
        let support: Vec<usize> = (0..d).filter(|&j| self.column[j] != 0.0).collect();
        let size = (GROWTH * support.len()).max(FIRST).max(self.set.len()).min(d);
        let mut others: Vec<(f64, usize)> = (0..d)
            .filter(|&j| self.column[j] == 0.0)
            .map(|j| (coordinates.slope(j, &self.gradient).abs(), j))
            // The others' slopes would have to move further than any is off now.
            .filter(|&(slope, _)| slope >= self.model.penalty.l1 - REACH * self.residual)
            .collect();
        let room = size.saturating_sub(support.len()).min(others.len());
        if room > 0 && room < others.len() {
            others.select_nth_unstable_by(room, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        }
        let mut set: Vec<usize> = support.into_iter().chain(others[..room].iter().map(|o| o.1)).collect();
        set.sort_unstable();
        set
    }
}

struct Run<'a> {
    settings: &'a WorkingSet,
    table: &'a mut dyn Passes,
    problem: &'a Problem<'a>,
    passes: f64,
}

impl Run<'_> {
    /// Solves a fit's problem over its next working set; false if `watch`, to which the others' `state` is told, stopped
    /// that.
    fn round(
        &mut self,
        fit: &mut Fit,
        state: &Progress,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<bool> {
        let (problem, d) = (self.problem, self.problem.start.n_features());
        fit.set = fit.next_set(problem.coordinates);
        log::debug!("working set of {} features at residual {:.2e}", fit.set.len(), fit.residual);
        let set = &fit.set;
        let mut start = Coefficients::zeros(set.len(), 1);
        let narrow =
            |column: &[f64]| -> Vec<f64> { set.iter().map(|&j| column[j]).chain([column[d]]).collect() };
        start.model_mut(0).copy_from_slice(&narrow(&fit.column));
        let coordinates = problem.coordinates.select(set);
        let models = [fit.model];
        let inner = Problem {
            models: &models,
            coordinates: &coordinates,
            start,
            smoothness: &[],
            is_warm: true,
            ..problem.clone()
        };
        let solver = FullBatch {
            method: if set.len() < MOST { Method::Newton } else { Method::Lbfgs },
            max_iterations: self.settings.max_iterations,
            // Within the tolerance already, it is the duality gap that is still too large.
            tolerance: if fit.residual <= self.settings.tolerance {
                INNER_SHARE * fit.residual
            } else {
                (INNER_SHARE * fit.residual).max(0.3 * self.settings.tolerance)
            },
        };
        let (before, share) = (self.passes, set.len() as f64 / d as f64);
        let mut goes_on = true;
        let mut watch = |progress: &Progress| {
            goes_on &= watch(&Progress { passes: before + share * progress.passes, ..*state });
            goes_on
        };
        let solution = self.table.minimise_over(&self.table.select(set), &solver, &inner, &mut watch)?;
        self.passes += share * solution.passes;
        fit.column[..d].fill(0.0);
        for (&j, w) in set.iter().zip(solution.coefficients.features(0)) {
            fit.column[j] = *w;
        }
        fit.column[d] = solution.coefficients.intercept(0);
        fit.rounds += 1;
        Ok(goes_on)
    }

    /// One pass over the whole table for all fits at work.
    fn look(&mut self, fits: &mut [Fit], exact: bool) -> Result<()> {
        let (problem, coordinates) = (self.problem, self.problem.coordinates);
        let members: Vec<usize> = (0..fits.len()).filter(|&m| fits[m].stop.is_none()).collect();
        let models: Vec<ModelSpec> = members.iter().map(|&m| fits[m].model).collect();
        let columns = members.iter().map(|&m| fits[m].column.as_slice());
        let points = Coefficients::from_columns(problem.start.n_features(), columns);
        self.passes += 1.0;
        let (evaluation, exact) = if exact {
            let exact = self.table.evaluate_exactly(&models, &points, problem.gaps)?;
            (exact.evaluation.clone(), Some(exact))
        } else {
            (self.table.evaluate(&models, &points, Sample::ALL)?, None)
        };
        for (k, &m) in members.iter().enumerate() {
            let fit = &mut fits[m];
            let (gradient, penalty) = (evaluation.gradient.model(k), fit.model.penalty);
            let before = fit.residual;
            fit.gradient = gradient.to_vec();
            fit.objective = evaluation.loss[k] + coordinates.value(&penalty, points.model(k));
            fit.residual = coordinates.residual(&penalty, &fit.column, gradient);
            fit.certificate = exact.as_ref().map(|e| e.certificate(k, &fit.model, &fit.column, coordinates));
            fit.idle = if fit.residual <= 0.5 * before { 0 } else { fit.idle + 1 };
            if fit.certificate.is_some_and(|certificate| certificate.is_within(self.settings.tolerance)) {
                fit.stop = Some(Stop::Converged);
            } else if fit.rounds >= self.settings.max_iterations {
                fit.stop = Some(Stop::Limit);
            } else if exact.is_some() && fit.idle > MAX_IDLE {
                fit.stop = Some(Stop::ProgressEnded);
            }
        }
        Ok(())
    }
}

fn progress(fits: &[Fit], passes: f64) -> Progress {
    Progress {
        iteration: fits.iter().map(|fit| fit.rounds).max().unwrap_or(0),
        passes,
        objective: fits.iter().map(|fit| fit.objective).sum::<f64>() / fits.len().max(1) as f64,
        kkt_residual: fits.iter().map(|fit| fit.residual).fold(0.0, f64::max),
        active: fits.iter().filter(|fit| fit.stop.is_none()).count(),
        converged: fits.iter().filter(|fit| fit.stop == Some(Stop::Converged)).count(),
        validated: None,
    }
}
