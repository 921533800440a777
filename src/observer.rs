//! Who listens to a command while it works.

use serde::Serialize;

/// Listens to a run; every method has a default that does nothing.
pub trait Observer: Sync {
    /// Something worth knowing, in a sentence.
    fn message(&self, text: &str) {
        let _ = text;
    }

    /// Rows read so far.
    fn reading(&self, rows_done: usize, rows_total: usize) {
        let _ = (rows_done, rows_total);
    }

    /// Drawn tables that are ranked so far.
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

    /// Whether to stop: training after this epoch, keeping what there is; anything else at once.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// The state of the stack after an epoch: a line of `--metrics`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochReport {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Bound on the epochs.
    pub epochs: usize,
    /// Readings of X so far, counted in whole tables.
    pub passes: f64,
    /// Mean objective over the models.
    pub objective: f64,
    /// Largest optimality residual of the models.
    pub kkt_residual: f64,
    /// Models still in training.
    pub models_active: usize,
    /// Models within the tolerance.
    pub models_converged: usize,
    /// Rows of the epoch by its duration.
    pub rows_per_second: f64,
    /// Seconds since training began.
    pub elapsed_secs: f64,
    /// Mean log loss over the models on the validation rows.
    pub validation_loss: Option<f64>,
    /// Mean of the score that patience watches, over the models where it is defined.
    pub validation_score: Option<f64>,
}

/// The state of a sweep after a pass: a line of `--metrics`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepProgress {
    /// Models of the sweep.
    pub models: usize,
    /// Of these, those that are trained.
    pub done: usize,
    /// Those in this wave that are not.
    pub running: usize,
    /// Readings of X so far, counted in whole tables.
    pub passes: f64,
    /// Largest optimality residual of the running models.
    pub kkt_residual: f64,
    /// Seconds since training began.
    pub elapsed_secs: f64,
    /// Seconds to go, by how far the running models are.
    pub remaining_secs: f64,
}
