//! Decoding features straight into panels, in parallel over spans and columns.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::deal::{Span, split};
use super::keys::{KeyError, Keys, NULL_ID};
use super::levels::LevelIndex;
use super::rows::{RowPlan, is_held_out, is_trained};
use super::scatter::Scatter;
use super::source::{RowGroup, Source};
use super::statistics::{Moments, guess, standardise, standardise_weighted};
use super::training::Reading;
use super::values::{has_non_finite, numbers};
use crate::error::DataError;
use crate::panels::Panels;
use arrow::array::{Array, ArrayRef};
use rayon::prelude::*;

/// What is written for a column.
#[derive(Debug, Clone)]
pub(crate) enum Encode<'a> {
    /// `(x - centre) / scale` with a guess at both, nulls as NaN; or an error for nulls.
    Learn {
        /// Centre and scale, where no guess is wanted.
        fixed: Option<(f64, f64)>,
        /// Whether nulls are accepted.
        nulls: bool,
    },
    /// `(x - centre) / scale`, nulls replaced first; or an error for nulls.
    Apply { centre: f64, scale: f64, missing: Option<f64> },
    /// 1 in the column of the row's level.
    Levels(&'a LevelIndex),
}

/// One input column to be filled.
#[derive(Debug, Clone)]
pub(crate) struct FillColumn<'a> {
    /// Place in the source.
    pub(crate) column: usize,
    /// Its first feature, and how many it has.
    pub(crate) first_feature: usize,
    pub(crate) n_features: usize,
    pub(crate) encode: Encode<'a>,
}

/// What was found in one column of one span.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filled {
    /// Centre and scale that the values were written with.
    pub(crate) centre: f64,
    pub(crate) scale: f64,
    /// Whether these two come from values (or were given): false while there were only nulls.
    pub(crate) guessed: bool,
    /// Of the written training values.
    pub(crate) moments: Moments,
    pub(crate) has_nulls: bool,
    /// Rows whose level has no column.
    pub(crate) unseen: usize,
}

/// Panels to fill and how rows are dealt over them.
pub(crate) struct Part<'a> {
    pub(crate) panels: &'a mut Panels,
    pub(crate) spans: &'a [Span],
}

/// `[span][feature][piece]`, taken by the tasks.
type Slices<'a> = Vec<Vec<Vec<&'a mut [f32]>>>;

/// One column's places in one span.
struct Place<'a> {
    span: &'a Span,
    features: Vec<Vec<&'a mut [f32]>>,
}

impl<'a> Part<'a> {
    fn slices(self) -> (Slices<'a>, &'a [Span]) {
        let n_features = self.panels.n_features();
        (split(self.panels.values_mut(), n_features, self.spans), self.spans)
    }
}

fn take<'a>(part: &mut (Slices<'a>, &'a [Span]), span: usize, column: &FillColumn<'_>) -> Place<'a> {
    let features = &mut part.0[span][column.first_feature..][..column.n_features];
    Place { span: &part.1[span], features: features.iter_mut().map(std::mem::take).collect() }
}

