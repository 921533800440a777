//! What a sweep found, as plain tables.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::{Rule, Scoring};
use crate::data::FoldName;

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// Weight of the absolute values in its mean objective.
    pub l1: f64,
    /// Weight of half the squares in its mean objective.
    pub l2: f64,
    /// scikit-learn's inverse strength, for the rows that it learned from.
    pub c: Option<f64>,
    /// Share of L1; null without a penalty.
    pub l1_ratio: Option<f64>,
    /// The class that it tells from the others; null where the target has two.
    pub class: Option<String>,
    /// The fold that it is scored on; null for the refit on all rows.
    pub fold: Option<FoldName>,
    /// Its own score there, its class against the rest; null where the fold does not define one. What all classes make of
    /// a penalty together is in the curve.
    pub score: Option<f64>,
    /// The objective at its coefficients, in float64.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in float64.
    pub kkt_residual: f64,
    /// Whether that is within the tolerance.
    pub converged: bool,
    /// Coefficients that are not zero.
    pub nonzero: usize,
    /// Iterations that it took.
    pub iterations: usize,
}

/// One point of a cross-validation curve: a penalty, over its folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Weight of the absolute values, for all rows.
    pub l1: f64,
    /// Weight of half the squares, for all rows.
    pub l2: f64,
    /// scikit-learn's inverse strength, for all rows.
    pub c: Option<f64>,
    /// Share of L1; null without a penalty.
    pub l1_ratio: Option<f64>,
    /// The class that it is the curve of; null where one curve serves all.
    pub class: Option<String>,
    /// Mean score over the folds that define one; null where none does.
    pub mean: Option<f64>,
    /// Standard deviation over the folds, divided by the root of their number.
    pub standard_error: Option<f64>,
    /// Coefficients that are not zero, mean over the models; null where none was trained.
    pub nonzero: Option<f64>,
    /// Whether its mean is the best.
    pub best: bool,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// A penalty that was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Weight of the absolute values.
    pub l1: f64,
    /// Weight of half the squares.
    pub l2: f64,
    /// scikit-learn's inverse strength.
    pub c: Option<f64>,
    /// Share of L1; null without a penalty.
    pub l1_ratio: Option<f64>,
    /// The class that it was chosen for; null where one serves all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// Coefficients at one penalty: a point of each coefficient's path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPoint {
    /// Weight of the absolute values, for all rows.
    pub l1: f64,
    /// Weight of half the squares, for all rows.
    pub l2: f64,
    /// Share of L1 of the path.
    pub l1_ratio: f64,
    /// The class of the models; none where the target has two.
    pub class: Option<String>,
    /// One coefficient for each feature, in the units of the original column, mean over the folds.
    pub coefficients: Vec<f64>,
}

/// The path of one class, at the share of L1 that was chosen for it, and its largest coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassPath {
    /// The class of the models; null where the target has two.
    pub class: Option<String>,
    /// Share of L1.
    pub l1_ratio: f64,
    /// The penalties `l1 + l2`, for all rows, descending.
    pub lambda: Vec<f64>,
    /// Features that the path has, of which some are kept.
    pub n_features: usize,
    /// The features with the largest coefficients at its end; of those equal there, with the largest before.
    pub features: Vec<FeaturePath>,
}

/// One coefficient along a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeaturePath {
    /// Name of the encoded feature.
    pub feature: String,
    /// Its coefficient at each penalty, in the units of the original column, mean over the folds.
    pub coefficients: Vec<f64>,
    /// What a coefficient is multiplied by to be that of the standardised column, as it is penalised.
    #[serde(default = "one")]
    pub scale: f64,
}

/// Files of older versions keep coefficients of standardised columns.
fn one() -> f64 {
    1.0
}

/// A whole sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// What models were compared by.
    pub scoring: Scoring,
    /// Whether larger scores are better.
    pub greater_is_better: bool,
    /// Which point was chosen.
    pub rule: Rule,
    /// The penalties chosen: one, written as an object, or one for each class, as a list.
    #[serde(serialize_with = "one_or_many", deserialize_with = "many_of_one_or_many")]
    pub chosen: Vec<Choice>,
    /// The curves, by share of L1 and class, from the largest penalty on.
    pub curve: Vec<CurvePoint>,
    /// Every model.
    pub results: Vec<SweepRow>,
    /// Models that were not trained: past the best of their path, or with one side of a class only to learn from.
    pub skipped: usize,
    /// What a reader of the table should know.
    pub warnings: Vec<String>,
    /// Paths of the first classes, each with its largest coefficients; none in files older than it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<ClassPath>,
}

impl SweepTable {
    /// What was chosen for a class, or for all.
    pub fn chosen_for(&self, class: Option<&str>) -> Option<&Choice> {
        let own = self.chosen.iter().find(|choice| choice.class.as_deref() == class);
        own.or_else(|| self.chosen.iter().find(|choice| choice.class.is_none()))
    }

    /// What was chosen, as files and reports have it.
    pub fn chosen_value(&self) -> serde_json::Value {
        one_or_many(&self.chosen, serde_json::value::Serializer).unwrap_or_default()
    }
}

fn one_or_many<S: Serializer>(chosen: &[Choice], serializer: S) -> Result<S::Ok, S::Error> {
    match chosen {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}

fn many_of_one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Choice>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Chosen {
        One(Choice),
        Many(Vec<Choice>),
    }
    Ok(match Chosen::deserialize(deserializer)? {
        Chosen::One(one) => vec![one],
        Chosen::Many(many) => many,
    })
}
