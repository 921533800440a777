//! An engine and a host whose answers are remembered.

use std::sync::{Arc, OnceLock};

use super::fingerprint::Digest;
use super::journal::Journal;
use crate::engine::{Engine, Epoch, Evaluation, SgdState};
use crate::error::Result;
use crate::objective::{Coefficients, Exact, Gaps, Hessian, ModelSpec};
use crate::panels::{Panels, Rows, Sample};
use crate::solver::{FullBatch, Host, Minimum, Problem, Progress, Spectrum};

/// An engine whose passes are remembered.
pub(super) struct Remembered<'a> {
    pub(super) engine: &'a mut dyn Engine,
    pub(super) journal: &'a Journal,
}

impl Engine for Remembered<'_> {
    fn device(&self) -> String {
        self.engine.device()
    }

    fn models_per_reading(&self) -> usize {
        self.engine.models_per_reading()
    }

    fn evaluate_on(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
    ) -> Result<Evaluation> {
        let request = Digest::new().words([1, sample.stride() as u64]).models(models);
        self.journal.answer(
            request.numbers(coefficients.values()),
            |numbers| Evaluation::from_numbers(coefficients.n_features(), models.len(), numbers),
            Evaluation::to_numbers,
            || self.engine.evaluate_on(models, coefficients, sample),
        )
    }

    fn hessian(&mut self, model: &ModelSpec, column: &[f64], sample: Sample) -> Result<Hessian> {
        let request = Digest::new().words([2, sample.stride() as u64]).models(std::slice::from_ref(model));
        let order = column.len();
        self.journal.answer(
            request.numbers(column),
            |numbers| Hessian::from_triangle(order, numbers),
            Hessian::to_triangle,
            || self.engine.hessian(model, column, sample),
        )
    }

    /// Not remembered: a sweep compares optima, and mini-batches do not lead there.
    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        self.engine.sgd_epoch(models, epoch, state)
    }
}

/// A host whose answers are remembered.
pub(super) struct RememberedHost<'a> {
    host: &'a dyn Host,
    journal: &'a Journal,
    /// For all waves of a sweep: the rows stay the same.
    spectrum: OnceLock<Arc<Spectrum>>,
}

impl<'a> RememberedHost<'a> {
    pub(super) fn new(host: &'a dyn Host, journal: &'a Journal) -> Self {
        Self { host, journal, spectrum: OnceLock::new() }
    }
}

