//! Passes that save their answers in a journal.

use std::sync::Arc;

use super::fingerprint::Digest;
use super::journal::Journal;
use crate::engine::At;
use crate::error::Result;
use crate::objective::{Coefficients, Gaps, Hessian, ModelSpec, Sums};
use crate::panels::{Panels, Rows, Sample};
use crate::solver::{FullBatch, Minimum, Passes, Problem, Progress, Spectrum};

/// Passes over a table. A journal saves their answers, and gives them again when a sweep is resumed.
pub(super) struct Journaled<'a> {
    table: &'a mut dyn Passes,
    journal: &'a Journal,
    /// Shared by all waves of a sweep, because the rows stay the same.
    spectrum: Option<Arc<Spectrum>>,
}

impl<'a> Journaled<'a> {
    pub(super) fn new(table: &'a mut dyn Passes, journal: &'a Journal) -> Self {
        Self { table, journal, spectrum: None }
    }

    /// The answer to a request for `n` vectors of `length` numbers.
    fn vectors(
        &mut self,
        request: Digest,
        (n, length): (usize, usize),
        make: impl FnOnce(&mut dyn Passes) -> Result<Vec<Vec<f64>>>,
    ) -> Result<Vec<Vec<f64>>> {
        let split = |numbers: &[f64]| -> Option<Vec<Vec<f64>>> {
            (numbers.len() == n * length)
                .then(|| (0..n).map(|k| numbers[k * length..][..length].to_vec()).collect())
        };
        self.journal.answer(request, split, |vectors| vectors.concat(), || make(self.table))
    }
}

impl Passes for Journaled<'_> {
    fn models_per_reading(&self) -> usize {
        self.table.models_per_reading()
    }

    fn rows(&self) -> &Rows {
        self.table.rows()
    }

    fn n_features(&self) -> usize {
        self.table.n_features()
    }

    fn is_exact(&self, feature: usize) -> bool {
        self.table.is_exact(feature)
    }

    fn room(&self) -> u64 {
        self.table.room()
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.table.select(features)
    }

    fn evaluation_sums(&mut self, models: &[ModelSpec], at: &Coefficients, sample: Sample) -> Result<Sums> {
        let request = Digest::new().words([1, sample.stride() as u64]).models(models).numbers(at.values());
        self.journal.answer(
            request,
            |numbers| Sums::zeros(at.n_features(), models.len()).with_values(numbers.to_vec()),
            |sums| sums.values().to_vec(),
            || self.table.evaluation_sums(models, at, sample),
        )
    }

    fn exact_sums(&mut self, models: &[ModelSpec], at: &Coefficients, gaps: Gaps) -> Result<Sums> {
        let request = Digest::new().words([3, u64::from(gaps == Gaps::With)]).models(models);
        self.journal.answer(
            request.numbers(at.values()),
            |numbers| Sums::zeros_exact(at.n_features(), models.len(), gaps).with_values(numbers.to_vec()),
            |sums| sums.values().to_vec(),
            || self.table.exact_sums(models, at, gaps),
        )
    }

    fn curvature_sums(&mut self, points: &[At<'_>], sample: Sample) -> Result<Vec<Vec<f64>>> {
        let request = points
            .iter()
            .fold(Digest::new().words([2, sample.stride() as u64]), |digest, (model, column)| {
                digest.models(std::slice::from_ref(model)).numbers(column)
            });
        self.journal.answer(
            request,
            |numbers| uppers(points, numbers),
            |uppers| {
                uppers
                    .iter()
                    .zip(points)
                    .flat_map(|(upper, (_, column))| triangle(upper, column.len()))
                    .collect()
            },
            || self.table.curvature_sums(points, sample),
        )
    }

    /// Not saved: on most tables it takes no longer than reading it back would.
    fn exact_hessian(&mut self, point: At<'_>) -> Result<Hessian> {
        self.table.exact_hessian(point)
    }

    fn mean_squares(&mut self) -> Result<Vec<f64>> {
        let decode = |numbers: &[f64]| Some(numbers.to_vec());
        self.journal.answer(Digest::new().words([5]), decode, Clone::clone, || self.table.mean_squares())
    }

    fn row_spectrum(&mut self) -> Result<(Arc<Spectrum>, f64)> {
        if let Some(known) = &self.spectrum {
            return Ok((known.clone(), 0.0));
        }
        let n_rows = self.table.rows().n_rows();
        let (made, passes) = self.journal.answer(
            Digest::new().words([6]),
            |numbers| {
                let (passes, numbers) = numbers.split_first()?;
                Some((Arc::new(Spectrum::from_numbers(n_rows, numbers)?), *passes))
            },
            |(spectrum, passes)| [vec![*passes], spectrum.to_numbers()].concat(),
            || self.table.row_spectrum(),
        )?;
        self.spectrum = Some(made.clone());
        Ok((made, passes))
    }

    fn scores(&mut self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>> {
        let request = Digest::new().words([7]).numbers(coefficients.values());
        let shape = (coefficients.n_models(), self.table.rows().n_rows());
        self.vectors(request, shape, |table| table.scores(coefficients))
    }

    fn combine_rows(&mut self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let request = weights.iter().fold(Digest::new().words([8]), |digest, a| digest.numbers(a));
        let shape = (weights.len(), self.table.n_features());
        self.vectors(request, shape, |table| table.combine_rows(weights))
    }

    fn over(&mut self, panels: &Panels, work: &mut dyn FnMut(&mut dyn Passes) -> Result<()>) -> Result<()> {
        let Some(journal) = self.journal.inner() else { return self.table.over(panels, work) };
        self.table.over(panels, &mut |table| work(&mut Journaled::new(table, journal)))
    }

    /// Saves the minimum and the progress on the way to it; until then, the passes on the way.
    fn minimise_over(
        &mut self,
        panels: &Panels,
        solver: &FullBatch,
        problem: &Problem<'_>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Minimum> {
        let mut is_new = false;
        let journal = self.journal;
        let way = journal.answer_if(
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
                self.over(panels, &mut |table| {
                    work = Some(solver.run(table, problem, None, &mut |progress| {
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
            && let Some(inner) = journal.inner()
        {
            inner.clear()?;
        }
        Ok(way.minimum)
    }
}

/// The upper triangle of a square matrix, row after row.
fn triangle(upper: &[f64], order: usize) -> impl Iterator<Item = f64> {
    upper.chunks(order).enumerate().flat_map(|(i, row)| row[i..].iter().copied())
}

/// The square matrices of their upper triangles, one for each point, 0 below; none if the number of values is another.
fn uppers(points: &[At<'_>], mut numbers: &[f64]) -> Option<Vec<Vec<f64>>> {
    let mut uppers = Vec::with_capacity(points.len());
    for order in points.iter().map(|(_, column)| column.len()) {
        let mut upper = vec![0.0; order * order];
        for (i, row) in upper.chunks_mut(order).enumerate() {
            let (values, rest) = numbers.split_at_checked(order - i)?;
            row[i..].copy_from_slice(values);
            numbers = rest;
        }
        uppers.push(upper);
    }
    numbers.is_empty().then_some(uppers)
}

/// A run over another table: its minimum and its progress reports.
struct Way {
    minimum: Minimum,
    told: Vec<Progress>,
    /// Whether it was stopped early.
    is_stopped: bool,
}

/// Numbers that encode a [`Progress`].
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

#[cfg(test)]
mod tests;
