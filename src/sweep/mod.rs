//! Every model of a grid in one stack: penalties, folds and classes.

mod table;

pub use table::{Choice, CurvePoint, PathPoint, SweepRow, SweepTable};
