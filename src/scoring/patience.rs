//! Early stopping of models that no longer improve.

use serde::{Deserialize, Serialize};

/// The best score of a model on the held-out rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestScore {
    /// The score during training.
    pub score: f64,
    /// The number of epochs or iterations after which it was reached, from 1.
    pub epoch: usize,
}

/// The best loss so far, and the step at which it was reached.
#[derive(Debug, Clone)]
pub struct Patience {
    limit: usize,
    best: f64,
    best_at: usize,
}

impl Patience {
    /// Ends after `limit` steps without a better loss.
    pub fn new(limit: usize) -> Self {
        Self { limit, best: f64::INFINITY, best_at: 0 }
    }

    /// Records the loss after `step` steps. Returns whether it is the best so far.
    pub fn note(&mut self, step: usize, loss: f64) -> bool {
        let improves = loss < self.best;
        if improves {
            (self.best, self.best_at) = (loss, step);
        }
        improves
    }

    /// Counts `step` as an improvement, so that patience starts again there.
    pub fn hold(&mut self, step: usize) {
        self.best_at = step;
    }

    /// Whether patience has run out after `step` steps.
    pub fn is_over(&self, step: usize) -> bool {
        step - self.best_at >= self.limit
    }
}
