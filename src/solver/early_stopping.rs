//! Stopping a model when its loss on held-out rows stops improving.

use crate::engine::Engine;
use crate::error::Result;
use crate::objective::{Coefficients, ModelSpec};

/// Held-out rows and the patience with models that do not improve on them.
pub struct Validation<'a> {
    engine: &'a mut dyn Engine,
    patience: usize,
    best: Vec<Best>,
}

struct Best {
    loss: f64,
    epoch: usize,
    column: Vec<f64>,
}

impl<'a> Validation<'a> {
    /// `engine` holds the held-out rows; a model stops after `patience` epochs without a new best loss.
    pub fn new(engine: &'a mut dyn Engine, patience: usize) -> Self {
        Self { engine, patience, best: Vec::new() }
    }

    /// Scores the models `active` of the stack after `epochs` of their own; returns the mean loss, and for each
    /// of them whether its patience is at an end.
    pub(super) fn score(
        &mut self,
        models: &[ModelSpec],
        active: &[usize],
        point: &Coefficients,
        epochs: &[usize],
    ) -> Result<(f64, Vec<bool>)> {
        let losses = self.engine.evaluate(models, point)?.loss;
        let stacked = active.last().map_or(0, |m| m + 1);
        while self.best.len() < stacked {
            self.best.push(Best { loss: f64::INFINITY, epoch: 0, column: Vec::new() });
        }
        let mut ended = Vec::with_capacity(active.len());
        for (k, ((&m, &loss), &epoch)) in active.iter().zip(&losses).zip(epochs).enumerate() {
            let best = &mut self.best[m];
            if loss < best.loss {
                *best = Best { loss, epoch, column: point.model(k).to_vec() };
            }
            ended.push(epoch - best.epoch >= self.patience);
        }
        Ok((losses.iter().sum::<f64>() / losses.len().max(1) as f64, ended))
    }

    /// The column of model `m` with the best loss so far, if it was ever scored.
    pub(super) fn best(&self, m: usize) -> Option<&[f64]> {
        self.best.get(m).map(|best| best.column.as_slice()).filter(|column| !column.is_empty())
    }
}
