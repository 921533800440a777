//! The passes over X, the only code that touches all of it. [`cpu`] and [`gpu`] implement [`Engine`], in float32;
//! [`exact`] is float64, on the host. None of them sees another.

mod choice;
pub mod cpu;
pub mod exact;
pub mod gpu;

pub(crate) use choice::Chosen;

use crate::error::Result;
use crate::objective::{Coefficients, Coordinates, Evaluation, ModelSpec, Sums};
use crate::panels::{Rows, Sample};

/// One epoch of mini-batch descent, planned by the solver and run whole by the engine.
///
/// Slots are numbered along `panel_order` (position t is lane t % R of panel `panel_order[t / R]`);
/// batch k covers positions `k * batch_rows .. min((k + 1) * batch_rows, n_rows)`.
#[derive(Debug, Clone)]
pub struct Epoch<'a> {
    /// A permutation of the panels; a partly filled panel stands last.
    pub panel_order: &'a [u32],
    /// Rows of a batch, at least 1.
    pub batch_rows: usize,
    /// The order in which the batches are taken: a permutation of `0 .. n_rows.div_ceil(batch_rows)`.
    pub batch_order: &'a [u32],
    /// What is asked of each coefficient; one that is not trained stays as it is.
    pub coordinates: &'a Coordinates,
    /// theta per model, in (0, 1]: weight of the iterate against the snapshot.
    pub coupling: &'a [f64],
    /// eta per model: length of a step.
    pub step: &'a [f64],
    /// mu: gradient of the mean loss at the snapshot, from [`Engine::evaluate`].
    pub gradient: &'a Coefficients,
}

/// What an epoch starts from and changes.
#[derive(Debug, Clone, PartialEq)]
pub struct SgdState {
    /// w~: the point whose full gradient is known. Values representable in float32.
    pub snapshot: Coefficients,
    /// x: the running iterate. Values representable in float32.
    pub iterate: Coefficients,
}

/// A point at which a model's curvature is asked for: the model, and its column of coefficients.
pub type At<'a> = (ModelSpec, &'a [f64]);

/// A device that holds a table (panels and rows) and adds up passes over it.
///
/// Shapes: d features, M = `models.len()` models; every [`Coefficients`] is d + 1 by M.
/// The same call on the same device gives the same bits; a model's numbers do not depend on the
/// other models of the stack beyond the rounding stated by the implementation.
pub trait Engine {
    /// What runs the passes, for people: `cpu (AVX-512, 2 threads)`, `NVIDIA H200 (Vulkan)`.
    fn device(&self) -> String;

    /// Models that one reading of X serves, at most: a larger stack goes in groups of so many, and a whole number of
    /// them leaves no part of a reading unused. It follows from the device's memory, and from where arithmetic is the
    /// limit so that another reading costs nothing.
    fn models_per_reading(&self) -> usize;

    /// The classes and weights of the rows.
    fn rows(&self) -> &Rows;

    /// Adds loss and gradient of every model at `coefficients`, over the rows of `sample`: one pass over X.
    ///
    /// # Errors
    /// The device was lost or ran out of memory.
    fn add_evaluation(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
        sums: &mut Sums,
    ) -> Result<()>;

    /// Adds the curvature of the loss at each point, over the rows of `sample`, to the upper triangle of the matrix at the
    /// same place of `sums` (row after row, the intercept last):
    ///
    /// ```text
    /// sum_i s_i p_i (1 - p_i) [x_i, 1] [x_i, 1]',   p_i = sigmoid([x_i, 1] . column)
    /// ```
    ///
    /// At a column of zeros this is a quarter of the weighted Gram matrix.
    ///
    /// # Errors
    /// The device was lost or ran out of memory.
    fn add_curvatures(&mut self, points: &[At<'_>], sample: Sample, sums: &mut [Vec<f64>]) -> Result<()>;

    /// Mean loss and gradient of every model at `coefficients`, over all rows.
    ///
    /// # Errors
    /// The device was lost or ran out of memory.
    fn evaluate(&mut self, models: &[ModelSpec], coefficients: &Coefficients) -> Result<Evaluation> {
        let mut sums = Sums::zeros(coefficients.n_features(), models.len());
        self.add_evaluation(models, coefficients, Sample::ALL, &mut sums)?;
        Ok(sums.evaluation(models, self.rows().weights()))
    }
}

/// A device that also runs whole epochs of mini-batches: what `sgd` asks of it.
pub trait MiniBatch: Engine {
    /// Runs one epoch of accelerated variance-reduced proximal descent for every model.
    ///
    /// For each batch B in order, with `n_B` its rows, y the coupled point, and r the change of residual:
    ///
    /// ```text
    /// y = theta x + (1 - theta) w~
    /// r_i = s_i [sigmoid(x_i . y) - sigmoid(x_i . w~)]
    /// g = mu + (n / n_B) (1/S) sum_{i in B} r_i [x_i, 1]
    /// x_j <- prox_{eta}(x_j - eta g_j)      (soft threshold eta f_j l1, then division by 1 + eta f_j l2)
    /// sum += x
    /// ```
    ///
    /// and at the end `w~ <- theta sum / n_batches + (1 - theta) w~`.
    ///
    /// # Errors
    /// The device was lost or ran out of memory.
    ///
    /// # References
    /// Zhou, Shang and Cheng, A Simple Stochastic Variance Reduced Algorithm with Fast Convergence Rates, ICML 2018.
    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()>;
}
