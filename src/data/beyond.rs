//! Values that the float32 of the panels cannot hold: where they are, for the error that refuses them.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::rows::RowPlan;
use super::source::{RowGroup, Source};
use super::statistics::{Range, narrow};
use super::training::Reading;
use super::values::numbers;
use crate::error::DataError;
use arrow_array::Array;

/// The largest distance between values that are not scaled, and the smallest, both with room for the second word of
/// a value that is kept exactly.
const LARGEST: f64 = 1e38;
const SMALLEST: f64 = 1e-25;

/// A value, and its row in a row group.
pub(crate) type Found = (RowGroup, usize, f64);

/// What becomes of a value in the panels: `(value - centre) / scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaling {
    pub(crate) centre: f64,
    pub(crate) scale: f64,
}

impl Scaling {
    /// Whether a value leaves the range of float32. A score of it would be an infinity or, beside another one, no
    /// number at all; a huge score within the range is a probability like any other, of 0 or 1.
    pub(crate) fn is_beyond(self, value: f64) -> bool {
        narrow((value - self.centre) / self.scale).is_infinite()
    }

    /// The error for such a value in a row of a row group.
    pub(crate) fn error(self, source: &Source, column: usize, (group, row, value): Found) -> DataError {
        let Self { centre, scale } = self;
        DataError::BeyondFloat32 {
            path: source.path(&group),
            column: source.columns[column].name.clone(),
            row_group: group.index,
            row,
            value,
            how: format!(" once {centre:e} is subtracted and it is divided by {scale:e}, as in training"),
            way_out: "mend the value, or replace it by null",
        }
    }

    /// Refuses values of the rows that `plan` keeps, counted or not, that leave the range of float32; the column
    /// `reach`es so far.
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

/// Refuses values that float32 cannot hold as they are: beyond its range, or so small that they would become 0. The
/// values of the column reach so far.
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
        way_out: "let it be standardised (leave out --no-standardize), rescale it, or --exclude it",
    })
}

/// How many values of the rows that are kept `are_it`, and the first of them with its place.
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
