//! Encodes a categorical column into panels.

use super::super::Nan;
use super::super::deal::Places;
use super::super::keys::{KeyError, Keys, NULL_ID};
use super::super::levels::LevelIndex;
use super::super::rows::{is_held_out, is_trained};
use super::{Batch, ColumnMemory, Filled};
use crate::error::DataError;
use arrow_array::ArrayRef;

/// Writes a categorical column. Panels are initially 0, so only the ones are written.
pub(super) struct LevelWriter<'a> {
    column: usize,
    index: &'a LevelIndex,
    keys: Keys,
    /// For each key: its level.
    levels: Vec<Option<u32>>,
    ids: Vec<u32>,
    train: (Vec<Vec<&'a mut [f32]>>, Places<'a>),
    held_out: Option<(Vec<Vec<&'a mut [f32]>>, Places<'a>)>,
    pub(super) filled: Filled,
}

impl<'a> LevelWriter<'a> {
    pub(super) fn new(
        column: usize,
        index: &'a LevelIndex,
        train: ColumnMemory<'a>,
        held_out: Option<ColumnMemory<'a>>,
    ) -> Self {
        let open = |place: ColumnMemory<'a>| (place.features, place.span.places());
        Self {
            column,
            index,
            keys: Keys::new(NULL_ID as usize, Nan::Null),
            levels: Vec::new(),
            ids: Vec::new(),
            train: open(train),
            held_out: held_out.map(open),
            filled: Filled::default(),
        }
    }

    pub(super) fn push(&mut self, array: &ArrayRef, batch: &Batch<'_>) -> Result<(), DataError> {
        self.keys.ids(array, &mut self.ids).map_err(|error| level_error(error, batch, self.column))?;
        for key in &self.keys.keys()[self.levels.len()..] {
            self.levels.push(self.index.level(&key.name()));
        }
        for (row, &id) in self.ids.iter().enumerate() {
            let part = match batch.codes.map(|codes| codes[row]) {
                Some(code) if is_held_out(code) => self.held_out.as_mut(),
                Some(code) if !is_trained(code) => None,
                _ => Some(&mut self.train),
            };
            let Some((features, places)) = part else { continue };
            let Some((piece, round)) = places.next() else { continue };
            let level = if id == NULL_ID { self.index.null() } else { self.levels[id as usize] };
            match level {
                Some(level) => features[level as usize][piece][round] = 1.0,
                None => self.filled.unseen += 1,
            }
        }
        Ok(())
    }
}

fn level_error(error: KeyError, batch: &Batch<'_>, column: usize) -> DataError {
    let found = match error {
        KeyError::Type(found) => found,
        KeyError::TooMany => "of too many distinct values".to_owned(),
        KeyError::NotFinite(_, value) => value.to_string(),
    };
    DataError::CategoricalType { column: batch.name(column), found }
}
