//! The passes on the processor: vectorised for what it has at run time, on every core.
//!
//! A pass walks *blocks* of a few panels, whole or in parts that stay in a core's cache between the two
//! uses of X (predictor and gradient). Sums are float32 inside a block, float64 across blocks, and blocks
//! are grouped into chunks by the number of rows alone, so that a result depends neither on the
//! number of threads nor on the other models of the stack: stacked equals alone, bit for bit.

mod block;
mod gradient;
mod hessian;
mod linear_predictor;
mod residual;
mod sgd;
mod sigmoid;

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use crate::engine::{Engine, Epoch, Evaluation, SgdState};
use crate::error::Result;
use crate::objective::{Coefficients, Hessian, ModelSpec};
use crate::panels::{PANEL_ROWS, Panels, Rows, Sample};
use block::{Block, Packed, Partial, Scratch, Segment};

/// Models evaluated in one walk over X. Beyond this the walk is bound by arithmetic, and the
/// residuals of a block would leave the cache.
const MODELS_PER_WALK: usize = 64;

/// Chunks of a pass: enough for every core of a large machine, few enough that their float64
/// sums stay small.
const MAX_CHUNKS: usize = 128;

/// Panels of a block: long enough chains for the gradient's sums over lanes not to show, short enough
/// for sums in float32 and for the residuals of a walk to stay in the second-level cache.
const BLOCK_PANELS: usize = 4;

/// Float32 values of X in the part of a block that few models take at a time: a quarter of a common
/// second-level cache, so that the part, its residuals and the other hardware thread's fit.
const PART_VALUES: usize = 64 * 1024;

/// The engine for machines without a GPU, and the counterpart that shaders are checked against.
#[derive(Debug)]
pub struct CpuEngine<'a> {
    panels: &'a Panels,
    rows: &'a Rows,
    arch: Arch,
}

impl<'a> CpuEngine<'a> {
    /// An engine over a table.
    ///
    /// # Panics
    /// If the rows are not those of the panels.
    pub fn new(panels: &'a Panels, rows: &'a Rows) -> Self {
        assert_eq!(panels.n_rows(), rows.n_rows(), "a class and a weight for each row of the panels");
        Self { panels, rows, arch: Arch::new() }
    }

    /// Panels that stay in cache, by the number of features alone.
    fn panels_in_cache(&self) -> usize {
        (PART_VALUES / (PANEL_ROWS * self.panels.n_features().max(1))).clamp(1, 8)
    }

    /// Loss and gradient sums of up to [`MODELS_PER_WALK`] models over the rows of `sample`.
    fn walk(
        &self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        first: usize,
        sample: Sample,
    ) -> Partial {
        let packed = Packed::new(coefficients, first..first + models.len());
        let chunks = Chunks::new(sample.n_panels(self.panels.n_panels()), BLOCK_PANELS, MAX_CHUNKS);
        let part = self.panels_in_cache();
        let partials: Vec<Partial> = (0..chunks.len())
            .into_par_iter()
            .map_init(Scratch::default, |scratch, chunk| {
                let mut partial = Partial::zeros(self.panels.n_features(), models.len());
                for block in chunks.blocks(chunk) {
                    let segments: Vec<_> = block.map(|k| Segment::whole(sample.panel(k))).collect();
                    let block = Block { panels: self.panels, rows: self.rows, segments: &segments };
                    self.arch.dispatch(block::Evaluate {
                        block,
                        models,
                        packed: &packed,
                        part,
                        scratch,
                        out: &mut partial,
                    });
                }
                partial
            })
            .collect();
        let mut sum = Partial::zeros(self.panels.n_features(), models.len());
        for partial in &partials {
            sum.add(partial);
        }
        sum
    }
}

/// How a pass is cut: blocks of panels, and chunks of blocks, by their numbers alone.
#[derive(Debug, Clone, Copy)]
struct Chunks {
    n_panels: usize,
    panels_per_block: usize,
    blocks_per_chunk: usize,
}

impl Chunks {
    fn new(n_panels: usize, panels_per_block: usize, most: usize) -> Self {
        let blocks_per_chunk = n_panels.div_ceil(panels_per_block).div_ceil(most).max(1);
        Self { n_panels, panels_per_block, blocks_per_chunk }
    }

    fn len(self) -> usize {
        self.n_panels.div_ceil(self.panels_per_block * self.blocks_per_chunk)
    }

    /// The blocks of a chunk, each the range of its panels.
    fn blocks(self, chunk: usize) -> impl Iterator<Item = Range<usize>> {
        let panels = self.panels_per_block * self.blocks_per_chunk;
        let end = ((chunk + 1) * panels).min(self.n_panels);
        let first = (chunk * panels..end).step_by(self.panels_per_block);
        first.map(move |first| first..(first + self.panels_per_block).min(end))
    }
}

impl Engine for CpuEngine<'_> {
    fn device(&self) -> String {
        let lanes = match self.arch {
            Arch::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "NEON",
            #[allow(unreachable_patterns, reason = "the enum differs by target and is non-exhaustive")]
            _ => "vector",
        };
        let threads = rayon::current_num_threads();
        format!("cpu ({lanes}, {threads} thread{})", if threads == 1 { "" } else { "s" })
    }

    fn evaluate_on(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
    ) -> Result<Evaluation> {
        let totals = self.rows.weights_on(sample);
        let mut loss = Vec::with_capacity(models.len());
        let mut gradient = Coefficients::zeros(self.panels.n_features(), models.len());
        for (walk, specs) in models.chunks(MODELS_PER_WALK).enumerate() {
            let first = walk * MODELS_PER_WALK;
            let sum = self.walk(specs, coefficients, first, sample);
            for (k, spec) in specs.iter().enumerate() {
                let scale = 1.0 / spec.weight_sum_of(&totals);
                loss.push(sum.loss[k] * scale);
                for (g, s) in gradient.model_mut(first + k).iter_mut().zip(sum.gradient(k)) {
                    *g = s * scale;
                }
            }
        }
        Ok(Evaluation { loss, gradient })
    }

    fn hessian(&mut self, model: &ModelSpec, column: &[f64], sample: Sample) -> Result<Hessian> {
        assert_eq!(column.len(), self.panels.n_features() + 1, "a coefficient for each feature");
        Ok(hessian::run(self, model, column, sample))
    }

    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        sgd::run(self, models, epoch, state);
        Ok(())
    }
}
