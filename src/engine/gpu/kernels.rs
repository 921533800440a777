//! The table of kernels, each with its sources, bindings and override constants. To add a kernel, add a row.

/// Kind of a binding. All bindings are in group 0, numbered in the order of the kernel's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A uniform with a dynamic offset, set at each dispatch.
    Uniform,
    /// A storage buffer that the kernel only reads.
    ReadOnly,
    /// A storage buffer that the kernel writes.
    ReadWrite,
}

use Binding::{ReadOnly, ReadWrite, Uniform};

/// A compute kernel with entry point `main`.
#[derive(Debug)]
pub struct Kernel {
    /// Name in labels and errors.
    pub name: &'static str,
    /// Its file under `shaders/`.
    pub file: &'static str,
    /// Its source: snippets from `shaders/common`, then its own file.
    pub sources: &'static [&'static str],
    /// Bindings in order, with their names in the shader.
    pub bindings: &'static [(&'static str, Binding)],
    /// Default values of its `override` constants.
    pub overrides: &'static [(&'static str, f64)],
}

impl Kernel {
    /// The complete WGSL source.
    pub fn source(&self) -> String {
        self.sources.join("\n")
    }
}

const LANES_1: &str = include_str!("../../../shaders/common/lanes_1.wgsl");
const LANES_4: &str = include_str!("../../../shaders/common/lanes_4.wgsl");
const LABEL: &str = include_str!("../../../shaders/common/label.wgsl");
const LOGISTIC: &str = include_str!("../../../shaders/common/logistic.wgsl");
const TILE: &str = include_str!("../../../shaders/common/tile.wgsl");
const MODEL: &str = include_str!("../../../shaders/common/model.wgsl");
const STEP: &str = include_str!("../../../shaders/common/step.wgsl");
const QUAD: &str = include_str!("../../../shaders/common/quad.wgsl");
const FUSED: &str = include_str!("../../../shaders/fused.wgsl");

const FUSED_BINDINGS: &[(&str, Binding)] = &[
    ("task", Uniform),
    ("x4", ReadOnly),
    ("row_label4", ReadOnly),
    ("row_weight4", ReadOnly),
    ("coefficients", ReadOnly),
    ("partials", ReadWrite),
];

/// The fused pass for one model.
pub const FUSED_1: Kernel = Kernel {
    name: "fused_1",
    file: "fused.wgsl",
    sources: &[LANES_1, LABEL, LOGISTIC, FUSED],
    bindings: FUSED_BINDINGS,
    overrides: &[("SUMS", 256.0)],
};

/// The fused pass for four models.
pub const FUSED_4: Kernel = Kernel {
    name: "fused_4",
    file: "fused.wgsl",
    sources: &[LANES_4, LABEL, LOGISTIC, FUSED],
    bindings: FUSED_BINDINGS,
    overrides: &[("SUMS", 256.0)],
};

/// Residuals and losses of a block of rows for a block of models.
pub const TILE_RESIDUAL: Kernel = Kernel {
    name: "tile_residual",
    file: "tile_residual.wgsl",
    sources: &[LANES_4, LABEL, LOGISTIC, TILE, MODEL, include_str!("../../../shaders/tile_residual.wgsl")],
    bindings: &[
        ("tile", Uniform),
        ("x4", ReadOnly),
        ("row_label4", ReadOnly),
        ("row_weight4", ReadOnly),
        ("coefficients4", ReadOnly),
        ("models", ReadOnly),
        ("residuals4", ReadWrite),
        ("totals", ReadWrite),
    ],
    overrides: &[],
};

/// Gradient of a block of rows for a block of models.
pub const TILE_GRADIENT: Kernel = Kernel {
    name: "tile_gradient",
    file: "tile_gradient.wgsl",
    sources: &[TILE, include_str!("../../../shaders/tile_gradient.wgsl")],
    bindings: &[("tile", Uniform), ("x4", ReadOnly), ("residuals4", ReadOnly), ("partials4", ReadWrite)],
    overrides: &[],
};

/// Square root of each row's curvature for one model.
pub const ROOT_CURVATURE: Kernel = Kernel {
    name: "root_curvature",
    file: "root_curvature.wgsl",
    sources: &[LANES_4, LABEL, TILE, MODEL, include_str!("../../../shaders/root_curvature.wgsl")],
    bindings: &[
        ("tile", Uniform),
        ("x4", ReadOnly),
        ("row_label4", ReadOnly),
        ("row_weight4", ReadOnly),
        ("coefficients", ReadOnly),
        ("models", ReadOnly),
        ("roots4", ReadWrite),
    ],
    overrides: &[],
};

/// Hessian of one model.
pub const HESSIAN: Kernel = Kernel {
    name: "hessian",
    file: "hessian.wgsl",
    sources: &[TILE, include_str!("../../../shaders/hessian.wgsl")],
    bindings: &[("tile", Uniform), ("x4", ReadOnly), ("roots4", ReadOnly), ("partials", ReadWrite)],
    overrides: &[],
};

/// Change of the residuals of a mini-batch since the snapshot.
pub const BATCH_RESIDUAL: Kernel = Kernel {
    name: "batch_residual",
    file: "batch_residual.wgsl",
    sources: &[LANES_4, LABEL, STEP, QUAD, include_str!("../../../shaders/batch_residual.wgsl")],
    bindings: &[
        ("step", Uniform),
        ("x", ReadOnly),
        ("row_label", ReadOnly),
        ("row_weight", ReadOnly),
        ("panel_order", ReadOnly),
        ("quads", ReadOnly),
        ("snapshot", ReadOnly),
        ("delta", ReadOnly),
        ("residuals", ReadWrite),
    ],
    overrides: &[],
};

/// Gradient of a mini-batch, first stage.
pub const BATCH_GRADIENT: Kernel = Kernel {
    name: "batch_gradient",
    file: "batch_gradient.wgsl",
    sources: &[STEP, include_str!("../../../shaders/batch_gradient.wgsl")],
    bindings: &[
        ("step", Uniform),
        ("x", ReadOnly),
        ("panel_order", ReadOnly),
        ("residuals", ReadOnly),
        ("partials", ReadWrite),
    ],
    overrides: &[],
};

/// Gradient of a mini-batch, second stage, and the proximal step.
pub const BATCH_UPDATE: Kernel = Kernel {
    name: "batch_update",
    file: "batch_update.wgsl",
    sources: &[STEP, QUAD, include_str!("../../../shaders/batch_update.wgsl")],
    bindings: &[
        ("step", Uniform),
        ("quads", ReadOnly),
        ("full_gradient", ReadOnly),
        ("snapshot", ReadOnly),
        ("partials", ReadOnly),
        ("iterate", ReadWrite),
        ("delta", ReadWrite),
        ("total", ReadWrite),
    ],
    overrides: &[],
};

/// All kernels.
pub const KERNELS: &[&Kernel] = &[
    &FUSED_1,
    &FUSED_4,
    &TILE_RESIDUAL,
    &TILE_GRADIENT,
    &ROOT_CURVATURE,
    &HESSIAN,
    &BATCH_RESIDUAL,
    &BATCH_GRADIENT,
    &BATCH_UPDATE,
];
