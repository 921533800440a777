//! Reads some columns of one row group, batch by batch. Errors name the file, column and row group.

use super::pages::ColumnChunks;
use super::source::{ColumnPlace, RowGroup, Source};
use crate::error::DataError;
use arrow_array::{ArrayRef, UInt32Array};
use arrow_cast::cast;
use arrow_select::take::take;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::errors::ParquetError;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows of a decoded batch. As float64, a column of it fits into a core's second-level cache.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Which types to decode to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// As the file declares them.
    Natural,
    /// As the encoders need them.
    Decoding,
}

/// A reader of some columns of one row group.
pub(crate) struct Chunks<'a> {
    source: &'a Source,
    group: RowGroup,
    columns: Vec<usize>,
    types: Types,
    /// For each of `columns`.
    from: Vec<From>,
    /// None if all columns come from folder names.
    reader: Option<ParquetRecordBatchReader>,
    batch_rows: usize,
    rows: usize,
}

/// Where a column comes from.
enum From {
    /// An index in the decoded batch, whose columns are in the order of the file.
    Batch(usize),
    /// One value for all rows.
    Folder(ArrayRef),
}

impl<'a> Chunks<'a> {
    /// Opens `columns` (indices in the source) of a row group.
    pub(crate) fn open(
        source: &'a Source,
        group: RowGroup,
        columns: &[usize],
        types: Types,
        batch_rows: usize,
    ) -> Result<Self, DataError> {
        for &column in columns {
            source.readable(column)?;
        }
        let file = &source.files[group.file];
        let of_file = |&column: &usize| match &file.place[column] {
            ColumnPlace::Column(at) => Some(*at),
            ColumnPlace::Folder(_) | ColumnPlace::Nowhere => None,
        };
        let mut order: Vec<usize> = columns.iter().filter_map(of_file).collect();
        order.sort_unstable();
        let from = |&column: &usize| match &file.place[column] {
            ColumnPlace::Folder(value) if types == Types::Decoding => {
                cast(value, &file.decoding_type(column)).map(From::Folder)
            }
            ColumnPlace::Folder(value) => Ok(From::Folder(value.clone())),
            place => Ok(From::Batch(match place {
                ColumnPlace::Column(at) => order.binary_search(at).unwrap_or(0),
                _ => 0,
            })),
        };
        let from = columns
            .iter()
            .map(from)
            .collect::<Result<_, _>>()
            .map_err(|error| page_error(source, &group, columns, &error.to_string()))?;
        let mut chunks =
            Self { source, group, columns: columns.to_vec(), types, from, reader: None, batch_rows, rows: 0 };
        if order.is_empty() {
            return Ok(chunks);
        }
        let handle = file.open()?;
        let metadata = match types {
            Types::Natural => file.natural.clone(),
            Types::Decoding => file.decoding.clone(),
        };
        let schema = metadata.parquet_schema();
        let leaves: Vec<usize> = (0..schema.num_columns())
            .filter(|&leaf| order.binary_search(&schema.get_column_root_idx(leaf)).is_ok())
            .collect();
        if let Some((leaf, reason)) =
            leaves.iter().find_map(|&leaf| Some((leaf, file.unreadable.get(&(group.index, leaf))?)))
        {
            let at = schema.get_column_root_idx(leaf);
            let is_it =
                |column: &&usize| matches!(file.place[**column], ColumnPlace::Column(place) if place == at);
            let column = columns.iter().find(is_it).map_or(columns, std::slice::from_ref);
            return Err(page_error(source, &group, column, reason));
        }
        let build = || -> Result<_, ParquetError> {
            let pages = ColumnChunks::open(handle, metadata.metadata().clone(), group.index, &leaves)?;
            let mask = ProjectionMask::leaves(schema, leaves);
            let levels = parquet_to_arrow_field_levels(schema, mask, Some(metadata.schema().fields()))?;
            ParquetRecordBatchReader::try_new_with_row_groups(&levels, &pages, batch_rows, None)
        };
        chunks.reader = match catch_unwind(AssertUnwindSafe(build)) {
            Ok(Ok(reader)) => Some(reader),
            Ok(Err(error)) => return Err(page_error(source, &group, columns, &error.to_string())),
            Err(_) => return Err(page_error(source, &group, columns, "the decoder panicked")),
        };
        Ok(chunks)
    }

    /// The next batch, with its columns in the requested order.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<ArrayRef>>, DataError> {
        let Some(reader) = &mut self.reader else {
            let rows = self.batch_rows.min(self.group.n_rows - self.rows);
            self.rows += rows;
            return if rows == 0 { Ok(None) } else { self.in_order(&[], rows).map(Some) };
        };
        let reason = match catch_unwind(AssertUnwindSafe(|| reader.next())) {
            Ok(None) if self.rows == self.group.n_rows => return Ok(None),
            Ok(None) => format!("{} rows found, {} expected", self.rows, self.group.n_rows),
            Ok(Some(Ok(batch))) => {
                self.rows += batch.num_rows();
                if self.rows <= self.group.n_rows {
                    return self.in_order(batch.columns(), batch.num_rows()).map(Some);
                }
                format!("more rows found than the {} expected", self.group.n_rows)
            }
            Ok(Some(Err(error))) => error.to_string(),
            Err(_) => "the decoder panicked".to_owned(),
        };
        Err(self.blame(&reason))
    }

    fn in_order(&self, batch: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>, DataError> {
        let column = |from: &From| match from {
            From::Batch(at) => Ok(batch[*at].clone()),
            From::Folder(value) => take(value, &UInt32Array::from(vec![0; rows]), None),
        };
        let columns = self.from.iter().map(column).collect::<Result<_, _>>();
        columns.map_err(|error| page_error(self.source, &self.group, &self.columns, &error.to_string()))
    }

    /// The error for `reason`, with the column that fails: each column is read alone to find it.
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
