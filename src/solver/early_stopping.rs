//! Stopping what no longer improves on rows that it does not learn from.

use crate::engine::Engine;
use crate::error::Result;
use crate::objective::{Coefficients, ModelSpec};

/// The best loss so far, and how long ago that was.
#[derive(Debug, Clone)]
pub struct Patience {
    limit: usize,
    best: f64,
    best_at: usize,
}

impl Patience {
    /// Ends when `limit` steps brought no better loss.
    pub fn new(limit: usize) -> Self {
        Self { limit, best: f64::INFINITY, best_at: 0 }
    }

    /// Takes note of the loss after `step` steps; whether it is the best so far.
    pub fn note(&mut self, step: usize, loss: f64) -> bool {
        let improves = loss < self.best;
        if improves {
            (self.best, self.best_at) = (loss, step);
        }
        improves
    }

    /// Counts from `step` on: what it brought is as good as the best.
    pub fn hold(&mut self, step: usize) {
        self.best_at = step;
    }

    /// Whether it is at an end after `step` steps.
    pub fn is_over(&self, step: usize) -> bool {
        step - self.best_at >= self.limit
    }
}

/// Held-out rows and the patience with models that do not improve on them.
pub struct Validation<'a> {
    engine: &'a mut dyn Engine,
    patience: usize,
    best: Vec<Best>,
}

struct Best {
    patience: Patience,
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
            self.best.push(Best { patience: Patience::new(self.patience), column: Vec::new() });
        }
        let mut ended = Vec::with_capacity(active.len());
        for (k, ((&m, &loss), &epoch)) in active.iter().zip(&losses).zip(epochs).enumerate() {
            let best = &mut self.best[m];
            if best.patience.note(epoch, loss) {
                best.column = point.model(k).to_vec();
            }
            ended.push(best.patience.is_over(epoch));
        }
        Ok((losses.iter().sum::<f64>() / losses.len().max(1) as f64, ended))
    }

    /// The column of model `m` with the best loss so far, if it was ever scored.
    pub(super) fn best(&self, m: usize) -> Option<&[f64]> {
        self.best.get(m).map(|best| best.column.as_slice()).filter(|column| !column.is_empty())
    }
}
