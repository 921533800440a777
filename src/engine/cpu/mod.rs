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

use crate::engine::{At, Engine, Epoch, MiniBatch, SgdState};
use crate::error::Result;
use crate::objective::{Coefficients, ModelSpec, Sums};
use crate::panels::{PANEL_ROWS, Panels, Rows, Sample};
use block::{Packed, Partial, RowBlock, Scratch, Segment};

/// Models that take a block of X together. Beyond this arithmetic is the limit, and the residuals of a block would
/// leave the cache.
const MODELS_PER_WALK: usize = 64;

/// Models of one reading of X, at most: they take each block by walks, while it is in cache.
const MODELS_PER_READING: usize = 512;

/// Bytes of the sums of all chunks of a reading.
const PARTIAL_BYTES: usize = 128 << 20;

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

    /// Loss and gradient sums of models `first ..` of the stack over the rows of `sample`, [`MODELS_PER_WALK`] in each of
    /// what comes back: one reading of X.
    fn read(
        &self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        first: usize,
        sample: Sample,
    ) -> Vec<Partial> {
        let walks: Vec<&[ModelSpec]> = models.chunks(MODELS_PER_WALK).collect();
        let pack = |(k, specs): (usize, &&[ModelSpec])| {
            let start = first + k * MODELS_PER_WALK;
            Packed::new(coefficients, start..start + specs.len())
        };
        let packed: Vec<Packed> = walks.iter().enumerate().map(pack).collect();
        let zeros = || -> Vec<Partial> {
            walks.iter().map(|specs| Partial::zeros(self.panels.n_features(), specs.len())).collect()
        };
        let chunks = Chunks::new(sample.n_panels(self.panels.n_panels()), BLOCK_PANELS, MAX_CHUNKS);
        let part = self.panels_in_cache();
        let partials: Vec<Vec<Partial>> = (0..chunks.len())
            .into_par_iter()
            .map_init(Scratch::default, |scratch, chunk| {
                let mut partials = zeros();
                for block in chunks.blocks(chunk) {
                    let segments: Vec<_> = block.map(|k| Segment::whole(sample.panel(k))).collect();
                    let block = RowBlock { panels: self.panels, rows: self.rows, segments: &segments };
                    for ((models, packed), out) in walks.iter().zip(&packed).zip(&mut partials) {
                        self.arch.dispatch(block::Evaluate { block, models, packed, part, scratch, out });
                    }
                }
                partials
            })
            .collect();
        let mut sums = zeros();
        for partials in &partials {
            sums.iter_mut().zip(partials).for_each(|(sum, partial)| sum.add(partial));
        }
        sums
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

    fn models_per_reading(&self) -> usize {
        let n_chunks = Chunks::new(self.panels.n_panels(), BLOCK_PANELS, MAX_CHUNKS).len().max(1);
        let of_model = size_of::<f64>() * (self.panels.n_features() + 2) * n_chunks;
        let fitting = PARTIAL_BYTES / of_model / MODELS_PER_WALK * MODELS_PER_WALK;
        fitting.clamp(MODELS_PER_WALK, MODELS_PER_READING)
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
        let mut m = 0;
        for reading in models.chunks(self.models_per_reading()) {
            let partials = self.read(reading, coefficients, m, sample);
            for partial in &partials {
                for k in 0..partial.loss.len() {
                    *sums.loss_mut(m) += partial.loss[k];
                    sums.gradient_mut(m)
                        .iter_mut()
                        .zip(partial.gradient(k))
                        .for_each(|(sum, part)| *sum += part);
                    m += 1;
                }
            }
        }
        Ok(())
    }

    fn add_curvatures(&mut self, points: &[At<'_>], sample: Sample, sums: &mut [Vec<f64>]) -> Result<()> {
        hessian::add(self, points, sample, sums);
        Ok(())
    }
}

impl MiniBatch for CpuEngine<'_> {
    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        sgd::run(self, models, epoch, state);
        Ok(())
    }
}
