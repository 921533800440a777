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
//! What else is a linear combination of parameters before it is left out too, and said to be *aliased*, as R does.

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
    /// Their estimates on panel values.
    pub(super) estimates: Vec<f64>,
    /// For each place: why it is not estimated.
    pub(super) dropped: Vec<Option<Dropped>>,
}

impl Parameters {
    /// Every parameter as it is: what a penalty makes possible.
    pub(super) fn all(column: &[f64], intercept: bool) -> Self {
        let n = column.len() - usize::from(!intercept);
        Self { kept: (0..n).collect(), estimates: column[..n].to_vec(), dropped: vec![None; column.len()] }
    }

    /// Those that `information` can tell apart; `column` has the coefficients on panel values, those of the `references`
    /// absorbed.
    pub(super) fn identified(
        encoding: &Encoding,
        references: &[Option<usize>],
        information: &Gram,
        column: &[f64],
    ) -> Self {
        let mut column = column.to_vec();
        let mut dropped = vec![None; column.len()];
        for &reference in references.iter().flatten() {
            dropped[reference] = Some(Dropped::Reference);
        }
        let intercept = column.len() - 1;
        // The intercept first: a feature that is constant is its copy, not the other way round.
        let candidates: Vec<usize> = encoding
            .intercept
            .then_some(intercept)
            .into_iter()
            .chain((0..intercept).filter(|&j| dropped[j].is_none()))
            .collect();
        let (mut kept, aliased) = eliminate(&candidates, information);
        for (place, combination) in aliased {
            for (&of, share) in kept.iter().zip(combination) {
                column[of] += share * column[place];
            }
            dropped[place] = Some(Dropped::Aliased);
        }
        kept.sort_unstable();
        Self { estimates: kept.iter().map(|&place| column[place]).collect(), kept, dropped }
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
    let mut first = 0;
    for column in &encoding.columns {
        let width = column.levels.as_ref().map_or(1, Vec::len);
        let mut reference = None;
        if column.kind == ColumnKind::Categorical && !std::mem::take(&mut needs_none) {
            reference = Some(first);
            for (chosen, used) in chosen.iter().zip(&mut used) {
                if let Some(at) = names[first..first + width].iter().position(|name| name == chosen) {
                    (reference, *used) = (Some(first + at), true);
                }
            }
        }
        references.push(reference);
        first += width;
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

/// Moves the coefficients of the references to where they go: the linear predictor stays as it is, up to a rounding that
/// becomes smaller, as nothing holds unpenalised levels and intercept near 0 but their sum.
pub(super) fn absorb(encoding: &Encoding, references: &[Option<usize>], column: &mut [f64]) {
    let mut moved = 0.0;
    let mut instead = None;
    let mut first = 0;
    for (of_column, reference) in encoding.columns.iter().zip(references) {
        let places = first..first + of_column.levels.as_ref().map_or(1, Vec::len);
        first = places.end;
        if let Some(reference) = *reference {
            let coefficient = column[reference];
            moved += coefficient;
            column[places].iter_mut().for_each(|value| *value -= coefficient);
        } else if of_column.kind == ColumnKind::Categorical {
            instead = Some(places);
        }
    }
    let intercept = column.len() - 1;
    column[instead.unwrap_or(intercept..intercept + 1)].iter_mut().for_each(|value| *value += moved);
}

/// The candidates that are no combination of those before, and the others with the shares of the kept in them.
fn eliminate(candidates: &[usize], information: &Gram) -> (Vec<usize>, Vec<(usize, Vec<f64>)>) {
    let value = |a: usize, b: usize| information.value(candidates[a], candidates[b]);
    if Factor::new(candidates.len(), value).is_some_and(|factor| factor.least_pivot() > TOLERANCE) {
        return (candidates.to_vec(), Vec::new());
    }
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
