//! Reads a table for training.

use super::deal::{SPAN_ROWS, Span};
use super::folds::{Assigned, Folds, assign};
use super::hold_out::hold_out;
use super::learn::{Learned, finish, learn};
use super::levels::levels;
use super::memory::{self, Budget};
use super::options::{Missing, ReadOptions, Selection, select};
use super::rows::{DROPPED, HELD_OUT, RowPlan, is_held_out, is_trained};
use super::source::Source;
use super::target::read_target;
use super::weights::{Search, drop_nulls, read_weights};
use super::{ColumnKind, Encoding, Nan, Target};
use crate::error::{DataError, Error};
use crate::panels::{PANEL_ROWS, Panels, Rows};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tables of up to this many values store all numbers exactly: the second words take at most 16 MiB and
/// slow the float64 passes little. Larger tables store only the columns in [`ReadOptions::exact`] exactly.
const EXACT_VALUES: usize = 1 << 22;

/// Callbacks of a reader. They may be called from any thread.
pub trait ReadProgress: Sync {
    /// `done` of `total` rows are read.
    fn rows(&self, _done: usize, _total: usize) {}
    /// Bytes that the caller will need in addition to a table of this shape. The memory check includes them.
    fn beside(&self, _shape: &TableShape) -> u64 {
        0
    }
    /// Whether to stop with [`DataError::Interrupted`].
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl ReadProgress for () {}

/// The dimensions of a table, which determine its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableShape {
    /// Number of training rows.
    pub rows: usize,
    /// Number of encoded features.
    pub features: usize,
    /// Number of classes.
    pub classes: usize,
    /// Number of folds that are scored; 0 without folds.
    pub folds: usize,
    /// Float32 words per value, 1 or 2.
    pub words: usize,
}

impl TableShape {
    /// Bytes of `features` features of all rows.
    pub fn bytes(&self, features: usize) -> u64 {
        let rows = self.rows.next_multiple_of(PANEL_ROWS) as u64;
        rows.saturating_mul((features * self.words * size_of::<f32>()) as u64)
    }
}

/// A table ready for training.
#[derive(Debug)]
pub struct Dataset {
    /// The encoded features of the training rows.
    pub panels: Panels,
    /// Their classes, weights and folds.
    pub rows: Rows,
    /// The folds, if any.
    pub folds: Option<Folds>,
    /// How columns became features.
    pub encoding: Encoding,
    /// The target and its classes.
    pub target: Target,
    /// Number of rows dropped because of a null target, or a null feature with [`Missing::Drop`].
    pub rows_dropped: usize,
    /// Number of rows dropped because of a null target.
    pub rows_without_target: usize,
    /// The rows held out for validation, if any.
    pub validation: Option<(Panels, Rows)>,
    /// Columns that are constant in the training rows.
    pub constant_columns: Vec<String>,
    /// The constant columns of integers or times so large that float64 may have rounded differences away.
    pub blurred_columns: Vec<String>,
    /// Columns of a pandas index that were left out.
    pub index_columns: Vec<String>,
}

impl Dataset {
    /// The dimensions of the table.
    pub fn shape(&self) -> TableShape {
        TableShape {
            rows: self.panels.n_rows(),
            features: self.panels.n_features(),
            classes: self.target.classes.len(),
            folds: self.folds.as_ref().map_or(0, |folds| folds.scored.len()),
            words: 1 + usize::from(self.panels.fine().is_some()),
        }
    }

    /// Bytes of the panels and rows.
    pub fn bytes(&self) -> u64 {
        let held_out = self.validation.as_ref().map_or(0, |(panels, _)| panels.bytes());
        self.panels.bytes() + held_out + memory::of_rows(self.panels.n_rows())
    }
}

/// The state of a reading in progress.
pub(crate) struct Reading<'a> {
    pub(crate) source: &'a Source,
    /// How NaN is treated.
    pub(crate) nan: Nan,
    progress: &'a dyn ReadProgress,
    n_columns: usize,
    done: AtomicUsize,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        source: &'a Source,
        nan: Nan,
        progress: &'a dyn ReadProgress,
        n_columns: usize,
    ) -> Self {
        Self { source, nan, progress, n_columns: n_columns.max(1), done: AtomicUsize::new(0) }
    }

    /// Stops with an error if the caller asks to.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        if self.progress.is_interrupted() { Err(DataError::Interrupted) } else { Ok(()) }
    }

    /// Reports progress by a number of values read, and stops with an error if the caller asks to.
    pub(crate) fn advance(&self, values: usize) -> Result<(), DataError> {
        let before = self.done.fetch_add(values, Ordering::Relaxed);
        let (rows, now) = (before / self.n_columns, (before + values) / self.n_columns);
        if now > rows {
            let total = self.source.n_rows();
            self.progress.rows(now.min(total), total);
        }
        self.check()
    }
}

