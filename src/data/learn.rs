//! Learns an encoding while filling the panels.

use super::beyond::{Scaling, refuse_unscaled};
use super::deal::Span;
use super::fill::{Encode, FillColumn, Filled, Part, fill};
use super::levels::LevelIndex;
use super::options::{Missing, ReadOptions, Selection};
use super::rows::RowPlan;
use super::schema::{ticks, unit};
use super::source::{Source, SourceColumn};
use super::statistics::{Moments, Range, narrow};
use super::training::Reading;
use super::{Column, ColumnKind, Encoding};
use crate::error::DataError;
use crate::panels::{PANEL_ROWS, Panels};
use arrow_schema::DataType;
use rayon::prelude::*;

/// A column is decoded again if its guessed centre was off by more than this many standard deviations:
/// float32 would spend its digits on the offset.
const FAR: f64 = 16.0;

/// A column is decoded again if a value lies more than this many guessed scales from its guessed centre.
/// Below this, float32 has room for the value and for the ratio of the scale to its guess.
const FARTHEST: f64 = 1e25;

/// The map from provisional to final values of a feature: `value * factor + offset`, and NaN to `null`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fix {
    feature: usize,
    factor: f64,
    offset: f64,
    null: f64,
}

/// The learned encoding, and the corrections that the panels still need.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) encoding: Encoding,
    /// For each span.
    pub(crate) fixes: Vec<Vec<Fix>>,
    pub(crate) constant_columns: Vec<String>,
    pub(crate) blurred_columns: Vec<String>,
}

/// 2^53: float64 holds every whole number up to here.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// Mean, standard deviation and range of a column's training values.
#[derive(Debug, Clone, Copy)]
struct Spread {
    mean: f64,
    deviation: f64,
    range: Range,
}

impl Spread {
    /// Merges the spans in order, relative to the first centre and scale. So means keep their digits, and the
    /// squares of huge and tiny values stay within the range of float64.
    fn of<'a>(filled: impl Iterator<Item = &'a Filled>, weight_sum: f64) -> Option<Self> {
        let mut moments = Moments::default();
        let mut first = None;
        for span in filled.filter(|span| span.moments.weight > 0.0) {
            let (origin, unit) = *first.get_or_insert((span.centre, span.scale));
            moments.merge(&span.moments.unscale((span.centre - origin) / unit, span.scale / unit));
        }
        let (origin, unit) = first?;
        let range = moments.range;
        #[allow(clippy::float_cmp, reason = "a constant column holds one value, to the last bit")]
        if range.least == range.most {
            return Some(Self { mean: range.least, deviation: 0.0, range });
        }
        let deviation = (moments.m2.max(0.0) / weight_sum).sqrt() * unit;
        Some(Self { mean: origin + moments.mean * unit, deviation, range })
    }

    /// That of one column of each span.
    fn of_column(filled: &[Vec<Filled>], at: usize, plan: &RowPlan) -> Option<Self> {
        Self::of(filled.iter().map(|span| &span[at]), plan.weight_sum)
    }

    fn is_constant(&self) -> bool {
        self.range.least >= self.range.most
    }

    /// Whether the values of a constant column are too large for float64 to tell whether they differ.
    fn is_blurred(&self, natural: &DataType) -> bool {
        ticks(natural).is_some_and(|ticks| self.mean.abs() * ticks >= EXACT_INTEGERS)
    }

    /// A scale that brings the values close to 1, even if their deviation was lost to rounding.
    fn scale(&self) -> f64 {
        let width = self.range.most / 2.0 - self.range.least / 2.0;
        if self.is_constant() {
            1.0
        } else if self.deviation > 0.0 {
            self.deviation
        } else {
            width
        }
    }

    /// Whether values written with this guess must be decoded again.
    fn is_far_from(&self, guess: &Filled) -> bool {
        let off = (guess.centre - self.mean).abs();
        let ratio = guess.scale / self.scale();
        // A constant column must become exactly 0, so its centre must be exact.
        let least =
            if self.is_constant() { 0.0 } else { FAR * self.deviation + f64::EPSILON * self.mean.abs() };
        let is_off = off > least || (!self.is_constant() && !(1e-12..1e12).contains(&ratio));
        // The range also covers rows that are held out or have weight 0, which may lie anywhere.
        let width = (guess.reach.most - guess.centre).max(guess.centre - guess.reach.least);
        guess.guessed && (is_off || width / guess.scale > FARTHEST)
    }
}