impl Host for RememberedHost<'_> {
    fn evaluate(&self, models: &[ModelSpec], coefficients: &Coefficients, gaps: Gaps) -> Result<Exact> {
        self.journal.answer(
            Digest::new()
                .words([3, u64::from(gaps == Gaps::With)])
                .models(models)
                .numbers(coefficients.values()),
            |numbers| Exact::from_numbers(coefficients.n_features(), models, gaps, numbers),
            Exact::to_numbers,
            || self.host.evaluate(models, coefficients, gaps),
        )
    }

    /// Not remembered: it is asked for at the end of a fit, and takes no longer than looking it up would on most tables.
    fn hessian(&self, model: &ModelSpec, column: &[f64]) -> Result<Hessian> {
        self.host.hessian(model, column)
    }

    fn mean_squares(&self) -> Result<Vec<f64>> {
        let decode = |numbers: &[f64]| Some(numbers.to_vec());
        self.journal.answer(Digest::new().words([5]), decode, Clone::clone, || self.host.mean_squares())
    }

    fn rows(&self) -> &Rows {
        self.host.rows()
    }

    fn is_exact(&self, feature: usize) -> bool {
        self.host.is_exact(feature)
    }

    fn room(&self) -> u64 {
        self.host.room()
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.host.select(features)
    }

    fn row_spectrum(&self) -> Result<(Arc<Spectrum>, f64)> {
        if let Some(known) = self.spectrum.get() {
            return Ok((known.clone(), 0.0));
        }
        let (made, passes) = self.journal.answer(
            Digest::new().words([6]),
            |numbers| {
                let (passes, numbers) = numbers.split_first()?;
                Some((Arc::new(Spectrum::from_numbers(self.rows().n_rows(), numbers)?), *passes))
            },
            |(spectrum, passes)| [vec![*passes], spectrum.to_numbers()].concat(),
            || self.host.row_spectrum(),
        )?;
        Ok((self.spectrum.get_or_init(|| made).clone(), passes))
    }

    fn scores(&self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>> {
        self.journal.answer(
            Digest::new().words([7]).numbers(coefficients.values()),
            |numbers| equal_parts(numbers, coefficients.n_models()),
            |scores| scores.concat(),
            || self.host.scores(coefficients),
        )
    }

    fn combine_rows(&self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let request = weights.iter().fold(Digest::new().words([8]), |digest, a| digest.numbers(a));
        self.journal.answer(
            request,
            |numbers| equal_parts(numbers, weights.len()),
            |combined| combined.concat(),
            || self.host.combine_rows(weights),
        )
    }

    fn with_table(
        &self,
        panels: &Panels,
        work: &mut dyn FnMut(&mut dyn Engine, &dyn Host) -> Result<()>,
    ) -> Result<()> {
        let Some(journal) = self.journal.inner() else { return self.host.with_table(panels, work) };
        self.host.with_table(panels, &mut |engine, host| {
            work(&mut Remembered { engine, journal }, &RememberedHost::new(host, journal))
        })
    }

    /// The minimum is remembered, and what was told on the way there; the passes of the way until then.
    fn minimise_over(
        &self,
        panels: &Panels,
        solver: &FullBatch,
        problem: &Problem<'_>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Minimum> {
        let mut is_new = false;
        let way = self.journal.answer_if(
            Digest::new()
                .words([9, solver.method as u64, solver.max_iterations as u64])
                .numbers(&[solver.tolerance])
                .models(problem.models)
                .numbers(problem.start.values()),
            |numbers| Way::from_numbers(panels.n_features(), problem.models.len(), numbers),
            |way| (!way.is_stopped).then(|| way.to_numbers()),
            || {
                let (mut told, mut is_stopped) = (Vec::new(), false);
                let mut work = None;
                self.with_table(panels, &mut |engine, host| {
                    work = Some(solver.run(engine, host, problem, None, &mut |progress| {
                        told.push(*progress);
                        let goes_on = watch(progress);
                        is_stopped |= !goes_on;
                        goes_on
                    })?);
                    Ok(())
                })?;
                is_new = true;
                Ok(Way { minimum: work.expect("the work was done").into(), told, is_stopped })
            },
        )?;
        if !is_new {
            for progress in &way.told {
                watch(progress);
            }
        } else if !way.is_stopped
            && let Some(inner) = self.journal.inner()
        {
            inner.clear()?;
        }
        Ok(way.minimum)
    }
}

/// A run over another table: where it led, and what it told.
struct Way {
    minimum: Minimum,
    told: Vec<Progress>,
    /// Whether it ended before its time.
    is_stopped: bool,
}

/// Numbers of a [`Progress`].
const PROGRESS: usize = 6;

impl Way {
    fn to_numbers(&self) -> Vec<f64> {
        let Minimum { coefficients, iterations, passes } = &self.minimum;
        let told = |p: &Progress| -> [f64; PROGRESS] {
            let count = |n: usize| n as f64;
            [count(p.iteration), p.passes, p.objective, p.kkt_residual, count(p.active), count(p.converged)]
        };
        coefficients
            .values()
            .iter()
            .copied()
            .chain(iterations.iter().map(|&n| n as f64))
            .chain([*passes])
            .chain(self.told.iter().flat_map(told))
            .collect()
    }

    fn from_numbers(n_features: usize, n_models: usize, numbers: &[f64]) -> Option<Self> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were counts")]
        let count = |number: f64| number as usize;
        let (columns, rest) = numbers.split_at_checked((n_features + 1) * n_models)?;
        let (iterations, rest) = rest.split_at_checked(n_models)?;
        let (passes, rest) = rest.split_first()?;
        let (told, rest) = rest.as_chunks::<PROGRESS>();
        let of = |p: &[f64; PROGRESS]| Progress {
            iteration: count(p[0]),
            passes: p[1],
            objective: p[2],
            kkt_residual: p[3],
            active: count(p[4]),
            converged: count(p[5]),
            validated: None,
        };
        rest.is_empty().then(|| Self {
            minimum: Minimum {
                coefficients: Coefficients::from_columns(n_features, columns.chunks_exact(n_features + 1)),
                iterations: iterations.iter().map(|&n| count(n)).collect(),
                passes: *passes,
            },
            told: told.iter().map(of).collect(),
            is_stopped: false,
        })
    }
}

/// So many vectors of one length.
fn equal_parts(numbers: &[f64], n: usize) -> Option<Vec<Vec<f64>>> {
    let length = numbers.len().checked_div(n)?;
    (length * n == numbers.len()).then(|| numbers.chunks(length.max(1)).map(<[f64]>::to_vec).collect())
}

#[cfg(test)]
mod tests;
