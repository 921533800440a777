//! Residual and loss of one model over the rows of a block, from their linear predictors.

use pulp::Simd;

use super::block::{GROUP, RowBlock, Segment};
use super::sigmoid::{log1pexp, sigmoid};
use crate::objective::ModelSpec;
use crate::panels::PANEL_ROWS;

/// Replaces the predictors `z` by `s (sigmoid(z) - y)`, 0 outside the block's lanes; returns the
/// sums of the loss and of the residual.
#[inline(always)]
pub(super) fn block<S: Simd>(simd: S, block: RowBlock<'_>, model: &ModelSpec, z: &mut [f32]) -> (f64, f64) {
    let factors = Factors::new(simd, model);
    let zero = simd.splat_f32s(0.0);
    let mut sums = (0.0, 0.0);
    for (segment, place) in block.places() {
        let (z, _) = S::as_mut_simd_f32s(&mut z[place..][..segment.cover().len()]);
        // Summed panel by panel, so that the parts of a block do not show in the bits.
        let (mut losses, mut residuals) = (zero, zero);
        each_vector(simd, block, segment, |v, label, weight| {
            let (s, y) = factors.weight_and_target(simd, label, weight);
            let sigmoid = sigmoid(simd, z[v]);
            // y z is subtracted inside the logarithm's sum, where it cancels the large part exactly.
            let loss = simd.mul_f32s(s, log1pexp(simd, z[v], sigmoid.exponential, y));
            let r = simd.mul_f32s(s, simd.sub_f32s(sigmoid.value, y));
            // A padding row has weight 0 but may have any predictor: keep 0 times infinity out.
            let counts = simd.greater_than_f32s(s, zero);
            z[v] = simd.select_f32s(counts, r, zero);
            losses = simd.add_f32s(losses, simd.select_f32s(counts, loss, zero));
            residuals = simd.add_f32s(residuals, z[v]);
        });
        sums.0 += f64::from(simd.reduce_sum_f32s(losses));
        sums.1 += f64::from(simd.reduce_sum_f32s(residuals));
    }
    sums
}

/// Replaces the predictors `z` at the coupled point by `s (sigmoid(z) - sigmoid(snapshot))`, 0
/// outside the block's lanes; returns the sum.
#[inline(always)]
pub(super) fn change<S: Simd>(
    simd: S,
    block: RowBlock<'_>,
    model: &ModelSpec,
    z: &mut [f32],
    snapshot: &[f32],
) -> f64 {
    let factors = Factors::new(simd, model);
    let zero = simd.splat_f32s(0.0);
    let mut residuals = zero;
    for (segment, place) in block.places() {
        let (z, _) = S::as_mut_simd_f32s(&mut z[place..][..segment.cover().len()]);
        let (snapshot, _) = S::as_simd_f32s(&snapshot[place..][..segment.cover().len()]);
        each_vector(simd, block, segment, |v, label, weight| {
            let (s, _) = factors.weight_and_target(simd, label, weight);
            let change = simd.sub_f32s(sigmoid(simd, z[v]).value, sigmoid(simd, snapshot[v]).value);
            let counts = simd.greater_than_f32s(s, zero);
            z[v] = simd.select_f32s(counts, simd.mul_f32s(s, change), zero);
            residuals = simd.add_f32s(residuals, z[v]);
        });
    }
    f64::from(simd.reduce_sum_f32s(residuals))
}

/// Replaces the predictors `z` by `sqrt(s p (1 - p))`, p their sigmoid.
#[inline(always)]
pub(super) fn root_curvature<S: Simd>(simd: S, block: RowBlock<'_>, model: &ModelSpec, z: &mut [f32]) {
    let factors = Factors::new(simd, model);
    let zero = simd.splat_f32s(0.0);
    for (segment, place) in block.places() {
        let (z, _) = S::as_mut_simd_f32s(&mut z[place..][..segment.cover().len()]);
        each_vector(simd, block, segment, |v, label, weight| {
            let (s, _) = factors.weight_and_target(simd, label, weight);
            // p (1 - p) = e / (1 + e)^2 with e = exp(-|z|): nothing cancels.
            let e = sigmoid(simd, z[v]).exponential;
            let root =
                simd.div_f32s(simd.sqrt_f32s(simd.mul_f32s(s, e)), simd.add_f32s(simd.splat_f32s(1.0), e));
            z[v] = simd.select_f32s(simd.greater_than_f32s(s, zero), root, zero);
        });
    }
}

/// Calls `f` with the index, the labels and the weights of each row vector of a segment's cover,
/// weights 0 outside its lanes.
#[inline(always)]
fn each_vector<S: Simd>(
    simd: S,
    block: RowBlock<'_>,
    segment: &Segment,
    mut f: impl FnMut(usize, S::u32s, S::f32s),
) {
    let cover = segment.cover();
    let slots = segment.panel * PANEL_ROWS + cover.start..segment.panel * PANEL_ROWS + cover.end;
    let (labels, _) = S::as_simd_u32s(&block.rows.labels()[slots.clone()]);
    let (weight, _) = S::as_simd_f32s(&block.rows.weight()[slots]);
    for (v, (&label, &weight)) in labels.iter().zip(weight).enumerate() {
        let first = cover.start + v * S::F32_LANES;
        let weight = if first >= segment.lanes.start && first + S::F32_LANES <= segment.lanes.end {
            weight
        } else {
            let mut inside = [0.0; GROUP];
            simd.partial_store_f32s(&mut inside[..S::F32_LANES], weight);
            for (i, weight) in inside.iter_mut().enumerate() {
                *weight = if segment.lanes.contains(&(first + i)) { *weight } else { 0.0 };
            }
            simd.partial_load_f32s(&inside[..S::F32_LANES])
        };
        f(v, label, weight);
    }
}

struct Factors<S: Simd> {
    class: S::u32s,
    positive: S::f32s,
    negative: S::f32s,
    /// First label of the folds held out, and how many labels they span; no label without such folds.
    first: S::u32s,
    span: S::u32s,
    holds_out: bool,
}

impl<S: Simd> Factors<S> {
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "kernels weigh in float32")]
    fn new(simd: S, model: &ModelSpec) -> Self {
        let (first, end) = model.held_out.range();
        Self {
            class: simd.splat_u32s(model.class),
            positive: simd.splat_f32s(model.positive_weight as f32),
            negative: simd.splat_f32s(model.negative_weight as f32),
            first: simd.splat_u32s(first << 16),
            span: simd.splat_u32s((end - first) << 16),
            holds_out: end > first,
        }
    }

    /// `s` and `y` of a row vector.
    #[inline(always)]
    fn weight_and_target(&self, simd: S, label: S::u32s, weight: S::f32s) -> (S::f32s, S::f32s) {
        let zero = simd.splat_f32s(0.0);
        let class = simd.and_u32s(label, simd.splat_u32s(0xffff));
        let positive = simd.equal_u32s(class, self.class);
        let factor = simd.select_f32s(positive, self.positive, self.negative);
        let y = simd.select_f32s(positive, simd.splat_f32s(1.0), zero);
        let s = simd.mul_f32s(weight, factor);
        if !self.holds_out {
            return (s, y);
        }
        // Folds are the upper half of a label: theirs are one run of labels.
        let out = simd.less_than_u32s(simd.sub_u32s(label, self.first), self.span);
        (simd.select_f32s(out, zero, s), y)
    }
}
