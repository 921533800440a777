//! How a null, which no tensor can hold, is written instead.

use crate::data::{Column, ColumnKind, LevelType, Temporal};
use crate::model::Model;

use super::super::stack::Stack;
use super::builder::Constant;

/// What stands for null in tensors of text and of integers; among floats it is NaN.
///
/// Neither is a level of any column or a class. The empty text is taken where that allows it, and the
/// smallest integer.
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

/// The tensor that a column is passed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tensor {
    Float,
    Integer,
    Text,
}

impl Tensor {
    /// Numbers and booleans are floats, which have NaN for null; levels are integers or text, as they are in
    /// the files. Integers beyond 64 bits are text.
    pub(super) fn of(column: &Column) -> Self {
        let fits = || column.levels.iter().flatten().flatten().all(|level| level.parse::<i64>().is_ok());
        match (column.kind, column.level_type) {
            (ColumnKind::Numeric | ColumnKind::Boolean, _) => Self::Float,
            (ColumnKind::Categorical, Some(LevelType::Boolean)) => Self::Integer,
            (ColumnKind::Categorical, Some(LevelType::Integer)) if fits() => Self::Integer,
            (ColumnKind::Categorical, _) => Self::Text,
        }
    }

    /// As numpy calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Float => "float64",
            Self::Integer => "int64",
            Self::Text => "string",
        }
    }

    /// What a null is passed as.
    pub(super) fn null(self, nulls: &Nulls) -> String {
        match self {
            Self::Float => "NaN".to_owned(),
            Self::Integer => nulls.integer.to_string(),
            Self::Text => format!("{:?}", nulls.text),
        }
    }
}

/// What the values of a column mean, for whoever has to pass them.
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

/// The classes in the type of the target, and last what stands for none.
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