/// Fills the panels, and learns the mean, scale and fill value of each column.
pub(crate) fn learn(
    reading: &Reading<'_>,
    plan: &RowPlan,
    selection: &Selection,
    levels: Vec<Vec<Option<String>>>,
    options: &ReadOptions,
    (panels, spans, mut held_out, held_out_spans): (&mut Panels, &[Span], Option<&mut Panels>, &[Span]),
) -> Result<Learned, DataError> {
    let source = reading.source;
    let indexes: Vec<LevelIndex> = levels.iter().map(|levels| LevelIndex::new(levels)).collect();
    let mut columns = fill_columns(selection, &indexes, options);
    let mut pass = |columns: &[FillColumn<'_>]| {
        let held_out = held_out.as_deref_mut().map(|panels| Part { panels, spans: held_out_spans });
        fill(reading, plan, columns, Part { panels, spans }, held_out)
    };
    let mut filled = pass(&columns)?;
    let again = correct_guesses(&mut columns, &filled, plan, selection, options);
    if !again.is_empty() {
        let columns: Vec<_> = again.iter().map(|&at| columns[at].clone()).collect();
        for (span, better) in filled.iter_mut().zip(pass(&columns)?) {
            for (&at, better) in again.iter().zip(better) {
                span[at] = better;
            }
        }
    }

    let mut levels = levels.into_iter();
    let mut learned = Vec::with_capacity(columns.len());
    let (mut constant_columns, mut blurred_columns) = (Vec::new(), Vec::new());
    for (at, &(column, kind)) in selection.features.iter().enumerate() {
        let name = source.columns[column].name.clone();
        if kind == ColumnKind::Categorical {
            let levels = levels.next();
            if levels.as_ref().is_some_and(|levels| levels.len() == 1) {
                constant_columns.push(name);
            }
            learned.push(level_column(source, column, levels));
            continue;
        }
        let Some(found) = Spread::of_column(&filled, at, plan) else {
            return Err(DataError::AllNull { column: name });
        };
        if !found.mean.is_finite() || !found.deviation.is_finite() {
            return Err(DataError::Overflow { column: name });
        }
        if kind == ColumnKind::Numeric {
            refuse_beyond(reading, plan, options, column, &found, reach(&filled, at))?;
        }
        if found.is_constant() {
            constant_columns.push(name.clone());
            if found.is_blurred(&source.files[0].natural_type(column)) {
                blurred_columns.push(name);
            }
        }
        learned.push(number_column(source, (column, kind), &found, options));
    }
    let encoding = Encoding {
        columns: learned,
        standardize: options.standardize,
        intercept: options.intercept,
        nan: options.nan,
    };
    let fixes = fixes(&encoding, &columns, &filled);
    Ok(Learned { encoding, fixes, constant_columns, blurred_columns })
}

/// Replaces guessed centres and scales that were far off by those that were found; which columns are to be decoded again.
fn correct_guesses(
    columns: &mut [FillColumn<'_>],
    filled: &[Vec<Filled>],
    plan: &RowPlan,
    selection: &Selection,
    options: &ReadOptions,
) -> Vec<usize> {
    let mut again = Vec::new();
    for (at, (column, &(_, kind))) in columns.iter_mut().zip(&selection.features).enumerate() {
        if kind == ColumnKind::Numeric
            && let Some(found) = Spread::of_column(filled, at, plan)
            && filled.iter().any(|span| found.is_far_from(&span[at]))
        {
            column.encode = Encode::Learn {
                fixed: Some((found.mean, found.scale())),
                nulls: options.missing == Missing::Mean,
            };
            again.push(at);
        }
    }
    again
}

/// The least and the largest value of a column, of rows that count for nothing too.
fn reach(filled: &[Vec<Filled>], at: usize) -> Range {
    let mut reach = Range::default();
    filled.iter().for_each(|span| reach.merge(span[at].reach));
    reach
}

/// Refuses a column of numbers that float32 cannot hold, as they were written or as they will be.
fn refuse_beyond(
    reading: &Reading<'_>,
    plan: &RowPlan,
    options: &ReadOptions,
    column: usize,
    found: &Spread,
    reach: Range,
) -> Result<(), DataError> {
    if !options.standardize {
        refuse_unscaled(reading, plan, column, found.range)?;
    }
    let last = if options.standardize { found.scale() } else { 1.0 };
    for scale in [found.scale(), last] {
        Scaling { centre: found.mean, scale }.refuse(reading, plan, column, reach)?;
    }
    Ok(())
}

/// A column of levels.
fn level_column(source: &Source, column: usize, levels: Option<Vec<Option<String>>>) -> Column {
    let SourceColumn { name, value_type, .. } = &source.columns[column];
    Column {
        name: name.clone(),
        kind: ColumnKind::Categorical,
        mean: None,
        scale: None,
        missing: None,
        temporal: None,
        unit: None,
        level_type: value_type.level_type(),
        levels,
    }
}

/// A column of numbers or booleans.
fn number_column(
    source: &Source,
    (column, kind): (usize, ColumnKind),
    found: &Spread,
    options: &ReadOptions,
) -> Column {
    let is_scaled = kind == ColumnKind::Numeric && options.standardize;
    Column {
        name: source.columns[column].name.clone(),
        kind,
        mean: Some(found.mean),
        scale: Some(if is_scaled { found.scale() } else { 1.0 }),
        missing: (options.missing == Missing::Mean).then_some(found.mean),
        temporal: source.columns[column].value_type.temporal(),
        unit: unit(&source.files[0].natural_type(column)),
        level_type: None,
        levels: None,
    }
}

fn fill_columns<'a>(
    selection: &Selection,
    indexes: &'a [LevelIndex],
    options: &ReadOptions,
) -> Vec<FillColumn<'a>> {
    let nulls = options.missing == Missing::Mean;
    let mut indexes = indexes.iter();
    let mut first_feature = 0;
    let mut columns = Vec::with_capacity(selection.features.len());
    for &(column, kind) in &selection.features {
        let (encode, n_features) = match kind {
            ColumnKind::Numeric => (Encode::Learn { fixed: None, nulls }, 1),
            ColumnKind::Boolean => (Encode::Learn { fixed: Some((0.0, 1.0)), nulls }, 1),
            ColumnKind::Categorical => {
                let Some(index) = indexes.next() else { continue };
                (Encode::Levels(index), index.n_levels())
            }
        };
        columns.push(FillColumn { column, first_feature, n_features, encode });
        first_feature += n_features;
    }
    columns
}

