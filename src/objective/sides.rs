//! How a step moves the rows: towards their sides of a plane, or against them.
//!
//! Where a plane separates the classes, completely or but for rows that lie on it, there is no minimum without a penalty.
//! Each Newton step then moves the separated rows on by about one unit of the linear predictor, towards their sides, and
//! leaves all others where they are (Albert and Anderson, 1984).

use super::ModelSpec;
use crate::panels::Rows;

/// A step that moves some row's linear predictor by this is not one of a model that has arrived.
const MOVES: f64 = 0.1;

/// The largest moves of rows with a weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sides {
    towards: f64,
    against: f64,
}

impl Sides {
    /// Share of the largest move by which a row may go against its side, for rounding of float64 steps.
    pub const ROUNDING: f64 = 1e-6;

    /// Adds the rows that count, whose linear predictors a step changes by `moves`, in the order of their slots.
    pub fn add(
        &mut self,
        model: &ModelSpec,
        rows: &Rows,
        moves: impl Iterator<Item = f64>,
        counts: impl Fn(usize) -> bool,
    ) {
        for (slot, by) in moves.enumerate() {
            if model.weight(rows.labels()[slot], rows.exact_weight(slot)) == 0.0 || !counts(slot) {
                continue;
            }
            let towards = if rows.class(slot) == model.class { by } else { -by };
            self.towards = self.towards.max(towards);
            self.against = self.against.max(-towards);
        }
    }

    /// Whether some row moves so far that the model has not arrived.
    pub fn is_moving(&self) -> bool {
        self.towards.max(self.against) >= MOVES
    }

    /// Whether the rows that move do so towards their sides alone, but for a share of `rounding`.
    pub fn are_separated(&self, rounding: f64) -> bool {
        self.is_moving() && self.against <= rounding * self.towards
    }
}
