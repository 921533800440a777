//! The rows of a table in as many dimensions as there are rows.

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Mat, Side};

use crate::error::{EngineError, Result};
use crate::panels::Panels;

/// Eigenvalues below this share of the largest are rounding.
const LEAST_EIGENVALUE: f64 = 1e-12;

/// The eigenvectors U and the roots of the eigenvalues S of the products of the rows, and the table that they make:
///
/// ```text
/// X X' = U S U',   T = U sqrt(S),   w = X' U v / sqrt(S):   X w = T v,   |w|_2 = |v|_2
/// ```
#[derive(Debug)]
pub struct Spectrum {
    /// One column per eigenvalue that is more than rounding.
    vectors: Mat<f64>,
    roots: Vec<f64>,
    /// T.
    table: Panels,
}

impl Spectrum {
    /// Of the products of all pairs of rows, `n x n`.
    ///
    /// # Errors
    /// The products hold values that are not finite.
    pub fn new(products: &[f64], n: usize) -> Result<Self> {
        let products = Mat::from_fn(n, n, |i, j| products[i * n + j]);
        let eigen = SelfAdjointEigen::new(products.as_ref(), Side::Lower)
            .map_err(|_| EngineError::NotFinite { what: "the matrix of the products of the rows" })?;
        let values: Vec<f64> = (0..n).map(|k| eigen.S()[k]).collect();
        let largest = values.iter().fold(0.0, |a: f64, &b| a.max(b));
        let kept: Vec<usize> = (0..n).filter(|&k| values[k] > LEAST_EIGENVALUE * largest).collect();
        let vectors = Mat::from_fn(n, kept.len(), |i, k| eigen.U()[(i, kept[k])]);
        Ok(Self::of(vectors, kept.iter().map(|&k| values[k].sqrt()).collect()))
    }

    fn of(vectors: Mat<f64>, roots: Vec<f64>) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "panels are float32")]
        let values: Vec<f32> = (0..vectors.nrows())
            .flat_map(|i| roots.iter().enumerate().map(move |(k, root)| (i, k, root)))
            .map(|(i, k, root)| (vectors[(i, k)] * root) as f32)
            .collect();
        let table = match roots.len() {
            0 => Panels::zeros(vectors.nrows(), 0),
            order => Panels::from_rows(&values, order),
        };
        Self { vectors, roots, table }
    }

    /// T.
    pub fn table(&self) -> &Panels {
        &self.table
    }

    /// `U v / sqrt(S)`: the weights of the rows in w.
    pub fn row_weights(&self, v: &[f64]) -> Vec<f64> {
        let of_row = |i| {
            v.iter().zip(&self.roots).enumerate().map(|(k, (v, root))| self.vectors[(i, k)] * v / root).sum()
        };
        (0..self.vectors.nrows()).map(of_row).collect()
    }

    /// The v for which `T v` is closest to `scores`: that of w where these are `X w`.
    pub fn coordinates(&self, scores: &[f64]) -> Vec<f64> {
        let of = |(k, root): (usize, &f64)| {
            scores.iter().enumerate().map(|(i, z)| self.vectors[(i, k)] * z).sum::<f64>() / root
        };
        self.roots.iter().enumerate().map(of).collect()
    }

    /// Every number that it is made of, in a fixed order.
    pub(crate) fn to_numbers(&self) -> Vec<f64> {
        let columns = (0..self.roots.len()).flat_map(|k| (0..self.vectors.nrows()).map(move |i| (i, k)));
        self.roots.iter().copied().chain(columns.map(|at| self.vectors[at])).collect()
    }

    /// From those of [`Self::to_numbers`], for so many rows; none if their number is wrong.
    pub(crate) fn from_numbers(n_rows: usize, numbers: &[f64]) -> Option<Self> {
        let order = numbers.len() / (n_rows + 1);
        (order * (n_rows + 1) == numbers.len()).then(|| {
            let (roots, vectors) = numbers.split_at(order);
            Self::of(Mat::from_fn(n_rows, order, |i, k| vectors[k * n_rows + i]), roots.to_vec())
        })
    }
}
