//! The trained model and its file: one JSON object, readable by a person.
//!
//! The fields of [`Model`] are its keys. What is stored is in the units of the original columns; [`to_panel_units`] and [`to_original_units`] go to and from the numbers that the
//! panels hold.

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
pub use sweep::{Choice, ClassPath, CurvePoint, FeaturePath, PathPoint, SweepRow, SweepTable};
pub(crate) use units::centre_levels;
pub use units::{to_original_units, to_panel_units};

/// Decision threshold of a model, unless set.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// What the stack of models answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One model: is it the positive class?
    Binary,
    /// One model for each class: is it this class?
    OneVsRest,
}

/// A trained model, as its file keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// What the stack of models answers.
    pub task: Task,
    /// Name of the target column.
    pub target: String,
    /// Type of its values.
    pub target_type: TargetType,
    /// Its exact type in the training files, as Arrow writes it: that of predictions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_arrow_type: Option<String>,
    /// The class values, in ascending order.
    pub classes: Vec<String>,
    /// Binary: the class whose probability is modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// Binary: predict the positive class from this probability on, if not one half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Whether the penalty is on standardised coefficients.
    pub standardize: bool,
    /// Whether the models were trained with an intercept.
    pub intercept: bool,
    /// What a NaN in a table is: a null, unless training refused it.
    #[serde(default, skip_serializing_if = "Nan::is_null")]
    pub nan: Nan,
    /// The penalty of every model, on the three usual scales; null where each has its own.
    pub penalty: Option<PenaltyScales>,
    /// How the model came to be.
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
    /// The class that it tells from the others.
    pub class: String,
    /// One-vs-rest: the model speaks for its class from this probability on, if not one half (see
    /// [`Scorer::decide`](crate::predict::Scorer::decide)). It is its own, `sigmoid(z)`, before those of
    /// all classes are scaled to sum to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Intercept, in the units of the original columns.
    pub intercept: f64,
    /// The linear predictor at the means of the numeric columns, where the model has an intercept:
    ///
    /// ```text
    /// z = centred_intercept + sum over numbers j of coefficient_j (x_j - mean_j) + sum over the row's levels
    /// ```
    ///
    /// Of a column with a large mean and a small spread `intercept` has lost these digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centred_intercept: Option<f64>,
    /// One coefficient for each feature, in the units of the original columns.
    pub coefficients: Vec<f64>,
    /// How many of them are not zero.
    pub nonzero: usize,
    /// The objective at these coefficients, in float64.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in float64.
    pub kkt_residual: f64,
    /// How far the objective is above its minimum at most, in float64; null without a penalty.
    pub duality_gap: Option<f64>,
    /// Without a penalty, how far the objective is above its minimum as far as its second derivatives tell, in float64:
    /// the Newton decrement `g' H^-1 g / 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newton_decrement: Option<f64>,
    /// Whether the residual is within the tolerance, the duality gap or Newton decrement within the tolerance times
    /// the objective, and no direction was found to separate the classes.
    pub converged: bool,
    /// Epochs or iterations that this model took.
    pub iterations: usize,
    /// Where it was best on the held-out rows, whose coefficients these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<BestScore>,
    /// Its penalty, where the models do not share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<PenaltyScales>,
}

/// A penalty on the three usual scales. Those that have no value without a penalty are null.
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

    /// The penalty itself.
    pub fn penalty(&self) -> Penalty {
        Penalty { l1: self.l1, l2: self.l2 }
    }
}

/// How a model came to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Rows trained on.
    pub rows: usize,
    /// Rows left out: without a label, or with nulls under `--missing drop`.
    pub rows_dropped: usize,
    /// S: sum of the row weights, the number of rows without weights.
    pub weight_sum: f64,
    /// Column of the row weights, if rows had any; files older than this key have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The solver that ran.
    pub solver: String,
    /// The residual that counted as converged.
    pub tolerance: f64,
    /// The device that ran it.
    pub device: String,
    /// Passes over the table.
    pub passes: f64,
    /// Seed of every random choice.
    pub seed: u64,
    /// Where the time went.
    pub seconds: Seconds,
    /// The version that wrote the file.
    pub logodds_version: String,
    /// How classes were weighted against each other, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// The held-out rows that were watched, if there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<HeldOutRows>,
    /// Why the run ended, in words; null after a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What a user should look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// How the run went; null in files older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<TrainingCurve>,
}

/// The rows that training did not learn from, but was judged on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldOutRows {
    /// How many.
    pub rows: usize,
    /// What models were judged by.
    pub scoring: Scoring,
    /// Epochs without a better score after which a model was stopped, if any number was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
}

impl Training {
    /// Whether a model ended because it no longer improved on the held-out rows, as early stopping means it to.
    pub fn ended_early(&self, model: &FittedModel) -> bool {
        let patience = self.validation.and_then(|held_out| held_out.patience);
        let over = patience
            .zip(model.best)
            .is_some_and(|(patience, best)| model.iterations.saturating_sub(best.epoch) >= patience);
        over && !model.converged
    }
}

/// Where the time of a run went, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Reading and encoding the table.
    pub read: f64,
    /// Training.
    pub train: f64,
    /// From the first to the last moment.
    pub total: f64,
}

impl Model {
    /// How its columns become features.
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

    /// Coefficients and intercepts of all models in panel space: what prediction and certificates compute with.
    pub fn panel_coefficients(&self) -> Coefficients {
        let mut all = to_panel_units(&self.encoding(), &self.coefficients());
        for (m, model) in self.models.iter().enumerate() {
            if let Some(centred) = model.centred_intercept {
                all.model_mut(m)[self.features.len()] = centred;
            }
        }
        all
    }

    /// The index in `classes` that each model tells from the others.
    pub fn model_classes(&self) -> Vec<usize> {
        let index = |model: &FittedModel| self.classes.iter().position(|class| *class == model.class);
        self.models.iter().map(|model| index(model).expect("checked when made or loaded")).collect()
    }

    /// The models of some classes, each once; all, without any.
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

    /// The penalty of a model: its own, or the one that all share.
    pub fn penalty_of(&self, model: &FittedModel) -> PenaltyScales {
        model.penalty.or(self.penalty).expect("checked when loaded: a model has a penalty")
    }

    /// Decision threshold of a binary model.
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or(DEFAULT_THRESHOLD)
    }

    /// Decision threshold of each model, on its own probability `sigmoid(z)`.
    pub fn thresholds(&self) -> Vec<f64> {
        match self.task {
            Task::Binary => vec![self.threshold()],
            Task::OneVsRest => {
                self.models.iter().map(|model| model.threshold.unwrap_or(DEFAULT_THRESHOLD)).collect()
            }
        }
    }
}
