//! The results of a sweep, as plain tables.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::{Rule, Scoring};
use crate::data::FoldName;

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// L1 weight in the mean objective of this model.
    pub l1: f64,
    /// L2 weight in the mean objective of this model.
    pub l2: f64,
    /// scikit-learn's inverse strength C for the rows that the model learned from.
    pub c: Option<f64>,
    /// Share of L1; null without a penalty.
    pub l1_ratio: Option<f64>,
    /// The class that the model separates from all others; null if the target has two classes.
    pub class: Option<String>,
    /// The fold that it is scored on; null for the refit on all rows.
    pub fold: Option<FoldName>,
    /// Score of this model on the fold (its class against the rest); null if the score is not defined there.
    /// The curve has the score of all classes together.
    pub score: Option<f64>,
    /// The objective at its coefficients, in float64.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in float64.
    pub kkt_residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
    /// Number of nonzero coefficients.
    pub nonzero: usize,
    /// Iterations of this model.
    pub iterations: usize,
}

/// One point of a cross-validation curve: the scores of a penalty over the folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// L1 weight, for all rows.
    pub l1: f64,
    /// L2 weight, for all rows.
    pub l2: f64,
    /// scikit-learn's inverse strength, for all rows.
    pub c: Option<f64>,
    /// Share of L1; null without a penalty.
    pub l1_ratio: Option<f64>,
    /// The class of the curve; null if one curve serves all classes.
    pub class: Option<String>,
    /// Mean score over the folds where it is defined; null if there is none.
    pub mean: Option<f64>,
    /// Standard error: the standard deviation over the folds, divided by the square root of their number.
    pub standard_error: Option<f64>,
    /// Number of nonzero coefficients, mean over the models; null if no model was trained.
    pub nonzero: Option<f64>,
    /// Whether the point has the best mean score.
    pub best: bool,
    /// Whether the point was chosen.
    pub chosen: bool,
}

/// A penalty that was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChosenPenalty {
    /// L1 weight.
    pub l1: f64,
    /// L2 weight.
    pub l2: f64,
    /// scikit-learn's inverse strength.
    pub c: Option<f64>,
    /// Share of L1; null without a penalty.
    pub l1_ratio: Option<f64>,
    /// The class for which it was chosen; null if one penalty serves all classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// Coefficients at one penalty: one point of the coefficient paths.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPoint {
    /// L1 weight, for all rows.
    pub l1: f64,
    /// L2 weight, for all rows.
    pub l2: f64,
    /// Share of L1 of the path.
    pub l1_ratio: f64,
    /// The class of the models; `None` if the target has two classes.
    pub class: Option<String>,
    /// The coefficient of each feature, in the units of the original column, mean over the folds.
    pub coefficients: Vec<f64>,
}

/// The path of one class at the L1 share chosen for it, with its largest coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassPath {
    /// The class of the models; null if the target has two classes.
    pub class: Option<String>,
    /// Share of L1.
    pub l1_ratio: f64,
    /// The penalties `l1 + l2`, for all rows, descending.
    pub lambda: Vec<f64>,
    /// Number of features on the path; some of them are kept in `features`.
    pub n_features: usize,
    /// The features with the largest coefficients at the end of the path; earlier coefficients break ties.
    pub features: Vec<FeaturePath>,
}

/// The path of one coefficient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeaturePath {
    /// Name of the encoded feature.
    pub feature: String,
    /// The coefficient at each penalty, in the units of the original column, mean over the folds.
    pub coefficients: Vec<f64>,
    /// Factor that gives the coefficient of the standardised column, as it is penalised.
    #[serde(default = "one")]
    pub scale: f64,
}

/// Files of older versions hold coefficients of standardised columns.
fn one() -> f64 {
    1.0
}

/// The results of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// The score that compared the models.
    pub scoring: Scoring,
    /// Whether larger scores are better.
    pub greater_is_better: bool,
    /// The rule that chose the penalty.
    pub rule: Rule,
    /// The chosen penalties: one object, or a list with one for each class.
    #[serde(serialize_with = "one_or_many", deserialize_with = "many_of_one_or_many")]
    pub chosen: Vec<ChosenPenalty>,
    /// The curves by L1 share and class, each from the largest penalty to the smallest.
    pub curve: Vec<CurvePoint>,
    /// The result of every model.
    pub results: Vec<SweepRow>,
    /// Number of models that were not trained: past the best penalty of their path, or with rows of only one
    /// side.
    pub skipped: usize,
    /// Warnings for a reader of the results.
    pub warnings: Vec<String>,
    /// Paths of the first classes, each with its largest coefficients; none in files older than this key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<ClassPath>,
}

impl SweepTable {
    /// The penalty chosen for a class, or for all classes.
    pub fn chosen_for(&self, class: Option<&str>) -> Option<&ChosenPenalty> {
        let own = self.chosen.iter().find(|choice| choice.class.as_deref() == class);
        own.or_else(|| self.chosen.iter().find(|choice| choice.class.is_none()))
    }

    /// The chosen penalties, as written in files and reports.
    pub fn chosen_value(&self) -> serde_json::Value {
        one_or_many(&self.chosen, serde_json::value::Serializer).unwrap_or_default()
    }
}

fn one_or_many<S: Serializer>(chosen: &[ChosenPenalty], serializer: S) -> Result<S::Ok, S::Error> {
    match chosen {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}

fn many_of_one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ChosenPenalty>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Chosen {
        One(ChosenPenalty),
        Many(Vec<ChosenPenalty>),
    }
    Ok(match Chosen::deserialize(deserializer)? {
        Chosen::One(one) => vec![one],
        Chosen::Many(many) => many,
    })
}
