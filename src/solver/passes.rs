//! What a solver sees of a table and of the devices that hold it.

use std::sync::Arc;

use super::{FullBatch, Minimum, Problem, Progress, Spectrum};
use crate::engine::At;
use crate::error::Result;
use crate::objective::{Coefficients, Evaluation, Exact, Gaps, Hessian, ModelSpec, Sums};
use crate::panels::{Panels, Rows, Sample};

/// The passes over one table, in float32 on a device and in float64 on the host.
///
/// [`Self::evaluation_sums`], [`Self::exact_sums`] and [`Self::curvature_sums`] are sums over the rows: those of parts
/// of a table add up. [`Self::evaluate`], [`Self::evaluate_exactly`] and [`Self::hessians`] divide them by the weights.
/// Of the other numbers, [`Self::scores`] has one for each row, and the rest are means, products or a decomposition.
///
/// # Errors
/// Each method has those of the device and of the journal that is asked; float64 passes alone have none.
pub trait Passes {
    /// Models that one reading of X serves, see [`crate::engine::Engine::models_per_reading`].
    fn models_per_reading(&self) -> usize;

    /// The classes and weights of the rows.
    fn rows(&self) -> &Rows;

    /// Number of features, the intercept not counted.
    fn n_features(&self) -> usize;

    /// Whether a feature's values are kept as the table has them, and not as float32 rounds them.
    fn is_exact(&self, feature: usize) -> bool;

    /// Bytes that a copy of the table may take.
    fn room(&self) -> u64;

    /// The columns `features` alone, as a table of their own.
    fn select(&self, features: &[usize]) -> Panels;

    /// Sums of loss and gradient over the rows of `sample`, by the device.
    fn evaluation_sums(&mut self, models: &[ModelSpec], at: &Coefficients, sample: Sample) -> Result<Sums>;

    /// Sums of loss and gradient over all rows, in float64, with what a duality gap needs if it is asked for.
    fn exact_sums(&mut self, models: &[ModelSpec], at: &Coefficients, gaps: Gaps) -> Result<Sums>;

    /// Sums of the curvature at each point over the rows of `sample`, by the device: see
    /// [`crate::engine::Engine::add_curvatures`].
    fn curvature_sums(&mut self, points: &[At<'_>], sample: Sample) -> Result<Vec<Vec<f64>>>;

    /// The Hessian of a model's mean loss at a point, in float64 over all rows: see
    /// [`crate::engine::exact::ExactTable::hessian`].
    fn exact_hessian(&mut self, point: At<'_>) -> Result<Hessian>;

    /// `(1/S) sum_i s_i x_ij^2` of each feature.
    fn mean_squares(&mut self) -> Result<Vec<f64>>;

    /// The spectrum of the rows, and the readings of X that it took: none where it was known.
    fn row_spectrum(&mut self) -> Result<(Arc<Spectrum>, f64)>;

    /// `X w` of each column of coefficients, intercepts not added: one reading of X.
    fn scores(&mut self, coefficients: &Coefficients) -> Result<Vec<Vec<f64>>>;

    /// `X' a` for each `a` of `weights`, one value for each feature: one reading of X.
    fn combine_rows(&mut self, weights: &[Vec<f64>]) -> Result<Vec<Vec<f64>>>;

    /// Calls `work` with the passes over another table of the same rows.
    fn over(&mut self, panels: &Panels, work: &mut dyn FnMut(&mut dyn Passes) -> Result<()>) -> Result<()>;

    /// Minimises a problem over another table of the same rows.
    fn minimise_over(
        &mut self,
        panels: &Panels,
        solver: &FullBatch,
        problem: &Problem<'_>,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Minimum> {
        let mut solution = None;
        self.over(panels, &mut |passes| {
            solution = Some(solver.run(passes, problem, None, watch)?);
            Ok(())
        })?;
        Ok(solution.expect("the work was done").into())
    }

    /// Mean loss and gradient of every model over the rows of `sample`.
    fn evaluate(&mut self, models: &[ModelSpec], at: &Coefficients, sample: Sample) -> Result<Evaluation> {
        let sums = self.evaluation_sums(models, at, sample)?;
        Ok(sums.evaluation(models, &self.rows().weights_on(sample)))
    }

    /// Mean loss and gradient of every model in float64, and what certificates are made of.
    fn evaluate_exactly(&mut self, models: &[ModelSpec], at: &Coefficients, gaps: Gaps) -> Result<Exact> {
        let sums = self.exact_sums(models, at, gaps)?;
        Ok(sums.exact(models, self.rows().weights()))
    }

    /// The Hessian of each model's mean loss at its point, over the rows of `sample`.
    fn hessians(&mut self, points: &[At<'_>], sample: Sample) -> Result<Vec<Hessian>> {
        let sums = self.curvature_sums(points, sample)?;
        let totals = self.rows().weights_on(sample);
        let hessian = |((model, column), sums): (&At<'_>, Vec<f64>)| {
            Hessian::from_upper(column.len(), sums, 1.0 / model.weight_sum_of(&totals))
        };
        Ok(points.iter().zip(sums).map(hessian).collect())
    }
}
