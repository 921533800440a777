//! Metrics of bootstrap resamples of a table.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::contest::{Contest, Rows};
use super::sums::Terms;
use crate::error::{DataError, Result};
use crate::metrics::{Margins, Order, poisson_counts};
use crate::observer::Observer;

/// Replicates in one task: one row of their sums stays in the first-level cache.
const LANES: usize = 64;
/// Steps of a ranking between two checks for interruption.
const STEPS_PER_LOOK: usize = 1 << 16;

type Lanes = [f64; LANES];

/// The bootstrap resamples: their number and seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Draws {
    pub(super) seed: u64,
    pub(super) replicates: usize,
}

/// Progress of ranking the resamples, for the observer, which may stop the work.
pub(super) struct Drawing<'a> {
    observer: &'a dyn Observer,
    done: AtomicUsize,
    total: usize,
}

impl<'a> Drawing<'a> {
    /// For `rankings` rankings of each resample.
    pub(super) fn new(observer: &'a dyn Observer, draws: Option<&Draws>, rankings: usize) -> Self {
        let total = draws.map_or(0, |draws| draws.replicates * rankings);
        Self { observer, done: AtomicUsize::new(0), total }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.observer.is_interrupted()
    }

    /// An error if the observer stops the work.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_stopped() { Err(DataError::Interrupted.into()) } else { Ok(()) }
    }

    fn advance(&self, tables: usize) {
        let done = self.done.fetch_add(tables, Ordering::Relaxed) + tables;
        self.observer.drawing(done, self.total);
    }
}

impl Draws {
    fn chunks(self) -> impl IndexedParallelIterator<Item = usize> {
        (0..self.replicates.div_ceil(LANES)).into_par_iter().map(|chunk| chunk * LANES)
    }

    /// AUC and average precision of each replicate; an error if `drawing` is stopped.
    pub(super) fn rankings(
        self,
        order: &Order,
        is_positive: &[bool],
        weight: Option<&[f64]>,
        drawing: &Drawing<'_>,
    ) -> Result<Vec<(f64, f64)>> {
        let of_chunk = |first: usize| {
            let ranked = pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    let zero: Lanes = [0.0; LANES];
                    let (mut tp, mut fp, mut area, mut precision, mut counts) =
                        (zero, zero, zero, zero, zero);
                    for (at, step) in order.steps().enumerate() {
                        if at % STEPS_PER_LOOK == 0 && drawing.is_stopped() {
                            break;
                        }
                        let mut sides = [zero; 2];
                        for &(_, row) in step {
                            poisson_counts(self.seed, row as u64, first, &mut counts);
                            let weight = weight.map_or(1.0, |weight| weight[row]);
                            let side = &mut sides[usize::from(is_positive[row])];
                            side.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += weight * count);
                        }
                        let [lost, gained] = sides;
                        for r in 0..LANES {
                            area[r] += lost[r] * (tp[r] + gained[r] / 2.0);
                            tp[r] += gained[r];
                            fp[r] += lost[r];
                            // The maximum avoids 0 / 0 where a replicate has no rows yet.
                            precision[r] += gained[r] * tp[r] / (tp[r] + fp[r]).max(f64::MIN_POSITIVE);
                        }
                    }
                    (0..LANES)
                        .map(move |r| (area[r] / (tp[r] * fp[r]), precision[r] / tp[r]))
                        .collect::<Vec<_>>()
                },
            );
            drawing.advance(LANES.min(self.replicates - first));
            ranked
        };
        let mut all: Vec<(f64, f64)> = self.chunks().flat_map_iter(of_chunk).collect();
        drawing.check()?;
        all.truncate(self.replicates);
        all.iter_mut().filter(|(area, _)| !area.is_finite()).for_each(|both| *both = (f64::NAN, f64::NAN));
        Ok(all)
    }
}

/// Sums over the resampled rows, for each replicate.
pub(super) struct Replicates {
    draws: Draws,
    chunks: Vec<Chunk>,
}

struct Chunk {
    /// For each class.
    truth: Vec<Lanes>,
    models: Vec<ModelLanes>,
}

#[derive(Clone)]
struct ModelLanes {
    log_loss: Lanes,
    brier: Lanes,
    /// For each class.
    predicted: Vec<Lanes>,
    hit: Vec<Lanes>,
}

/// The sums of one replicate, for one model.
pub(super) struct Replicate {
    pub(super) margins: Margins,
    pub(super) log_loss: f64,
    pub(super) brier: f64,
}

impl Replicates {
    pub(super) fn new(draws: Draws, contest: &Contest<'_>) -> Self {
        let zeros = vec![[0.0; LANES]; contest.classes().len()];
        let model = ModelLanes {
            log_loss: [0.0; LANES],
            brier: [0.0; LANES],
            predicted: zeros.clone(),
            hit: zeros.clone(),
        };
        let models = vec![model; contest.models.len()];
        let chunk = |_| Chunk { truth: zeros.clone(), models: models.clone() };
        Self { draws, chunks: draws.chunks().map(chunk).collect() }
    }

    /// Adds rows, with the loss terms of each model.
    pub(super) fn add(&mut self, rows: &Rows, terms: &[Terms]) {
        let seed = self.draws.seed;
        self.chunks.par_iter_mut().enumerate().for_each(|(chunk, sums)| {
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    let mut drawn = [0.0; LANES];
                    let add = |lanes: &mut Lanes, drawn: &Lanes, value: f64| {
                        lanes.iter_mut().zip(drawn).for_each(|(sum, drawn)| *sum += drawn * value);
                    };
                    for (i, &class) in rows.class.iter().enumerate() {
                        poisson_counts(seed, rows.first + i as u64, chunk * LANES, &mut drawn);
                        let weight = rows.weight(i);
                        add(&mut sums.truth[class as usize], &drawn, weight);
                        for (lanes, terms) in sums.models.iter_mut().zip(terms) {
                            let (loss, brier) = terms.losses[i];
                            add(&mut lanes.log_loss, &drawn, weight * loss);
                            add(&mut lanes.brier, &drawn, weight * brier);
                            let predicted = terms.prediction[i];
                            add(&mut lanes.predicted[predicted as usize], &drawn, weight);
                            if predicted == class {
                                add(&mut lanes.hit[class as usize], &drawn, weight);
                            }
                        }
                    }
                },
            )
        });
    }

    /// The replicates of a model.
    pub(super) fn of_model(&self, model: usize) -> Vec<Replicate> {
        let of = |r: usize| {
            let (chunk, lane) = (&self.chunks[r / LANES], r % LANES);
            let lanes = &chunk.models[model];
            let column = |classes: &[Lanes]| classes.iter().map(|lanes| lanes[lane]).collect();
            let margins = Margins {
                truth: column(&chunk.truth),
                predicted: column(&lanes.predicted),
                hit: column(&lanes.hit),
            };
            let weight: f64 = margins.truth.iter().sum();
            Replicate { margins, log_loss: lanes.log_loss[lane] / weight, brier: lanes.brier[lane] / weight }
        };
        (0..self.draws.replicates).map(of).collect()
    }
}
