//! Class, fold and weight of each row.

use super::{PANEL_ROWS, Sample};

/// The class of a padding slot. No model has it.
pub const NO_CLASS: u32 = 0xffff;

/// Largest number of classes, and of folds: each takes 16 bits of a label.
pub const MAX_LABEL: u32 = NO_CLASS - 1;

/// Class, fold and weight of every slot, padded to whole panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    labels: Vec<u32>,
    weight: Vec<f32>,
    /// Rounding error of each weight in float32; empty if there is none.
    weight_rest: Vec<f32>,
    weights: Totals,
    counts: Totals,
    class_weight: Vec<f64>,
    class_rows: Vec<usize>,
    n_rows: usize,
}

/// Sums over the rows of each fold and class.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    n_classes: usize,
    /// `[fold][class]`.
    values: Vec<f64>,
}

impl Totals {
    fn zeros(n_folds: usize, n_classes: usize) -> Self {
        Self { n_classes, values: vec![0.0; n_folds * n_classes] }
    }

    /// For each fold, in order: its sums by class.
    pub fn folds(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_classes.max(1))
    }

    fn add(&mut self, label: u32, value: f64) {
        let (class, fold) = (class_of(label) as usize, fold_of(label) as usize);
        if class < self.n_classes {
            self.values[fold * self.n_classes + class] += value;
        }
    }

    fn by_class(&self) -> Vec<f64> {
        (0..self.n_classes).map(|class| self.folds().map(|fold| fold[class]).sum()).collect()
    }
}

/// The class in a label.
pub fn class_of(label: u32) -> u32 {
    label & 0xffff
}

/// The fold in a label.
pub fn fold_of(label: u32) -> u32 {
    label >> 16
}

