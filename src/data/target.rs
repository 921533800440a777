//! The target column: its classes, and the class of each row.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::in_order::in_order;
use super::keys::{Key, KeyError, Keys, NULL_ID};
use super::rows::DROPPED;
use super::schema::ValueType;
use super::source::{RowGroup, Source};
use super::training::Reading;
use super::{Target, TargetType};
use crate::error::DataError;
use arrow_schema::DataType;
use rayon::prelude::*;
use std::collections::HashMap;

/// Most classes. A target with more is taken for a mistake.
pub(crate) const MAX_CLASSES: usize = 1000;

/// The type of a target column.
pub(crate) fn target_type(source: &Source, column: usize) -> Result<TargetType, DataError> {
    let column = &source.columns[column];
    match &column.value_type {
        ValueType::Text => Ok(TargetType::String),
        ValueType::Boolean => Ok(TargetType::Boolean),
        ValueType::Integer => Ok(TargetType::Integer),
        ValueType::Float => Ok(TargetType::Float),
        ValueType::Null => Err(DataError::TargetAllNull { column: column.name.clone() }),
        other => {
            Err(DataError::TargetType { column: column.name.clone(), found: other.describe().to_owned() })
        }
    }
}

/// The Arrow type of a column (of its values, if it is a dictionary). None if the files differ, since the
/// type of one file may not hold the values of another.
fn exact_type(source: &Source, column: usize) -> Option<String> {
    let mut types = source.files.iter().map(|file| match file.natural_type(column) {
        DataType::Dictionary(_, values) => values.to_string(),
        other => other.to_string(),
    });
    let first = types.next()?;
    types.all(|other| other == first).then_some(first)
}

/// Splits `rows`, which has one value per row, into one slice per row group.
pub(crate) fn by_group<'a, T>(source: &Source, mut rows: &'a mut [T]) -> Vec<&'a mut [T]> {
    let mut parts = Vec::with_capacity(source.groups.len());
    for group in &source.groups {
        let (part, rest) = rows.split_at_mut(group.n_rows);
        parts.push(part);
        rows = rest;
    }
    parts
}

/// Reads the target. The code of a row is its class, or [`DROPPED`] if it is null.
pub(crate) fn read_target(reading: &Reading<'_>, column: usize) -> Result<(Vec<u16>, Target), DataError> {
    let source = reading.source;
    let data_type = target_type(source, column)?;
    let mut codes = vec![DROPPED; source.n_rows()];
    let tasks = by_group(source, &mut codes).into_par_iter().zip(&source.groups);
    let found = in_order(tasks, |(codes, group)| read_group(reading, column, *group, codes))?;

    let name = source.columns[column].name.clone();
    let as_type = |key: &Key| match data_type {
        TargetType::Float => Key::Float(key.number()),
        _ => key.clone(),
    };
    let mut keys: Vec<Key> = found.iter().flatten().map(as_type).collect();
    keys.sort_by(Key::order);
    keys.dedup();
    match keys.as_slice() {
        [] => return Err(DataError::TargetAllNull { column: name }),
        [only] => return Err(DataError::OneClass { column: name, value: only.name() }),
        keys if keys.len() > MAX_CLASSES => {
            return Err(DataError::TooManyClasses { column: name, limit: MAX_CLASSES });
        }
        _ => {}
    }
    for (codes, found) in by_group(source, &mut codes).into_iter().zip(&found) {
        let place = |key: &Key| keys.binary_search_by(|k| k.order(&as_type(key))).unwrap_or(0);
        let classes: Vec<u16> =
            found.iter().map(|key| u16::try_from(place(key)).unwrap_or(DROPPED)).collect();
        for code in codes.iter_mut().filter(|code| **code != DROPPED) {
            *code = classes[usize::from(*code)];
        }
    }
    let classes = keys.iter().map(Key::name).collect();
    let arrow_type = exact_type(source, column);
    Ok((codes, Target { name, data_type, arrow_type, classes }))
}

/// Reads one row group. Its codes number the values in order of appearance; returns these values.
fn read_group(
    reading: &Reading<'_>,
    column: usize,
    group: RowGroup,
    codes: &mut [u16],
) -> Result<Vec<Key>, DataError> {
    let mut chunks = Chunks::open(reading.source, group, &[column], Types::Decoding, BATCH_ROWS)?;
    let mut keys = Keys::new(MAX_CLASSES, reading.nan);
    let mut ids = Vec::new();
    let mut row = 0;
    while let Some(arrays) = chunks.next()? {
        reading.check()?;
        keys.ids(&arrays[0], &mut ids)
            .map_err(|error| target_error(reading.source, column, &group, row, error))?;
        for (code, &id) in codes[row..].iter_mut().zip(&ids) {
            *code = if id == NULL_ID { DROPPED } else { u16::try_from(id).unwrap_or(DROPPED) };
        }
        row += ids.len();
    }
    Ok(keys.keys().to_vec())
}

/// The error for invalid target values.
pub(crate) fn target_error(
    source: &Source,
    column: usize,
    group: &RowGroup,
    row: usize,
    error: KeyError,
) -> DataError {
    let column = source.columns[column].name.clone();
    match error {
        KeyError::TooMany => DataError::TooManyClasses { column, limit: MAX_CLASSES },
        KeyError::Type(found) => DataError::TargetType { column, found },
        KeyError::NotFinite(at, value) => DataError::TargetNotFinite {
            path: source.path(group),
            column,
            row_group: group.index,
            row: row + at,
            value,
        },
    }
}

/// Maps the target values of another table to the classes of training.
#[derive(Debug)]
pub(crate) struct ClassIndex {
    pub(crate) column: usize,
    classes: HashMap<String, u32>,
}

impl ClassIndex {
    /// For a target from training.
    pub(crate) fn new(source: &Source, target: &Target) -> Result<Self, DataError> {
        let column = super::options::column(source, &target.name, "target")?;
        let (number, found) =
            (|t| matches!(t, TargetType::Integer | TargetType::Float), target_type(source, column));
        // A target that is null throughout fits any type.
        if let Ok(found) = found
            && found != target.data_type
            && !(number(found) && number(target.data_type))
        {
            return Err(DataError::FeatureTypeDiffers {
                column: target.name.clone(),
                found: source.columns[column].value_type.describe().to_owned(),
                expected: match target.data_type {
                    TargetType::String => "text",
                    TargetType::Boolean => "booleans",
                    TargetType::Integer | TargetType::Float => "numbers",
                },
            });
        }
        let classes = (0..).zip(&target.classes).map(|(at, class)| (class.clone(), at)).collect();
        Ok(Self { column, classes })
    }

    /// Class of a value; none if training had no such class.
    pub(crate) fn class(&self, key: &Key) -> Option<u32> {
        self.classes.get(&key.name()).copied()
    }
}
