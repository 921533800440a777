//! `X' D X` in float64: what an information matrix is made of where float32 sums would not do.
//!
//! Some panels are widened and scaled by the square root of D together; their product with themselves is a
//! triangular matrix product. Each task adds its own rows, or, where the matrix is too large for one copy a task, its
//! own stripe of the matrix; sums have an order that the numbers of rows and features alone decide.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::panels::{PANEL_ROWS, Panels};

/// Float64 values of all partial sums together.
const PARTIAL_VALUES: usize = 1 << 23;

/// Tasks at most.
const MAX_TASKS: usize = 32;

/// Float64 values widened together: 2 MiB, in a last-level cache.
const WIDE_VALUES: usize = 1 << 18;

/// Order from which a matrix is shared out in stripes of so many rows.
const STRIPED_ORDER: usize = 512;
const STRIPE: usize = 64;

/// A weighted Gram matrix over the features and, last, the intercept.
#[derive(Debug, Clone)]
pub struct Gram {
    /// What stands above the diagonal is 0.
    lower: Mat<f64>,
}

impl Gram {
    /// All zero, for `n_features` features.
    pub fn zeros(n_features: usize) -> Self {
        Self { lower: Mat::zeros(n_features + 1, n_features + 1) }
    }

    /// Bytes of the partial sums while rows are added to a matrix of this order.
    pub(crate) fn partial_bytes(order: usize) -> u64 {
        let square = order.max(1).saturating_mul(order.max(1));
        ((PARTIAL_VALUES / square).clamp(1, MAX_TASKS).saturating_mul(square) * size_of::<f64>()) as u64
    }

    /// Rows, and columns: the features and the intercept.
    pub fn order(&self) -> usize {
        self.lower.nrows()
    }

    /// The value in a row and a column; the matrix is symmetric.
    pub fn value(&self, row: usize, column: usize) -> f64 {
        self.lower[(row.max(column), row.min(column))]
    }

    /// Adds `value(row, column)` to the lower triangle, where `row >= column`.
    pub fn add_values(&mut self, value: impl Fn(usize, usize) -> f64) {
        for column in 0..self.order() {
            for row in column..self.order() {
                self.lower[(row, column)] += value(row, column);
            }
        }
    }

    /// Adds the rows of `panels`:
    ///
    /// ```text
    /// G += sum_i d_i [x_i, 1] [x_i, 1]',   d_i >= 0
    /// ```
    ///
    /// # Panics
    /// If there is not one weight for each row, or the number of features is another.
    pub fn add(&mut self, panels: &Panels, weights: &[f64]) {
        assert_eq!(weights.len(), panels.n_rows(), "a weight for each row");
        assert_eq!(self.order(), panels.n_features() + 1, "a row for each feature, and the intercept's");
        let order = self.order();
        let tasks = (PARTIAL_VALUES / (order * order)).clamp(1, MAX_TASKS);
        let per_task = panels.n_panels().div_ceil(tasks).max(1);
        if tasks == 1 {
            return add_panels(self.lower.as_mut(), panels, 0..panels.n_panels(), weights);
        }
        let partials: Vec<Mat<f64>> = (0..panels.n_panels().div_ceil(per_task))
            .into_par_iter()
            .map(|task| {
                let mut sums = Mat::zeros(order, order);
                let range = task * per_task..((task + 1) * per_task).min(panels.n_panels());
                add_panels(sums.as_mut(), panels, range, weights);
                sums
            })
            .collect();
        for partial in &partials {
            self.lower += partial;
        }
    }
}

