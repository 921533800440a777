//! Values that encode null, which no tensor can hold.

use crate::data::{Column, ColumnKind, LevelType, Temporal};
use crate::model::Model;

use super::super::stack::Stack;
use super::builder::Constant;

/// The values that encode null in string and integer tensors; in float tensors it is NaN.
///
/// Neither value is a level of any column or a class. If possible they are the empty text and the smallest
/// integer.
pub(super) struct Nulls {
    pub(super) text: String,
    pub(super) integer: i64,
}

impl Nulls {
    pub(super) fn new(stack: &Stack<'_>) -> Self {
        let levels = || stack.inputs.iter().flat_map(|input| input.levels().filter_map(|(_, level)| level));
        let taken = |text: &str| {
            levels().any(|level| level == text) || stack.model.classes.iter().any(|class| class == text)
        };
        let texts = ["".to_owned(), "<null>".to_owned()].into_iter();
        let texts = texts.chain((2..).map(|n: u32| format!("<null {n}>")));
        let text = texts.into_iter().find(|text| !taken(text)).unwrap_or_default();
        let integer = (i64::MIN..).find(|n| !taken(&n.to_string())).unwrap_or(i64::MIN);
        Self { text, integer }
    }
}

/// The tensor type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tensor {
    Float,
    Integer,
    Text,
}

impl Tensor {
    /// Numbers and booleans are floats, where NaN is null; levels are integers or text, as in the files.
    /// Integers beyond 64 bits are text.
    pub(super) fn of(column: &Column) -> Self {
        let fits = || column.levels.iter().flatten().flatten().all(|level| level.parse::<i64>().is_ok());
        match (column.kind, column.level_type) {
            (ColumnKind::Numeric | ColumnKind::Boolean, _) => Self::Float,
            (ColumnKind::Categorical, Some(LevelType::Boolean)) => Self::Integer,
            (ColumnKind::Categorical, Some(LevelType::Integer)) if fits() => Self::Integer,
            (ColumnKind::Categorical, _) => Self::Text,
        }
    }

    /// The name in numpy.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Float => "float64",
            Self::Integer => "int64",
            Self::Text => "string",
        }
    }

    /// The value that encodes null.
    pub(super) fn null(self, nulls: &Nulls) -> String {
        match self {
            Self::Float => "NaN".to_owned(),
            Self::Integer => nulls.integer.to_string(),
            Self::Text => format!("{:?}", nulls.text),
        }
    }
}

/// The meaning of a column's values, for callers of the graph.
pub(super) fn describe(column: &Column) -> &'static str {
    match (column.kind, column.temporal, column.level_type) {
        (ColumnKind::Boolean, ..) | (ColumnKind::Categorical, _, Some(LevelType::Boolean)) => {
            "1 for true, 0 for false"
        }
        (ColumnKind::Categorical, ..) => "level",
        (_, None, _) => "number",
        (_, Some(Temporal::Date), _) => "days since 1970-01-01",
        (_, Some(Temporal::Timestamp), _) => "seconds since 1970-01-01 00:00:00",
        (_, Some(Temporal::Time), _) => "seconds since midnight",
        (_, Some(Temporal::Duration), _) => "seconds",
    }
}

/// The classes in the type of the target, followed by the value for no class.
pub(super) fn labels(model: &Model, nulls: &Nulls) -> Constant {
    use crate::data::TargetType;
    fn parsed<T: std::str::FromStr>(classes: &[String], none: T) -> Option<Vec<T>> {
        classes.iter().map(|class| class.parse().ok()).chain([Some(none)]).collect()
    }
    let classes = &model.classes;
    let typed = match model.target_type {
        TargetType::String => None,
        TargetType::Boolean => parsed(classes, false).map(Constant::Boolean),
        TargetType::Integer => parsed(classes, nulls.integer).map(Constant::Integer),
        TargetType::Float => parsed(classes, f64::NAN).map(Constant::Float),
    };
    let text = || classes.iter().cloned().chain([nulls.text.clone()]).collect();
    typed.unwrap_or_else(|| Constant::Text(text()))
}
