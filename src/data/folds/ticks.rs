//! Converts times to integers of the same order.

use crate::data::schema::ValueType;
use crate::data::source::Source;
use crate::data::values::numbers;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};

/// How the values of a column become ticks, for all files.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ticks {
    /// Exactly, in the finest unit of the files. Values out of range become the largest or smallest tick,
    /// which keeps the order.
    Integer {
        /// Number of finest units in one coarsest unit (a second, or a day for dates).
        finest: i64,
    },
    /// By the bits of a float64, mapped to integers of the same order.
    Float,
}

impl Ticks {
    /// For a column of a source.
    pub(super) fn new(source: &Source, column: usize) -> Self {
        if source.columns[column].value_type == ValueType::Float {
            return Self::Float;
        }
        let unit_in = |file: &crate::data::source::FileEntry| unit(&file.decoding_type(column));
        Self::Integer { finest: source.files.iter().map(unit_in).max().unwrap_or(1) }
    }

    /// The ticks of an array; none for nulls and NaN.
    pub(super) fn of(self, array: &ArrayRef) -> Result<Vec<Option<i64>>, String> {
        let nulls = array.logical_nulls();
        let is_null = |at: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
        match self {
            Self::Float => {
                let mut values = Vec::new();
                numbers(array, &mut values)?;
                let tick =
                    |(at, &value): (usize, &f64)| (!is_null(at) && !value.is_nan()).then(|| ordered(value));
                Ok(values.iter().enumerate().map(tick).collect())
            }
            Self::Integer { finest } => {
                let factor = finest / unit(array.data_type());
                let scaled = |(at, value): (usize, i64)| (!is_null(at)).then(|| value.saturating_mul(factor));
                if let Some(values) = array.as_primitive_opt::<UInt64Type>() {
                    let value = |&v: &u64| i64::try_from(v).unwrap_or(i64::MAX);
                    return Ok(values.values().iter().map(value).enumerate().map(scaled).collect());
                }
                let values = cast(array, &DataType::Int64).map_err(|error| error.to_string())?;
                Ok(values
                    .as_primitive::<Int64Type>()
                    .values()
                    .iter()
                    .copied()
                    .enumerate()
                    .map(scaled)
                    .collect())
            }
        }
    }
}

/// Number of units of a type in one coarsest unit of its kind.
fn unit(data_type: &DataType) -> i64 {
    match data_type {
        DataType::Date64 => 86_400_000,
        DataType::Timestamp(unit, _)
        | DataType::Duration(unit)
        | DataType::Time32(unit)
        | DataType::Time64(unit) => match unit {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        },
        _ => 1,
    }
}

/// Maps floats to integers of the same order.
fn ordered(value: f64) -> i64 {
    // Adding 0 turns -0 into 0. The bits of negative floats are in reverse order.
    let bits = (value + 0.0).to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_order() {
        let values = [f64::NEG_INFINITY, -2.5, -2.0, -1e-300, 0.0, 1e-300, 1.0, 1.5, 1e300, f64::INFINITY];
        assert!(values.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert_eq!(ordered(-0.0), ordered(0.0));
    }
}
