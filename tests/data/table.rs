//! Small tables, written for one test.

use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};

pub(super) fn floats(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}

pub(super) fn integers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<Int64Array>())
}

pub(super) fn booleans(values: impl IntoIterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<BooleanArray>())
}

pub(super) fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// A target that alternates between 0 and 1.
pub(super) fn target(n: usize) -> ArrayRef {
    integers((0..n).map(|i| i64::from(i % 2 == 1)))
}

/// Every codec of column chunks.
pub(super) fn codecs() -> [Compression; 7] {
    [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(Default::default()),
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ]
}

pub(super) fn properties(rows_per_group: usize) -> WriterPropertiesBuilder {
    WriterProperties::builder().set_max_row_group_row_count(Some(rows_per_group))
}

pub(super) fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, rows_per_group: usize) -> PathBuf {
    write_with(path, columns, properties(rows_per_group).build())
}

pub(super) fn write_with(
    path: &Path,
    columns: Vec<(&str, ArrayRef)>,
    properties: WriterProperties,
) -> PathBuf {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let file = std::fs::File::create(path).expect("a writable directory");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a valid schema");
    writer.write(&batch).expect("valid columns");
    writer.close().expect("space on the disk");
    path.to_owned()
}
