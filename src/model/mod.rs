//! The trained model and its file, one readable JSON object.
//!
//! The fields of [`Model`] are the keys of the file. Coefficients are stored in the units of the original
//! columns; [`to_panel_units`] and [`to_original_units`] convert them to and from the units of the panels.

mod check;
mod curve;
mod file;
mod sweep;
mod text;
mod units;

use serde::{Deserialize, Serialize};

use crate::config::{ClassWeight, Scoring};
use crate::data::{Column, Encoding, Nan, Target, TargetType};
use crate::error::{InferenceError, Result};
use crate::objective::{Coefficients, Penalty};
use crate::scoring::BestScore;
pub use curve::{CurveRecorder, CurveStep, TrainingCurve};
pub use file::VERSION;
pub use sweep::{ChosenPenalty, ClassPath, CurvePoint, FeaturePath, PathPoint, SweepRow, SweepTable};
pub(crate) use units::centre_levels;
pub use units::{to_original_units, to_panel_units};

/// Default decision threshold.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// The task of the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One model: does a row belong to the positive class?
    Binary,
    /// One model for each class: does a row belong to this class?
    OneVsRest,
}

/// A trained model, as in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The task of the models.
    pub task: Task,
    /// Name of the target column.
    pub target: String,
    /// Type of the target values.
    pub target_type: TargetType,
    /// Exact Arrow type of the target in the training files, which is also the type of predictions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_arrow_type: Option<String>,
    /// The class values, in ascending order.
    pub classes: Vec<String>,
    /// Binary: the class whose probability is modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// Binary: predict the positive class at or above this probability; `None` for one half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Whether the penalty is on standardised coefficients.
    pub standardize: bool,
    /// Whether the models were trained with an intercept.
    pub intercept: bool,
    /// The meaning of a NaN in a table: a null, unless training refused NaN.
    #[serde(default, skip_serializing_if = "Nan::is_null")]
    pub nan: Nan,
    /// The penalty of every model, on the three usual scales; null if each model has its own.
    pub penalty: Option<PenaltyScales>,
    /// How the model was trained.
    pub training: Training,
    /// The sweep that chose the penalty, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepTable>,
    /// The input columns, in encoding order.
    pub columns: Vec<Column>,
    /// Names of the encoded features: a level is `column=value`, the null level `column=null`.
    pub features: Vec<String>,
    /// The models: one if binary, else one for each class in the order of `classes`.
    pub models: Vec<FittedModel>,
}

/// One model of the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedModel {
    /// The class that the model separates from all others.
    pub class: String,
    /// One-vs-rest: the threshold of this model, one half if `None` (see
    /// [`Scorer::decide`](crate::predict::Scorer::decide)). It applies to the model's own probability
    /// `sigmoid(z)`, before the probabilities of all classes are scaled to sum to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Intercept, in the units of the original columns.
    pub intercept: f64,
    /// The linear predictor at the means of the numeric columns, if the model has an intercept:
    ///
    /// ```text
    /// z = centred_intercept + sum over numbers j of coefficient_j (x_j - mean_j) + sum over the row's levels
    /// ```
    ///
    /// For a column with a large mean and a small spread, `intercept` has lost these digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centred_intercept: Option<f64>,
    /// One coefficient for each feature, in the units of the original columns.
    pub coefficients: Vec<f64>,
    /// Number of nonzero coefficients.
    pub nonzero: usize,
    /// The objective at these coefficients, in float64.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in float64.
    pub kkt_residual: f64,
    /// Upper bound on the distance of the objective from its minimum, in float64; null without a penalty.
    pub duality_gap: Option<f64>,
    /// Without a penalty: the Newton decrement `g' H^-1 g / 2` in float64, an estimate of the distance of the
    /// objective from its minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newton_decrement: Option<f64>,
    /// Whether the residual is within the tolerance, the duality gap or Newton decrement is within the
    /// tolerance times the objective, and no direction was found that separates the classes.
    pub converged: bool,
    /// Epochs or iterations of this model.
    pub iterations: usize,
    /// The best epoch on the held-out rows; the coefficients are from this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<BestScore>,
    /// The penalty of this model, if the models do not share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<PenaltyScales>,
}

/// A penalty on the three usual scales. A scale that is undefined without a penalty is null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PenaltyScales {
    /// Weight of the absolute values in the mean objective.
    pub l1: f64,
    /// Weight of half the squares in the mean objective.
    pub l2: f64,
    /// scikit-learn: `1 / ((l1 + l2) n)`.
    pub c: Option<f64>,
    /// scikit-learn: `l1 / (l1 + l2)`.
    pub l1_ratio: Option<f64>,
    /// glmnet: `l1 + l2`.
    pub lambda: f64,
    /// glmnet: `l1 / (l1 + l2)`.
    pub alpha: Option<f64>,
}

impl PenaltyScales {
    /// The scales of `penalty` for a table whose row weights add up to `weight_sum`.
    pub fn new(penalty: Penalty, weight_sum: f64) -> Self {
        let lambda = penalty.l1 + penalty.l2;
        let some = |value: f64| (lambda > 0.0).then_some(value);
        Self {
            l1: penalty.l1,
            l2: penalty.l2,
            c: some(1.0 / (lambda * weight_sum)).filter(|c| c.is_finite()),
            l1_ratio: some(penalty.l1 / lambda),
            lambda,
            alpha: some(penalty.l1 / lambda),
        }
    }

