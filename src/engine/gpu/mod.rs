//! The passes as WGSL compute shaders, on whatever wgpu reaches.
//!
//! Owns the adapters, the device memory and the kernels; knows no solver and no file. `kernels` is the table of
//! shaders, `fused`, `tiled`, `hessian` and `epoch` are the ways through X.
//!
//! Tolerance: sums are float32 within a block and float64 across blocks, so a mean loss or a gradient differs
//! from float64 by some `1e-6 * mean |terms|` (2e-5 relative where a predictor of thousands of terms cancels). A
//! stack of more than [`FUSED_MODELS`] models takes the tiled path, whose order of summation is another: a
//! model's numbers change by that much, and no more, with the stack it is in.

mod adapter;
mod device;
mod epoch;
mod fused;
mod hessian;
pub mod kernels;
pub mod layout;
mod pipeline;
mod table;
mod tiled;

pub use adapter::{
    AdapterChoice, AdapterKind, AdapterSummary, Selection, choose, list_adapters, reason, select,
};
pub use device::GpuDevice;
pub use table::{Limits, table_bytes};

use self::table::Table;
use super::{At, Engine, Epoch, MiniBatch, SgdState};
use crate::error::Result;
use crate::objective::{Coefficients, ModelSpec, Sums};
use crate::panels::{Panels, Rows, Sample};

/// The largest stack that takes the fused pass: beyond it, arithmetic and not memory is the limit.
pub const FUSED_MODELS: usize = 8;

/// Models of one mini-batch loop: beyond this, the partial gradients of a batch outgrow the batch itself.
const EPOCH_MODELS: usize = 256;

/// A table on a device.
#[derive(Debug)]
pub struct GpuEngine<'a> {
    device: GpuDevice,
    table: Table,
    rows: &'a Rows,
}

impl<'a> GpuEngine<'a> {
    /// Copies the table to the device.
    ///
    /// # Errors
    /// The device has no room for it.
    pub fn new(device: &GpuDevice, panels: &Panels, rows: &'a Rows) -> Result<Self> {
        Self::with_limits(device, panels, rows, Limits::default())
    }

    /// Copies the table to the device, in buffers no larger than `limits` says.
    ///
    /// # Errors
    /// The device has no room for it, or a panel exceeds the limits.
    pub fn with_limits(device: &GpuDevice, panels: &Panels, rows: &'a Rows, limits: Limits) -> Result<Self> {
        let table = Table::upload(device, panels, rows, limits)?;
        Ok(Self { device: device.clone(), table, rows })
    }

    /// Number of buffers that X fills.
    pub fn n_buffers(&self) -> usize {
        self.table.blocks.len()
    }
}

impl Engine for GpuEngine<'_> {
    fn device(&self) -> String {
        self.device.summary().to_string()
    }

    fn models_per_reading(&self) -> usize {
        tiled::models_per_reading(self)
    }

    fn rows(&self) -> &Rows {
        self.rows
    }

    fn add_evaluation(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
        sums: &mut Sums,
    ) -> Result<()> {
        assert_eq!(models.len(), coefficients.n_models(), "a column of coefficients for each model");
        assert_eq!(self.table.n_features, coefficients.n_features(), "a coefficient for each feature");
        if fused::takes(self, models.len()) {
            fused::add(self, models, coefficients, sample, sums)?;
        } else {
            tiled::add(self, models, coefficients, sample, sums)?;
        }
        Ok(())
    }

    fn add_curvatures(&mut self, points: &[At<'_>], sample: Sample, sums: &mut [Vec<f64>]) -> Result<()> {
        for ((model, column), sums) in points.iter().zip(sums) {
            assert_eq!(column.len(), self.table.n_features + 1, "a coefficient for each feature");
            hessian::add(self, model, column, sample, sums)?;
        }
        Ok(())
    }
}

impl MiniBatch for GpuEngine<'_> {
    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        // A batch keeps a residual of each row and model: models go in groups for which these fit a buffer.
        let row_bytes = epoch.batch_rows.clamp(1, self.table.n_rows.max(1)) * size_of::<f32>();
        let fitting = usize::try_from(self.device.max_storage_bytes()).unwrap_or(usize::MAX) / row_bytes;
        let group = (fitting / 4 * 4).clamp(4, EPOCH_MODELS);
        for first in (0..models.len()).step_by(group) {
            let members: Vec<usize> = (first..(first + group).min(models.len())).collect();
            let range = first..first + members.len();
            let mut part = SgdState {
                snapshot: state.snapshot.select(&members),
                iterate: state.iterate.select(&members),
            };
            let part_epoch = Epoch {
                coupling: &epoch.coupling[range.clone()],
                step: &epoch.step[range.clone()],
                gradient: &epoch.gradient.select(&members),
                ..epoch.clone()
            };
            epoch::run(self, &models[range], &part_epoch, &mut part)?;
            for (k, &m) in members.iter().enumerate() {
                state.snapshot.model_mut(m).copy_from_slice(part.snapshot.model(k));
                state.iterate.model_mut(m).copy_from_slice(part.iterate.model(k));
            }
        }
        Ok(())
    }
}
