//! What a row carries besides its features.

use super::PANEL_ROWS;

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

    /// Sum of all row weights.
    pub fn weight_sum(&self) -> f64 {
        self.class_weight.iter().sum()
    }
}
