//! How good predictions are: ranking, probabilities, decisions. All in float64, with row weights.
//!
//! Every number equals that of scikit-learn to rounding; where scikit-learn has no answer (a class
//! that does not occur), it is left out instead of guessed.

mod decision;
mod probability;
mod ranking;

pub use decision::{ClassDecisions, Confusion};
pub use probability::{binary_brier, binary_log_loss, multiclass_brier, multiclass_log_loss, normalise};
pub use ranking::{Ranking, ranking};

#[cfg(test)]
mod tests;
