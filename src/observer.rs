//! Observers of a running command.

use serde::Serialize;

/// Follows a run; every method does nothing by default.
pub trait Observer: Sync {
    /// A message for the user, in one sentence.
    fn message(&self, text: &str) {
        let _ = text;
    }

    /// Rows read so far.
    fn reading(&self, rows_done: usize, rows_total: usize) {
        let _ = (rows_done, rows_total);
    }

    /// Bootstrap resamples ranked so far.
    fn drawing(&self, tables_done: usize, tables_total: usize) {
        let _ = (tables_done, tables_total);
    }

    /// An epoch or iteration is over.
    fn epoch(&self, report: &EpochReport) {
        let _ = report;
    }

    /// A pass of a sweep is over.
    fn sweep(&self, progress: &SweepProgress) {
        let _ = progress;
    }

    /// Whether to stop. Training stops after the current epoch and keeps its model; other work stops at once.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// The state of all models after an epoch: a line of `--metrics`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochReport {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Most epochs.
    pub epochs: usize,
    /// Passes over X so far; a sample counts as its share of the table.
    pub passes: f64,
    /// Mean objective over the models.
    pub objective: f64,
    /// Largest optimality residual of the models.
    pub kkt_residual: f64,
    /// Models still in training.
    pub models_active: usize,
    /// Models within the tolerance.
    pub models_converged: usize,
    /// Rows of the epoch, divided by its duration.
    pub rows_per_second: f64,
    /// Seconds since training began.
    pub elapsed_secs: f64,
    /// Log loss on the validation rows, mean over the models.
    pub validation_loss: Option<f64>,
    /// The score that patience watches, mean over the models for which it is defined.
    pub validation_score: Option<f64>,
}

/// The state of a sweep after a pass: a line of `--metrics`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepProgress {
    /// Models of the sweep.
    pub models: usize,
    /// Models that are trained.
    pub done: usize,
    /// Models of this wave that are still in training.
    pub running: usize,
    /// Passes over X so far; a sample counts as its share of the table.
    pub passes: f64,
    /// Largest optimality residual of the running models.
    pub kkt_residual: f64,
    /// Seconds since training began.
    pub elapsed_secs: f64,
    /// Estimated seconds left, from the progress of the running models.
    pub remaining_secs: f64,
}
