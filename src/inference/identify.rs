//! Which parameters the data can tell apart, and the estimates in their terms.
//!
//! A categorical column has one 0/1 feature for each of its levels. They add up to 1, as the intercept's column does, so
//! without a penalty the coefficients are not identified, but their differences are. The linear predictor is written
//! with one level left out, the *reference*: the intercept (or, without one, the first categorical column) takes up its
//! coefficient, and every other level's coefficient becomes the contrast with it, as R's treatment contrasts are:
//!
//! ```text
//! b + sum_l beta_l [level = l]  =  (b + beta_r) + sum_{l != r} (beta_l - beta_r) [level = l]
//! ```
//!
//! What else is a linear combination of parameters before it is left out too, and said to be *aliased*, as R does. That
//! is a matter of the rows, not of their probabilities: near probability 0 or 1 a row has next to no information, and
//! where only such rows tell parameters apart, their information matrix is as good as singular.

use std::ops::Range;

use faer::Mat;
use rayon::prelude::*;

use super::factor::{Factor, TOLERANCE};
use crate::data::{ColumnKind, Encoding};
use crate::error::{InferenceError, Result};
use crate::objective::Gram;

/// Why a coefficient is held at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// The level that the others of its column are compared with.
    Reference,
    /// A linear combination of parameters before it.
    Aliased,
}

/// The parameters that are estimated.
#[derive(Debug, Clone)]
pub(super) struct Parameters {
    /// Places in a model's column, ascending; that of the intercept, if there is one, is the last.
    pub(super) kept: Vec<usize>,
    /// For each place: why it is not estimated.
    pub(super) dropped: Vec<Option<Dropped>>,
    /// The place of each aliased one, and the share of each kept one in it.
    combinations: Vec<(usize, Vec<f64>)>,
}

impl Parameters {
    /// Every parameter as it is: what a penalty makes possible.
    pub(super) fn all(encoding: &Encoding) -> Self {
        let n_features = encoding.n_features();
        Self {
            kept: (0..n_features + usize::from(encoding.intercept)).collect(),
            dropped: vec![None; n_features + 1],
            combinations: Vec::new(),
        }
    }

    /// All but the `references`.
    pub(super) fn contrasts(encoding: &Encoding, references: &[Option<usize>]) -> Self {
        let Self { mut kept, mut dropped, combinations } = Self::all(encoding);
        for &reference in references.iter().flatten() {
            dropped[reference] = Some(Dropped::Reference);
        }
        kept.retain(|&place| dropped[place].is_none());
        Self { kept, dropped, combinations }
    }

    /// Whether the matrix leaves each of them a part of its own that is more than `share` of it.
    pub(super) fn are_told_apart(&self, by: &Gram, share: f64) -> bool {
        let value = |a: usize, b: usize| by.value(self.kept[a], self.kept[b]);
        Factor::new(self.kept.len(), value).is_some_and(|factor| factor.least_pivot() > share)
    }

    /// Those of them that are no combination of others; `gram` is that of the rows themselves.
    pub(super) fn identified(mut self, gram: &Gram) -> Self {
        // The intercept first: a feature that is constant is its copy, not the other way round.
        let intercept = self.dropped.len() - 1;
        self.kept.sort_unstable_by_key(|&place| (place != intercept, place));
        let (mut kept, mut combinations) = eliminate(&self.kept, gram);
        for (place, shares) in &mut combinations {
            self.dropped[*place] = Some(Dropped::Aliased);
            // In the order that the kept ones get.
            if kept.first() == Some(&intercept) {
                shares.rotate_left(1);
            }
        }
        kept.sort_unstable();
        Self { kept, combinations, ..self }
    }

    /// The kept parameters' part of a gram matrix, factored; none where they are not told apart.
    pub(super) fn factor(&self, gram: &Gram) -> Option<Factor> {
        Factor::new(self.kept.len(), |a, b| gram.value(self.kept[a], self.kept[b]))
    }

    /// The directions in which a gram matrix says that nothing is left of the aliased ones: the place of each, and a
    /// coefficient for each place, 1 for its own.
    pub(super) fn directions(&self) -> Vec<(usize, Vec<f64>)> {
        let direction = |(place, shares): &(usize, Vec<f64>)| {
            let mut direction = vec![0.0; self.dropped.len()];
            self.kept.iter().zip(shares).for_each(|(&kept, share)| direction[kept] = -share);
            direction[*place] = 1.0;
            (*place, direction)
        };
        self.combinations.iter().map(direction).collect()
    }

    /// Their estimates: what `column` has on panel values, once those of the aliased are added to what they consist of.
    pub(super) fn estimates(&self, column: &[f64]) -> Vec<f64> {
        let mut estimates: Vec<f64> = self.kept.iter().map(|&place| column[place]).collect();
        for (place, shares) in &self.combinations {
            estimates.iter_mut().zip(shares).for_each(|(value, share)| *value += share * column[*place]);
        }
        estimates
    }
}

