//! Pictures of what a model does, how it was trained and what a sweep found: for a page, and as SVG or PNG.
//!
//! Every picture is drawn here, once: its colours are named by class (`plots.css`), so that the same marks stand on
//! white or dark paper. Axes of sweeps run from the largest penalty on the left to the smallest on the right, as
//! models are trained.

mod axis;
mod canvas;
mod colours;
mod frame;
mod labels;
mod lines;
mod picture;
mod sweep_curve;
mod sweep_path;

pub use picture::Picture;
pub use sweep_curve::sweep_curve;
pub use sweep_path::sweep_path;
