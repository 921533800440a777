//! What a row carries besides its features.

use super::{PANEL_ROWS, Sample};

/// The class of a padding slot: no model's.
pub const NO_CLASS: u32 = u32::MAX;

/// Class and weight of every slot, padded to whole panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    class: Vec<u32>,
    weight: Vec<f32>,
    class_weight: Vec<f64>,
    class_rows: Vec<usize>,
    n_rows: usize,
}

impl Rows {
    /// From the class and the weight of each row's slot, in slot order, for `n_classes` classes.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(mut class: Vec<u32>, mut weight: Vec<f32>, n_classes: usize) -> Self {
        assert_eq!(class.len(), weight.len(), "a class and a weight for each row");
        let n_rows = class.len();
        let mut class_weight = vec![0.0; n_classes];
        let mut class_rows = vec![0; n_classes];
        for (&c, &w) in class.iter().zip(&weight) {
            class_weight[c as usize] += f64::from(w);
            class_rows[c as usize] += 1;
        }
        let padded = n_rows.next_multiple_of(PANEL_ROWS);
        class.resize(padded, NO_CLASS);
        weight.resize(padded, 0.0);
        Self { class, weight, class_weight, class_rows, n_rows }
    }

    /// Number of rows, padding not counted.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Class of each slot, padding included.
    pub fn class(&self) -> &[u32] {
        &self.class
    }

    /// Weight of each slot, padding included.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// Number of rows of each class.
    pub fn class_rows(&self) -> &[usize] {
        &self.class_rows
    }

    /// Sum of the row weights of each class.
    pub fn class_weight(&self) -> &[f64] {
        &self.class_weight
    }

    /// Sum of the row weights of each class over the panels of `sample`.
    pub fn class_weight_on(&self, sample: Sample) -> Vec<f64> {
        if sample.is_all() {
            return self.class_weight.clone();
        }
        let mut sums = vec![0.0; self.class_weight.len()];
        for slots in self.slots(sample) {
            for (&class, &weight) in self.class[slots.clone()].iter().zip(&self.weight[slots]) {
                if let Some(sum) = sums.get_mut(class as usize) {
                    *sum += f64::from(weight);
                }
            }
        }
        sums
    }

    /// Number of rows of each class that have a weight, over the panels of `sample`.
    pub fn class_rows_on(&self, sample: Sample) -> Vec<usize> {
        let mut counts = vec![0; self.class_weight.len()];
        for slots in self.slots(sample) {
            for (&class, &weight) in self.class[slots.clone()].iter().zip(&self.weight[slots]) {
                if let Some(count) = counts.get_mut(class as usize) {
                    *count += usize::from(weight > 0.0);
                }
            }
        }
        counts
    }

    /// The smallest positive row weight of each class; infinity for a class without one.
    pub fn least_weight(&self) -> Vec<f64> {
        let mut least = vec![f64::INFINITY; self.class_weight.len()];
        for (&class, &weight) in self.class.iter().zip(&self.weight) {
            if let Some(least) = least.get_mut(class as usize).filter(|_| weight > 0.0) {
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