impl Rows {
    /// From the class and weight of each row, in slot order.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new<W: Copy + Into<f64>>(class: Vec<u32>, weight: &[W], n_classes: usize) -> Self {
        Self::from_labels(class, weight, n_classes, 1)
    }

    /// [`Self::new`] with a fold for each row, below `n_folds`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn with_folds<W: Copy + Into<f64>>(
        class: &[u32],
        fold: &[u32],
        weight: &[W],
        n_classes: usize,
        n_folds: usize,
    ) -> Self {
        assert_eq!(class.len(), fold.len(), "a class and a fold for each row");
        let labels = class.iter().zip(fold).map(|(class, fold)| fold << 16 | class).collect();
        Self::from_labels(labels, weight, n_classes, n_folds)
    }

    fn from_labels<W: Copy + Into<f64>>(
        mut labels: Vec<u32>,
        exact: &[W],
        n_classes: usize,
        n_folds: usize,
    ) -> Self {
        assert_eq!(labels.len(), exact.len(), "a class and a weight for each row");
        let n_rows = labels.len();
        let (mut weights, mut counts) =
            (Totals::zeros(n_folds, n_classes), Totals::zeros(n_folds, n_classes));
        for (&label, &weight) in labels.iter().zip(exact) {
            weights.add(label, weight.into());
            counts.add(label, 1.0);
        }
        let padded = n_rows.next_multiple_of(PANEL_ROWS);
        labels.resize(padded, NO_CLASS);
        let mut weight: Vec<f32> = exact.iter().map(|&weight| narrow(weight.into())).collect();
        let rest = |(&exact, &weight): (&W, &f32)| narrow(exact.into() - f64::from(weight));
        let mut weight_rest = Vec::new();
        if exact.iter().zip(&weight).any(|pair| rest(pair) != 0.0) {
            weight_rest = exact.iter().zip(&weight).map(rest).collect();
            weight_rest.resize(padded, 0.0);
        }
        weight.resize(padded, 0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of rows")]
        let class_rows = counts.by_class().into_iter().map(|count| count as usize).collect();
        let class_weight = weights.by_class();
        Self { labels, weight, weight_rest, weights, counts, class_weight, class_rows, n_rows }
    }

    /// Number of rows, without padding.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Label of each slot, padding included: the class in the lower 16 bits ([`NO_CLASS`] for padding),
    /// the fold in the upper 16 bits.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Class of a slot.
    pub fn class(&self, slot: usize) -> u32 {
        class_of(self.labels[slot])
    }

    /// Fold of a slot; 0 if the table has no folds.
    pub fn fold(&self, slot: usize) -> u32 {
        fold_of(self.labels[slot])
    }

    /// Weight of each slot in float32, padding included. Engines use these.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// Rounding error of each slot's float32 weight; empty if there is none.
    pub fn weight_rest(&self) -> &[f32] {
        &self.weight_rest
    }

    /// Weight of a slot in float64.
    #[inline]
    pub fn exact_weight(&self, slot: usize) -> f64 {
        f64::from(self.weight[slot]) + self.weight_rest.get(slot).map_or(0.0, |&rest| f64::from(rest))
    }

    /// Weights of the slots of panel `p` in float64.
    pub fn panel_weights(&self, p: usize) -> [f64; PANEL_ROWS] {
        let slots = p * PANEL_ROWS..(p + 1) * PANEL_ROWS;
        let mut weights = [0.0; PANEL_ROWS];
        weights
            .iter_mut()
            .zip(&self.weight[slots.clone()])
            .for_each(|(out, &weight)| *out = f64::from(weight));
        if let Some(rest) = self.weight_rest.get(slots) {
            weights.iter_mut().zip(rest).for_each(|(out, &rest)| *out += f64::from(rest));
        }
        weights
    }

    /// Number of rows of each class.
    pub fn class_rows(&self) -> &[usize] {
        &self.class_rows
    }

    /// Sum of the row weights of each class.
    pub fn class_weight(&self) -> &[f64] {
        &self.class_weight
    }

    /// Sum of the row weights of each fold and class.
    pub fn weights(&self) -> &Totals {
        &self.weights
    }

    /// Number of rows of each fold and class.
    pub fn counts(&self) -> &Totals {
        &self.counts
    }

    /// Sum of the row weights of each fold and class over the panels of `sample`.
    pub fn weights_on(&self, sample: Sample) -> Totals {
        if sample.is_all() { self.weights.clone() } else { self.totals(sample, |weight| weight) }
    }

    /// Number of rows with a positive weight, of each fold and class, over the panels of `sample`.
    pub fn counts_on(&self, sample: Sample) -> Totals {
        self.totals(sample, |weight| f64::from(u8::from(weight > 0.0)))
    }

    fn totals(&self, sample: Sample, value: impl Fn(f64) -> f64) -> Totals {
        let mut totals =
            Totals { n_classes: self.weights.n_classes, values: vec![0.0; self.weights.values.len()] };
        for slots in self.slots(sample) {
            for slot in slots {
                totals.add(self.labels[slot], value(self.exact_weight(slot)));
            }
        }
        totals
    }

    /// The smallest positive row weight of each class; infinity for a class without one.
    pub fn least_weight(&self) -> Vec<f64> {
        let mut least = vec![f64::INFINITY; self.class_weight.len()];
        for (&label, &weight) in self.labels.iter().zip(&self.weight) {
            if let Some(least) = least.get_mut(class_of(label) as usize).filter(|_| weight > 0.0) {
                *least = least.min(f64::from(weight));
            }
        }
        least
    }

    /// The slots of each panel of `sample`.
    fn slots(&self, sample: Sample) -> impl Iterator<Item = std::ops::Range<usize>> {
        let n_panels = self.n_rows.div_ceil(PANEL_ROWS);
        (0..n_panels).step_by(sample.stride()).map(|p| p * PANEL_ROWS..(p + 1) * PANEL_ROWS)
    }

    /// Sum of all row weights.
    pub fn weight_sum(&self) -> f64 {
        self.class_weight.iter().sum()
    }
}

/// The nearest float32.
#[allow(clippy::cast_possible_truncation, reason = "engines compute with float32")]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}
