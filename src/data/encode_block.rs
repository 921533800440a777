//! Encodes the columns of a block into its panels.

use arrow_array::{Array, ArrayRef};
use rayon::prelude::*;

use super::beyond::Scaling;
use super::chunks::BATCH_ROWS;
use super::deal::{Span, split};
use super::fill::Encode;
use super::in_order::in_order;
use super::keys::{KeyError, Keys, NULL_ID};
use super::known::Known;
use super::levels::LevelIndex;
use super::source::{RowGroup, Source};
use super::statistics::narrow;
use super::values::{first_refused, has_non_finite, numbers};
use super::{ColumnKind, Encoding, Nan};
use crate::error::DataError;
use crate::panels::{PANEL_ROWS, Panels};

/// The rows of a block in one encoding.
#[derive(Debug)]
pub struct EncodedRows {
    /// The encoded features; slot i is the i-th row of the block.
    pub panels: Panels,
    /// For each column of the encoding: number of rows with a level not seen in training.
    pub unseen: Vec<usize>,
    /// Rows, ascending, with a null that the model cannot fill. Their features must not be used.
    pub incomplete: Vec<usize>,
}

/// How the columns that are read become the features of one encoding.
pub(super) struct View {
    encoding: Encoding,
    known: Known,
    /// For each column of the encoding: its index among the columns that are read.
    at: Vec<usize>,
    /// For each feature: whether it is stored exactly.
    exact: Vec<bool>,
}

impl View {
    /// Finds the columns that `encoding` needs, and adds those that are missing to `read`.
    pub(super) fn new(
        source: &Source,
        encoding: &Encoding,
        exact: &[bool],
        read: &mut Vec<usize>,
    ) -> Result<Self, DataError> {
        let known = Known::new(source, encoding)?;
        let mut place: std::collections::HashMap<usize, usize> =
            read.iter().enumerate().map(|(at, &column)| (column, at)).collect();
        let mut at = Vec::with_capacity(known.columns.len());
        for &column in &known.columns {
            at.push(*place.entry(column).or_insert_with(|| {
                read.push(column);
                read.len() - 1
            }));
        }
        let mut kept = Vec::with_capacity(encoding.n_features());
        for column in &encoding.columns {
            let n_features = column.width();
            let asked = exact.get(kept.len()).is_some_and(|&exact| exact);
            // Levels and booleans are 0 or 1, which float32 holds exactly.
            kept.extend(std::iter::repeat_n(asked && column.kind == ColumnKind::Numeric, n_features));
        }
        Ok(Self { encoding: encoding.clone(), known, at, exact: kept })
    }

    /// Encodes the `rows` rows of `arrays`, the columns that were read. Reuses the memory of `spare`, panels
    /// of this encoding, if given.
    pub(super) fn encode(
        &self,
        place: &RowPlace<'_>,
        arrays: &[ArrayRef],
        rows: usize,
        spare: Option<Panels>,
    ) -> Result<EncodedRows, DataError> {
        let new = || Panels::zeros(rows, self.encoding.n_features()).with_fine(&self.exact);
        let mut panels = spare.map_or_else(new, |panels| panels.reuse(rows));
        let spans = [Span::new(0, rows, 0)];
        let n_features = panels.n_features();
        let (values, fine) = panels.words_mut();
        let mut slices = split(values, n_features, &spans).swap_remove(0);
        let fine_place: Vec<Option<usize>> = (0..n_features).map(|j| fine.as_ref()?.place(j)).collect();
        let mut fine = fine.map_or_else(Vec::new, |fine| {
            let width = fine.n_features();
            split(fine.values_mut(), width, &spans).swap_remove(0)
        });
        let columns = self.known.fill(&self.encoding);
        let tasks: Vec<_> = columns
            .iter()
            .zip(&self.at)
            .map(|(column, &at)| {
                let slices = slices[column.first_feature..][..column.n_features].iter_mut();
                let fine = fine_place[column.first_feature].map(|place| std::mem::take(&mut fine[place]));
                (column, &arrays[at], slices.map(std::mem::take).collect::<Vec<_>>(), fine)
            })
            .collect();
        let written =
            in_order(tasks.into_par_iter(), |(column, array, slices, fine)| match &column.encode {
                Encode::Levels(index) => write_levels(place, column.column, index, array, slices),
                &Encode::Apply { centre, scale, missing } => {
                    let nan = self.encoding.nan;
                    write_numbers(place, column.column, (centre, scale, missing), nan, array, (slices, fine))
                }
                Encode::Learn { .. } => Ok(Written::default()),
            })?;
        let mut incomplete: Vec<usize> = written.iter().flat_map(|w| w.incomplete.iter().copied()).collect();
        incomplete.sort_unstable();
        incomplete.dedup();
        let unseen = written.iter().map(|w| w.unseen).collect();
        Ok(EncodedRows { panels, unseen, incomplete })
    }
}

/// The position of a block's first row.
pub(super) struct RowPlace<'a> {
    pub(super) source: &'a Source,
    pub(super) group: RowGroup,
    pub(super) row: usize,
}

