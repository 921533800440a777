//! Pictures of what a model does, how it was trained and what a sweep found: for a page, and as SVG or PNG.
//!
//! Every picture is drawn here, once: its colours are named by class (`plots.css`), so that the same marks stand on
//! white or dark paper. Axes of sweeps run from the largest penalty on the left to the smallest on the right, as
//! models are trained.

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