fn fixes(encoding: &Encoding, columns: &[FillColumn<'_>], filled: &[Vec<Filled>]) -> Vec<Vec<Fix>> {
    let transform = encoding.panel_transform();
    filled
        .iter()
        .map(|span| {
            let mut fixes = Vec::new();
            for ((column, known), found) in columns.iter().zip(&encoding.columns).zip(span) {
                if known.kind == ColumnKind::Categorical {
                    continue;
                }
                let feature = column.first_feature;
                let (centre, scale) = transform[feature];
                let (factor, offset) = (found.scale / scale, (found.centre - centre) / scale);
                #[allow(clippy::float_cmp, reason = "only a transformation that changes nothing is left out")]
                let nothing = factor == 1.0 && offset == 0.0 && !found.has_nulls;
                if !nothing {
                    let null = (known.missing.unwrap_or(centre) - centre) / scale;
                    fixes.push(Fix { feature, factor, offset, null });
                }
            }
            fixes
        })
        .collect()
}

/// Replaces provisional values by final ones, in place.
pub(crate) fn finish(panels: &mut Panels, spans: &[Span], fixes: &[Vec<Fix>]) {
    let panel_len = panels.panel_len();
    if panel_len == 0 {
        return;
    }
    let (values, fine) = panels.words_mut();
    let (places, fine_len) = match &fine {
        Some(fine) => {
            ((0..panel_len / PANEL_ROWS).map(|j| fine.place(j)).collect(), fine.n_features() * PANEL_ROWS)
        }
        None => (Vec::new(), 0),
    };
    let fine = fine.map(|fine| fine.values_mut().par_chunks_mut(fine_len));
    let of_panel = |panel: usize, values: &mut [f32], mut fine: Option<&mut [f32]>| {
        let slots = panel * PANEL_ROWS..(panel + 1) * PANEL_ROWS;
        let first = spans.partition_point(|span| span.slots().end <= slots.start);
        for (span, fixes) in spans.iter().zip(fixes).skip(first) {
            let owned = span.slots();
            if owned.start >= slots.end {
                break;
            }
            let lanes = owned.start.max(slots.start) - slots.start..owned.end.min(slots.end) - slots.start;
            for fix in fixes {
                let values = &mut values[fix.feature * PANEL_ROWS..][lanes.clone()];
                match (&mut fine, places.get(fix.feature).copied().flatten()) {
                    (Some(fine), Some(place)) => {
                        fix.words(values, &mut fine[place * PANEL_ROWS..][lanes.clone()])
                    }
                    _ => fix.values(values),
                }
            }
        }
    };
    let values = values.par_chunks_mut(panel_len).enumerate();
    match fine {
        Some(fine) => {
            values.zip(fine).for_each(|((panel, values), fine)| of_panel(panel, values, Some(fine)))
        }
        None => values.for_each(|(panel, values)| of_panel(panel, values, None)),
    }
}

impl Fix {
    fn values(&self, values: &mut [f32]) {
        for value in values {
            let fixed = narrow(f64::from(*value) * self.factor + self.offset);
            *value = if value.is_nan() { narrow(self.null) } else { fixed };
        }
    }

    /// [`Self::values`] for a feature with second words.
    fn words(&self, values: &mut [f32], fine: &mut [f32]) {
        for (value, rest) in values.iter_mut().zip(fine) {
            let known = (f64::from(*value) + f64::from(*rest)) * self.factor + self.offset;
            let fixed = if value.is_nan() { self.null } else { known };
            *value = narrow(fixed);
            *rest = narrow(fixed - f64::from(*value));
        }
    }
}