/// Adds some panels, a few at a time.
fn add_panels(mut sums: MatMut<'_, f64>, panels: &Panels, range: Range<usize>, weights: &[f64]) {
    let order = sums.nrows();
    let together = (WIDE_VALUES / (PANEL_ROWS * order)).clamp(1, 8);
    let mut wide = Mat::<f64>::zeros(together * PANEL_ROWS, order);
    let mut x = [0.0; PANEL_ROWS];
    for first in range.clone().step_by(together) {
        let end = (first + together).min(range.end);
        let n_rows = (end * PANEL_ROWS).min(panels.n_rows()) - first * PANEL_ROWS;
        let root: Vec<f64> =
            weights[first * PANEL_ROWS..][..n_rows].iter().map(|weight| weight.sqrt()).collect();
        for j in 0..order {
            let column = wide.col_as_slice_mut(j);
            for (p, (out, root)) in
                (first..end).zip(column.chunks_mut(PANEL_ROWS).zip(root.chunks(PANEL_ROWS)))
            {
                if j == panels.n_features() {
                    out[..root.len()].copy_from_slice(root);
                } else {
                    panels.widen(p, j, &mut x);
                    out.iter_mut().zip(root).zip(&x).for_each(|((out, r), x)| *out = r * x);
                }
            }
        }
        add_product(sums.rb_mut(), wide.as_ref().subrows(0, n_rows));
    }
}

/// Adds the lower triangle of `wide' wide`.
fn add_product(sums: MatMut<'_, f64>, wide: MatRef<'_, f64>) {
    let order = sums.nrows();
    if order < STRIPED_ORDER {
        return add_triangle(sums, wide);
    }
    let mut stripes = Vec::with_capacity(order.div_ceil(STRIPE));
    let mut rest = sums;
    for first in (0..order).step_by(STRIPE) {
        let (stripe, below) = rest.split_at_row_mut(STRIPE.min(order - first));
        stripes.push((first, stripe));
        rest = below;
    }
    stripes.into_par_iter().for_each(|(first, stripe)| {
        let height = stripe.nrows();
        let own = wide.subcols(first, height);
        let (before, from) = stripe.split_at_col_mut(first);
        matmul(before, Accum::Add, own.transpose(), wide.subcols(0, first), 1.0, Par::Seq);
        add_triangle(from.subcols_mut(0, height), own);
    });
}

fn add_triangle(sums: MatMut<'_, f64>, wide: MatRef<'_, f64>) {
    triangular::matmul(
        sums,
        BlockStructure::TriangularLower,
        Accum::Add,
        wide.transpose(),
        BlockStructure::Rectangular,
        wide,
        BlockStructure::Rectangular,
        1.0,
        // One thread, for the same bits on any number of them.
        Par::Seq,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(n_rows: usize, n_features: usize) {
        let x: Vec<f32> =
            (0..n_rows * n_features).map(|i| ((i * 37 + i / 11) % 101) as f32 / 7.0 - 5.0).collect();
        let weights: Vec<f64> = (0..n_rows).map(|i| (i % 5) as f64 / 3.0).collect();
        let mut gram = Gram::zeros(n_features);
        gram.add(&Panels::from_rows(&x, n_features), &weights);
        let value = |i: usize, j: usize| {
            if j == n_features { 1.0 } else { f64::from(x[i * n_features + j]) }
        };
        for a in (0..=n_features).step_by(1 + n_features / 40).chain([n_features]) {
            for b in (0..=n_features).step_by(1 + n_features / 40).chain([n_features]) {
                let terms = |i: usize| weights[i] * value(i, a) * value(i, b);
                let (sum, size) =
                    (0..n_rows).map(terms).fold((0.0, 0.0), |(s, z), t| (s + t, z + f64::abs(t)));
                let found = gram.value(a, b);
                // The plain sum of 10,000 terms of one sign, 1e-16 each time, is right to some 1e-14 itself.
                assert!(
                    (found - sum).abs() <= 1e-13 * size,
                    "{n_rows} x {n_features}, {a} {b}: {found} {sum}"
                );
            }
        }
    }

    #[test]
    fn every_pair_of_columns_gets_its_weighted_product() {
        for n_rows in [1, PANEL_ROWS - 1, PANEL_ROWS, PANEL_ROWS + 1, 40 * PANEL_ROWS + 3] {
            check(n_rows, 5);
        }
        check(700, STRIPED_ORDER + 70);
    }
}
