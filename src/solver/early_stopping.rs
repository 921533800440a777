//! Stopping models that no longer improve on rows that they do not learn from.

use crate::config::Scoring;
use crate::engine::Engine;
use crate::error::Result;
use crate::objective::{Coefficients, HeldOut, ModelSpec};
use crate::panels::{Panels, Rows};
use crate::scoring::{BestScore, Patience, score};

/// Held-out rows, and the patience with models that do not improve on them.
pub struct Validation<'a> {
    engine: &'a mut dyn Engine,
    panels: &'a Panels,
    rows: &'a Rows,
    scoring: Scoring,
    patience: usize,
    best: Vec<Best>,
    record: Option<&'a mut [Option<BestScore>]>,
}

struct Best {
    patience: Patience,
    column: Vec<f64>,
}

/// What the models of a stack make of the held-out rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Validated {
    /// Mean log loss over the models.
    pub loss: f64,
    /// Mean of the score that they are watched by, over those where it is defined.
    pub score: Option<f64>,
}

impl<'a> Validation<'a> {
    /// `engine` holds the held-out table, `panels` and `rows`; a model stops after `patience` epochs without a better score.
    pub fn new(
        engine: &'a mut dyn Engine,
        (panels, rows): (&'a Panels, &'a Rows),
        scoring: Scoring,
        patience: usize,
    ) -> Self {
        Self { engine, panels, rows, scoring, patience, best: Vec::new(), record: None }
    }

    /// The same, which keeps in `record`, an entry for each model, when a model was best.
    #[must_use]
    pub fn recording(self, record: &'a mut [Option<BestScore>]) -> Self {
        Self { record: Some(record), ..self }
    }

    /// Scores the models `active` of the stack after `epochs` of their own; returns the means, and for each of them
    /// whether its patience is at an end. A model whose score is not defined is waited for.
    pub(super) fn score(
        &mut self,
        models: &[ModelSpec],
        active: &[usize],
        point: &Coefficients,
        epochs: &[usize],
    ) -> Result<(Validated, Vec<bool>)> {
        let plain = |model: &ModelSpec| ModelSpec { positive_weight: 1.0, negative_weight: 1.0, ..*model };
        let models: Vec<ModelSpec> = models.iter().map(plain).collect();
        let losses = self.engine.evaluate(&models, point)?.loss;
        let scores: Vec<Option<f64>> = match self.scoring {
            Scoring::LogLoss => losses.iter().copied().map(Some).collect(),
            scoring => {
                let held_out: Vec<ModelSpec> =
                    models.iter().map(|model| ModelSpec { held_out: HeldOut::fold(0), ..*model }).collect();
                score(scoring, self.panels, self.rows, &held_out, point)
            }
        };
        let stacked = active.last().map_or(0, |m| m + 1);
        while self.best.len() < stacked {
            self.best.push(Best { patience: Patience::new(self.patience), column: Vec::new() });
        }
        let mut ended = Vec::with_capacity(active.len());
        for (k, ((&m, &score), &epoch)) in active.iter().zip(&scores).zip(epochs).enumerate() {
            let best = &mut self.best[m];
            match score {
                Some(score) if best.patience.note(epoch, self.scoring.loss(score)) => {
                    best.column = point.model(k).to_vec();
                    if let Some(record) = &mut self.record {
                        record[m] = Some(BestScore { score, epoch });
                    }
                }
                Some(_) => {}
                None => best.patience.hold(epoch),
            }
            ended.push(best.patience.is_over(epoch));
        }
        let defined: Vec<f64> = scores.into_iter().flatten().collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let validated =
            Validated { loss: mean(&losses), score: (!defined.is_empty()).then(|| mean(&defined)) };
        Ok((validated, ended))
    }

    /// The column of model `m` with the best score so far, if it was ever scored.
    pub(super) fn best(&self, m: usize) -> Option<&[f64]> {
        self.best.get(m).map(|best| best.column.as_slice()).filter(|column| !column.is_empty())
    }
}