/// The irregular rows of one column of a block.
#[derive(Default)]
pub(super) struct Written {
    /// Number of rows with a level not seen in training.
    pub(super) unseen: usize,
    /// Rows with a null that the model cannot fill.
    pub(super) incomplete: Vec<usize>,
}

/// Where a column is written: the pieces of each of its features, and of its second words, if it is stored
/// exactly.
type Words<'a> = (Vec<Vec<&'a mut [f32]>>, Option<Vec<&'a mut [f32]>>);

fn write_numbers(
    place: &RowPlace<'_>,
    column: usize,
    (centre, scale, missing): (f64, f64, Option<f64>),
    nan: Nan,
    array: &ArrayRef,
    (slices, fine): Words<'_>,
) -> Result<Written, DataError> {
    let name = || place.source.columns[column].name.clone();
    let mut written = Written::default();
    let mut values = Vec::new();
    // A few panels at a time, so that the float64 values stay in the nearest caches.
    let mut pieces = slices.into_iter().next().unwrap_or_default();
    let mut fine = fine.unwrap_or_default();
    for (batch, pieces) in pieces.chunks_mut(BATCH_ROWS / PANEL_ROWS).enumerate() {
        let first = batch * BATCH_ROWS;
        let array = array.slice(first, BATCH_ROWS.min(array.len() - first));
        numbers(&array, &mut values).map_err(|found| DataError::FeatureType { column: name(), found })?;
        let nulls = array.logical_nulls().filter(|n| n.null_count() > 0);
        let is_null = |row| nulls.as_ref().is_some_and(|n| n.is_null(row));
        let has_odd = has_non_finite(&values);
        if has_odd && let Some(row) = first_refused(&values, nan, |row| !is_null(row)) {
            return Err(DataError::NotFinite {
                path: place.source.path(&place.group),
                column: name(),
                row_group: place.group.index,
                row: place.row + first + row,
                value: values[row],
            });
        }
        if has_odd || nulls.is_some() {
            // Any NaN that was not refused counts as null.
            for (row, value) in
                values.iter_mut().enumerate().filter(|(row, value)| value.is_nan() || is_null(*row))
            {
                *value = missing.unwrap_or(centre);
                if missing.is_none() {
                    written.incomplete.push(first + row);
                }
            }
        }
        let fine = fine.iter_mut().skip(first / PANEL_ROWS);
        let fine = fine.map(|piece| &mut **piece).collect();
        let is_beyond = pulp::Arch::new().dispatch(Narrow { values: &values, centre, scale, pieces, fine });
        let scaling = Scaling { centre, scale };
        if is_beyond && let Some(row) = values.iter().position(|&value| scaling.is_beyond(value)) {
            let found = (place.group, place.row + first + row, values[row]);
            return Err(scaling.error(place.source, column, found));
        }
    }
    Ok(written)
}

/// Centres, scales and rounds values into the pieces of a feature. Returns whether one exceeded the range of
/// float32.
struct Narrow<'a, 'b> {
    values: &'a [f64],
    centre: f64,
    scale: f64,
    pieces: &'a mut [&'b mut [f32]],
    /// The pieces of the second words; empty if there are none.
    fine: Vec<&'a mut [f32]>,
}

impl pulp::WithSimd for Narrow<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> bool {
        let mut is_beyond = false;
        for (piece, values) in self.pieces.iter_mut().zip(self.values.chunks(PANEL_ROWS)) {
            for (out, value) in piece.iter_mut().zip(values) {
                *out = narrow((value - self.centre) / self.scale);
                is_beyond |= out.is_infinite();
            }
        }
        for ((rest, piece), values) in
            self.fine.into_iter().zip(self.pieces.iter()).zip(self.values.chunks(PANEL_ROWS))
        {
            for ((rest, &piece), value) in rest.iter_mut().zip(piece.iter()).zip(values) {
                *rest = narrow((value - self.centre) / self.scale - f64::from(piece));
            }
        }
        is_beyond
    }
}

fn write_levels(
    place: &RowPlace<'_>,
    column: usize,
    index: &LevelIndex,
    array: &ArrayRef,
    mut slices: Vec<Vec<&mut [f32]>>,
) -> Result<Written, DataError> {
    let mut keys = Keys::new(NULL_ID as usize, Nan::Null);
    let mut ids = Vec::new();
    keys.ids(array, &mut ids).map_err(|error| DataError::CategoricalType {
        column: place.source.columns[column].name.clone(),
        found: match error {
            KeyError::Type(found) => found,
            KeyError::NotFinite(_, value) => value.to_string(),
            KeyError::TooMany => "of too many distinct values".to_owned(),
        },
    })?;
    let levels: Vec<Option<u32>> = keys.keys().iter().map(|key| index.level(&key.name())).collect();
    let mut written = Written::default();
    slices.iter_mut().flatten().for_each(|piece| piece.fill(0.0));
    for (row, &id) in ids.iter().enumerate() {
        let level = if id == NULL_ID { index.null() } else { levels[id as usize] };
        match level {
            Some(level) => slices[level as usize][row / PANEL_ROWS][row % PANEL_ROWS] = 1.0,
            None => written.unseen += 1,
        }
    }
    Ok(written)
}
