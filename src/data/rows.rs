//! The use of each row of the files: dropped, trained on, or held out.

use super::deal::{Span, span_ends, spans};
use super::folds::Assigned;
use super::source::Source;
use crate::panels::Rows;
use std::ops::Range;

/// The code of a dropped row. The code of any other row is its class, plus [`HELD_OUT`] for validation rows.
pub(crate) const DROPPED: u16 = u16::MAX;
/// The bit of a code that marks a validation row.
pub(crate) const HELD_OUT: u16 = 0x8000;

/// Class, use and weight of every row, in file order.
#[derive(Debug)]
pub(crate) struct RowPlan {
    pub(crate) codes: Vec<u16>,
    pub(crate) weights: Option<Vec<f64>>,
    /// The range of row groups of each span.
    pub(crate) runs: Vec<Range<usize>>,
    /// For each row group: whether all its rows are trained on.
    pub(crate) whole: Vec<bool>,
    /// Sum of the weights of the training rows.
    pub(crate) weight_sum: f64,
}

/// Whether a row is trained on.
pub(crate) fn is_trained(code: u16) -> bool {
    code < HELD_OUT
}

/// Whether a row is held out for validation.
pub(crate) fn is_held_out(code: u16) -> bool {
    code >= HELD_OUT && code != DROPPED
}

impl RowPlan {
    /// Whether a row is trained on or held out.
    pub(crate) fn is_kept(&self, row: usize) -> bool {
        self.codes[row] != DROPPED
    }

    /// Groups row groups into spans of at least `span_rows` training rows, except perhaps the last.
    pub(crate) fn new(source: &Source, codes: Vec<u16>, weights: Option<Vec<f64>>, span_rows: usize) -> Self {
        let kept: Vec<usize> = source
            .groups
            .iter()
            .map(|g| codes[g.first_row..g.first_row + g.n_rows].iter().filter(|&&c| is_trained(c)).count())
            .collect();
        let whole = kept.iter().zip(&source.groups).map(|(&k, g)| k == g.n_rows).collect();
        let mut begin = 0;
        let runs = span_ends(&kept, span_rows)
            .into_iter()
            .map(|end| std::mem::replace(&mut begin, end)..end)
            .collect();
        let weight_sum = match &weights {
            None => kept.iter().sum::<usize>() as f64,
            Some(w) => codes.iter().zip(w).filter(|&(&c, _)| is_trained(c)).map(|(_, &w)| w).sum(),
        };
        Self { codes, weights, runs, whole, weight_sum }
    }

    /// The rows of a span.
    fn rows(&self, source: &Source, run: &Range<usize>) -> Range<usize> {
        let last = &source.groups[run.end - 1];
        source.groups[run.start].first_row..last.first_row + last.n_rows
    }

    /// The spans of the rows for which `part` holds.
    pub(crate) fn spans(&self, source: &Source, part: fn(u16) -> bool, seed: u64) -> Vec<Span> {
        let count = |run| self.codes[self.rows(source, run)].iter().filter(|&&c| part(c)).count();
        spans(self.runs.iter().map(count), seed)
    }

    /// Deals class, weight and fold (if any) of the rows for which `part` holds to their slots.
    pub(crate) fn deal(
        &self,
        source: &Source,
        part: fn(u16) -> bool,
        spans: &[Span],
        n_classes: usize,
        folds: Option<&Assigned>,
    ) -> Rows {
        let n_rows = spans.last().map_or(0, |s| s.slots().end);
        let mut class = vec![0; n_rows];
        let mut weight = self.weights.as_ref().map(|_| vec![1.0; n_rows]);
        let mut fold = folds.map(|_| vec![0; n_rows]);
        for (run, span) in self.runs.iter().zip(spans) {
            let kept = self.rows(source, run).filter(|&row| part(self.codes[row]));
            for (row, (piece, round)) in kept.zip(span.places()) {
                let slot = span.starts()[piece] + round;
                class[slot] = u32::from(self.codes[row] & !HELD_OUT);
                if let (Some(weight), Some(weights)) = (&mut weight, &self.weights) {
                    weight[slot] = weights[row];
                }
                if let (Some(fold), Some(folds)) = (&mut fold, folds) {
                    fold[slot] = u32::from(folds.of_row[row]);
                }
            }
        }
        let fold = fold.zip(folds).map(|(fold, folds)| (fold, folds.folds.n_folds));
        match weight {
            Some(weight) => with_weights(class, fold, &weight, n_classes),
            None => with_weights(class, fold, &vec![1.0_f32; n_rows], n_classes),
        }
    }
}

fn with_weights<W: Copy + Into<f64>>(
    class: Vec<u32>,
    fold: Option<(Vec<u32>, usize)>,
    weight: &[W],
    n_classes: usize,
) -> Rows {
    match fold {
        Some((fold, n_folds)) => Rows::with_folds(&class, &fold, weight, n_classes, n_folds),
        None => Rows::new(class, weight, n_classes),
    }
}
