//! The second float32 words of exactly stored features.

use rayon::prelude::*;

use super::PANEL_ROWS;

/// A second float32 word for each value of some features, in separate panels:
///
/// ```text
/// value = coarse + fine,   |value - coarse - fine| <= 2^-48 |value|
/// ```
///
/// Engines use only the coarse word; the float64 passes add both.
#[derive(Debug, Clone, PartialEq)]
pub struct Fine {
    /// For each feature of the table: its index among the features with fine words.
    place: Vec<Option<usize>>,
    n_features: usize,
    values: Vec<f32>,
}

impl Fine {
    /// Zeros for the features marked in `kept`.
    pub(super) fn zeros(n_panels: usize, kept: &[bool]) -> Self {
        let mut n_features = 0;
        let next = |&kept: &bool| {
            n_features += usize::from(kept);
            kept.then(|| n_features - 1)
        };
        let place = kept.iter().map(next).collect();
        Self { place, n_features, values: vec![0.0; n_panels * PANEL_ROWS * n_features] }
    }

    /// Reuses the memory for other rows. Old values stay; added ones are 0.
    pub(super) fn reuse(&mut self, n_panels: usize) {
        self.values.resize(n_panels * PANEL_ROWS * self.n_features, 0.0);
    }

    /// Number of fine words.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Number of features with fine words.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Index of a feature of the table among the features with fine words.
    pub fn place(&self, feature: usize) -> Option<usize> {
        self.place[feature]
    }

    /// The fine words of one feature in one panel.
    pub fn column(&self, panel: usize, feature: usize) -> Option<&[f32; PANEL_ROWS]> {
        let at = (panel * self.n_features + self.place[feature]?) * PANEL_ROWS;
        self.values[at..].first_chunk()
    }

    /// Mutable [`Self::column`].
    pub(super) fn column_mut(&mut self, panel: usize, feature: usize) -> Option<&mut [f32; PANEL_ROWS]> {
        let at = (panel * self.n_features + self.place[feature]?) * PANEL_ROWS;
        self.values[at..].first_chunk_mut()
    }

    /// All words, panel after panel.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The words of a table that has only `features`, in that order.
    pub(super) fn select(&self, n_panels: usize, features: &[usize]) -> Self {
        let kept: Vec<bool> = features.iter().map(|&j| self.place[j].is_some()).collect();
        let mut selected = Self::zeros(n_panels, &kept);
        let width = (selected.n_features * PANEL_ROWS).max(1);
        selected.values.par_chunks_mut(width).enumerate().for_each(|(p, out)| {
            let columns = features.iter().filter_map(|&j| self.column(p, j));
            out.chunks_exact_mut(PANEL_ROWS)
                .zip(columns)
                .for_each(|(out, column)| out.copy_from_slice(column));
        });
        selected
    }
}
