//! Reads the distinct values of a column that folds are made from.

use crate::data::chunks::{BATCH_ROWS, Chunks, Types};
use crate::data::keys::{Key, KeyError, Keys};
use crate::data::rows::is_trained;
use crate::data::source::RowGroup;
use crate::data::training::Reading;
use crate::error::{DataError, FoldError};
use arrow_array::{ArrayRef, BooleanArray};
use arrow_select::nullif::nullif;

/// A column of groups or folds.
pub(super) struct Keyed<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) column: usize,
    /// Its role in messages.
    pub(super) role: &'static str,
    /// Most distinct values of one row group.
    pub(super) limit: usize,
}

impl Keyed<'_> {
    /// The column's name.
    pub(super) fn name(&self) -> String {
        self.reading.source.columns[self.column].name.clone()
    }

    /// Reads one row group, and returns its distinct values; none if they exceed the limit.
    ///
    /// Writes to `ids`, for each row, the index of its value, or [`NULL_ID`](crate::data::keys::NULL_ID)
    /// for nulls and for rows that are not trained on.
    pub(super) fn read(
        &self,
        group: &RowGroup,
        codes: &[u16],
        ids: &mut [u32],
    ) -> Result<Option<Vec<Key>>, DataError> {
        let codes = &codes[group.first_row..group.first_row + group.n_rows];
        let source = self.reading.source;
        let mut chunks = Chunks::open(source, *group, &[self.column], Types::Decoding, BATCH_ROWS)?;
        let mut keys = Keys::new(self.limit, self.reading.nan);
        let (mut found, mut batch) = (Vec::new(), Vec::new());
        let mut row = 0;
        while let Some(arrays) = chunks.next()? {
            self.reading.check()?;
            let array = only_trained(&arrays[0], &codes[row..row + arrays[0].len()])
                .map_err(|found| self.type_error(found))?;
            match keys.ids(&array, &mut batch) {
                Ok(()) => {}
                Err(KeyError::TooMany) => return Ok(None),
                Err(KeyError::Type(found)) => return Err(self.type_error(found)),
                Err(KeyError::NotFinite(at, value)) => return Err(self.value_error(group, row + at, value)),
            }
            for key in &keys.keys()[found.len()..] {
                let key = whole(key).map_err(|value| {
                    let at = batch.iter().position(|&id| id as usize == found.len()).unwrap_or(0);
                    self.value_error(group, row + at, value)
                })?;
                found.push(key);
            }
            ids[row..row + batch.len()].copy_from_slice(&batch);
            row += batch.len();
        }
        Ok(Some(found))
    }

    fn type_error(&self, found: String) -> DataError {
        DataError::Folds(FoldError::ColumnType {
            column: self.name(),
            role: self.role,
            found,
            expected: "integers, booleans or text",
        })
    }

    fn value_error(&self, group: &RowGroup, row: usize, value: f64) -> DataError {
        DataError::Folds(FoldError::ColumnValue {
            path: self.reading.source.path(group),
            column: self.name(),
            role: self.role,
            row_group: group.index,
            row,
            value,
        })
    }
}

/// Replaces the values of rows that are not trained on by null, since they need not be valid.
fn only_trained(array: &ArrayRef, codes: &[u16]) -> Result<ArrayRef, String> {
    if codes.iter().all(|&code| is_trained(code)) {
        return Ok(array.clone());
    }
    let skipped: BooleanArray = codes.iter().map(|&code| Some(!is_trained(code))).collect();
    nullif(array, &skipped).map_err(|error| error.to_string())
}

/// A whole float as an integer, since columns of integers with nulls are often written as floats.
fn whole(key: &Key) -> Result<Key, f64> {
    match key {
        // 2^63: within the range of 64-bit integers, the cast is exact.
        #[allow(clippy::cast_possible_truncation, reason = "whole, and in the range")]
        Key::Float(value) if value.fract() == 0.0 && value.abs() <= 9_223_372_036_854_775_808.0 => {
            Ok(Key::Integer(*value as i128))
        }
        Key::Float(value) => Err(*value),
        other => Ok(other.clone()),
    }
}
