//! Computes the statistics of models that share readings of the table.

use rayon::prelude::*;

use super::factor;
use super::identify::{self, Parameters};
use super::pass::{ModelSums, Pass, TableSums};
use super::report::ModelInference;
use super::same_table::{check_objective, check_table};
use super::statistics::{Context, Movement, Step, Subject};
use super::{InferenceOptions, SIDE_BY_SIDE, matrices, penalty};
use crate::data::{Encoding, Source, Target};
use crate::engine::Chosen;
use crate::engine::exact::{Basis, Gram};
use crate::error::Result;
use crate::model::Model;
use crate::objective::{Coefficients, HeldOut, ModelSpec};
use crate::observer::Observer;

/// Float32 products show that a parameter is not a combination of others only if they leave more than this
/// share of its squared length unexplained.
const RESOLVED_BY_FLOAT32: f64 = 1e-4;

/// Most successive changes of basis. A feature's remainder may itself be nearly a combination of others.
const MAX_LEVELS: usize = 4;

/// Rows still count as separated if none moves against its class by more than this share of the largest
/// move. Errors of this size remain in a step when training stops within its tolerance, or when products
/// are float32.
const AGAINST: f64 = 1e-3;
const AGAINST_OF_FLOAT32: f64 = 1e-2;

/// A request for inference: the model, the table and the options.
pub(super) struct Job<'a> {
    pub(super) model: &'a Model,
    pub(super) source: &'a Source,
    pub(super) encoding: &'a Encoding,
    pub(super) target: Target,
    pub(super) names: &'a [String],
    /// Which features have only the values 0 and 1.
    pub(super) is_indicator: Vec<bool>,
    pub(super) references: &'a [Option<usize>],
    /// All parameters except the references.
    pub(super) contrasts: Parameters,
    pub(super) any_penalised: bool,
    pub(super) options: &'a InferenceOptions,
    pub(super) device: &'a Chosen,
}

/// How the rows identify parameters. It is the same for all models.
#[derive(Debug, Default)]
pub(super) struct ToldApart {
    /// The Gram matrix of the rows, if an information matrix was not clear enough.
    gram: Option<Gram>,
    basis: Basis,
}

/// Sums of the rows for some models.
struct Sums {
    table: TableSums,
    models: Vec<ModelSums>,
    /// Coefficients for panel values, in the basis of the sums.
    coefficients: Coefficients,
}

impl Job<'_> {
    /// Computes the statistics of the models `chosen`.
    ///
    /// # Errors
    /// As [`super::infer`].
    pub(super) fn infer(
        &self,
        chosen: &[usize],
        told_apart: &mut ToldApart,
        observer: &dyn Observer,
    ) -> Result<(TableSums, Vec<ModelInference>)> {
        let models: Vec<ModelSpec> = chosen.iter().map(|&m| spec(self.model, m)).collect();
        let Sums { table, models: sums, coefficients } = self.sum(chosen, &models, told_apart, observer)?;
        let ToldApart { gram, basis } = told_apart;
        let identified = match gram {
            Some(gram) => self.contrasts.clone().identified(gram),
            None => self.contrasts.clone(),
        };
        let context = Context {
            encoding: self.encoding,
            names: self.names,
            is_indicator: &self.is_indicator,
            references: self.references,
            identified: &identified,
            options: self.options,
            table: &table,
            basis,
            is_resolved: self.device.is_host(),
            tolerance: self.model.training.tolerance,
        };
        let subject = |k: usize| Subject {
            fitted: &self.model.models[chosen[k]],
            model: &models[k],
            column: coefficients.model(k),
            sums: &sums[k],
        };
        let statistics = |k: usize| context.statistics(&subject(k), Movement::Separated);
        let found: Vec<(ModelInference, Option<Step>)> = if self.encoding.n_features() < SIDE_BY_SIDE {
            (0..chosen.len()).into_par_iter().map(statistics).collect()
        } else {
            (0..chosen.len()).map(statistics).collect()
        };
        let (mut found, steps): (Vec<ModelInference>, Vec<Option<Step>>) = found.into_iter().unzip();
        let steps: Vec<(usize, Step)> =
            steps.into_iter().enumerate().filter_map(|(k, step)| Some((k, step?))).collect();
        if !steps.is_empty() {
            let against = if self.device.is_host() { AGAINST } else { AGAINST_OF_FLOAT32 };
            let moves = self.pass(&models, basis, &coefficients).moves(&steps, observer)?;
            for ((k, _), moves) in steps.iter().zip(moves) {
                let movement = moves.movement(against);
                if movement != Movement::Separated {
                    (found[*k], _) = context.statistics(&subject(*k), movement);
                }
            }
        }
        Ok((table, found))
    }

    /// Sums over the rows, in a basis in which no feature is nearly a combination of others.
    fn sum(
        &self,
        chosen: &[usize],
        models: &[ModelSpec],
        told_apart: &mut ToldApart,
        observer: &dyn Observer,
    ) -> Result<Sums> {
        let resolved = if self.device.is_host() { factor::TOLERANCE } else { RESOLVED_BY_FLOAT32 };
        let mut absorbed = self.model.panel_coefficients().select(chosen);
        for k in (0..models.len()).filter(|&k| models[k].penalty.l2 == 0.0) {
            identify::absorb(self.encoding, self.references, absorbed.model_mut(k));
        }
        loop {
            let ToldApart { gram, basis } = told_apart;
            let mut coefficients = absorbed.clone();
            for k in 0..models.len() {
                coefficients.model_mut(k).copy_from_slice(&basis.from_features(absorbed.model(k)));
            }
            let pass = self.pass(models, basis, &coefficients);
            let (table, sums) = pass.run(observer)?;
            check_table(self.model, &table)?;
            for (k, &m) in chosen.iter().enumerate() {
                check_objective(&self.model.models[m], &models[k], coefficients.model(k), &sums[k], &table)?;
            }
            // If an information matrix has full rank, so has the table. Otherwise the Gram matrix of the
            // rows decides.
            let is_clear = |k: usize| {
                models[k].penalty.l2 > 0.0 || self.contrasts.are_told_apart(&sums[k].information, resolved)
            };
            if gram.is_none() && !(0..chosen.len()).all(is_clear) {
                let found = pass.gram(observer)?;
                let identified = self.contrasts.clone().identified(&found);
                // A penalty applies to the features themselves, so the basis must not change.
                let remainders = match self.any_penalised || basis.n_levels() == MAX_LEVELS {
                    true => Vec::new(),
                    false => pass.remainders(&identified, &found, observer)?,
                };
                if !remainders.is_empty() {
                    basis.add(remainders);
                    continue;
                }
                *gram = Some(found);
            }
            return Ok(Sums { table, models: sums, coefficients });
        }
    }

    fn pass<'b>(
        &'b self,
        models: &'b [ModelSpec],
        basis: &'b Basis,
        coefficients: &'b Coefficients,
    ) -> Pass<'b> {
        Pass {
            source: self.source,
            encoding: self.encoding,
            target: &self.target,
            weight: self.options.weight.as_deref(),
            models,
            basis,
            coefficients,
            robust: self.options.robust.is_some(),
            device: self.device,
            matrices: matrices(self.encoding.n_features() + 1, models.len(), self.options),
            memory: self.options.memory,
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "classes are at most some thousands")]
fn spec(model: &Model, m: usize) -> ModelSpec {
    ModelSpec {
        class: model.model_classes()[m] as u32,
        penalty: penalty(model, m),
        positive_weight: 1.0,
        negative_weight: 1.0,
        held_out: HeldOut::NONE,
    }
}