/// Reads and encodes a table for training.
///
/// The target, the weight and the categorical columns are read first, to find the classes, the kept rows
/// and the levels. Then every feature is decoded directly into the panels, in general once.
///
/// # Errors
/// If the options do not fit the table, the table does not fit into memory, a value is invalid, or a file
/// cannot be decoded.
pub fn read_training(
    source: &Source,
    options: &ReadOptions,
    progress: &dyn ReadProgress,
) -> crate::Result<Dataset> {
    read_training_in_spans(source, options, progress, SPAN_ROWS)
}

/// [`read_training`] with another minimum of rows per span, for tests.
#[doc(hidden)]
pub fn read_training_in_spans(
    source: &Source,
    options: &ReadOptions,
    progress: &dyn ReadProgress,
    span_rows: usize,
) -> crate::Result<Dataset> {
    read_spans(source, options, progress, span_rows).map_err(|error| source.name_in(error))
}

fn read_spans(
    source: &Source,
    options: &ReadOptions,
    progress: &dyn ReadProgress,
    span_rows: usize,
) -> crate::Result<Dataset> {
    let selection = select(source, options)?;
    let read = |search| read_selected(source, options, &selection, progress, span_rows, search);
    match read(Search::Nulls) {
        // A NaN counts as null here, but footers do not count NaN. Start again, and search for NaN when
        // dropping rows.
        Err(Error::Data(DataError::Null { .. })) if options.missing == Missing::Drop => read(Search::NaN),
        done => done,
    }
}

fn read_selected(
    source: &Source,
    options: &ReadOptions,
    selection: &Selection,
    progress: &dyn ReadProgress,
    span_rows: usize,
    search: Search,
) -> crate::Result<Dataset> {
    let reading = Reading::new(source, options.nan, progress, selection.features.len());
    let columns = columns_of(selection, |_| true);
    let budget = Budget::new(options.memory).beside(source, &columns)?;
    let (plan, target, dropped, assigned) = plan_rows(&reading, options, selection, span_rows, search)?;
    let train_spans = plan.spans(source, is_trained, options.seed);
    let held_out_spans = plan.spans(source, is_held_out, options.seed);
    let n_rows = rows_of(&train_spans) + rows_of(&held_out_spans);

    let categorical = columns_of(selection, |kind| kind == ColumnKind::Categorical);
    let limit = budget.features(n_rows);
    let too_many = |column: usize| {
        budget.refuse(n_rows, &[(source.columns[column].name.clone(), limit + 1)], "at least ")
    };
    let levels = levels(&reading, &plan, &categorical, limit, &too_many)?;
    let widths = widths(source, selection, &levels);
    let n_features: usize = widths.iter().map(|(_, width)| width).sum();
    let is_small = n_rows.saturating_mul(n_features) <= EXACT_VALUES;
    let n_exact = if is_small { n_features } else { options.exact.len() };
    // Held-out rows have no second words.
    let fine = (rows_of(&train_spans) as u64).saturating_mul((n_exact * size_of::<f32>()) as u64);
    let beside = progress.beside(&TableShape {
        rows: rows_of(&train_spans),
        features: n_features,
        classes: target.classes.len(),
        folds: assigned.as_ref().map_or(0, |assigned| assigned.folds.scored.len()),
        words: 1 + usize::from(is_small),
    });
    budget.check(n_rows, &widths, fine.saturating_add(beside))?;

    let is_exact = |name: &String| is_small || options.exact.contains(name);
    let (exact, rounded) = second_words(selection, &widths, is_exact);
    let panels = Panels::zeros(rows_of(&train_spans), n_features);
    let mut panels = panels.with_fine(&exact).with_rounded(rounded);
    let mut held_out =
        (options.validation_fraction > 0.0).then(|| Panels::zeros(rows_of(&held_out_spans), n_features));
    let parts = (&mut panels, &*train_spans, held_out.as_mut(), &*held_out_spans);
    let Learned { encoding, fixes, constant_columns, blurred_columns } =
        learn(&reading, &plan, selection, levels, options, parts)?;
    finish(&mut panels, &train_spans, &fixes);
    source.unchanged()?;
    let deal = |part, spans: &[Span], folds| plan.deal(source, part, spans, target.classes.len(), folds);
    let validation = held_out.map(|mut panels| {
        finish(&mut panels, &held_out_spans, &fixes);
        (panels, deal(is_held_out, &held_out_spans, None))
    });
    Ok(Dataset {
        rows: deal(is_trained, &train_spans, assigned.as_ref()),
        folds: assigned.map(|assigned| assigned.folds),
        panels,
        encoding,
        target,
        rows_dropped: dropped.without_target + dropped.incomplete,
        rows_without_target: dropped.without_target,
        validation,
        constant_columns,
        blurred_columns,
        index_columns: selection.index_columns.clone(),
    })
}

