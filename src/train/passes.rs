//! The passes over a table in memory: an engine's in float32, and float64 beside it.

use std::sync::Arc;

use crate::engine::cpu::CpuEngine;
use crate::engine::exact::ExactTable;
use crate::engine::{At, Engine};
use crate::error::Result;
use crate::objective::{Coefficients, Gaps, Hessian, ModelSpec, Sums};
use crate::panels::{Panels, Rows, Sample};
use crate::solver::{Passes, Spectrum};

/// The passes over a table in the host's memory that a device holds too.
pub struct TablePasses<'a> {
    engine: &'a mut dyn Engine,
    exact: ExactTable<'a>,
    room: u64,
}

impl<'a> TablePasses<'a> {
    /// Over the table that `engine` holds.
    pub fn new(engine: &'a mut dyn Engine, panels: &'a Panels, rows: &'a Rows) -> Self {
        Self { engine, exact: ExactTable::new(panels, rows), room: u64::MAX }
    }

    /// Where copies of the table may take so many bytes.
    #[must_use]
    pub fn with_room(self, room: u64) -> Self {
        Self { room, ..self }
    }
}

impl Passes for TablePasses<'_> {
    fn models_per_reading(&self) -> usize {
        self.engine.models_per_reading()
    }

    fn rows(&self) -> &Rows {
        self.exact.rows()
    }

    fn n_features(&self) -> usize {
        self.exact.panels().n_features()
    }

    fn is_exact(&self, feature: usize) -> bool {
        !self.exact.panels().is_rounded(feature)
    }

    fn room(&self) -> u64 {
        self.room
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.exact.panels().select(features)
    }

    fn evaluation_sums(&mut self, models: &[ModelSpec], at: &Coefficients, sample: Sample) -> Result<Sums> {
        let mut sums = Sums::zeros(at.n_features(), models.len());
        self.engine.add_evaluation(models, at, sample, &mut sums)?;
        Ok(sums)
    }

    fn exact_sums(&mut self, models: &[ModelSpec], at: &Coefficients, gaps: Gaps) -> Result<Sums> {
        let mut sums = Sums::zeros_exact(at.n_features(), models.len(), gaps);
        self.exact.add_evaluation(models, at, &mut sums);
        Ok(sums)
    }

    fn curvature_sums(&mut self, points: &[At<'_>], sample: Sample) -> Result<Vec<Vec<f64>>> {
        let zeros = |(_, column): &At<'_>| vec![0.0; column.len() * column.len()];
        let mut sums: Vec<Vec<f64>> = points.iter().map(zeros).collect();
        self.engine.add_curvatures(points, sample, &mut sums)?;
        Ok(sums)
    }

    fn exact_hessian(&mut self, point: At<'_>) -> Result<Hessian> {
        Ok(self.exact.hessian(point))
    }

    fn mean_squares(&mut self) -> Result<Vec<f64>> {
        Ok(self.exact.mean_squares())
    }

    fn row_spectrum(&mut self) -> Result<(Arc<Spectrum>, f64)> {
        let n_rows = self.exact.panels().n_rows();
        Ok((Arc::new(Spectrum::new(&self.exact.row_products(), n_rows)?), 1.0))
    }

    fn scores(&mut self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>> {
        Ok(self.exact.scores(coefficients))
    }

    fn combine_rows(&mut self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        Ok(self.exact.combine_rows(weights))
    }

    fn over(&mut self, panels: &Panels, work: &mut dyn FnMut(&mut dyn Passes) -> Result<()>) -> Result<()> {
        let (rows, room) = (self.exact.rows(), self.room.saturating_sub(panels.bytes()));
        let mut engine = CpuEngine::new(panels, rows);
        work(&mut TablePasses::new(&mut engine, panels, rows).with_room(room))
    }
}
