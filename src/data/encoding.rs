//! How columns become features: what training learned of them, and what the model file keeps.

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

/// What the numbers of a column of times are.
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

/// What a whole number counts in a file of durations. Parquet has no type of them: other programs see the numbers.
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
    /// How many there are in a second.
    pub fn per_second(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Millisecond => 1e3,
            Self::Microsecond => 1e6,
            Self::Nanosecond => 1e9,
        }
    }
}

/// What the levels of a column are, where they are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelType {
    /// Integers of any width.
    Integer,
    /// true and false.
    Boolean,
}

/// One input column, as training saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name in the files.
    pub name: String,
    /// Kind.
    pub kind: ColumnKind,
    /// Numeric: weighted mean of the filled training column. Boolean: share of true. Else null.
    pub mean: Option<f64>,
    /// Numeric: what the centred value is divided by (1 where constant or not standardised).
    /// Boolean: 1. Else null.
    pub scale: Option<f64>,
    /// Numeric and boolean: what replaces a null; null if nulls are not filled (`--missing drop|error`).
    pub missing: Option<f64>,
    /// Numeric: what the numbers count, where they stand for points or lengths of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporal: Option<Temporal>,
    /// Durations: what a number counts in the first file of training; files older than this key have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Categorical: what the levels are in the files; text unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_type: Option<LevelType>,
    /// Categorical: the levels in ascending order; a null entry, last, is the level of nulls.
    pub levels: Option<Vec<Option<String>>>,
}

impl Column {
    /// Number of features that the column becomes: one for each level, or itself.
    pub fn width(&self) -> usize {
        self.levels.as_ref().map_or(1, Vec::len)
    }
}

/// All input columns in encoding order, and the space that the objective is written in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The columns, in the order of their features.
    pub columns: Vec<Column>,
    /// Whether numeric columns are standardised in the objective.
    pub standardize: bool,
    /// Whether the models have an intercept.
    pub intercept: bool,
    /// What a NaN is.
    #[serde(default, skip_serializing_if = "Nan::is_null")]
    pub nan: Nan,
}

impl Encoding {
    /// Names of the encoded features: `column`, or `column=level`, `column=null`.
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

    /// What the panels hold for each feature: `(value - centre) / scale`.
    ///
    /// Numeric columns are centred whenever an intercept makes that free, even if the objective is not
    /// standardised: the coefficients stay the same, the problem becomes better conditioned. Without an
    /// intercept they are scaled alone, since a centred column would bring one back.
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

/// The type of the target column, to write predictions in.
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
    /// The exact type in the files, as Arrow writes it (`Int8`, `Float32`): that of predictions.
    pub arrow_type: Option<String>,
    /// The class values as strings, ascending in the order of the type (numbers numerically,
    /// false before true). A float that is a whole number is written without a fraction.
    pub classes: Vec<String>,
}
