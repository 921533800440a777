//! Encodes a numeric or boolean column into panels.

use super::super::beyond::Scaling;
use super::super::rows::{is_held_out, is_trained};
use super::super::scatter::Scatter;
use super::super::statistics::{Moments, Range, guess, rests, standardise, standardise_weighted};
use super::super::values::{first_refused, has_non_finite, numbers};
use super::{Batch, ColumnMemory, Encode, Filled};
use crate::error::DataError;
use arrow_array::{Array, ArrayRef};

/// Writes a numeric or boolean column.
pub(super) struct NumberWriter<'a> {
    column: usize,
    train: Scatter<'a>,
    /// Second words of the training values, if the column is stored exactly.
    fine: Option<Scatter<'a>>,
    held_out: Option<Scatter<'a>>,
    /// Replacement for nulls: NaN while learning, to be replaced later. None refuses nulls.
    missing: Option<f64>,
    /// Whether a model's encoding is applied, rather than learned.
    applied: bool,
    pub(super) filled: Filled,
    values: Vec<f64>,
    chosen: Vec<f64>,
    chosen_weights: Vec<f64>,
    narrow: Vec<f32>,
    rest: Vec<f32>,
}

impl<'a> NumberWriter<'a> {
    pub(super) fn new(
        column: usize,
        encode: &Encode<'_>,
        mut train: ColumnMemory<'a>,
        held_out: Option<ColumnMemory<'a>>,
    ) -> Self {
        let fine = train.fine.take().map(|pieces| Scatter::new(train.span, pieces));
        let scatter = |place: ColumnMemory<'a>| {
            Scatter::new(place.span, place.features.into_iter().next().unwrap_or_default())
        };
        let (fixed, missing, applied) = match *encode {
            Encode::Learn { fixed, nulls } => (fixed, nulls.then_some(f64::NAN), false),
            Encode::Apply { centre, scale, missing } => (Some((centre, scale)), missing, true),
            Encode::Levels(_) => (None, None, false),
        };
        let (centre, scale) = fixed.unwrap_or((0.0, 1.0));
        Self {
            column,
            train: scatter(train),
            fine,
            held_out: held_out.map(scatter),
            missing,
            applied,
            filled: Filled { centre, scale, guessed: fixed.is_some(), ..Filled::default() },
            values: Vec::new(),
            chosen: Vec::new(),
            chosen_weights: Vec::new(),
            narrow: Vec::new(),
            rest: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, array: &ArrayRef, batch: &Batch<'_>) -> Result<(), DataError> {
        let mut values = std::mem::take(&mut self.values);
        numbers(array, &mut values)
            .map_err(|found| DataError::FeatureType { column: batch.name(self.column), found })?;
        // If every value enters the moments, these show any NaN or infinity, and no search is needed.
        let mut plain = batch.codes.is_none()
            && batch.weights.is_none()
            && array.null_count() == 0
            && !array.data_type().is_null();
        if !plain {
            self.replace_nulls(array, &mut values, batch)?;
        }
        if !self.filled.guessed
            && let Some((centre, scale)) = guess(&values)
        {
            (self.filled.centre, self.filled.scale, self.filled.guessed) = (centre, scale, true);
        }
        let mut moments = self.standardise(&values, batch, plain);
        if plain && !moments.is_finite() {
            self.replace_nulls(array, &mut values, batch)?;
            plain = false;
            moments = self.standardise(&values, batch, plain);
        }
        if self.applied {
            self.refuse_beyond(&values, batch)?;
        }
        if !moments.is_finite() {
            return Err(DataError::TooFar {
                path: batch.source.path(&batch.group),
                column: batch.name(self.column),
                row_group: batch.group.index,
            });
        }
        self.filled.moments.merge(&moments);
        if batch.weights.is_some() {
            self.filled.reach.merge(Range::of(if batch.codes.is_some() { &self.chosen } else { &values }));
        } else {
            self.filled.reach.merge(moments.range);
        }
        self.train.push(&self.narrow);
        if let Some(fine) = &mut self.fine {
            let trained = if batch.codes.is_some() { &self.chosen } else { &values };
            rests(trained, self.filled.centre, self.filled.scale, &self.narrow, &mut self.rest);
            fine.push(&self.rest);
        }
        self.values = values;
        Ok(())
    }

