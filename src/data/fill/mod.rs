//! Decodes features directly into panels, in parallel over spans and columns.

mod levels;
mod numbers;

use super::Nan;
use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::deal::{Span, split};
use super::in_order::in_order;
use super::levels::LevelIndex;
use super::rows::{RowPlan, is_held_out, is_trained};
use super::source::{RowGroup, Source};
use super::statistics::{Moments, Range};
use super::training::Reading;
use crate::error::DataError;
use crate::panels::Panels;
use arrow_array::Array;
use levels::LevelWriter;
use numbers::NumberWriter;
use rayon::prelude::*;

/// How a column is encoded.
#[derive(Debug, Clone)]
pub(crate) enum Encode<'a> {
    /// `(x - centre) / scale`, with guesses of centre and scale. Nulls become NaN, or are an error.
    Learn {
        /// Centre and scale, to be used instead of guesses.
        fixed: Option<(f64, f64)>,
        /// Whether nulls are accepted.
        nulls: bool,
    },
    /// `(x - centre) / scale`. Nulls are first replaced by `missing`, or are an error without it.
    Apply { centre: f64, scale: f64, missing: Option<f64> },
    /// 1 in the feature of the row's level.
    Levels(&'a LevelIndex),
}

/// One input column to be filled.
#[derive(Debug, Clone)]
pub(crate) struct FillColumn<'a> {
    /// Index in the source.
    pub(crate) column: usize,
    /// Its first feature, and its number of features.
    pub(crate) first_feature: usize,
    pub(crate) n_features: usize,
    pub(crate) encode: Encode<'a>,
}

/// The statistics of one column in one span.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filled {
    /// Centre and scale with which the values were written.
    pub(crate) centre: f64,
    pub(crate) scale: f64,
    /// Whether centre and scale were given or guessed from values. False as long as all values are null.
    pub(crate) guessed: bool,
    /// Moments of the written training values.
    pub(crate) moments: Moments,
    /// Range of all written values, including those held out or of weight 0.
    pub(crate) reach: Range,
    pub(crate) has_nulls: bool,
    /// Number of rows whose level is unknown.
    pub(crate) unseen: usize,
}

/// Panels to fill, and the spans that deal rows over them.
pub(crate) struct Part<'a> {
    pub(crate) panels: &'a mut Panels,
    pub(crate) spans: &'a [Span],
}

/// The memory of a part, from which each task takes its slices: `[span][feature][piece]`.
struct Slices<'a> {
    spans: &'a [Span],
    values: Vec<Vec<Vec<&'a mut [f32]>>>,
    /// The second words of the exactly stored features.
    fine: Vec<Vec<Vec<&'a mut [f32]>>>,
    /// For each feature: its index among the exactly stored ones.
    fine_place: Vec<Option<usize>>,
}

/// The memory of one column in one span.
struct ColumnMemory<'a> {
    span: &'a Span,
    features: Vec<Vec<&'a mut [f32]>>,
    /// Its second words, if it is stored exactly.
    fine: Option<Vec<&'a mut [f32]>>,
}

impl<'a> Part<'a> {
    fn slices(self) -> Slices<'a> {
        let Self { panels, spans } = self;
        let n_features = panels.n_features();
        let (values, fine) = panels.words_mut();
        let fine_place = (0..n_features).map(|j| fine.as_ref()?.place(j)).collect();
        let fine = fine.map_or_else(Vec::new, |fine| {
            let width = fine.n_features();
            split(fine.values_mut(), width, spans)
        });
        Slices { spans, values: split(values, n_features, spans), fine, fine_place }
    }
}

impl<'a> Slices<'a> {
    fn take(&mut self, span: usize, column: &FillColumn<'_>) -> ColumnMemory<'a> {
        let features = &mut self.values[span][column.first_feature..][..column.n_features];
        let fine = self.fine_place[column.first_feature].map(|at| std::mem::take(&mut self.fine[span][at]));
        ColumnMemory {
            span: &self.spans[span],
            features: features.iter_mut().map(std::mem::take).collect(),
            fine,
        }
    }
}

/// Fills the features of `columns`. Returns the findings by span, then by column.
pub(crate) fn fill(
    reading: &Reading<'_>,
    plan: &RowPlan,
    columns: &[FillColumn<'_>],
    train: Part<'_>,
    held_out: Option<Part<'_>>,
) -> Result<Vec<Vec<Filled>>, DataError> {
    // Opening a row group walks the whole schema. In wide tables, several columns share one opening.
    let together = (columns.len() / 128).clamp(1, 256);
    let mut train = train.slices();
    let mut held_out = held_out.map(Part::slices);
    let mut tasks = Vec::new();
    for span in 0..plan.runs.len() {
        for columns in columns.chunks(together) {
            let writers: Vec<_> = columns
                .iter()
                .map(|c| (c, train.take(span, c), held_out.as_mut().map(|part| part.take(span, c))))
                .collect();
            tasks.push((span, writers));
        }
    }
    let filled = in_order(tasks.into_par_iter(), |(span, places)| fill_span(reading, plan, span, places))?;
    let per_span = columns.len().div_ceil(together).max(1);
    Ok(filled.chunks(per_span).map(<[_]>::concat).collect())
}

/// One task: some columns of one span.
fn fill_span<'a>(
    reading: &Reading<'_>,
    plan: &RowPlan,
    span: usize,
    places: Vec<(&FillColumn<'_>, ColumnMemory<'a>, Option<ColumnMemory<'a>>)>,
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
                nan: reading.nan,
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

/// The origin of a batch, and the use of its rows.
struct Batch<'a> {
    source: &'a Source,
    /// How NaN is treated.
    nan: Nan,
    group: RowGroup,
    /// Index of the first row in the table.
    row: usize,
    /// Codes of the rows; none if all rows are trained on.
    codes: Option<&'a [u16]>,
    weights: Option<&'a [f64]>,
}

impl Batch<'_> {
    fn is_kept(&self, row: usize) -> bool {
        self.codes.is_none_or(|codes| is_trained(codes[row]) || is_held_out(codes[row]))
    }

    /// Index in the row group of a row of the batch.
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
