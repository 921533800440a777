//! What the solvers compute on the host, whatever the device.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, Par};
use rayon::prelude::*;

use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::objective::{Coefficients, Exact, Gaps, ModelSpec, evaluate};
use crate::panels::{PANEL_ROWS, Panels, Rows};
use crate::solver::Host;

/// Columns widened to float64 together for the products of rows.
const COLUMNS_AT_ONCE: usize = 1024;

/// The table in the host's memory.
#[derive(Debug, Clone, Copy)]
pub struct HostTable<'a> {
    panels: &'a Panels,
    rows: &'a Rows,
}

impl<'a> HostTable<'a> {
    /// Over a table.
    pub fn new(panels: &'a Panels, rows: &'a Rows) -> Self {
        Self { panels, rows }
    }
}

impl Host for HostTable<'_> {
    fn evaluate(&self, models: &[ModelSpec], coefficients: &Coefficients, gaps: Gaps) -> Result<Exact> {
        Ok(evaluate(self.panels, self.rows, models, coefficients, gaps))
    }

    fn mean_squares(&self) -> Vec<f64> {
        let of = |j: usize| {
            let mut sum = 0.0;
            for p in 0..self.panels.n_panels() {
                let column = &self.panels.panel(p)[j * PANEL_ROWS..][..PANEL_ROWS];
                let weights = &self.rows.weight()[p * PANEL_ROWS..][..PANEL_ROWS];
                sum += column
                    .iter()
                    .zip(weights)
                    .map(|(&x, &s)| f64::from(s) * f64::from(x) * f64::from(x))
                    .sum::<f64>();
            }
            sum / self.rows.weight_sum()
        };
        (0..self.panels.n_features()).into_par_iter().map(of).collect()
    }

    fn rows(&self) -> &Rows {
        self.rows
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.panels.select(features)
    }

    fn row_products(&self) -> Vec<f64> {
        let n = self.panels.n_rows();
        let mut products = vec![0.0; n * n];
        for first in (0..self.panels.n_features()).step_by(COLUMNS_AT_ONCE) {
            let columns = COLUMNS_AT_ONCE.min(self.panels.n_features() - first);
            let wide = Mat::from_fn(n, columns, |i, j| f64::from(self.panels.value(i, first + j)));
            // One panel of rows a task, each on one thread: the same bits on any number of them.
            products.par_chunks_mut(PANEL_ROWS * n).enumerate().for_each(|(p, out)| {
                let rows = wide.as_ref().subrows(p * PANEL_ROWS, out.len() / n);
                let out = MatMut::from_row_major_slice_mut(out, rows.nrows(), n);
                matmul(out, Accum::Add, rows, wide.transpose(), 1.0, Par::Seq);
            });
        }
        products
    }

    fn combine_rows(&self, weights: &[f64]) -> Vec<f64> {
        let of = |j: usize| {
            weights.iter().enumerate().map(|(i, w)| w * f64::from(self.panels.value(i, j))).sum::<f64>()
        };
        (0..self.panels.n_features()).into_par_iter().map(of).collect()
    }

    fn with_table(
        &self,
        panels: &Panels,
        work: &mut dyn FnMut(&mut dyn Engine, &dyn Host) -> Result<()>,
    ) -> Result<()> {
        work(&mut CpuEngine::new(panels, self.rows), &HostTable::new(panels, self.rows))
    }
}