/// The columns of some kinds of features, in their order.
fn columns_of(selection: &Selection, is_wanted: impl Fn(ColumnKind) -> bool) -> Vec<usize> {
    let wanted = selection.features.iter().filter(|&&(_, kind)| is_wanted(kind));
    wanted.map(|&(column, _)| column).collect()
}

/// The name of each column, and how many features it becomes.
fn widths(source: &Source, selection: &Selection, levels: &[Vec<Option<String>>]) -> Vec<(String, usize)> {
    let mut counts = levels.iter().map(Vec::len);
    let mut width = |kind| if kind == ColumnKind::Categorical { counts.next().unwrap_or(0) } else { 1 };
    let name = |column: usize| source.columns[column].name.clone();
    selection.features.iter().map(|&(column, kind)| (name(column), width(kind))).collect()
}

/// For each feature: whether it is kept exactly, with a second word; and whether float32 rounds it.
fn second_words(
    selection: &Selection,
    widths: &[(String, usize)],
    is_exact: impl Fn(&String) -> bool,
) -> (Vec<bool>, Vec<bool>) {
    let (mut exact, mut rounded) = (Vec::new(), Vec::new());
    for (&(_, kind), (name, width)) in selection.features.iter().zip(widths) {
        let is_number = kind == ColumnKind::Numeric;
        let is_exact = is_number && is_exact(name);
        exact.extend(std::iter::repeat_n(is_exact, *width));
        rounded.extend(std::iter::repeat_n(is_number && !is_exact, *width));
    }
    (exact, rounded)
}

pub(super) fn rows_of(spans: &[Span]) -> usize {
    spans.last().map_or(0, |span| span.slots().end)
}

struct Dropped {
    without_target: usize,
    incomplete: usize,
}

/// Decides the use of each row, and assigns folds.
fn plan_rows(
    reading: &Reading<'_>,
    options: &ReadOptions,
    selection: &Selection,
    span_rows: usize,
    search: Search,
) -> Result<(RowPlan, Target, Dropped, Option<Assigned>), DataError> {
    let (mut codes, mut target) = read_target(reading, selection.target)?;
    let without_target = codes.iter().filter(|&&code| code == DROPPED).count();
    let mut incomplete = 0;
    if options.missing == Missing::Drop {
        let columns = columns_of(selection, |kind| kind != ColumnKind::Categorical);
        incomplete = drop_nulls(reading, &columns, &mut codes, search)?;
        if codes.iter().all(|&code| code == DROPPED) {
            return Err(DataError::NoRowsLeft);
        }
    }
    let weights = selection.weight.map(|column| read_weights(reading, column, &codes)).transpose()?;
    hold_out(&mut codes, options.validation_fraction, options.seed, target.classes.len());
    keep_classes(&mut codes, &mut target)?;
    let folds = options
        .folds
        .as_ref()
        .map(|folding| assign(reading, folding, &codes, target.classes.len(), options.seed))
        .transpose()?;
    let plan = RowPlan::new(reading.source, codes, weights, span_rows);
    if plan.weight_sum <= 0.0 {
        return Err(DataError::WeightsZero { column: options.weight.clone().unwrap_or_default() });
    }
    Ok((plan, target, Dropped { without_target, incomplete }, folds))
}

/// Removes the classes without a kept row, and renumbers the others.
fn keep_classes(codes: &mut [u16], target: &mut Target) -> Result<(), DataError> {
    let mut used = vec![false; target.classes.len()];
    for &code in codes.iter().filter(|&&code| code != DROPPED) {
        used[usize::from(code & !HELD_OUT)] = true;
    }
    let mut next = 0_u16;
    let mut place = Vec::with_capacity(used.len());
    for &used in &used {
        place.push(next);
        next += u16::from(used);
    }
    for code in codes.iter_mut().filter(|code| **code != DROPPED) {
        *code = place[usize::from(*code & !HELD_OUT)] | (*code & HELD_OUT);
    }
    let mut keep = used.iter();
    target.classes.retain(|_| keep.next().copied().unwrap_or(false));
    match target.classes.as_slice() {
        [value] => Err(DataError::OneClass { column: target.name.clone(), value: value.clone() }),
        _ => Ok(()),
    }
}
