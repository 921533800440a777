//! The progress of a sweep.

use std::time::Instant;

use crate::model::{CurveRecorder, CurveStep};
use crate::observer::SweepProgress;
use crate::solver::{Progress, Solution};

/// The progress of a sweep, over all its waves.
pub(super) struct Course {
    started: Instant,
    /// Number of models in the sweep, and number of trained models.
    pub(super) total: usize,
    pub(super) done: usize,
    pub(super) waves: usize,
    /// Passes over X so far, including replayed ones; a sample counts as its share of the table.
    pub(super) passes: f64,
    pub(super) methods: Vec<String>,
    /// The curve of the whole sweep.
    pub(super) curve: CurveRecorder,
}

impl Course {
    pub(super) fn begin(started: Instant) -> Self {
        Self {
            started,
            total: 0,
            done: 0,
            waves: 0,
            passes: 0.0,
            methods: Vec::new(),
            curve: CurveRecorder::default(),
        }
    }

    /// Records a pass over a wave of `models` models, and returns the progress of the sweep. `first` is
    /// the first residual of the wave.
    pub(super) fn note(
        &mut self,
        progress: &Progress,
        models: usize,
        first: f64,
        tolerance: f64,
    ) -> SweepProgress {
        let way = (first / tolerance).ln().max(1e-9);
        let gone = (first / progress.kkt_residual.max(tolerance)).ln() / way;
        let share = self.done as f64
            + progress.converged as f64
            + (models - progress.converged) as f64 * gone.clamp(0.05, 1.0);
        let elapsed = self.started.elapsed().as_secs_f64();
        let done = self.done + models - progress.active;
        let passes = self.passes + progress.passes;
        self.curve.add(CurveStep {
            passes,
            seconds: elapsed,
            objective: None,
            kkt_residual: progress.kkt_residual,
            converged: done,
        });
        SweepProgress {
            models: self.total,
            done,
            running: progress.active,
            passes,
            kkt_residual: progress.kkt_residual,
            elapsed_secs: elapsed,
            remaining_secs: elapsed * (self.total as f64 / share.max(1e-9) - 1.0).max(0.0),
        }
    }

    /// Counts a finished wave.
    pub(super) fn end_wave(&mut self, solution: &Solution) {
        self.waves += 1;
        self.passes += solution.passes;
        // The number of models by each method differs between waves; leave it out.
        let method = match solution.method.as_str() {
            mixed if mixed.contains(" for ") => "lbfgs and newton",
            one => one,
        };
        if !self.methods.iter().any(|known| known == method) {
            self.methods.push(method.to_owned());
        }
    }
}
