//! Reading some columns of one row group, batch by batch, with errors that say where.

use super::pages::ColumnChunks;
use super::source::{RowGroup, Source};
use crate::error::{DataError, FileError};
use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows of a decoded batch: as float64 it stays in a core's second-level cache.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Which types to decode to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// As the file declares them.
    Natural,
    /// As the encoding wants them.
    Decoding,
}

/// A reader of some columns of one row group.
pub(crate) struct Chunks<'a> {
    source: &'a Source,
    group: RowGroup,
    columns: Vec<usize>,
    types: Types,
    /// For each of `columns`: its place in a batch, which has the file's order.
    place: Vec<usize>,
    reader: ParquetRecordBatchReader,
    rows: usize,
}

impl<'a> Chunks<'a> {
    /// Opens `columns` (places in the source) of a row group.
    pub(crate) fn open(
        source: &'a Source,
        group: RowGroup,
        columns: &[usize],
        types: Types,
        batch_rows: usize,
    ) -> Result<Self, DataError> {
        let file = &source.files[group.file];
        // A handle of its own: a shared one would share its position between threads.
        let handle =
            File::open(&file.path).map_err(|e| FileError::Read { path: file.path.clone(), source: e })?;
        let roots: Vec<usize> = columns.iter().map(|&c| file.place[c]).collect();
        let mut order: Vec<usize> = roots.clone();
        order.sort_unstable();
        let place = roots.iter().map(|r| order.binary_search(r).unwrap_or(0)).collect();
        let metadata = match types {
            Types::Natural => file.natural.clone(),
            Types::Decoding => file.decoding.clone(),
        };
        let build = || {
            let schema = metadata.parquet_schema();
            let leaves: Vec<usize> = (0..schema.num_columns())
                .filter(|&leaf| order.binary_search(&schema.get_column_root_idx(leaf)).is_ok())
                .collect();
            let chunks = ColumnChunks::open(handle, metadata.metadata().clone(), group.index, &leaves)?;
            let mask = ProjectionMask::leaves(schema, leaves);
            let levels = parquet_to_arrow_field_levels(schema, mask, Some(metadata.schema().fields()))?;
            ParquetRecordBatchReader::try_new_with_row_groups(&levels, &chunks, batch_rows, None)
        };
        let reader = match catch_unwind(AssertUnwindSafe(build)) {
            Ok(Ok(reader)) => reader,
            Ok(Err(error)) => return Err(page_error(source, &group, columns, &error.to_string())),
            Err(_) => return Err(page_error(source, &group, columns, "the decoder panicked")),
        };
        Ok(Self { source, group, columns: columns.to_vec(), types, place, reader, rows: 0 })
    }

    /// The next batch, its columns in the order asked for.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<ArrayRef>>, DataError> {
        let reason = match catch_unwind(AssertUnwindSafe(|| self.reader.next())) {
            Ok(None) if self.rows == self.group.n_rows => return Ok(None),
            Ok(None) => format!("{} rows found, {} expected", self.rows, self.group.n_rows),
            Ok(Some(Ok(batch))) => {
                self.rows += batch.num_rows();
                if self.rows <= self.group.n_rows {
                    return Ok(Some(self.in_order(&batch)));
                }
                format!("more rows found than the {} expected", self.group.n_rows)
            }
            Ok(Some(Err(error))) => error.to_string(),
            Err(_) => "the decoder panicked".to_owned(),
        };
        Err(self.blame(&reason))
    }

    fn in_order(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.place.iter().map(|&p| batch.column(p).clone()).collect()
    }

    /// Finds which of several columns fails, by reading each alone.
    pub(crate) fn blame(&self, reason: &str) -> DataError {
        if self.columns.len() > 1 {
            for column in &self.columns {
                let alone = std::slice::from_ref(column);
                let read = || -> Result<(), DataError> {
                    let mut chunks = Chunks::open(self.source, self.group, alone, self.types, BATCH_ROWS)?;
                    while chunks.next()?.is_some() {}
                    Ok(())
                };
                if let Err(error) = read() {
                    return error;
                }
            }
        }
        page_error(self.source, &self.group, &self.columns, reason)
    }
}

fn page_error(source: &Source, group: &RowGroup, columns: &[usize], reason: &str) -> DataError {
    let names: Vec<&str> = columns.iter().map(|&c| source.columns[c].name.as_str()).collect();
    DataError::Page {
        path: source.path(group),
        column: names.join("\", \""),
        row_group: group.index,
        reason: reason.trim_end_matches('.').to_owned(),
    }
}
