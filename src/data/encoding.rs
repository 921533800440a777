//! How columns become features: the encoding that training learns and the model file stores.

use super::Nan;
use serde::{Deserialize, Serialize};

/// The kind of an input column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// One feature: the value, nulls replaced by `missing`.
    Numeric,
    /// One feature: 0 or 1, nulls replaced by `missing`.
    Boolean,
    /// One 0/1 feature per level.
    Categorical,
}

/// What the numbers of a date or time column count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Temporal {
    /// Days since the epoch.
    Date,
    /// Seconds since the epoch.
    Timestamp,
    /// Seconds of the day.
    Time,
    /// Seconds.
    Duration,
}

/// The unit of a duration column in the files. Parquet has no duration type, so other programs see integers
/// in this unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Microseconds.
    #[serde(rename = "us")]
    Microsecond,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanosecond,
}

impl Unit {
    /// Units per second.
    pub fn per_second(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Millisecond => 1e3,
            Self::Microsecond => 1e6,
            Self::Nanosecond => 1e9,
        }
    }
}

/// The type of a column's levels, if it is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelType {
    /// Integers of any width.
    Integer,
    /// true and false.
    Boolean,
}

/// One input column, as seen in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name in the files.
    pub name: String,
    /// Kind.
    pub kind: ColumnKind,
    /// Numeric: weighted mean of the training column, nulls filled. Boolean: share of true. Categorical:
    /// null.
    pub mean: Option<f64>,
    /// Numeric: the divisor of the centred value (1 if the column is constant or not standardised).
    /// Boolean: 1. Categorical: null.
    pub scale: Option<f64>,
    /// Numeric and boolean: the replacement for nulls; null if nulls are not filled (`--missing drop|error`).
    pub missing: Option<f64>,
    /// Numeric: what the numbers count, for columns of dates, times and durations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporal: Option<Temporal>,
    /// Durations: the unit in the first training file. Older model files lack this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Categorical: the type of the levels in the files; text if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_type: Option<LevelType>,
    /// Categorical: the levels in ascending order. A null entry, always last, is the level of nulls.
    pub levels: Option<Vec<Option<String>>>,
}

impl Column {
    /// Number of features of the column: one per level of a categorical column, else 1.
    pub fn width(&self) -> usize {
        self.levels.as_ref().map_or(1, Vec::len)
    }
}

/// All input columns in encoding order, and how the objective scales them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The columns, in the order of their features.
    pub columns: Vec<Column>,
    /// Whether numeric columns are standardised in the objective.
    pub standardize: bool,
    /// Whether the models have an intercept.
    pub intercept: bool,
    /// How a NaN is treated.
    #[serde(default, skip_serializing_if = "Nan::is_null")]
    pub nan: Nan,
}

impl Encoding {
    /// Names of the encoded features: `column`, `column=level` or `column=null`.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for column in &self.columns {
            match &column.levels {
                None => names.push(column.name.clone()),
                Some(levels) => names.extend(
                    levels
                        .iter()
                        .map(|level| format!("{}={}", column.name, level.as_deref().unwrap_or("null"))),
                ),
            }
        }
        names
    }

    /// Number of encoded features.
    pub fn n_features(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// `(centre, scale)` of each feature: the panels hold `(value - centre) / scale`.
    ///
    /// With an intercept, numeric columns are centred even if the objective is not standardised: this leaves
    /// the coefficients unchanged and improves the conditioning. Without an intercept they are only scaled,
    /// since centring would add an intercept.
    pub fn panel_transform(&self) -> Vec<(f64, f64)> {
        let mut transform = Vec::with_capacity(self.n_features());
        for column in &self.columns {
            match column.kind {
                ColumnKind::Numeric => {
                    let mean = column.mean.unwrap_or(0.0);
                    transform.push((if self.intercept { mean } else { 0.0 }, column.scale.unwrap_or(1.0)));
                }
                ColumnKind::Boolean => transform.push((0.0, 1.0)),
                ColumnKind::Categorical => {
                    transform
                        .extend(std::iter::repeat_n((0.0, 1.0), column.levels.as_ref().map_or(0, Vec::len)));
                }
            }
        }
        transform
    }
}

/// The type of the target column. Predictions are written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// Text.
    String,
    /// true and false.
    Boolean,
    /// Any integer type.
    Integer,
    /// Any floating-point or decimal type.
    Float,
}

/// The target column and its classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Name in the files.
    pub name: String,
    /// Type of its values.
    pub data_type: TargetType,
    /// The Arrow type in the files (`Int8`, `Float32`), in which predictions are written; none if the files
    /// differ.
    pub arrow_type: Option<String>,
    /// The class values as strings, in ascending order (numbers numerically, false before true). A float
    /// that is a whole number is written without a fraction.
    pub classes: Vec<String>,
}
