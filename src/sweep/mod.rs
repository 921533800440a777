//! Sweeps: all models of a grid of penalties, folds and classes, in one stack.
//!
//! A fold is a label of its rows. For the models that are scored on a fold, the weight of its rows is 0:
//! nothing is copied, and each pass over X trains and scores all models. Models are trained in waves, as many
//! at once as memory allows, from the largest penalty to the smallest; each wave starts where the previous
//! one ended. Columns are standardised once, on all rows.

mod choose;
mod course;
mod curves;
mod fingerprint;
mod grid;
mod journal;
mod journaled;
mod memory;
mod names;
mod paths;
mod plan;
mod records;
mod report;
mod run;
mod score;
mod search;
mod waves;

pub use crate::model::{ChosenPenalty, ClassPath, CurvePoint, FeaturePath, PathPoint, SweepRow, SweepTable};
pub use journal::checkpoint_files;
pub use paths::{PathFeature, PathLimits, class_paths, path_features};
pub use report::{report_files, write_report};
pub use run::{Sweep, SweepReport, Tuned};
