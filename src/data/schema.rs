//! The meaning of a column's values, independent of the type that stores them.

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use std::sync::Arc;

pub(crate) use super::nearest::nearest;

use super::{LevelType, Temporal, Unit};

/// The value types that the encoding distinguishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueType {
    /// true and false.
    Boolean,
    /// Integers of any width.
    Integer,
    /// Floats and decimals of any width.
    Float,
    /// Days.
    Date,
    /// Seconds since the epoch.
    Timestamp,
    /// Seconds of the day.
    Time,
    /// Seconds.
    Duration,
    /// Strings.
    Text,
    /// A column that can hold only nulls.
    Null,
    /// Any other type, with its name for messages.
    Unsupported(String),
}

impl ValueType {
    /// The value type of an Arrow type. A dictionary has the type of its values.
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            t if t.is_integer() => Self::Integer,
            DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Float,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(..) => Self::Timestamp,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Duration(_) => Self::Duration,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Null => Self::Null,
            DataType::Dictionary(_, values) => Self::of(values),
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
            | DataType::FixedSizeList(..) => Self::Unsupported("a list".into()),
            DataType::Struct(_) => Self::Unsupported("a struct".into()),
            DataType::Map(..) => Self::Unsupported("a map".into()),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Unsupported("binary".into()),
            DataType::Interval(_) => Self::Unsupported("an interval".into()),
            other => Self::Unsupported(other.to_string()),
        }
    }

    /// The common type of a column that has this type in one file and `other` in another, if there is one.
    pub(crate) fn merge(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Self::Null, t) | (t, Self::Null) => Some(t.clone()),
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Some(Self::Float),
            _ => None,
        }
    }

    /// What numbers of this type count, if it is a date or time.
    pub(crate) fn temporal(&self) -> Option<Temporal> {
        match self {
            Self::Date => Some(Temporal::Date),
            Self::Timestamp => Some(Temporal::Timestamp),
            Self::Time => Some(Temporal::Time),
            Self::Duration => Some(Temporal::Duration),
            _ => None,
        }
    }

    /// The type of this column's levels, if it is not text.
    pub(crate) fn level_type(&self) -> Option<LevelType> {
        match self {
            Self::Integer => Some(LevelType::Integer),
            Self::Boolean => Some(LevelType::Boolean),
            _ => None,
        }
    }

    /// Whether the values are read as one float64 each.
    pub(crate) fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Integer | Self::Float | Self::Date | Self::Timestamp | Self::Time | Self::Duration
        )
    }

    /// The name of the type in messages.
    pub(crate) fn describe(&self) -> &str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "an integer",
            Self::Float => "a floating-point number",
            Self::Date => "a date",
            Self::Timestamp => "a timestamp",
            Self::Time => "a time of day",
            Self::Duration => "a duration",
            Self::Text => "text",
            Self::Null => "null throughout",
            Self::Unsupported(name) => name,
        }
    }
}

/// The unit of the integers that store a duration.
pub(crate) fn unit(data_type: &DataType) -> Option<Unit> {
    match data_type {
        DataType::Duration(TimeUnit::Second) => Some(Unit::Second),
        DataType::Duration(TimeUnit::Millisecond) => Some(Unit::Millisecond),
        DataType::Duration(TimeUnit::Microsecond) => Some(Unit::Microsecond),
        DataType::Duration(TimeUnit::Nanosecond) => Some(Unit::Nanosecond),
        _ => None,
    }
}

/// Stored integers per unit of a column's values, for types that are stored as integers. Times have values in
/// seconds.
pub(crate) fn ticks(data_type: &DataType) -> Option<f64> {
    match data_type {
        DataType::Timestamp(unit, _) | DataType::Duration(unit) => Some(match unit {
            TimeUnit::Second => 1.0,
            TimeUnit::Millisecond => 1e3,
            TimeUnit::Microsecond => 1e6,
            TimeUnit::Nanosecond => 1e9,
        }),
        other => (other.is_integer() || other.is_decimal()).then_some(1.0),
    }
}

/// The type to decode to. Text is decoded as dictionaries, so that each entry is looked up once and not for
/// each row. Everything else is decoded plain.
pub(crate) fn decoding_type(data_type: &DataType) -> DataType {
    let plain = match data_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    match plain {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        other => other.clone(),
    }
}

/// The schema to decode with.
pub(crate) fn decoding_schema(schema: &Schema) -> Schema {
    let field = |field: &Arc<Field>| {
        let data_type = decoding_type(field.data_type());
        Field::new(field.name(), data_type, field.is_nullable()).with_metadata(field.metadata().clone())
    };
    Schema::new_with_metadata(
        schema.fields().iter().map(field).collect::<Vec<_>>(),
        schema.metadata().clone(),
    )
}
