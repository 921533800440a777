//! What float32 left of values that are kept exactly.

use rayon::prelude::*;

use super::PANEL_ROWS;

/// A second float32 word for each value of some features, in panels of their own:
///
/// ```text
/// value = coarse + fine,   |value - coarse - fine| <= 2^-48 |value|
/// ```
///
/// Engines compute with the coarse word alone; the float64 passes add both.
#[derive(Debug, Clone, PartialEq)]
pub struct Fine {
    /// For each feature of the table: its place among those that have a fine word.
    place: Vec<Option<usize>>,
    n_features: usize,
    values: Vec<f32>,
}

impl Fine {
    /// All zero, for the features that are `kept`.
    pub(super) fn zeros(n_panels: usize, kept: &[bool]) -> Self {
        let mut n_features = 0;
        let next = |&kept: &bool| {
            n_features += usize::from(kept);
            kept.then(|| n_features - 1)
        };
        let place = kept.iter().map(next).collect();
        Self { place, n_features, values: vec![0.0; n_panels * PANEL_ROWS * n_features] }
    }

    /// For other rows; values are whatever they were, but for new ones, which are 0.
    pub(super) fn reuse(&mut self, n_panels: usize) {
        self.values.resize(n_panels * PANEL_ROWS * self.n_features, 0.0);
    }

    /// Number of fine words.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Features that have a fine word.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Place of a feature of the table among those that have a fine word.
    pub fn place(&self, feature: usize) -> Option<usize> {
        self.place[feature]
    }

    /// The fine words of one panel and feature.
    pub fn column(&self, panel: usize, feature: usize) -> Option<&[f32; PANEL_ROWS]> {
        let at = (panel * self.n_features + self.place[feature]?) * PANEL_ROWS;
        self.values[at..].first_chunk()
    }

    /// The same, to be filled.
    pub(super) fn column_mut(&mut self, panel: usize, feature: usize) -> Option<&mut [f32; PANEL_ROWS]> {
        let at = (panel * self.n_features + self.place[feature]?) * PANEL_ROWS;
        self.values[at..].first_chunk_mut()
    }

    /// All words, panel after panel, to be filled.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The words of `features`, as those of a table of these features.
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
