//! Reads row weights, and drops rows with nulls.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::in_order::in_order;
use super::rows::DROPPED;
use super::schema::ValueType;
use super::source::{ColumnPlace, RowGroup, Source};
use super::target::by_group;
use super::training::Reading;
use super::values::{has_non_finite, numbers};
use crate::error::DataError;
use arrow_array::{Array, ArrayRef};
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// Valid weights other than 0. They keep full precision in float32, and neither their sums nor products of
/// sums exceed the range of float64.
const USABLE: RangeInclusive<f64> = 1e-30..=1e30;

/// Reads the weight of every row. Only kept rows need a valid weight.
pub(crate) fn read_weights(
    reading: &Reading<'_>,
    column: usize,
    codes: &[u16],
) -> Result<Vec<f64>, DataError> {
    let mut weights = vec![0.0; codes.len()];
    in_order(
        by_group(reading.source, &mut weights).into_par_iter().zip(&reading.source.groups),
        |(weights, group)| {
            let mut chunks = Chunks::open(reading.source, *group, &[column], Types::Decoding, BATCH_ROWS)?;
            let mut row = 0;
            while let Some(arrays) = chunks.next()? {
                reading.check()?;
                let kept = |at: usize| codes[group.first_row + row + at] != DROPPED;
                let batch = batch_weights(reading.source, column, group, row, &arrays[0], kept)?;
                weights[row..][..batch.len()].copy_from_slice(&batch);
                row += batch.len();
            }
            Ok(())
        },
    )?;
    Ok(weights)
}

/// The weights of one batch, which begins at `row` of its row group.
pub(crate) fn batch_weights(
    source: &Source,
    column: usize,
    group: &RowGroup,
    row: usize,
    array: &ArrayRef,
    is_kept: impl Fn(usize) -> bool,
) -> Result<Vec<f64>, DataError> {
    let name = || source.columns[column].name.clone();
    let mut values = Vec::new();
    numbers(array, &mut values).map_err(|found| DataError::WeightType { column: name(), found })?;
    for (at, value) in values.iter_mut().enumerate() {
        let is_null = array.is_null(at);
        if !is_null && (*value == 0.0 || USABLE.contains(value)) {
            continue;
        }
        if is_kept(at) {
            return Err(DataError::Weight {
                path: source.path(group),
                column: name(),
                row_group: group.index,
                row: row + at,
                value: if is_null { "null".to_owned() } else { value.to_string() },
            });
        }
        *value = 0.0;
    }
    Ok(values)
}

/// Which values make a row incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    /// Nulls. Footers count them, so a column without nulls need not be read.
    Nulls,
    /// Nulls and NaN. Every float column is read.
    NaN,
}

/// Drops the rows with a null (or NaN, depending on `search`) in one of the columns. Returns their number.
pub(crate) fn drop_nulls(
    reading: &Reading<'_>,
    columns: &[usize],
    codes: &mut [u16],
    search: Search,
) -> Result<usize, DataError> {
    let source = reading.source;
    let may_be_nan =
        |column: usize| search == Search::NaN && source.columns[column].value_type == ValueType::Float;
    let dropped: Vec<usize> =
        in_order(by_group(source, codes).into_par_iter().zip(&source.groups), |(codes, group)| {
            let (mut dropped, mut values) = (0, Vec::new());
            let is_read = |column| may_be_nan(column) || may_have_nulls(source, group, column);
            for &column in columns.iter().filter(|&&column| is_read(column)) {
                let mut chunks = Chunks::open(source, *group, &[column], Types::Decoding, BATCH_ROWS)?;
                let mut row = 0;
                while let Some(arrays) = chunks.next()? {
                    reading.check()?;
                    let array = &arrays[0];
                    let nulls = array.logical_nulls().filter(|n| n.null_count() > 0);
                    values.clear();
                    if may_be_nan(column) {
                        let name = || source.columns[column].name.clone();
                        numbers(array, &mut values)
                            .map_err(|found| DataError::FeatureType { column: name(), found })?;
                    }
                    if nulls.is_some() || has_non_finite(&values) {
                        let is_null = |at: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
                        let is_nan = |at: usize| values.get(at).is_some_and(|value: &f64| value.is_nan());
                        for at in (0..array.len()).filter(|&at| is_null(at) || is_nan(at)) {
                            if std::mem::replace(&mut codes[row + at], DROPPED) != DROPPED {
                                dropped += 1;
                            }
                        }
                    }
                    row += array.len();
                }
            }
            Ok(dropped)
        })?;
    Ok(dropped.into_iter().sum())
}

/// Whether a column chunk can hold nulls, according to the schema and the footer's statistics.
fn may_have_nulls(source: &Source, group: &RowGroup, column: usize) -> bool {
    let file = &source.files[group.file];
    let place = match &file.place[column] {
        ColumnPlace::Column(at) => *at,
        ColumnPlace::Folder(value) => return value.null_count() > 0,
        ColumnPlace::Nowhere => return true,
    };
    if !file.natural.schema().field(place).is_nullable() {
        return false;
    }
    let metadata = file.natural.metadata();
    let schema = metadata.file_metadata().schema_descr();
    // A numeric column has a single leaf.
    let leaf = (0..schema.num_columns()).find(|&leaf| schema.get_column_root_idx(leaf) == place);
    let statistics = leaf.and_then(|leaf| metadata.row_group(group.index).column(leaf).statistics());
    statistics.and_then(|s| s.null_count_opt()) != Some(0)
}
