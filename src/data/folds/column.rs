//! One fold for each value of a column.

use super::assign::MAX_FOLDS;
use super::keyed::Keyed;
use super::{Assigned, FoldName, Folds};
use crate::data::in_order::in_order;
use crate::data::keys::{Key, NULL_ID};
use crate::data::rows::is_trained;
use crate::data::target::by_group;
use crate::data::training::Reading;
use crate::error::{DataError, FoldError};
use rayon::prelude::*;

/// Marks a null until the number of folds is known.
const NO_FOLD: u16 = u16::MAX;

/// Numbers the distinct values in ascending order. Null rows get the next number after the last.
pub(super) fn by_column(reading: &Reading<'_>, column: usize, codes: &[u16]) -> Result<Assigned, DataError> {
    let source = reading.source;
    let keyed = Keyed { reading, column, role: "fold column", limit: MAX_FOLDS };
    let too_many = || DataError::Folds(FoldError::TooMany { column: keyed.name(), limit: MAX_FOLDS });
    let mut of_row = vec![0; codes.len()];
    let found: Vec<Vec<Key>> =
        in_order(by_group(source, &mut of_row).into_par_iter().zip(&source.groups), |(of_row, group)| {
            let mut ids = vec![NULL_ID; group.n_rows];
            let keys = keyed.read(group, codes, &mut ids)?.ok_or_else(too_many)?;
            for (fold, &id) in of_row.iter_mut().zip(&ids) {
                *fold = u16::try_from(id).unwrap_or(NO_FOLD);
            }
            Ok(keys)
        })?;

    let mut keys: Vec<&Key> = found.iter().flatten().collect();
    keys.sort_by(|a, b| a.order(b));
    keys.dedup();
    if keys.len() > MAX_FOLDS {
        return Err(too_many());
    }
    let n_scored = u16::try_from(keys.len()).unwrap_or(NO_FOLD);
    let mut null_rows = 0;
    for ((of_row, group), found) in by_group(source, &mut of_row).into_iter().zip(&source.groups).zip(&found)
    {
        let place = |key: &Key| keys.binary_search_by(|k| k.order(key)).unwrap_or(0);
        let folds: Vec<u16> = found.iter().map(|key| u16::try_from(place(key)).unwrap_or(NO_FOLD)).collect();
        for (fold, &code) in of_row.iter_mut().zip(&codes[group.first_row..]) {
            *fold = match (is_trained(code), folds.get(usize::from(*fold))) {
                (false, _) => 0,
                (true, Some(&fold)) => fold,
                (true, None) => {
                    null_rows += 1;
                    n_scored
                }
            };
        }
    }
    match keys.as_slice() {
        [] => return Err(DataError::Folds(FoldError::ColumnNull { column: keyed.name() })),
        [only] if null_rows == 0 => {
            return Err(DataError::Folds(FoldError::OneFold { column: keyed.name(), value: only.name() }));
        }
        _ => {}
    }
    let scored = (0..).zip(keys.iter().map(|key| name(key))).collect();
    let n_folds = keys.len() + usize::from(null_rows > 0);
    Ok(Assigned { of_row, folds: Folds { scored, forward: false, n_folds, null_rows } })
}

/// An integer as a number if it fits into 64 bits, anything else as text.
fn name(key: &Key) -> FoldName {
    match key {
        Key::Integer(value) => {
            i64::try_from(*value).map_or_else(|_| FoldName::Text(key.name()), FoldName::Number)
        }
        other => FoldName::Text(other.name()),
    }
}
