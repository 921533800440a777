//! What a training run tells at its end.

use serde::Serialize;

use crate::model::{Model, Seconds};
use crate::solver::Stop;

/// A finished run: the model, and what people want to know of the run.
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

/// What people want to know of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// What ran the passes.
    pub device: String,
    /// Why that device.
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
    /// Why it stopped after them.
    pub stopped: String,
    /// The same of each model, to tell what helps.
    #[serde(skip)]
    pub stops: Vec<Stop>,
    /// Passes over the table.
    pub passes: f64,
    /// Where the time went.
    pub seconds: Seconds,
    /// Bytes of X read by all passes together.
    pub bytes: u64,
    /// What a user should look at.
    pub warnings: Vec<String>,
}
