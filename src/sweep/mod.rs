//! Every model of a grid in one stack: penalties, folds and classes.

mod plots;
mod report;
mod table;

pub use plots::{curve_svg, path_svg};
pub use report::write_report;
pub use table::{Choice, CurvePoint, PathPoint, SweepRow, SweepTable};