/// Fills the columns' features; returns what was found, by span, then column.
pub(crate) fn fill(
    reading: &Reading<'_>,
    plan: &RowPlan,
    columns: &[FillColumn<'_>],
    train: Part<'_>,
    held_out: Option<Part<'_>>,
) -> Result<Vec<Vec<Filled>>, DataError> {
    // Opening a row group walks its whole schema, so wide tables share that among several columns.
    let together = (columns.len() / 128).clamp(1, 256);
    let mut train = train.slices();
    let mut held_out = held_out.map(Part::slices);
    let mut tasks = Vec::new();
    for span in 0..plan.runs.len() {
        for columns in columns.chunks(together) {
            let writers: Vec<_> = columns
                .iter()
                .map(|c| (c, take(&mut train, span, c), held_out.as_mut().map(|part| take(part, span, c))))
                .collect();
            tasks.push((span, writers));
        }
    }
    let filled: Vec<Vec<Filled>> = tasks
        .into_par_iter()
        .map(|(span, places)| fill_span(reading, plan, span, places))
        .collect::<Result<_, _>>()?;
    let per_span = columns.len().div_ceil(together).max(1);
    Ok(filled.chunks(per_span).map(<[_]>::concat).collect())
}

/// One task: some columns of one span.
fn fill_span<'a>(
    reading: &Reading<'_>,
    plan: &RowPlan,
    span: usize,
    places: Vec<(&FillColumn<'_>, Place<'a>, Option<Place<'a>>)>,
) -> Result<Vec<Filled>, DataError> {
    let columns: Vec<usize> = places.iter().map(|(c, ..)| c.column).collect();
    let mut writers: Vec<Writer<'_>> = places
        .into_iter()
        .map(|(column, train, held_out)| match &column.encode {
            Encode::Levels(index) => {
                Writer::Levels(Box::new(LevelWriter::new(column.column, index, train, held_out)))
            }
            encode => Writer::Numbers(Box::new(NumberWriter::new(column.column, encode, train, held_out))),
        })
        .collect();
    let batch_rows = (BATCH_ROWS / columns.len()).max(1024);
    for at in plan.runs[span].clone() {
        let group = reading.source.groups[at];
        let mut row = group.first_row;
        let mut chunks = Chunks::open(reading.source, group, &columns, Types::Decoding, batch_rows)?;
        while let Some(arrays) = chunks.next()? {
            let rows = arrays.first().map_or(0, |a| a.len());
            let batch = Batch {
                source: reading.source,
                group,
                row,
                codes: (!plan.whole[at]).then(|| &plan.codes[row..row + rows]),
                weights: plan.weights.as_ref().map(|w| &w[row..row + rows]),
            };
            for (writer, array) in writers.iter_mut().zip(&arrays) {
                match writer {
                    Writer::Numbers(writer) => writer.push(array, &batch)?,
                    Writer::Levels(writer) => writer.push(array, &batch)?,
                }
            }
            row += rows;
            reading.advance(rows * columns.len())?;
        }
    }
    Ok(writers
        .into_iter()
        .map(|writer| match writer {
            Writer::Numbers(writer) => writer.filled,
            Writer::Levels(writer) => writer.filled,
        })
        .collect())
}

/// Where a batch comes from, and what becomes of its rows.
struct Batch<'a> {
    source: &'a Source,
    group: RowGroup,
    /// First row, in the table.
    row: usize,
    /// Codes of the rows; none if all are trained on.
    codes: Option<&'a [u16]>,
    weights: Option<&'a [f32]>,
}

impl Batch<'_> {
    fn is_kept(&self, row: usize) -> bool {
        self.codes.is_none_or(|codes| is_trained(codes[row]) || is_held_out(codes[row]))
    }

    /// Row in the row group.
    fn row(&self, row: usize) -> usize {
        self.row - self.group.first_row + row
    }

    fn name(&self, column: usize) -> String {
        self.source.columns[column].name.clone()
    }
}

enum Writer<'a> {
    Numbers(Box<NumberWriter<'a>>),
    Levels(Box<LevelWriter<'a>>),
}

/// Writes a numeric or boolean column.
struct NumberWriter<'a> {
    column: usize,
    train: Scatter<'a>,
    held_out: Option<Scatter<'a>>,
    /// What replaces a null: NaN, to be replaced later, while that is not known.
    missing: Option<f64>,
    /// Whether a null refused is one that the model cannot fill.
    applied: bool,
    filled: Filled,
    values: Vec<f64>,
    chosen: Vec<f64>,
    chosen_weights: Vec<f64>,
    narrow: Vec<f32>,
}

