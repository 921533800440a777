//! When to give up what no longer improves.

use serde::{Deserialize, Serialize};

/// The best score of a model on the held-out rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestScore {
    /// The score, as training saw it.
    pub score: f64,
    /// The epoch, or iteration, that it came after, from 1.
    pub epoch: usize,
}

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
