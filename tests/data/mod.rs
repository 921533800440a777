mod beyond;
mod blocks;
mod damage;
mod encoding;
mod errors;
mod files;
mod folds;
mod nan;
mod reference;
mod table;
mod types;

use logodds::data::{Dataset, ReadOptions, Source, open, read_training};
use std::path::Path;

fn source(path: &Path) -> Source {
    open(&[path.display().to_string()]).expect("a readable table")
}

fn read(path: &Path, options: &ReadOptions) -> Dataset {
    read_training(&source(path), options, &()).expect("a usable table")
}

fn read_error(path: &Path, options: &ReadOptions) -> String {
    read_training(&source(path), options, &()).expect_err("a table to refuse").to_string()
}

fn options() -> ReadOptions {
    ReadOptions::new("y")
}

/// The slots in ascending order of a feature.
fn slots_by(dataset: &Dataset, feature: usize) -> Vec<usize> {
    let mut slots: Vec<usize> = (0..dataset.panels.n_rows()).collect();
    slots.sort_by(|&a, &b| dataset.panels.value(a, feature).total_cmp(&dataset.panels.value(b, feature)));
    slots
}

/// The values of `feature` in row order. Feature 0 must be the row number.
fn in_row_order(dataset: &Dataset, feature: usize) -> Vec<f64> {
    slots_by(dataset, 0).into_iter().map(|slot| f64::from(dataset.panels.value(slot, feature))).collect()
}
