//! What a sweep found, as pictures.
//!
//! Both run from the largest penalty on the left to the smallest on the right, as the models were trained, so that
//! one can be read beside the other.

mod axis;
mod canvas;
mod curve;
mod labels;
mod lines;
mod path;

pub use curve::curve_svg;
pub use path::path_svg;
