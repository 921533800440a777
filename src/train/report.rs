//! The report of a training run.

use serde::Serialize;

use crate::model::{Model, Seconds};
use crate::solver::Stop;

/// A finished run: the model and its report.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model, not yet written anywhere.
    pub model: Model,
    /// The run.
    pub report: TrainReport,
}

impl Trained {
    /// Adds a warning to the report and to the model.
    pub(super) fn warn(&mut self, warning: String) {
        self.model.training.warnings.push(warning.clone());
        self.report.warnings.push(warning);
    }
}

/// Facts about a run for the user.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// The device that ran the passes.
    pub device: String,
    /// Why this device was chosen.
    pub device_reason: String,
    /// Rows trained on.
    pub rows: usize,
    /// Rows left out.
    pub rows_dropped: usize,
    /// Encoded features.
    pub n_features: usize,
    /// The solver that ran.
    pub solver: String,
    /// Epochs or iterations done.
    pub epochs: usize,
    /// Why the run stopped.
    pub stopped: String,
    /// Why each model stopped, from which the advice follows.
    #[serde(skip)]
    pub stops: Vec<Stop>,
    /// Passes over the table.
    pub passes: f64,
    /// Times of the parts of the run.
    pub seconds: Seconds,
    /// Bytes of X read by all passes together.
    pub bytes: u64,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}
