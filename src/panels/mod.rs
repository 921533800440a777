//! The table in memory, in the layout that the reader writes and both engines read.
//!
//! X is stored in float32 as panels of [`PANEL_ROWS`] rows. Inside a panel it is column-major:
//!
//! ```text
//! value(slot, feature) = values[((slot / R) * d + feature) * R + slot % R],   R = PANEL_ROWS
//! ```
//!
//! A *slot* is a row's position in the panels. The reader decides which row of the files goes into
//! which slot (see `data/deal.rs`). Slots from `n_rows` on are padding: features 0, weight 0,
//! class [`NO_CLASS`].

mod fine;
mod rows;
mod sample;

pub use fine::Fine;
pub use rows::{MAX_LABEL, NO_CLASS, Rows, Totals, class_of, fold_of};
pub use sample::Sample;

use rayon::prelude::*;

/// Rows of a panel. It is a multiple of every SIMD lane count, and small enough that a panel of a few
/// hundred columns stays in a core's cache between its two uses in a pass.
pub const PANEL_ROWS: usize = 256;

/// The encoded features of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    n_rows: usize,
    n_features: usize,
    values: Vec<f32>,
    fine: Option<Fine>,
    /// For each feature: whether float32 may have rounded its values. Empty if none was rounded.
    rounded: Vec<bool>,
}

impl Panels {
    /// Zeros. The system provides the memory only when it is first written.
    pub fn zeros(n_rows: usize, n_features: usize) -> Self {
        let n_panels = n_rows.div_ceil(PANEL_ROWS);
        Self {
            n_rows,
            n_features,
            values: vec![0.0; n_panels * PANEL_ROWS * n_features],
            fine: None,
            rounded: Vec::new(),
        }
    }

    /// Reuses the memory for other rows of the same features. The padding becomes 0; other values are
    /// unspecified.
    pub fn reuse(mut self, n_rows: usize) -> Self {
        let panel = PANEL_ROWS * self.n_features;
        self.n_rows = n_rows;
        self.values.resize(n_rows.div_ceil(PANEL_ROWS) * panel, 0.0);
        if let Some(fine) = &mut self.fine {
            fine.reuse(n_rows.div_ceil(PANEL_ROWS));
        }
        if !n_rows.is_multiple_of(PANEL_ROWS) {
            let last = self.values.len() - panel;
            self.values[last..].fill(0.0);
        }
        self
    }

    /// Adds a second word, initially 0, to the values of the features marked in `kept`: these features are
    /// then stored exactly.
    ///
    /// # Panics
    /// If `kept` does not have one entry per feature.
    #[must_use]
    pub fn with_fine(mut self, kept: &[bool]) -> Self {
        assert_eq!(kept.len(), self.n_features, "one answer for each feature");
        self.fine = kept.contains(&true).then(|| Fine::zeros(self.n_panels(), kept));
        self
    }

    /// Records which features float32 may have rounded.
    ///
    /// # Panics
    /// If `rounded` does not have one entry per feature.
    #[must_use]
    pub fn with_rounded(mut self, rounded: Vec<bool>) -> Self {
        assert_eq!(rounded.len(), self.n_features, "one answer for each feature");
        self.rounded = rounded;
        self
    }

    /// Whether float32 may have rounded the values of a feature.
    pub fn is_rounded(&self, feature: usize) -> bool {
        self.rounded.get(feature).is_some_and(|&rounded| rounded)
    }

    /// From a row-major table; row i goes into slot i.
    pub fn from_rows(rows: &[f32], n_features: usize) -> Self {
        let n_rows = rows.len().checked_div(n_features).unwrap_or(0);
        let mut panels = Self::zeros(n_rows, n_features);
        for (slot, row) in rows.chunks_exact(n_features.max(1)).enumerate() {
            for (feature, &x) in row.iter().enumerate() {
                let at = panels.index(slot, feature);
                panels.values[at] = x;
            }
        }
        panels
    }

    fn index(&self, slot: usize, feature: usize) -> usize {
        ((slot / PANEL_ROWS) * self.n_features + feature) * PANEL_ROWS + slot % PANEL_ROWS
    }

    /// Number of rows, without padding.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of encoded features.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Bytes of all values, second words included.
    pub fn bytes(&self) -> u64 {
        let words = self.values.len() + self.fine.as_ref().map_or(0, Fine::len);
        (words * size_of::<f32>()) as u64
    }

