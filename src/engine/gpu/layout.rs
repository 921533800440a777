//! The structs shared with WGSL, byte for byte. A test compares all offsets with those that naga computes.

use bytemuck::{Pod, Zeroable};

use crate::objective::ModelSpec;

/// `Fused` in `fused.wgsl`: one dispatch over one buffer of X for one group of models.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[expect(missing_docs, reason = "documented where they are used, in the shader")]
pub struct Fused {
    pub n_features: u32,
    pub n_panels: u32,
    pub n_workgroups: u32,
    pub coefficients_at: u32,
    pub partials_at: u32,
    pub first_panel: u32,
    pub stride: u32,
    pub pad: u32,
    pub classes: [u32; 4],
    pub positive_weight: [f32; 4],
    pub negative_weight: [f32; 4],
    pub held_first: [u32; 4],
    pub held_span: [u32; 4],
}

/// `Tile` in `common/tile.wgsl`: a block of rows and a block of models.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[expect(missing_docs, reason = "documented where they are used, in the shader")]
pub struct Tile {
    pub n_features: u32,
    pub n_models: u32,
    pub first_panel: u32,
    pub n_panels: u32,
    pub chunk_panels: u32,
    pub stride: u32,
    pub pad0: u32,
    pub pad1: u32,
}

/// `Model` in `common/model.wgsl`: class, class weights and held-out folds of one model.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[expect(missing_docs, reason = "documented where they are used, in the shader")]
pub struct Model {
    pub class_index: u32,
    pub positive_weight: f32,
    pub negative_weight: f32,
    pub held_first: u32,
    pub held_span: u32,
}

impl From<&ModelSpec> for Model {
    fn from(model: &ModelSpec) -> Self {
        let (held_first, held_span) = held_labels(model);
        Self {
            class_index: model.class,
            positive_weight: model.positive_weight as f32,
            negative_weight: model.negative_weight as f32,
            held_first,
            held_span,
        }
    }
}

/// The range of labels that a model holds out: the first label, and the number of labels.
pub(super) fn held_labels(model: &ModelSpec) -> (u32, u32) {
    let (first, end) = model.held_out.range();
    (first << 16, (end - first) << 16)
}

/// `Step` in `common/step.wgsl`: one mini-batch, for one buffer of X.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[expect(missing_docs, reason = "documented where they are used, in the shader")]
pub struct Step {
    pub n_features: u32,
    pub n_quads: u32,
    pub start: u32,
    pub n_rows: u32,
    pub first_panel: u32,
    pub n_panels: u32,
    pub chunk_rows: u32,
    pub partials_at: u32,
    pub n_partials: u32,
    pub trains_intercept: u32,
    pub scale: f32,
    pub pad: u32,
}

/// `Quad` in `common/quad.wgsl`: four models side by side.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[expect(missing_docs, reason = "documented where they are used, in the shader")]
pub struct Quad {
    pub class_index: [u32; 4],
    pub positive_weight: [f32; 4],
    pub negative_weight: [f32; 4],
    pub step: [f32; 4],
    pub l1: [f32; 4],
    pub l2: [f32; 4],
    pub inverse_weight_sum: [f32; 4],
    pub coupling: [f32; 4],
    pub held_first: [u32; 4],
    pub held_span: [u32; 4],
}
