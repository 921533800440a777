//! Finds the identified parameters, and expresses the estimates in them.
//!
//! A categorical column has one 0/1 feature per level. They add up to 1, as the intercept's column does, so
//! without a penalty only differences of their coefficients are identified. The linear predictor is
//! therefore written without one level, the *reference*. Its coefficient is added to the intercept (or,
//! without one, to the levels of the first categorical column), and every other level's coefficient becomes
//! the contrast with it, as in R's treatment contrasts:
//!
//! ```text
//! b + sum_l beta_l [level = l]  =  (b + beta_r) + sum_{l != r} (beta_l - beta_r) [level = l]
//! ```
//!
//! Any other parameter that is a linear combination of those before it is left out too, and called
//! *aliased*, as in R. This is decided by the rows, not by their probabilities. Rows with probability near
//! 0 or 1 have almost no information; if only such rows identify a parameter, the information matrix is
//! numerically singular.

use std::ops::Range;

use faer::Mat;
use rayon::prelude::*;

use super::factor::{Factor, TOLERANCE};
use crate::data::{ColumnKind, Encoding};
use crate::engine::exact::Gram;
use crate::error::{InferenceError, Result};

/// Why a coefficient is held at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// The level with which the other levels of its column are compared.
    Reference,
    /// A linear combination of parameters before it.
    Aliased,
}

/// The parameters that are estimated.
#[derive(Debug, Clone)]
pub(super) struct Parameters {
    /// Their indices in a model's coefficients, ascending. The intercept, if there is one, is the last.
    pub(super) kept: Vec<usize>,
    /// For each coefficient: why it is not estimated.
    pub(super) dropped: Vec<Option<Dropped>>,
    /// The index of each aliased parameter, and its coefficients as a combination of the kept ones.
    combinations: Vec<(usize, Vec<f64>)>,
}

impl Parameters {
    /// All parameters. With a penalty, all of them are identified.
    pub(super) fn all(encoding: &Encoding) -> Self {
        let n_features = encoding.n_features();
        Self {
            kept: (0..n_features + usize::from(encoding.intercept)).collect(),
            dropped: vec![None; n_features + 1],
            combinations: Vec::new(),
        }
    }

    /// All parameters except the `references`.
    pub(super) fn contrasts(encoding: &Encoding, references: &[Option<usize>]) -> Self {
        let Self { mut kept, mut dropped, combinations } = Self::all(encoding);
        for &reference in references.iter().flatten() {
            dropped[reference] = Some(Dropped::Reference);
        }
        kept.retain(|&place| dropped[place].is_none());
        Self { kept, dropped, combinations }
    }

    /// Whether no kept parameter is nearly a combination of others: in the matrix `by`, those before it
    /// leave more than `share` of its squared length unexplained.
    pub(super) fn are_told_apart(&self, by: &Gram, share: f64) -> bool {
        let value = |a: usize, b: usize| by.value(self.kept[a], self.kept[b]);
        Factor::new(self.kept.len(), value).is_some_and(|factor| factor.least_pivot() > share)
    }

    /// Drops the parameters that are combinations of others. `gram` is the Gram matrix of the rows.
    pub(super) fn identified(mut self, gram: &Gram) -> Self {
        // The intercept comes first, so that a constant feature counts as its copy and is the one to be
        // dropped.
        let intercept = self.dropped.len() - 1;
        self.kept.sort_unstable_by_key(|&place| (place != intercept, place));
        let (mut kept, mut combinations) = eliminate(&self.kept, gram);
        for (place, shares) in &mut combinations {
            self.dropped[*place] = Some(Dropped::Aliased);
            // `kept` is sorted below, which moves the intercept to the end.
            if kept.first() == Some(&intercept) {
                shares.rotate_left(1);
            }
        }
        kept.sort_unstable();
        Self { kept, combinations, ..self }
    }

    /// The factor of the kept parameters' part of a Gram matrix. None if that part is singular.
    pub(super) fn factor(&self, gram: &Gram) -> Option<Factor> {
        Factor::new(self.kept.len(), |a, b| gram.value(self.kept[a], self.kept[b]))
    }

    /// For each aliased parameter: its index, and the direction along which the Gram matrix vanishes. The
    /// direction has 1 for the aliased parameter, and minus the coefficients of the combination that equals
    /// it.
    pub(super) fn directions(&self) -> Vec<(usize, Vec<f64>)> {
        let direction = |(place, shares): &(usize, Vec<f64>)| {
            let mut direction = vec![0.0; self.dropped.len()];
            self.kept.iter().zip(shares).for_each(|(&kept, share)| direction[kept] = -share);
            direction[*place] = 1.0;
            (*place, direction)
        };
        self.combinations.iter().map(direction).collect()
    }

    /// The estimates of the kept parameters: their coefficients in `column`, plus the contributions of the
    /// aliased parameters' coefficients.
    pub(super) fn estimates(&self, column: &[f64]) -> Vec<f64> {
        let mut estimates: Vec<f64> = self.kept.iter().map(|&place| column[place]).collect();
        for (place, shares) in &self.combinations {
            estimates.iter_mut().zip(shares).for_each(|(value, share)| *value += share * column[*place]);
        }
        estimates
    }
}

/// The feature index of each column's reference level: its first level, unless `chosen` names another one
/// (`column=level`). None for columns that are not categorical. Without an intercept, also none for the first
/// categorical column, whose levels take the intercept's place.
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

/// The range of features of each column.
pub(super) fn places(encoding: &Encoding) -> impl Iterator<Item = Range<usize>> {
    encoding.columns.iter().scan(0, |end, column| {
        let first = *end;
        *end += column.width();
        Some(first..*end)
    })
}

/// The parameters that take up a constant added to all rows: the intercept or, without one, the levels of
/// the first categorical column; empty without either.
pub(super) fn constant(encoding: &Encoding) -> Range<usize> {
    let intercept = encoding.n_features();
    if encoding.intercept {
        return intercept..intercept + 1;
    }
    let mut columns = encoding.columns.iter().zip(places(encoding));
    columns.find(|(column, _)| column.kind == ColumnKind::Categorical).map_or(0..0, |(_, places)| places)
}

/// Subtracts each reference's coefficient from the levels of its column, and adds it to the constant. Apart
/// from rounding, the linear predictor stays the same. Rounding in later sums even decreases: unpenalised
/// levels and intercept may be large while their sum is small.
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

/// Splits the candidates into those that are not combinations of earlier ones, and the others, each with its
/// coefficients as a combination of the kept ones.
fn eliminate(candidates: &[usize], gram: &Gram) -> (Vec<usize>, Vec<(usize, Vec<f64>)>) {
    let value = |a: usize, b: usize| gram.value(candidates[a], candidates[b]);
    let (rows, scale, is_kept) = stepwise(candidates.len(), value);
    let places: Vec<usize> = (0..candidates.len()).filter(|&k| is_kept[k]).collect();
    let n = places.len();
    let lower = Mat::from_fn(n, n, |a, b| if a >= b { rows[places[a]][places[b]] } else { 0.0 });
    let combination = |(k, _): (usize, &bool)| {
        // It is a combination c of the kept ones before it: L' c = its row of L.
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

/// Cholesky factorisation of the matrix scaled to a unit diagonal, where rows without a pivot are skipped.
///
/// Returns the rows of the lower triangle, the scales, and which rows have a pivot.
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