/// The place of each column's reference level: the first, unless `chosen` names another (`column=level`). None where
/// there is none, and without an intercept for the first categorical column, whose levels are its stead.
///
/// # Errors
/// [`InferenceError::UnknownReference`].
pub(super) fn references(encoding: &Encoding, chosen: &[String]) -> Result<Vec<Option<usize>>> {
    let names = encoding.feature_names();
    let mut needs_none = !encoding.intercept;
    let mut references = Vec::with_capacity(encoding.columns.len());
    let mut used = vec![false; chosen.len()];
    for (column, places) in encoding.columns.iter().zip(places(encoding)) {
        let mut reference = None;
        if column.kind == ColumnKind::Categorical && !std::mem::take(&mut needs_none) {
            reference = Some(places.start);
            for (chosen, used) in chosen.iter().zip(&mut used) {
                if let Some(j) = places.clone().find(|&j| names[j] == *chosen) {
                    (reference, *used) = (Some(j), true);
                }
            }
        }
        references.push(reference);
    }
    match used.iter().position(|used| !used) {
        Some(k) => Err(InferenceError::UnknownReference {
            found: chosen[k].clone(),
            example: references.iter().flatten().next().map(|&j| names[j].clone()),
        }
        .into()),
        None => Ok(references),
    }
}

/// The places of each column's features.
pub(super) fn places(encoding: &Encoding) -> impl Iterator<Item = Range<usize>> {
    encoding.columns.iter().scan(0, |end, column| {
        let first = *end;
        *end += column.width();
        Some(first..*end)
    })
}

/// The places of what takes up a coefficient that all rows share: the intercept or, without one, the levels of the first
/// categorical column; nothing without either.
pub(super) fn constant(encoding: &Encoding) -> Range<usize> {
    let intercept = encoding.n_features();
    if encoding.intercept {
        return intercept..intercept + 1;
    }
    let mut columns = encoding.columns.iter().zip(places(encoding));
    columns.find(|(column, _)| column.kind == ColumnKind::Categorical).map_or(0..0, |(_, places)| places)
}

/// Moves the coefficients of the references to where they go: the linear predictor stays as it is, up to a rounding that
/// becomes smaller, as nothing holds unpenalised levels and intercept near 0 but their sum.
pub(super) fn absorb(encoding: &Encoding, references: &[Option<usize>], column: &mut [f64]) {
    let mut moved = 0.0;
    for (places, reference) in places(encoding).zip(references) {
        if let Some(reference) = *reference {
            let coefficient = column[reference];
            moved += coefficient;
            column[places].iter_mut().for_each(|value| *value -= coefficient);
        }
    }
    column[constant(encoding)].iter_mut().for_each(|value| *value += moved);
}

/// The candidates that are no combination of those before, and the others with the shares of the kept in them.
fn eliminate(candidates: &[usize], gram: &Gram) -> (Vec<usize>, Vec<(usize, Vec<f64>)>) {
    let value = |a: usize, b: usize| gram.value(candidates[a], candidates[b]);
    let (rows, scale, is_kept) = stepwise(candidates.len(), value);
    let places: Vec<usize> = (0..candidates.len()).filter(|&k| is_kept[k]).collect();
    let n = places.len();
    let lower = Mat::from_fn(n, n, |a, b| if a >= b { rows[places[a]][places[b]] } else { 0.0 });
    let combination = |(k, _): (usize, &bool)| {
        // Those kept before it, whose combination it is: L' c = its row of L.
        let before = places.partition_point(|&place| place < k);
        let mut shares = vec![0.0; n];
        for a in (0..before).rev() {
            let later: f64 = (a + 1..before).map(|b| lower[(b, a)] * shares[b]).sum();
            shares[a] = (rows[k][places[a]] - later) / lower[(a, a)];
        }
        for (share, &place) in shares.iter_mut().zip(&places) {
            *share *= if scale[k] > 0.0 { scale[place] / scale[k] } else { 0.0 };
        }
        (candidates[k], shares)
    };
    let aliased = is_kept.iter().enumerate().filter(|(_, kept)| !**kept).map(combination).collect();
    (places.iter().map(|&k| candidates[k]).collect(), aliased)
}

/// A Cholesky factorisation of the matrix scaled to a unit diagonal, row after row of its lower triangle, in which a
/// row without a pivot is passed over; the scales, and which rows have a pivot.
fn stepwise(n: usize, value: impl Fn(usize, usize) -> f64) -> (Vec<Vec<f64>>, Vec<f64>, Vec<bool>) {
    let scale: Vec<f64> = (0..n)
        .map(|k| value(k, k))
        .map(|size| if size > f64::MIN_POSITIVE { 1.0 / size.sqrt() } else { 0.0 })
        .collect();
    let mut rows: Vec<Vec<f64>> =
        (0..n).map(|a| (0..=a).map(|b| value(a, b) * scale[a] * scale[b]).collect()).collect();
    let mut is_kept = vec![false; n];
    for k in 0..n {
        let pivot = rows[k][k];
        if scale[k] == 0.0 || pivot <= TOLERANCE {
            continue;
        }
        is_kept[k] = true;
        let root = pivot.sqrt();
        rows[k][k] = root;
        let (_, below) = rows.split_at_mut(k + 1);
        below.iter_mut().for_each(|row| row[k] /= root);
        let column: Vec<f64> = below.iter().map(|row| row[k]).collect();
        below.par_iter_mut().enumerate().for_each(|(a, row)| {
            let factor = column[a];
            if factor != 0.0 {
                for (value, other) in row[k + 1..].iter_mut().zip(&column) {
                    *value -= factor * other;
                }
            }
        });
    }
    (rows, scale, is_kept)
}
