//! How good predictions are: ranking, probabilities, decisions. All in float64, with row weights.
//!
//! Every number equals that of scikit-learn to rounding; where scikit-learn has no answer (a class
//! that does not occur), it is left out instead of guessed.
//!
//! What needs the order of the rows goes through [`Scores`]: 8 bytes a row, sorted once, from which
//! [`Ranked`] reads areas, curves and lift. Everything else is sums.

mod average;
mod bootstrap;
mod calibration;
mod curve;
mod decision;
mod delong;
mod lift;
mod margins;
mod normal;
mod probability;
mod ranked;
mod ranking;
mod shortest;
mod thin;

pub use average::{Average, Averages};
pub use bootstrap::{Interval, poisson_counts};
pub use calibration::{Bin, Calibration, ScoreBins};
pub use curve::{Curve, Point};
pub use decision::{ClassDecisions, Confusion};
pub use delong::{Order, delong};
pub use lift::LiftPart;
pub use margins::Margins;
pub use normal::{central_quantile, two_sided};
pub use probability::{binary_brier, binary_log_loss, multiclass_brier, multiclass_log_loss, normalise};
pub use ranked::{Ranked, Scores, Step};
pub use ranking::Ranking;
pub use shortest::{rounded_between, shortest_between};

#[cfg(test)]
mod tests;
