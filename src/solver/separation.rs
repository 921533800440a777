//! Separation, by name: without a penalty there is no optimum where a plane separates the classes.

use super::Stop;
use super::descent::Fit;
use super::stages::Run;
use super::states::{Stage, State};
use crate::error::Result;
use crate::objective::{Coefficients, Gaps, ModelSpec};
use crate::panels::Rows;

impl Run<'_, '_> {
    /// Stops models whose loss is so small that every row must be on its side of a plane.
    pub(super) fn notice_separation(&mut self, stage: Stage) {
        if stage == Stage::Sample || !self.problem.models.iter().any(is_unpenalised) {
            return;
        }
        let below = self
            .separated_below
            .get_or_insert_with(|| separated_below(self.problem.models, self.problem.rows));
        for ((fit, proof), &below) in self.fits.iter_mut().zip(&mut self.proofs).zip(below.iter()) {
            if !fit.is_stopped() && is_unpenalised(&fit.model) && fit.point.objective < below {
                fit.state = State::Stopped(Stop::Separated);
                proof.separating = Some(fit.point.column.clone());
            }
        }
    }

    /// The same for models that stopped before their loss was that small: a plane that separates does so
    /// as well with all coefficients larger.
    pub(super) fn expose_separation(&mut self) -> Result<()> {
        let is_suspect =
            |fit: &Fit| is_unpenalised(&fit.model) && fit.state != State::Stopped(Stop::Separated);
        let suspects: Vec<usize> = (0..self.fits.len()).filter(|&m| is_suspect(&self.fits[m])).collect();
        let Some(below) = self.separated_below.as_ref().filter(|_| !suspects.is_empty()) else {
            return Ok(());
        };
        let models: Vec<ModelSpec> = suspects.iter().map(|&m| self.fits[m].model).collect();
        let columns = suspects.iter().map(|&m| self.fits[m].point.column.as_slice());
        let mut points = Coefficients::from_columns(self.problem.start.n_features(), columns);
        points.values_mut().iter_mut().for_each(|w| *w *= 1e4);
        let exact = self.table.evaluate_exactly(&models, &points, Gaps::Without)?;
        self.passes += 1.0;
        for (&m, &loss) in suspects.iter().zip(&exact.evaluation.loss) {
            if loss < below[m] {
                self.fits[m].state = State::Stopped(Stop::Separated);
                self.proofs[m].separating = Some(self.fits[m].point.column.clone());
            }
        }
        Ok(())
    }
}

pub(super) fn is_unpenalised(model: &ModelSpec) -> bool {
    model.penalty.l1 == 0.0 && model.penalty.l2 == 0.0
}

/// The mean loss of each model below which no row can be on the wrong side: a single one, with the least
/// weight that a row has, would cost more.
fn separated_below(models: &[ModelSpec], rows: &Rows) -> Vec<f64> {
    let least = rows.least_weight();
    let of = |model: &ModelSpec| {
        let weight = |(class, &least): (usize, &f64)| {
            let is_positive = class == model.class as usize;
            least * if is_positive { model.positive_weight } else { model.negative_weight }
        };
        let least = least.iter().enumerate().map(weight).fold(f64::INFINITY, f64::min);
        std::f64::consts::LN_2 * least / model.weight_sum(rows)
    };
    models.iter().map(of).collect()
}
