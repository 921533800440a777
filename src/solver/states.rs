//! The stages of a run, and where a fit stands in one.

use super::Stop;

/// By what a fit is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The engine's passes over a sample of the rows.
    Sample,
    /// The engine's passes over the whole table.
    Table,
    /// The host's float64 passes over the whole table.
    Float64,
}

/// Where a fit stands in the present stage:
///
/// ```text
///                     aim: a target, and the decrease that it promises
///           ┌──────▶ Active ──────────────────────────────────────────▶ its candidates are evaluated
///           │         │  ▲                                                      │
///   begin   │         │  └── accept: goes to the best candidate ◀── descends ───┤
///  (stage)  │         │  └── shorten: the same target, less of the way;  ◀── none descends
///           │         │      after MAX_SHORTENINGS another curvature
///           │         ▼ the stage brings it no further, or no further than it promises
///           └────── Waiting
///
///   Active, Waiting ──▶ Stopped(why): converged, no more progress, separated, out of patience, interrupted
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Takes part in the passes of the stage.
    Active,
    /// Waits for the next stage.
    Waiting,
    /// Has left the run.
    Stopped(Stop),
}
