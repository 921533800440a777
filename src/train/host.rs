//! What the solvers compute on the host, whatever the device.

use std::ops::Range;
use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::objective::{
    Coefficients, Exact, Gaps, Gram, Hessian, ModelSpec, evaluate, linear_predictor, mean_square, sigmoid,
};
use crate::panels::{PANEL_ROWS, Panels, Rows};
use crate::solver::{Host, Spectrum};

/// Columns widened to float64 together for products of matrices.
const COLUMNS_AT_ONCE: usize = 512;

/// The table in the host's memory.
#[derive(Debug, Clone, Copy)]
pub struct HostTable<'a> {
    panels: &'a Panels,
    rows: &'a Rows,
    room: u64,
}

impl<'a> HostTable<'a> {
    /// Over a table.
    pub fn new(panels: &'a Panels, rows: &'a Rows) -> Self {
        Self { panels, rows, room: u64::MAX }
    }

    /// Where copies of the table may take so many bytes.
    #[must_use]
    pub fn with_room(self, room: u64) -> Self {
        Self { room, ..self }
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

impl Host for HostTable<'_> {
    fn evaluate(&self, models: &[ModelSpec], coefficients: &Coefficients, gaps: Gaps) -> Result<Exact> {
        Ok(evaluate(self.panels, self.rows, models, coefficients, gaps))
    }

    fn hessian(&self, model: &ModelSpec, column: &[f64]) -> Result<Hessian> {
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
        Ok(Hessian::new(order, (0..order * order).map(|k| gram.value(k / order, k % order)).collect()))
    }

    fn mean_squares(&self) -> Result<Vec<f64>> {
        let of = |j: usize| mean_square(self.panels, self.rows, j);
        Ok((0..self.panels.n_features()).into_par_iter().map(of).collect())
    }

    fn rows(&self) -> &Rows {
        self.rows
    }

    fn is_exact(&self, feature: usize) -> bool {
        !self.panels.is_rounded(feature)
    }

    fn room(&self) -> u64 {
        self.room
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.panels.select(features)
    }

    fn row_spectrum(&self) -> Result<(Arc<Spectrum>, f64)> {
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
        Ok((Arc::new(Spectrum::new(&products, n)?), 1.0))
    }

    fn scores(&self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>> {
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
        Ok((0..n_models).map(|m| of_model(m).collect()).collect())
    }

    fn combine_rows(&self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
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
        Ok((0..weights.len()).map(|m| of_model(m).collect()).collect())
    }

    fn with_table(
        &self,
        panels: &Panels,
        work: &mut dyn FnMut(&mut dyn Engine, &dyn Host) -> Result<()>,
    ) -> Result<()> {
        let room = self.room.saturating_sub(panels.bytes());
        work(&mut CpuEngine::new(panels, self.rows), &HostTable::new(panels, self.rows).with_room(room))
    }
}