    /// The penalty as weights in the mean objective.
    pub fn penalty(&self) -> Penalty {
        Penalty { l1: self.l1, l2: self.l2 }
    }
}

/// How a model was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Rows trained on.
    pub rows: usize,
    /// Rows left out: without a label, or with nulls under `--missing drop`.
    pub rows_dropped: usize,
    /// S: sum of the row weights; the number of rows, if they have no weights.
    pub weight_sum: f64,
    /// Column of the row weights, if any; files older than this key have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The solver that ran.
    pub solver: String,
    /// The residual at which a model counts as converged.
    pub tolerance: f64,
    /// The device.
    pub device: String,
    /// Passes over the table.
    pub passes: f64,
    /// Seed of every random choice.
    pub seed: u64,
    /// Times of the parts of the run.
    pub seconds: Seconds,
    /// The version that wrote the file.
    pub logodds_version: String,
    /// How the classes were weighted, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// The held-out rows, if there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<HeldOutRows>,
    /// Why the run ended, in words; null for a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Warnings for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The curve of the run; null in files older than this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<TrainingCurve>,
}

/// Rows on which training scored models, but from which it did not learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldOutRows {
    /// Number of rows.
    pub rows: usize,
    /// The score of the models.
    pub scoring: Scoring,
    /// Epochs without a better score after which a model was stopped, if there was a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
}

impl Training {
    /// Whether early stopping ended the model, because its score on the held-out rows no longer improved.
    pub fn ended_early(&self, model: &FittedModel) -> bool {
        let patience = self.validation.and_then(|held_out| held_out.patience);
        let over = patience
            .zip(model.best)
            .is_some_and(|(patience, best)| model.iterations.saturating_sub(best.epoch) >= patience);
        over && !model.converged
    }
}

/// Times of a run, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Reading and encoding the table.
    pub read: f64,
    /// Training.
    pub train: f64,
    /// From start to end.
    pub total: f64,
}

impl Model {
    /// The encoding of the columns as features.
    pub fn encoding(&self) -> Encoding {
        Encoding {
            columns: self.columns.clone(),
            standardize: self.standardize,
            intercept: self.intercept,
            nan: self.nan,
        }
    }

    /// The target column and its classes.
    pub fn target(&self) -> Target {
        Target {
            name: self.target.clone(),
            data_type: self.target_type,
            arrow_type: self.target_arrow_type.clone(),
            classes: self.classes.clone(),
        }
    }

    /// Coefficients and intercepts of all models, in the units of the original columns.
    pub fn coefficients(&self) -> Coefficients {
        let n_features = self.features.len();
        let mut all = Coefficients::zeros(n_features, self.models.len());
        for (m, model) in self.models.iter().enumerate() {
            let column = all.model_mut(m);
            column[..n_features].copy_from_slice(&model.coefficients);
            column[n_features] = model.intercept;
        }
        all
    }

    /// Coefficients and intercepts of all models in the units of the panels, which predictions and
    /// certificates use.
    pub fn panel_coefficients(&self) -> Coefficients {
        let mut all = to_panel_units(&self.encoding(), &self.coefficients());
        for (m, model) in self.models.iter().enumerate() {
            if let Some(centred) = model.centred_intercept {
                all.model_mut(m)[self.features.len()] = centred;
            }
        }
        all
    }

    /// For each model, the index of its class in `classes`.
    pub fn model_classes(&self) -> Vec<usize> {
        let index = |model: &FittedModel| self.classes.iter().position(|class| *class == model.class);
        self.models.iter().map(|model| index(model).expect("checked when made or loaded")).collect()
    }

    /// The models of some classes, each once; all models, if no class is named.
    ///
    /// # Errors
    /// [`InferenceError::UnknownClass`].
    pub fn models_of(&self, classes: &[String]) -> Result<Vec<usize>> {
        if classes.is_empty() {
            return Ok((0..self.models.len()).collect());
        }
        let mut found: Vec<usize> = Vec::new();
        for class in classes {
            let own = self.models.iter().position(|model| model.class == *class);
            let known = self.models.iter().map(|model| model.class.as_str());
            let m = own.ok_or_else(|| InferenceError::unknown_class(class, known))?;
            if !found.contains(&m) {
                found.push(m);
            }
        }
        Ok(found)
    }

    /// The penalty of a model: its own, or the shared one.
    pub fn penalty_of(&self, model: &FittedModel) -> PenaltyScales {
        model.penalty.or(self.penalty).expect("checked when loaded: a model has a penalty")
    }

    /// Decision threshold of a binary model.
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or(DEFAULT_THRESHOLD)
    }

    /// Decision threshold of each model, on its probability `sigmoid(z)`.
    pub fn thresholds(&self) -> Vec<f64> {
        match self.task {
            Task::Binary => vec![self.threshold()],
            Task::OneVsRest => {
                self.models.iter().map(|model| model.threshold.unwrap_or(DEFAULT_THRESHOLD)).collect()
            }
        }
    }
}
