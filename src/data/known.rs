//! Finds the columns of a model in another table.

use super::fill::{Encode, FillColumn};
use super::levels::LevelIndex;
use super::schema::{ValueType, nearest};
use super::source::Source;
use super::{Column, ColumnKind, Encoding, Temporal};
use crate::error::DataError;

/// The index in a table of each column of an encoding, and its levels.
pub(crate) struct Known {
    pub(crate) columns: Vec<usize>,
    pub(crate) indexes: Vec<Option<LevelIndex>>,
}

impl Known {
    /// Finds the columns, and checks their types against those of training.
    pub(crate) fn new(source: &Source, encoding: &Encoding) -> Result<Self, DataError> {
        let columns = encoding.columns.iter().map(|c| find(source, c)).collect::<Result<_, _>>()?;
        let indexes = encoding.columns.iter().map(|c| c.levels.as_deref().map(LevelIndex::new)).collect();
        Ok(Self { columns, indexes })
    }

    /// How each column is to be filled.
    pub(crate) fn fill<'a>(&'a self, encoding: &Encoding) -> Vec<FillColumn<'a>> {
        let transform = encoding.panel_transform();
        let mut first_feature = 0;
        let mut columns = Vec::with_capacity(self.columns.len());
        for ((&column, index), known) in self.columns.iter().zip(&self.indexes).zip(&encoding.columns) {
            let n_features = known.width();
            let encode = match index {
                Some(index) => Encode::Levels(index),
                None => {
                    let (centre, scale) = transform[first_feature];
                    Encode::Apply { centre, scale, missing: known.missing }
                }
            };
            columns.push(FillColumn { column, first_feature, n_features, encode });
            first_feature += n_features;
        }
        columns
    }
}

/// Finds a column of the encoding in a table, and checks its type.
fn find(source: &Source, column: &Column) -> Result<usize, DataError> {
    let at = source.find(&column.name).ok_or_else(|| DataError::FeatureMissing {
        column: column.name.clone(),
        nearest: nearest(&column.name, source.columns.iter().map(|c| c.name.as_str())),
    })?;
    source.readable(at)?;
    let found = &source.columns[at].value_type;
    let all = |is: fn(&str) -> bool| column.levels.iter().flatten().flatten().all(|level| is(level));
    let (fits, expected) = match column.kind {
        ColumnKind::Numeric => match column.temporal {
            None => (found.is_number() && found.temporal().is_none(), "numbers"),
            Some(Temporal::Date) => (*found == ValueType::Date, "dates"),
            Some(Temporal::Timestamp) => (*found == ValueType::Timestamp, "timestamps"),
            Some(Temporal::Time) => (*found == ValueType::Time, "times of day"),
            Some(Temporal::Duration) => (*found == ValueType::Duration, "durations"),
        },
        ColumnKind::Boolean => (*found == ValueType::Boolean, "booleans"),
        // Levels are stored as text. A column of integers or booleans fits if every level parses as one.
        ColumnKind::Categorical => match found {
            // The type of a folder column depends on which folders the table has.
            ValueType::Integer if source.columns[at].is_folder => (true, "text"),
            ValueType::Integer => (all(|level| level.parse::<i128>().is_ok()), "text"),
            ValueType::Boolean => (all(|level| level.parse::<bool>().is_ok()), "text"),
            ValueType::Text => (true, "text"),
            _ => (false, "levels"),
        },
    };
    if fits || *found == ValueType::Null {
        Ok(at)
    } else {
        let found = found.describe().to_owned();
        Err(DataError::FeatureTypeDiffers { column: column.name.clone(), found, expected })
    }
}
