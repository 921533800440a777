//! Metrics of rankings, probabilities and decisions, in float64 and with row weights.
//!
//! Every metric equals scikit-learn's up to rounding. Where scikit-learn has no value (a class does not
//! occur), the class is left out.
//!
//! Metrics that depend on the order of the rows use [`Scores`]: 8 bytes a row, sorted once. [`Ranked`]
//! computes areas, curves and lift from it. All other metrics are sums.

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
