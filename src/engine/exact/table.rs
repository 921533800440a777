//! The table in float64: the sums of a device, and products with the rows.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::{Gram, add_evaluation, linear_predictor, mean_square};
use crate::engine::At;
use crate::objective::{Coefficients, Hessian, ModelSpec, Sums, sigmoid};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Columns widened to float64 together for products of matrices.
const COLUMNS_AT_ONCE: usize = 512;

/// The table in the host's memory.
#[derive(Debug, Clone, Copy)]
pub struct ExactTable<'a> {
    panels: &'a Panels,
    rows: &'a Rows,
}

impl<'a> ExactTable<'a> {
    /// Over a table.
    pub fn new(panels: &'a Panels, rows: &'a Rows) -> Self {
        Self { panels, rows }
    }

    /// Its features.
    pub fn panels(&self) -> &'a Panels {
        self.panels
    }

    /// The classes and weights of its rows.
    pub fn rows(&self) -> &'a Rows {
        self.rows
    }

    /// Adds what [`Sums`] holds of every model at `coefficients`.
    pub fn add_evaluation(&self, models: &[ModelSpec], coefficients: &Coefficients, sums: &mut Sums) {
        add_evaluation((self.panels, self.rows), models, coefficients, sums);
    }

    /// The curvature of a model's mean loss at a point, over all rows:
    ///
    /// ```text
    /// H = (1/S) sum_i s_i p_i (1 - p_i) [x_i, 1] [x_i, 1]'
    /// ```
    pub fn hessian(&self, (model, column): At<'_>) -> Hessian {
        let d = self.panels.n_features();
        let z = linear_predictor(self.panels, &Coefficients::from_columns(d, [column]));
        let share = 1.0 / model.weight_sum(self.rows);
        let rows = z.iter().zip(self.rows.labels()).enumerate();
        let weights: Vec<f64> = rows
            .map(|(slot, (&z, &label))| {
                share * model.weight(label, self.rows.exact_weight(slot)) * sigmoid(z) * sigmoid(-z)
            })
            .collect();
        let mut gram = Gram::zeros(d);
        gram.add(self.panels, &weights);
        let order = d + 1;
        Hessian::new(order, (0..order * order).map(|k| gram.value(k / order, k % order)).collect())
    }

    /// `(1/S) sum_i s_i x_ij^2` of each feature.
    pub fn mean_squares(&self) -> Vec<f64> {
        let of = |j: usize| mean_square(self.panels, self.rows, j);
        (0..self.panels.n_features()).into_par_iter().map(of).collect()
    }

    /// `X X'`, row after row: `n_rows x n_rows`.
    pub fn row_products(&self) -> Vec<f64> {
        let n = self.panels.n_rows();
        let mut products = vec![0.0; n * n];
        for columns in self.stripes() {
            let wide = self.widened(0..n, columns);
            // One panel of rows a task, each on one thread: the same bits on any number of them.
            products.par_chunks_mut((PANEL_ROWS * n).max(1)).enumerate().for_each(|(p, out)| {
                let rows = wide.as_ref().subrows(p * PANEL_ROWS, out.len() / n);
                let out = MatMut::from_row_major_slice_mut(out, rows.nrows(), n);
                matmul(out, Accum::Add, rows, wide.transpose(), 1.0, Par::Seq);
            });
        }
        products
    }

    /// `X w` of each column of coefficients, intercepts not added.
    pub fn scores(&self, coefficients: &Coefficients) -> Vec<Vec<f64>> {
        let (n, n_models) = (self.panels.n_rows(), coefficients.n_models());
        let w = MatRef::from_column_major_slice(coefficients.values(), coefficients.stride(), n_models);
        let of_panel = |p: usize| {
            let rows = p * PANEL_ROWS..n.min((p + 1) * PANEL_ROWS);
            let mut scores = Mat::<f64>::zeros(rows.len(), n_models);
            for columns in self.stripes() {
                let w = w.subrows(columns.start, columns.len());
                let wide = self.widened(rows.clone(), columns);
                matmul(scores.as_mut(), Accum::Add, wide.as_ref(), w, 1.0, Par::Seq);
            }
            scores
        };
        let panels: Vec<Mat<f64>> = (0..self.panels.n_panels()).into_par_iter().map(of_panel).collect();
        let of_model =
            |m| panels.iter().flat_map(move |scores| (0..scores.nrows()).map(move |i| scores[(i, m)]));
        (0..n_models).map(|m| of_model(m).collect()).collect()
    }

    /// `X' a` for each `a` of `weights`: one value for each feature.
    pub fn combine_rows(&self, weights: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let n = self.panels.n_rows();
        let a = Mat::from_fn(n, weights.len(), |i, m| weights[m][i]);
        let of_stripe = |columns: Range<usize>| {
            let mut sums = Mat::<f64>::zeros(columns.len(), weights.len());
            let wide = self.widened(0..n, columns);
            matmul(sums.as_mut(), Accum::Add, wide.transpose(), a.as_ref(), 1.0, Par::Seq);
            sums
        };
        let stripes: Vec<Mat<f64>> =
            self.stripes().collect::<Vec<_>>().into_par_iter().map(of_stripe).collect();
        let of_model = |m| stripes.iter().flat_map(move |sums| (0..sums.nrows()).map(move |j| sums[(j, m)]));
        (0..weights.len()).map(|m| of_model(m).collect()).collect()
    }

    /// The features, some at a time.
    fn stripes(&self) -> impl Iterator<Item = Range<usize>> {
        let d = self.panels.n_features();
        (0..d).step_by(COLUMNS_AT_ONCE).map(move |first| first..d.min(first + COLUMNS_AT_ONCE))
    }

    /// A part of the table in float64; rows begin with a panel.
    fn widened(&self, rows: Range<usize>, columns: Range<usize>) -> Mat<f64> {
        let mut wide = Mat::zeros(rows.len(), columns.len());
        let mut x = [0.0; PANEL_ROWS];
        for (k, j) in columns.enumerate() {
            for (p, out) in (rows.start / PANEL_ROWS..).zip(wide.col_as_slice_mut(k).chunks_mut(PANEL_ROWS)) {
                self.panels.widen(p, j, &mut x);
                out.copy_from_slice(&x[..out.len()]);
            }
        }
        wide
    }
}