impl<'a> NumberWriter<'a> {
    fn new(column: usize, encode: &Encode<'_>, train: Place<'a>, held_out: Option<Place<'a>>) -> Self {
        let scatter = |place: Place<'a>| {
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
            held_out: held_out.map(scatter),
            missing,
            applied,
            filled: Filled { centre, scale, guessed: fixed.is_some(), ..Filled::default() },
            values: Vec::new(),
            chosen: Vec::new(),
            chosen_weights: Vec::new(),
            narrow: Vec::new(),
        }
    }

    fn push(&mut self, array: &ArrayRef, batch: &Batch<'_>) -> Result<(), DataError> {
        let mut values = std::mem::take(&mut self.values);
        numbers(array, &mut values)
            .map_err(|found| DataError::FeatureType { column: batch.name(self.column), found })?;
        // Where every value counts, a NaN or an infinity shows in the sums: no pass to look for it.
        let plain = batch.codes.is_none()
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
        let (centre, scale) = (self.filled.centre, self.filled.scale);
        self.narrow.clear();
        let moments = match (batch.codes, batch.weights) {
            (None, None) if plain => standardise(&values, centre, scale, &mut self.narrow),
            (None, weights) => {
                let weights = (0..values.len()).map(|i| weights.map_or(1.0, |w| f64::from(w[i])));
                standardise_weighted(&values, weights, centre, scale, &mut self.narrow)
            }
            (Some(codes), weights) => {
                if let Some(held_out) = &mut self.held_out {
                    self.chosen.clear();
                    self.chosen
                        .extend(values.iter().zip(codes).filter(|&(_, &c)| is_held_out(c)).map(|(&v, _)| v));
                    standardise(&self.chosen, centre, scale, &mut self.narrow);
                    held_out.push(&self.narrow);
                    self.narrow.clear();
                }
                self.chosen.clear();
                self.chosen_weights.clear();
                for (i, (&value, &code)) in values.iter().zip(codes).enumerate() {
                    if is_trained(code) {
                        self.chosen.push(value);
                        self.chosen_weights.push(weights.map_or(1.0, |w| f64::from(w[i])));
                    }
                }
                let weights = self.chosen_weights.iter().copied();
                standardise_weighted(&self.chosen, weights, centre, scale, &mut self.narrow)
            }
        };
        if !(moments.mean.is_finite() && moments.m2.is_finite()) {
            self.replace_nulls(array, &mut values, batch)?;
            return Err(DataError::TooFar {
                path: batch.source.path(&batch.group),
                column: batch.name(self.column),
                row_group: batch.group.index,
            });
        }
        self.filled.moments.merge(&moments);
        self.train.push(&self.narrow);
        self.values = values;
        Ok(())
    }

    /// Refuses NaN and infinity in kept rows, then replaces nulls.
    fn replace_nulls(
        &mut self,
        array: &ArrayRef,
        values: &mut [f64],
        batch: &Batch<'_>,
    ) -> Result<(), DataError> {
        let nulls = array.logical_nulls().filter(|n| n.null_count() > 0);
        let is_null = |row| nulls.as_ref().is_some_and(|n| n.is_null(row));
        if has_non_finite(values)
            && let Some(row) =
                (0..values.len()).find(|&row| !values[row].is_finite() && !is_null(row) && batch.is_kept(row))
        {
            return Err(DataError::NotFinite {
                path: batch.source.path(&batch.group),
                column: batch.name(self.column),
                row_group: batch.group.index,
                row: batch.row(row),
                value: values[row],
            });
        }
        for row in (0..values.len()).filter(|&row| is_null(row)) {
            if !batch.is_kept(row) {
                continue;
            }
            let Some(missing) = self.missing else {
                let (path, column) = (batch.source.path(&batch.group), batch.name(self.column));
                let (row_group, row) = (batch.group.index, batch.row(row));
                return Err(if self.applied {
                    DataError::NullNotFilled { path, column, row_group, row }
                } else {
                    DataError::Null { path, column, row_group, row }
                });
            };
            values[row] = missing;
            self.filled.has_nulls = true;
        }
        Ok(())
    }
}

/// Writes a categorical column: panels are 0 already, only the ones are written.
struct LevelWriter<'a> {
    column: usize,
    index: &'a LevelIndex,
    keys: Keys,
    /// For each id of a key: its level.
    levels: Vec<Option<u32>>,
    ids: Vec<u32>,
    train: (Vec<Vec<&'a mut [f32]>>, super::deal::Places<'a>),
    held_out: Option<(Vec<Vec<&'a mut [f32]>>, super::deal::Places<'a>)>,
    filled: Filled,
}

impl<'a> LevelWriter<'a> {
    fn new(column: usize, index: &'a LevelIndex, train: Place<'a>, held_out: Option<Place<'a>>) -> Self {
        let open = |place: Place<'a>| (place.features, place.span.places());
        Self {
            column,
            index,
            keys: Keys::new(NULL_ID as usize),
            levels: Vec::new(),
            ids: Vec::new(),
            train: open(train),
            held_out: held_out.map(open),
            filled: Filled::default(),
        }
    }

    fn push(&mut self, array: &ArrayRef, batch: &Batch<'_>) -> Result<(), DataError> {
        self.keys.ids(array, &mut self.ids).map_err(|error| level_error(error, batch, self.column))?;
        for key in &self.keys.keys()[self.levels.len()..] {
            self.levels.push(self.index.level(&key.name()));
        }
        for (row, &id) in self.ids.iter().enumerate() {
            let part = match batch.codes.map(|codes| codes[row]) {
                Some(code) if is_held_out(code) => self.held_out.as_mut(),
                Some(code) if !is_trained(code) => None,
                _ => Some(&mut self.train),
            };
            let Some((features, places)) = part else { continue };
            let Some((piece, round)) = places.next() else { continue };
            let level = if id == NULL_ID { self.index.null() } else { self.levels[id as usize] };
            match level {
                Some(level) => features[level as usize][piece][round] = 1.0,
                None => self.filled.unseen += 1,
            }
        }
        Ok(())
    }
}

fn level_error(error: KeyError, batch: &Batch<'_>, column: usize) -> DataError {
    let found = match error {
        KeyError::Type(found) => found,
        KeyError::TooMany => "of too many distinct values".to_owned(),
        KeyError::NotFinite(_, value) => value.to_string(),
    };
    DataError::CategoricalType { column: batch.name(column), found }
}
