//! Converts decoded arrays of any numeric type to float64.

use super::Nan;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};

/// Writes each value to `out` as a float64. The value of a null is unspecified.
///
/// Dates become days; timestamps, times and durations become seconds; true becomes 1.
///
/// # Errors
/// A message if the type has no numbers, or a time of day is outside its day.
pub(crate) fn numbers(array: &ArrayRef, out: &mut Vec<f64>) -> Result<(), String> {
    out.clear();
    match array.data_type() {
        DataType::Null => out.resize(array.len(), 0.0),
        DataType::Boolean => out.extend(array.as_boolean().values().iter().map(|b| f64::from(u8::from(b)))),
        DataType::Int8 => extend::<Int8Type>(array, out, f64::from),
        DataType::Int16 => extend::<Int16Type>(array, out, f64::from),
        DataType::Int32 => extend::<Int32Type>(array, out, f64::from),
        DataType::Int64 => extend::<Int64Type>(array, out, |v| v as f64),
        DataType::UInt8 => extend::<UInt8Type>(array, out, f64::from),
        DataType::UInt16 => extend::<UInt16Type>(array, out, f64::from),
        DataType::UInt32 => extend::<UInt32Type>(array, out, f64::from),
        DataType::UInt64 => extend::<UInt64Type>(array, out, |v| v as f64),
        DataType::Float16 => extend::<Float16Type>(array, out, f64::from),
        DataType::Float32 => extend::<Float32Type>(array, out, f64::from),
        DataType::Float64 => extend::<Float64Type>(array, out, |v| v),
        DataType::Date32 => extend::<Date32Type>(array, out, f64::from),
        DataType::Date64 => extend::<Date64Type>(array, out, |v| v as f64 / 86_400_000.0),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => extend::<TimestampSecondType>(array, out, |v| v as f64),
            TimeUnit::Millisecond => extend::<TimestampMillisecondType>(array, out, |v| v as f64 / 1e3),
            TimeUnit::Microsecond => extend::<TimestampMicrosecondType>(array, out, |v| v as f64 / 1e6),
            TimeUnit::Nanosecond => extend::<TimestampNanosecondType>(array, out, |v| v as f64 / 1e9),
        },
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => extend::<DurationSecondType>(array, out, |v| v as f64),
            TimeUnit::Millisecond => extend::<DurationMillisecondType>(array, out, |v| v as f64 / 1e3),
            TimeUnit::Microsecond => extend::<DurationMicrosecondType>(array, out, |v| v as f64 / 1e6),
            TimeUnit::Nanosecond => extend::<DurationNanosecondType>(array, out, |v| v as f64 / 1e9),
        },
        DataType::Time32(TimeUnit::Second) => extend::<Time32SecondType>(array, out, f64::from),
        DataType::Time32(_) => extend::<Time32MillisecondType>(array, out, |v| f64::from(v) / 1e3),
        DataType::Time64(TimeUnit::Nanosecond) => {
            extend::<Time64NanosecondType>(array, out, |v| v as f64 / 1e9);
        }
        DataType::Time64(_) => extend::<Time64MicrosecondType>(array, out, |v| v as f64 / 1e6),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => {
            let floats = cast(array, &DataType::Float64).map_err(|e| e.to_string())?;
            extend::<Float64Type>(&floats, out, |v| v);
        }
        other => return Err(format!("{other} has no numbers")),
    }
    check_times(array, out)
}

/// Refuses times of day outside a day.
fn check_times(array: &ArrayRef, values: &[f64]) -> Result<(), String> {
    const DAY: f64 = 86_400.0;
    if !matches!(array.data_type(), DataType::Time32(_) | DataType::Time64(_)) {
        return Ok(());
    }
    // A day may end with a leap second.
    let is_none = |&(row, value): &(usize, &f64)| array.is_valid(row) && !(0.0..DAY + 1.0).contains(value);
    match values.iter().enumerate().find(is_none) {
        Some((_, value)) => Err(format!("a time of {value} seconds since midnight")),
        None => Ok(()),
    }
}

fn extend<T: ArrowPrimitiveType>(array: &ArrayRef, out: &mut Vec<f64>, to_f64: impl Fn(T::Native) -> f64) {
    out.extend(array.as_primitive::<T>().values().iter().map(|&v| to_f64(v)));
}

/// Whether any value is NaN or infinite.
pub(crate) fn has_non_finite(values: &[f64]) -> bool {
    values.iter().fold(false, |found, v| found | !v.is_finite())
}

/// The first row that is used and has an infinity, or a NaN if that is an error.
pub(crate) fn first_refused(values: &[f64], nan: Nan, is_used: impl Fn(usize) -> bool) -> Option<usize> {
    let is_refused = |value: f64| value.is_infinite() || (value.is_nan() && nan == Nan::Error);
    (0..values.len()).find(|&row| is_refused(values[row]) && is_used(row))
}
