//! Options for reading a table, and the columns that they select.

use super::folds::folding_column;
use super::schema::{ValueType, nearest};
use super::source::Source;
use super::{ColumnKind, Folding};
use crate::error::DataError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::str::FromStr;

/// How nulls in numeric and boolean features are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Replaced by the mean of the column's other training values.
    #[default]
    Mean,
    /// The row is dropped.
    Drop,
    /// Refused with an error.
    Error,
}

impl FromStr for Missing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mean" => Ok(Self::Mean),
            "drop" => Ok(Self::Drop),
            "error" => Ok(Self::Error),
            _ => Err("expected mean, drop or error".into()),
        }
    }
}

/// How NaN is treated, in features and in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nan {
    /// As null, which is what it means in tables from numpy and pandas.
    #[default]
    Null,
    /// Refused with an error.
    Error,
}

impl Nan {
    /// Whether this is [`Self::Null`], the default.
    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

impl FromStr for Nan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "null" => Ok(Self::Null),
            "error" => Ok(Self::Error),
            _ => Err("expected null or error".into()),
        }
    }
}

/// How to read a training table.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Column of the classes.
    pub target: String,
    /// Columns to learn from. By default all except the target, the weight, the column of the folds, a pandas
    /// index, and folder columns with a single value.
    pub features: Option<Vec<String>>,
    /// Columns not to learn from.
    pub exclude: Vec<String>,
    /// Integer and boolean columns to be treated as levels.
    pub categorical: Vec<String>,
    /// Column of row weights.
    pub weight: Option<String>,
    /// How nulls are treated.
    pub missing: Missing,
    /// How NaN is treated.
    pub nan: Nan,
    /// Whether numeric columns are divided by their standard deviation.
    pub standardize: bool,
    /// Whether the models have an intercept.
    pub intercept: bool,
    /// Seed for dealing rows to panels, for the validation split, and for the folds.
    pub seed: u64,
    /// Share of the rows held out for validation; 0 for none.
    pub validation_fraction: f64,
    /// How to assign the training rows to folds, if at all. Rows held out for validation are in no fold.
    pub folds: Option<Folding>,
    /// Numeric columns to store exactly, with a second float32 word. Small tables are stored exactly anyway.
    pub exact: Vec<String>,
    /// Bytes of memory that the table may take. Default: the available memory.
    pub memory: Option<u64>,
}

impl ReadOptions {
    /// The default options for a target.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            features: None,
            exclude: Vec::new(),
            categorical: Vec::new(),
            weight: None,
            missing: Missing::Mean,
            nan: Nan::Null,
            standardize: true,
            intercept: true,
            seed: 0,
            validation_fraction: 0.0,
            folds: None,
            exact: Vec::new(),
            memory: None,
        }
    }
}

/// The columns that the options select, as indices in the source.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) target: usize,
    pub(crate) weight: Option<usize>,
    /// In the order of the first file.
    pub(crate) features: Vec<(usize, ColumnKind)>,
    /// The columns of a pandas index, which are features only if listed.
    pub(crate) index_columns: Vec<String>,
}

/// Finds a column by name.
pub(crate) fn column(source: &Source, name: &str, role: &'static str) -> Result<usize, DataError> {
    let at = source.find(name).ok_or_else(|| DataError::UnknownColumn {
        column: name.to_owned(),
        role,
        nearest: nearest(name, source.columns.iter().map(|c| c.name.as_str())),
    })?;
    if role != "exclude" {
        source.readable(at)?;
    }
    Ok(at)
}

/// Finds the weight column.
pub(crate) fn weight_column(source: &Source, name: &str) -> Result<usize, DataError> {
    let at = column(source, name, "weight")?;
    match &source.columns[at].value_type {
        ValueType::Integer | ValueType::Float => Ok(at),
        other => Err(DataError::WeightType { column: name.to_owned(), found: other.describe().to_owned() }),
    }
}

/// Resolves the options against the table.
pub(crate) fn select(source: &Source, options: &ReadOptions) -> Result<Selection, DataError> {
    let target = column(source, &options.target, "target")?;
    let weight = options.weight.as_deref().map(|name| weight_column(source, name)).transpose()?;
    if weight == Some(target) {
        return Err(DataError::TargetIsWeight { column: options.target.clone() });
    }
    let folding =
        options.folds.as_ref().map(|folding| folding_column(source, folding, target)).transpose()?;
    let folding = folding.flatten();
    let is_fold = matches!(options.folds, Some(Folding::Column { .. }));
    let places = |names: &[String], role| {
        names.iter().map(|name| column(source, name, role)).collect::<Result<HashSet<_>, _>>()
    };
    let listed = options.features.as_deref().map(|names| places(names, "features")).transpose()?;
    let excluded = places(&options.exclude, "exclude")?;
    let categorical = places(&options.categorical, "categorical")?;
    for at in listed.iter().flatten().copied() {
        // Group and time columns are features only if listed.
        let role = match Some(at) {
            at if at == Some(target) => Some("target"),
            at if at == weight => Some("weight"),
            at if at == folding && is_fold => Some("fold column"),
            _ => None,
        };
        if let Some(role) = role {
            return Err(DataError::NotAFeature { column: source.columns[at].name.clone(), role });
        }
    }
    let mut features = Vec::new();
    let mut index_columns = Vec::new();
    for (at, column) in source.columns.iter().enumerate() {
        let wanted = listed.as_ref().map_or(Some(at) != folding, |listed| listed.contains(&at));
        if !wanted || at == target || Some(at) == weight || excluded.contains(&at) {
            continue;
        }
        if listed.is_none() && column.is_index {
            index_columns.push(column.name.clone());
            continue;
        }
        // If all files are in the same folder, its name is constant and carries no information.
        if listed.is_none() && column.is_folder && !source.has_several_folders(at) {
            continue;
        }
        source.readable(at)?;
        let found = || (column.name.clone(), column.value_type.describe().to_owned());
        let kind = match &column.value_type {
            ValueType::Text => ColumnKind::Categorical,
            ValueType::Boolean | ValueType::Integer if categorical.contains(&at) => ColumnKind::Categorical,
            ValueType::Null => return Err(DataError::AllNull { column: column.name.clone() }),
            ValueType::Unsupported(_) => {
                let (column, found) = found();
                return Err(DataError::FeatureType { column, found });
            }
            _ if categorical.contains(&at) => {
                let (column, found) = found();
                return Err(DataError::CategoricalType { column, found });
            }
            ValueType::Boolean => ColumnKind::Boolean,
            _ => ColumnKind::Numeric,
        };
        features.push((at, kind));
    }
    if features.is_empty() {
        return Err(DataError::NoFeatures);
    }
    Ok(Selection { target, weight, features, index_columns })
}
