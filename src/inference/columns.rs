//! The standard deviation of each feature, and the classes in which each value of a 0/1 feature occurs.

use rayon::prelude::*;

use crate::panels::{PANEL_ROWS, Panels, Rows, class_of};

/// Sums for each feature of a table, over weighted panel values.
#[derive(Debug, Clone)]
pub(super) struct ColumnSums {
    features: Vec<Feature>,
    n_classes: usize,
}

#[derive(Debug, Clone)]
struct Feature {
    sum: f64,
    squares: f64,
    /// For each class: whether one of its rows has a value below 1, and whether one has a value above 0.
    /// Empty unless the values are 0 and 1.
    seen: Vec<[bool; 2]>,
}

impl ColumnSums {
    /// Sums of no rows. `is_indicator` tells which features have only the values 0 and 1.
    pub(super) fn new(is_indicator: &[bool], n_classes: usize) -> Self {
        let feature = |&indicator: &bool| Feature {
            sum: 0.0,
            squares: 0.0,
            seen: if indicator { vec![[false; 2]; n_classes] } else { Vec::new() },
        };
        Self { features: is_indicator.iter().map(feature).collect(), n_classes }
    }

    /// Adds rows. Those of weight 0 do not count.
    pub(super) fn add(&mut self, panels: &Panels, rows: &Rows) {
        let n_classes = self.n_classes;
        self.features.par_iter_mut().enumerate().for_each(|(j, feature)| {
            for p in 0..panels.n_panels() {
                let mut column = [0.0; PANEL_ROWS];
                panels.widen(p, j, &mut column);
                let weights = rows.panel_weights(p);
                let (mut sum, mut squares) = (0.0, 0.0);
                for (x, s) in column.iter().zip(weights) {
                    sum += s * x;
                    squares += s * x * x;
                }
                feature.sum += sum;
                feature.squares += squares;
                if feature.seen.is_empty() {
                    continue;
                }
                let labels = &rows.labels()[p * PANEL_ROWS..][..PANEL_ROWS];
                for ((&x, s), &label) in column.iter().zip(weights).zip(labels) {
                    let class = class_of(label) as usize;
                    if s > 0.0 && class < n_classes {
                        feature.seen[class][0] |= x < 1.0;
                        feature.seen[class][1] |= x > 0.0;
                    }
                }
            }
        });
    }

    /// Standard deviation of a feature's panel values; `weight_sum` is the total weight of the rows.
    pub(super) fn sd(&self, j: usize, weight_sum: f64) -> f64 {
        let Feature { sum, squares, .. } = &self.features[j];
        let mean = sum / weight_sum;
        (squares / weight_sum - mean * mean).max(0.0).sqrt()
    }

    /// Whether a value (0 or 1) of a 0/1 feature occurs, and only in rows of `class` or only in rows of
    /// other classes.
    pub(super) fn is_one_sided(&self, j: usize, value: usize, class: usize) -> bool {
        let seen = &self.features[j].seen;
        let positive = seen[class][value];
        let negative = seen.iter().enumerate().any(|(other, seen)| other != class && seen[value]);
        positive != negative
    }
}
