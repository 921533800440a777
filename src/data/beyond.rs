//! Finds values outside the range of the panels' float32, and reports where they are.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::rows::RowPlan;
use super::source::{RowGroup, Source};
use super::statistics::{Range, narrow};
use super::training::Reading;
use super::values::numbers;
use crate::error::DataError;
use arrow_array::Array;

/// Bounds for unscaled values: the largest span and magnitude of a column, and the smallest span. Both leave
/// room for the second word of an exactly stored value.
const LARGEST: f64 = 1e38;
const SMALLEST: f64 = 1e-25;

/// A row group, a row in it, and its value.
pub(crate) type Found = (RowGroup, usize, f64);

/// How values are written to the panels: `(value - centre) / scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaling {
    pub(crate) centre: f64,
    pub(crate) scale: f64,
}

impl Scaling {
    /// Whether the scaled value exceeds the range of float32, so that scores would be infinite or NaN. Huge
    /// values within the range are fine: they give a probability of 0 or 1.
    pub(crate) fn is_beyond(self, value: f64) -> bool {
        narrow((value - self.centre) / self.scale).is_infinite()
    }

    /// The error for a value for which [`Self::is_beyond`] holds.
    pub(crate) fn error(self, source: &Source, column: usize, (group, row, value): Found) -> DataError {
        let Self { centre, scale } = self;
        DataError::BeyondFloat32 {
            path: source.path(&group),
            column: source.columns[column].name.clone(),
            row_group: group.index,
            row,
            value,
            how: format!(" once {centre:e} is subtracted and it is divided by {scale:e}, as in training"),
            way_out: "fix the value, or replace it with null",
        }
    }

    /// Refuses the first value that exceeds the range of float32, in any row that `plan` keeps. `reach` is
    /// the range of the column's values; the column is read again only if it shows such a value.
    pub(super) fn refuse(
        self,
        reading: &Reading<'_>,
        plan: &RowPlan,
        column: usize,
        reach: Range,
    ) -> Result<(), DataError> {
        if reach.least > reach.most || !(self.is_beyond(reach.least) || self.is_beyond(reach.most)) {
            return Ok(());
        }
        match find(reading, plan, column, |value| self.is_beyond(value))?.1 {
            Some(first) => Err(self.error(reading.source, column, first)),
            None => Ok(()),
        }
    }
}

/// Refuses unscaled values that are too large for float32, or that differ by so little that their differences
/// would be lost. The range of the column's values tells whether it must be searched.
pub(super) fn refuse_unscaled(
    reading: &Reading<'_>,
    plan: &RowPlan,
    column: usize,
    Range { least, most }: Range,
) -> Result<(), DataError> {
    let is_small = least < most && (most - least) < SMALLEST;
    if !is_small && (most - least) <= LARGEST && most.abs().max(least.abs()) <= LARGEST {
        return Ok(());
    }
    let is_beyond = |value: f64| if is_small { value != 0.0 } else { value.abs() > LARGEST / 2.0 };
    let (count, first) = find(reading, plan, column, is_beyond)?;
    let Some((group, row, value)) = first else { return Ok(()) };
    Err(DataError::BeyondFloat32 {
        path: reading.source.path(&group),
        column: reading.source.columns[column].name.clone(),
        row_group: group.index,
        row,
        value,
        how: format!(", as are {count} of its values"),
        way_out: "standardise it (leave out --no-standardize), rescale it, or --exclude it",
    })
}

/// Counts the values in kept rows for which `is_it` holds, and locates the first.
fn find(
    reading: &Reading<'_>,
    plan: &RowPlan,
    column: usize,
    is_it: impl Fn(f64) -> bool,
) -> Result<(usize, Option<Found>), DataError> {
    let source = reading.source;
    let (mut count, mut first) = (0, None);
    for group in &source.groups {
        let mut chunks = Chunks::open(source, *group, &[column], Types::Decoding, BATCH_ROWS)?;
        let (mut row, mut values) = (0, Vec::new());
        while let Some(arrays) = chunks.next()? {
            reading.check()?;
            let name = || source.columns[column].name.clone();
            numbers(&arrays[0], &mut values)
                .map_err(|found| DataError::FeatureType { column: name(), found })?;
            let nulls = arrays[0].logical_nulls();
            for (at, &value) in values.iter().enumerate() {
                let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
                if plan.is_kept(group.first_row + row + at) && !is_null && is_it(value) {
                    count += 1;
                    first.get_or_insert((*group, row + at, value));
                }
            }
            row += values.len();
        }
    }
    Ok((count, first))
}
