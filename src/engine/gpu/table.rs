//! The table in device memory: X and its rows, split where a buffer ends.

use super::device::GpuDevice;
use crate::error::EngineError;
use crate::panels::{PANEL_ROWS, Panels, Rows, Sample};

/// What a table may take of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one buffer of X, at most; the device's own limit holds as well.
    pub max_buffer_bytes: u64,
}

impl Default for Limits {
    /// As much as the device allows.
    fn default() -> Self {
        Self { max_buffer_bytes: u64::MAX }
    }
}

/// Whole panels in one set of buffers.
#[derive(Debug)]
pub(super) struct PanelBuffers {
    /// Number of its first panel in the table.
    pub(super) first_panel: u32,
    pub(super) n_panels: u32,
    /// `n_panels` x d x 256 float32.
    pub(super) x: wgpu::Buffer,
    /// `n_panels` x 256, label and weight of each slot.
    pub(super) label: wgpu::Buffer,
    pub(super) weight: wgpu::Buffer,
}

impl PanelBuffers {
    /// The panels of `sample` in this block: the first, counted in the block, and how many.
    pub(super) fn sampled(&self, sample: Sample) -> (usize, usize) {
        let stride = sample.stride();
        let first = (self.first_panel as usize).next_multiple_of(stride) - self.first_panel as usize;
        (first, (self.n_panels as usize).saturating_sub(first).div_ceil(stride))
    }
}

/// All panels, block after block.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) n_rows: usize,
    pub(super) n_features: usize,
    pub(super) blocks: Vec<PanelBuffers>,
}

/// Bytes that a table takes on a device: X, and label and weight of each row.
pub fn table_bytes(n_rows: usize, n_features: usize) -> u64 {
    (n_rows.next_multiple_of(PANEL_ROWS) * (n_features + 2) * size_of::<f32>()) as u64
}

impl Table {
    /// Copies the table to the device, once.
    ///
    /// # Errors
    /// The device has no room, or a single panel exceeds its limits.
    ///
    /// # Panics
    /// If `rows` is not the rows of `panels`.
    pub(super) fn upload(
        device: &GpuDevice,
        panels: &Panels,
        rows: &Rows,
        limits: Limits,
    ) -> Result<Self, EngineError> {
        assert!(
            panels.n_rows() == rows.n_rows() || panels.n_features() == 0,
            "a class and a weight for each row of the panels"
        );
        let (n_rows, n_features) = (rows.n_rows(), panels.n_features());
        // Positions of an epoch are u32, with room for one batch's last workgroup.
        if n_rows > (u32::MAX - 255) as usize {
            return Err(EngineError::TooManyRows { n_rows });
        }
        let n_panels = n_rows.div_ceil(PANEL_ROWS);
        let panel_bytes = (n_features.max(1) * PANEL_ROWS * size_of::<f32>()) as u64;
        let limit = limits.max_buffer_bytes.min(device.max_storage_bytes());
        if panel_bytes > limit {
            return Err(EngineError::LimitTooSmall {
                adapter: device.summary().to_string(),
                what: format!("a panel of {n_features} features"),
                needed: panel_bytes,
                limit,
                way_out: "use --device cpu",
            });
        }
        let per_block = (limit / panel_bytes).min(n_panels.max(1) as u64) as usize;
        let total = table_bytes(n_rows, n_features);
        log::debug!("{}: {total} bytes of table, {per_block} panels a buffer", device.summary());
        let mut blocks = Vec::new();
        for first in (0..n_panels).step_by(per_block) {
            let end = (first + per_block).min(n_panels);
            let slots = first * PANEL_ROWS..end * PANEL_ROWS;
            let x = &panels.values()[first * panels.panel_len()..end * panels.panel_len()];
            // What matters to a user out of memory is the table, not this piece of it.
            let whole = |e| match e {
                EngineError::OutOfMemory { adapter, doing, .. } => {
                    EngineError::OutOfMemory { adapter, doing, bytes: total }
                }
                other => other,
            };
            blocks.push(PanelBuffers {
                first_panel: first as u32,
                n_panels: (end - first) as u32,
                x: device.upload("logodds.table.x", x).map_err(whole)?,
                label: device
                    .upload("logodds.table.row_label", &rows.labels()[slots.clone()])
                    .map_err(whole)?,
                weight: device.upload("logodds.table.row_weight", &rows.weight()[slots]).map_err(whole)?,
            });
        }
        Ok(Self { n_rows, n_features, blocks })
    }
}
