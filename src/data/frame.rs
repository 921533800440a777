//! Writes plain columns as Parquet, to a temporary file that is renamed when complete.

use crate::error::DataError;
use crate::output::Draft;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::path::Path;
use std::sync::Arc;

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    /// Numbers.
    Float(Vec<f64>),
    /// Numbers or nulls.
    OptionalFloat(Vec<Option<f64>>),
    /// Texts.
    Text(Vec<&'a str>),
    /// Texts or nulls.
    OptionalText(Vec<Option<String>>),
    /// Truth values.
    Boolean(Vec<bool>),
    /// Whole numbers.
    Integer(Vec<i64>),
}

/// Names and columns, all of the same length.
pub type Frame<'a> = Vec<(&'static str, Values<'a>)>;

impl Values<'_> {
    fn nullable(&self) -> bool {
        matches!(self, Self::OptionalFloat(_) | Self::OptionalText(_))
    }

    fn array(self) -> ArrayRef {
        match self {
            Self::Float(values) => Arc::new(Float64Array::from(values)),
            Self::OptionalFloat(values) => Arc::new(Float64Array::from(values)),
            Self::Text(values) => Arc::new(StringArray::from(values)),
            Self::OptionalText(values) => Arc::new(StringArray::from(values)),
            Self::Boolean(values) => Arc::new(BooleanArray::from(values)),
            Self::Integer(values) => Arc::new(Int64Array::from(values)),
        }
    }
}

/// Writes the rows of `first`, then those of `rest`. `first` determines the columns, and may have no rows.
///
/// # Errors
/// If the file cannot be written, or columns differ in length, or in type from those of `first`.
pub fn write_frames<'a>(
    path: &Path,
    first: Frame<'a>,
    rest: impl IntoIterator<Item = Frame<'a>>,
) -> crate::Result<()> {
    fn failed(path: &Path, reason: impl ToString) -> DataError {
        DataError::Write { path: path.to_owned(), reason: reason.to_string() }
    }
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (name, values) in first {
        let nullable = values.nullable();
        let array = values.array();
        fields.push(Field::new(name, array.data_type().clone(), nullable));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let file = Draft::create(path).map_err(|e| failed(path, e))?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer =
        ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|e| failed(path, e))?;
    let rest = rest.into_iter().map(|frame| frame.into_iter().map(|(_, values)| values.array()).collect());
    for arrays in std::iter::once(arrays).chain(rest) {
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(|e| failed(path, e))?;
        writer.write(&batch).map_err(|e| failed(path, e))?;
    }
    let file = writer.into_inner().map_err(|e| failed(path, e))?;
    file.finish().map_err(|e| failed(path, e))?;
    Ok(())
}
