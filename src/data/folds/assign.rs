//! Assigns a fold to every row, by any of the methods.

use super::column::by_column;
use super::group::by_group_of;
use super::stratified::stratified;
use super::time::by_time;
use super::{Folding, Folds};
use crate::data::options::column;
use crate::data::schema::ValueType;
use crate::data::source::Source;
use crate::data::training::Reading;
use crate::error::{DataError, FoldError};

/// Most folds. A larger number is taken for a mistake.
pub(super) const MAX_FOLDS: usize = 1000;

/// The folds, and the fold of each row of the files. Rows that are not trained on have the placeholder 0.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) of_row: Vec<u16>,
    pub(crate) folds: Folds,
}

impl Folding {
    /// The column that it reads, and the column's role in messages.
    fn column(&self) -> Option<(&str, &'static str)> {
        match self {
            Self::Stratified { .. } => None,
            Self::Group { column, .. } => Some((column, "group column")),
            Self::Column { column } => Some((column, "fold column")),
            Self::Time { column, .. } => Some((column, "time column")),
        }
    }

    /// Checks the number of folds.
    fn check_number(&self) -> Result<(), DataError> {
        let (folds, least) = match *self {
            Self::Stratified { folds } | Self::Group { folds, .. } => (folds, 2),
            Self::Time { folds, .. } => (folds, 1),
            Self::Column { .. } => return Ok(()),
        };
        if (least..=MAX_FOLDS).contains(&folds) {
            Ok(())
        } else {
            Err(DataError::Folds(FoldError::Number { folds, least, most: MAX_FOLDS }))
        }
    }
}

/// Finds the column that the folds are made from, if any, and checks its type.
pub(crate) fn folding_column(
    source: &Source,
    folding: &Folding,
    target: usize,
) -> Result<Option<usize>, DataError> {
    folding.check_number()?;
    let Some((name, role)) = folding.column() else { return Ok(None) };
    let at = column(source, name, role)?;
    if at == target {
        return Err(DataError::Folds(FoldError::TargetIsFoldColumn { column: name.to_owned(), role }));
    }
    let value_type = &source.columns[at].value_type;
    let is_time = matches!(folding, Folding::Time { .. });
    let fits = match value_type {
        ValueType::Boolean | ValueType::Text | ValueType::Null => !is_time,
        // Floats must be whole numbers, which is checked when they are read.
        ValueType::Integer | ValueType::Float => true,
        other => is_time && other.is_number(),
    };
    if fits {
        return Ok(Some(at));
    }
    Err(DataError::Folds(FoldError::ColumnType {
        column: name.to_owned(),
        role,
        found: value_type.describe().to_owned(),
        expected: if is_time { "numbers, dates or timestamps" } else { "integers, booleans or text" },
    }))
}

/// Assigns a fold to each row that is trained on.
pub(crate) fn assign(
    reading: &Reading<'_>,
    folding: &Folding,
    codes: &[u16],
    n_classes: usize,
    seed: u64,
) -> Result<Assigned, DataError> {
    let role = folding.column().map_or("fold column", |(_, role)| role);
    let place = |name: &str| column(reading.source, name, role);
    match folding {
        Folding::Stratified { folds } => stratified(codes, n_classes, *folds, seed),
        Folding::Group { column, folds } => {
            by_group_of(reading, place(column)?, codes, n_classes, *folds, seed)
        }
        Folding::Column { column } => by_column(reading, place(column)?, codes),
        Folding::Time { column, folds } => by_time(reading, place(column)?, codes, *folds),
    }
}
