//! Levels of categorical columns.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::in_order::in_order;
use super::keys::{Key, KeyError, Keys, NULL_ID};
use super::rows::{RowPlan, is_trained};
use super::training::Reading;
use crate::error::DataError;
use rayon::prelude::*;
use std::collections::HashMap;

/// Maps a value to its level.
#[derive(Debug, Clone)]
pub(crate) struct LevelIndex {
    levels: HashMap<String, u32>,
    null: Option<u32>,
}

impl LevelIndex {
    /// From the levels of an encoding's column.
    pub(crate) fn new(levels: &[Option<String>]) -> Self {
        let mut index = Self { levels: HashMap::with_capacity(levels.len()), null: None };
        for (at, level) in (0_u32..).zip(levels) {
            match level {
                Some(level) => {
                    index.levels.insert(level.clone(), at);
                }
                None => index.null = Some(at),
            }
        }
        index
    }

    /// Level of a value.
    pub(crate) fn level(&self, name: &str) -> Option<u32> {
        self.levels.get(name).copied()
    }

    /// Number of levels, including the level of nulls.
    pub(crate) fn n_levels(&self) -> usize {
        self.levels.len() + usize::from(self.null.is_some())
    }

    /// Level of nulls.
    pub(crate) fn null(&self) -> Option<u32> {
        self.null
    }
}

/// The values of one column in the training rows of one row group.
#[derive(Default)]
struct Seen {
    keys: Vec<Key>,
    null: bool,
}

/// The levels of each column in the training rows, ascending, with null last.
///
/// # Errors
/// The result of `too_many` (given the column) as soon as a column has more than `limit` levels.
pub(crate) fn levels(
    reading: &Reading<'_>,
    plan: &RowPlan,
    columns: &[usize],
    limit: usize,
    too_many: &(dyn Fn(usize) -> DataError + Sync),
) -> Result<Vec<Vec<Option<String>>>, DataError> {
    let groups = &reading.source.groups;
    let tasks: Vec<(usize, usize)> =
        columns.iter().flat_map(|&column| (0..groups.len()).map(move |group| (column, group))).collect();
    let seen = in_order(tasks.into_par_iter(), |(column, group)| {
        seen(reading, plan, column, group, limit, too_many)
    })?;
    let mut merged = Vec::with_capacity(columns.len());
    for (&column, parts) in columns.iter().zip(seen.chunks(groups.len())) {
        let null = parts.iter().any(|part| part.null);
        let mut keys: Vec<&Key> = parts.iter().flat_map(|part| &part.keys).collect();
        keys.sort_by(|a, b| a.order(b));
        keys.dedup();
        if keys.len() + usize::from(null) > limit {
            return Err(too_many(column));
        }
        merged.push(keys.into_iter().map(|key| Some(key.name())).chain(null.then_some(None)).collect());
    }
    Ok(merged)
}

fn seen(
    reading: &Reading<'_>,
    plan: &RowPlan,
    column: usize,
    group: usize,
    limit: usize,
    too_many: &(dyn Fn(usize) -> DataError + Sync),
) -> Result<Seen, DataError> {
    let group = reading.source.groups[group];
    let columns = [column];
    let mut chunks = Chunks::open(reading.source, group, &columns, Types::Decoding, BATCH_ROWS)?;
    // Only levels of training rows count towards `limit`; rows that are not trained on may have others.
    let mut keys = Keys::new(group.n_rows.max(limit), reading.nan);
    let (mut ids, mut used, mut null, mut count) = (Vec::new(), Vec::new(), false, 0);
    let mut row = group.first_row;
    while let Some(arrays) = chunks.next()? {
        reading.check()?;
        keys.ids(&arrays[0], &mut ids).map_err(|error| match error {
            KeyError::TooMany => too_many(column),
            KeyError::Type(found) => {
                DataError::CategoricalType { column: reading.source.columns[column].name.clone(), found }
            }
            KeyError::NotFinite(_, value) => DataError::CategoricalType {
                column: reading.source.columns[column].name.clone(),
                found: value.to_string(),
            },
        })?;
        used.resize(keys.keys().len(), false);
        for (&id, &code) in ids.iter().zip(&plan.codes[row..]) {
            if is_trained(code) {
                if id == NULL_ID {
                    null = true;
                } else if !std::mem::replace(&mut used[id as usize], true) {
                    count += 1;
                }
            }
        }
        if count > limit {
            return Err(too_many(column));
        }
        row += ids.len();
    }
    let keys = keys.keys().iter().zip(&used).filter(|&(_, &used)| used).map(|(key, _)| key.clone()).collect();
    Ok(Seen { keys, null })
}
