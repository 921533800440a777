//! Every model of a grid in one stack: penalties, folds and classes.
//!
//! A fold is a label of its rows, whose weight is 0 for the models that are scored on it: nothing is copied, and each pass
//! over X serves all models, and scores them. Models are planned into waves, as many at once as memory allows, from
//! the largest penalty to the smallest; a wave starts where the one before ended. Columns are standardised once,
//! on all rows.

mod choose;
mod curves;
mod fingerprint;
mod grid;
mod journal;
mod memory;
mod names;
mod paths;
mod plan;
mod records;
mod remembered;
mod report;
mod run;
mod score;
mod waves;

pub use crate::model::{Choice, ClassPath, CurvePoint, FeaturePath, PathPoint, SweepRow, SweepTable};
pub use journal::checkpoint_files;
pub use paths::{Kept, PathFeature, class_paths, path_features};
pub use report::{report_files, write_report};
pub use run::{Sweep, SweepReport, Tuned};