    /// Number of panels; the last one may contain padding.
    pub fn n_panels(&self) -> usize {
        self.n_rows.div_ceil(PANEL_ROWS)
    }

    /// Number of float32 values in one panel.
    pub fn panel_len(&self) -> usize {
        self.n_features * PANEL_ROWS
    }

    /// Panel `p`: `n_features` columns of [`PANEL_ROWS`] values.
    pub fn panel(&self, p: usize) -> &[f32] {
        &self.values[p * self.panel_len()..][..self.panel_len()]
    }

    /// A table of the columns `features`, in that order.
    pub fn select(&self, features: &[usize]) -> Self {
        let mut selected = Self::zeros(self.n_rows, features.len());
        let panels = selected.values.par_chunks_mut((features.len() * PANEL_ROWS).max(1));
        panels.enumerate().for_each(|(p, out)| {
            let panel = self.panel(p);
            for (out, &j) in out.chunks_exact_mut(PANEL_ROWS).zip(features) {
                out.copy_from_slice(&panel[j * PANEL_ROWS..][..PANEL_ROWS]);
            }
        });
        selected.rounded = features.iter().map(|&j| self.is_rounded(j)).collect();
        selected.fine = self.fine.as_ref().map(|fine| fine.select(self.n_panels(), features));
        selected
    }

    /// Replaces some features. Each pair holds a feature and its new values by slot, which are stored
    /// exactly.
    ///
    /// # Panics
    /// If a column has fewer values than there are rows.
    #[must_use]
    pub fn with_columns(mut self, columns: &[(usize, Vec<f64>)]) -> Self {
        let own = |j: usize| columns.iter().find(|(feature, _)| *feature == j).map(|(_, values)| values);
        let has_fine = |j: usize| self.fine.as_ref().is_some_and(|fine| fine.place(j).is_some());
        let kept: Vec<bool> = (0..self.n_features).map(|j| own(j).is_some() || has_fine(j)).collect();
        let mut fine = Fine::zeros(self.n_panels(), &kept);
        let mut x = [0.0; PANEL_ROWS];
        for p in 0..self.n_panels() {
            for j in (0..self.n_features).filter(|&j| kept[j]) {
                match own(j) {
                    Some(values) => {
                        let rows = p * PANEL_ROWS..self.n_rows.min((p + 1) * PANEL_ROWS);
                        x[rows.len()..].fill(0.0);
                        x[..rows.len()].copy_from_slice(&values[rows]);
                    }
                    None => self.widen(p, j, &mut x),
                }
                let coarse = &mut self.values[(p * self.n_features + j) * PANEL_ROWS..][..PANEL_ROWS];
                let rest = fine.column_mut(p, j).into_iter().flatten();
                for ((value, coarse), rest) in x.iter().zip(coarse).zip(rest) {
                    *coarse = rows::narrow(*value);
                    *rest = rows::narrow(value - f64::from(*coarse));
                }
            }
        }
        self.fine = Some(fine);
        for (j, _) in columns {
            if let Some(rounded) = self.rounded.get_mut(*j) {
                *rounded = false;
            }
        }
        self
    }

    /// One value, without its second word.
    pub fn value(&self, slot: usize, feature: usize) -> f32 {
        self.values[self.index(slot, feature)]
    }

    /// Writes one column of a panel to `out` in float64, second words included.
    #[inline(always)]
    pub fn widen(&self, panel: usize, feature: usize, out: &mut [f64; PANEL_ROWS]) {
        let at = (panel * self.n_features + feature) * PANEL_ROWS;
        let column = &self.values[at..][..PANEL_ROWS];
        match self.fine.as_ref().and_then(|fine| fine.column(panel, feature)) {
            None => out.iter_mut().zip(column).for_each(|(out, &x)| *out = f64::from(x)),
            Some(fine) => {
                let words = column.iter().zip(fine);
                out.iter_mut()
                    .zip(words)
                    .for_each(|(out, (&x, &rest))| *out = f64::from(x) + f64::from(rest));
            }
        }
    }

    /// The second words, if any feature is stored exactly.
    pub fn fine(&self) -> Option<&Fine> {
        self.fine.as_ref()
    }

    /// All panels, one after the other, and the second words.
    pub fn words_mut(&mut self) -> (&mut [f32], Option<&mut Fine>) {
        (&mut self.values, self.fine.as_mut())
    }

    /// All panels, one after the other.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All panels, one after the other.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}
