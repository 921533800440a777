//! What the solvers compute on the host, whatever the device.

use rayon::prelude::*;

use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::objective::{Coefficients, Exact, ModelSpec, evaluate};
use crate::panels::{PANEL_ROWS, Panels, Rows};
use crate::solver::Host;

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
    fn evaluate(&self, models: &[ModelSpec], coefficients: &Coefficients) -> Exact {
        evaluate(self.panels, self.rows, models, coefficients)
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

    fn narrow(
        &self,
        features: &[usize],
        work: &mut dyn FnMut(&mut dyn Engine, &dyn Host) -> Result<()>,
    ) -> Result<()> {
        let panels = self.panels.select(features);
        work(&mut CpuEngine::new(&panels, self.rows), &HostTable::new(&panels, self.rows))
    }
}
