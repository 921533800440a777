//! Pictures of a model, its training and a sweep: for a page, as SVG and as PNG.
//!
//! Every picture is drawn once. Its colours are CSS classes (`plots.css`), so that it works on white and on
//! dark paper. The penalty axes of sweeps run from the largest penalty on the left to the smallest on the
//! right, in the order of training.

mod axis;
mod calibration;
mod canvas;
mod coefficients;
mod colours;
mod confusion;
mod frame;
mod histogram;
mod labels;
mod lines;
mod measure;
mod picture;
mod ranking;
mod sweep_curve;
mod sweep_path;
mod training;

pub use calibration::calibration_plot;
pub use coefficients::{Effect, odds_ratios};
pub use confusion::{MATRIX_CLASSES, confusion_matrix};
pub use histogram::score_histogram;
pub use picture::Picture;
pub use ranking::{precision_recall_curve, roc_curve};
pub use sweep_curve::sweep_curve;
pub use sweep_path::sweep_path;
pub use training::training_curve;

pub(crate) use canvas::short;
pub(crate) use coefficients::ratio_axis;
pub(crate) use colours::{STYLE, variables};
pub(crate) use histogram::HISTOGRAM_ENDS;

#[cfg(test)]
mod tests;
