//! The groups of a table: rows with the same value of a column.

use super::keyed::Keyed;
use crate::data::in_order::in_order;
use crate::data::keys::{Key, NULL_ID};
use crate::data::rows::is_trained;
use crate::data::target::by_group;
use crate::data::training::Reading;
use crate::error::{DataError, FoldError};
use rayon::prelude::*;
use std::collections::HashMap;

/// Most groups. The hash table for more would take gigabytes.
const MAX_GROUPS: u32 = 1 << 24;

/// The group of every row.
pub(super) struct Groups {
    /// For each row of the files: its group, or [`NULL_ID`] if the row is not trained on.
    pub(super) ids: Vec<u32>,
    pub(super) n_groups: usize,
    /// Number of rows where the column is null. They are one group.
    pub(super) null_rows: usize,
}

impl Groups {
    /// Numbers the values of a column in the order of their first training row. Null rows are one group.
    pub(super) fn read(reading: &Reading<'_>, column: usize, codes: &[u16]) -> Result<Self, DataError> {
        let source = reading.source;
        let keyed = Keyed { reading, column, role: "group column", limit: usize::MAX };
        let too_many = || {
            DataError::Folds(FoldError::TooManyGroups { column: keyed.name(), limit: MAX_GROUPS as usize })
        };
        let mut ids = vec![NULL_ID; codes.len()];
        let mut values = Values::new(MAX_GROUPS);
        let mut parts = by_group(source, &mut ids);
        // A few row groups at a time, since each may have as many values as rows. Numbers follow the order
        // of the files, whichever thread reads a row group.
        let at_once = 2 * rayon::current_num_threads();
        for (groups, parts) in source.groups.chunks(at_once).zip(parts.chunks_mut(at_once)) {
            let found = in_order(groups.par_iter().zip(&mut *parts), |(group, ids)| {
                keyed.read(group, codes, ids)?.ok_or_else(too_many)
            })?;
            let mut numbers = Vec::with_capacity(found.len());
            for keys in found {
                let ids: Option<Vec<u32>> = keys.into_iter().map(|key| values.id(key)).collect();
                numbers.push(ids.ok_or_else(too_many)?);
            }
            parts.par_iter_mut().zip(&numbers).for_each(|(ids, numbers)| {
                for id in ids.iter_mut().filter(|id| **id != NULL_ID) {
                    *id = numbers[*id as usize];
                }
            });
        }
        let mut n_groups = values.next;
        let mut null_rows = 0;
        for (id, _) in ids.iter_mut().zip(codes).filter(|(id, code)| **id == NULL_ID && is_trained(**code)) {
            *id = n_groups;
            null_rows += 1;
        }
        n_groups += u32::from(null_rows > 0);
        Ok(Self { ids, n_groups: n_groups as usize, null_rows })
    }
}

/// Numbers values in order of appearance.
struct Values {
    integers: HashMap<i64, u32>,
    /// Text, and integers of more than 64 bits as text. No column has both.
    texts: HashMap<Box<str>, u32>,
    next: u32,
    limit: u32,
}

impl Values {
    fn new(limit: u32) -> Self {
        Self { integers: HashMap::new(), texts: HashMap::new(), next: 0, limit }
    }

    /// The number of a value; none beyond the limit.
    fn id(&mut self, key: Key) -> Option<u32> {
        let integer = match &key {
            Key::Boolean(value) => Some(i64::from(*value)),
            Key::Integer(value) => i64::try_from(*value).ok(),
            Key::Float(_) | Key::Text(_) => None,
        };
        let id = match (integer, key) {
            (Some(value), _) => *self.integers.entry(value).or_insert(self.next),
            (None, Key::Text(text)) => *self.texts.entry(text.into()).or_insert(self.next),
            (None, other) => *self.texts.entry(other.name().into()).or_insert(self.next),
        };
        if id == self.next {
            self.next += 1;
        }
        (id < self.limit).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_up_to_a_limit() {
        let mut values = Values::new(3);
        let wide = || Key::Integer(i128::from(u64::MAX));
        assert_eq!(values.id(Key::Integer(-7)), Some(0));
        assert_eq!(values.id(wide()), Some(1));
        assert_eq!(values.id(Key::Integer(-1)), Some(2));
        assert_eq!(values.id(wide()), Some(1));
        assert_eq!(values.id(Key::Integer(8)), None);
    }
}