    /// Writes the training values to `narrow`, and the held-out values to their panels. If `plain`, all
    /// values are trained on with weight 1.
    fn standardise(&mut self, values: &[f64], batch: &Batch<'_>, plain: bool) -> Moments {
        let (centre, scale) = (self.filled.centre, self.filled.scale);
        self.narrow.clear();
        match (batch.codes, batch.weights) {
            (None, None) if plain => standardise(values, centre, scale, &mut self.narrow),
            (None, weights) => {
                let weights = (0..values.len()).map(|i| weights.map_or(1.0, |w| w[i]));
                standardise_weighted(values, weights, centre, scale, &mut self.narrow)
            }
            (Some(codes), weights) => {
                if let Some(held_out) = &mut self.held_out {
                    self.chosen.clear();
                    self.chosen
                        .extend(values.iter().zip(codes).filter(|&(_, &c)| is_held_out(c)).map(|(&v, _)| v));
                    let moments = standardise(&self.chosen, centre, scale, &mut self.narrow);
                    self.filled.reach.merge(moments.range);
                    held_out.push(&self.narrow);
                    self.narrow.clear();
                }
                self.chosen.clear();
                self.chosen_weights.clear();
                for (i, (&value, &code)) in values.iter().zip(codes).enumerate() {
                    if is_trained(code) {
                        self.chosen.push(value);
                        self.chosen_weights.push(weights.map_or(1.0, |w| w[i]));
                    }
                }
                let weights = self.chosen_weights.iter().copied();
                standardise_weighted(&self.chosen, weights, centre, scale, &mut self.narrow)
            }
        }
    }

    /// Refuses values that exceed the range of float32 in a model's encoding.
    fn refuse_beyond(&self, values: &[f64], batch: &Batch<'_>) -> Result<(), DataError> {
        if !self.narrow.iter().any(|value| value.is_infinite()) {
            return Ok(());
        }
        let scaling = Scaling { centre: self.filled.centre, scale: self.filled.scale };
        let mut kept = (0..values.len()).filter(|&row| batch.is_kept(row));
        match kept.find(|&row| scaling.is_beyond(values[row])) {
            Some(row) => {
                Err(scaling.error(batch.source, self.column, (batch.group, batch.row(row), values[row])))
            }
            None => Ok(()),
        }
    }

    /// Refuses infinities in kept rows, and NaN if it does not count as null. Then replaces nulls.
    fn replace_nulls(
        &mut self,
        array: &ArrayRef,
        values: &mut [f64],
        batch: &Batch<'_>,
    ) -> Result<(), DataError> {
        let nulls = array.logical_nulls().filter(|n| n.null_count() > 0);
        let is_null = |row| nulls.as_ref().is_some_and(|n| n.is_null(row));
        let has_odd = has_non_finite(values);
        if has_odd
            && let Some(row) = first_refused(values, batch.nan, |row| !is_null(row) && batch.is_kept(row))
        {
            return Err(DataError::NotFinite {
                path: batch.source.path(&batch.group),
                column: batch.name(self.column),
                row_group: batch.group.index,
                row: batch.row(row),
                value: values[row],
            });
        }
        if !has_odd && nulls.is_none() {
            return Ok(());
        }
        for (row, value) in values.iter_mut().enumerate() {
            let is_null = is_null(row);
            if !(is_null || value.is_nan()) || !batch.is_kept(row) {
                continue;
            }
            let found = if is_null { "null" } else { "NaN" };
            let Some(missing) = self.missing else {
                let (path, column) = (batch.source.path(&batch.group), batch.name(self.column));
                let (row_group, row) = (batch.group.index, batch.row(row));
                return Err(if self.applied {
                    DataError::NullNotFilled { path, column, found, row_group, row }
                } else {
                    DataError::Null { path, column, found, row_group, row }
                });
            };
            *value = missing;
            self.filled.has_nulls = true;
        }
        Ok(())
    }
}
