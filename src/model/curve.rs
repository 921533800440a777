//! The curve of a training run, in a bounded number of points.

use serde::{Deserialize, Serialize};

/// Most points that are kept.
const MOST: usize = 200;

/// The curve of a training run or of a sweep: each list has one entry for every point, in order of time. Of a
/// long run every second point is kept, or every fourth, and so on; the last point is always kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingCurve {
    /// Passes over X up to the point; a sample counts as its share of the table.
    pub passes: Vec<f64>,
    /// Seconds since training began.
    pub seconds: Vec<f64>,
    /// Mean objective over the models; `None` for a sweep, whose models change from wave to wave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objective: Vec<f64>,
    /// Largest optimality residual over the models, as computed by the passes.
    pub kkt_residual: Vec<f64>,
    /// Number of models that were done.
    pub converged: Vec<usize>,
}

/// A point of a [`TrainingCurve`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveStep {
    /// Passes over X so far; a sample counts as its share of the table.
    pub passes: f64,
    /// Seconds since training began.
    pub seconds: f64,
    /// Mean objective over the models; `None` for a sweep.
    pub objective: Option<f64>,
    /// Largest optimality residual over the models.
    pub kkt_residual: f64,
    /// Number of models that are done.
    pub converged: usize,
}

/// Records a [`TrainingCurve`] in bounded memory.
#[derive(Debug, Clone)]
pub struct CurveRecorder {
    kept: Vec<CurveStep>,
    /// Keeps every `stride`-th step.
    stride: usize,
    seen: usize,
    last: Option<CurveStep>,
}

impl Default for CurveRecorder {
    fn default() -> Self {
        Self { kept: Vec::new(), stride: 1, seen: 0, last: None }
    }
}

impl CurveRecorder {
    /// Adds a step. A step with a number that is not finite is left out, because JSON cannot hold it.
    pub fn add(&mut self, step: CurveStep) {
        let numbers = [step.passes, step.seconds, step.objective.unwrap_or(0.0), step.kkt_residual];
        if !numbers.iter().all(|number| number.is_finite()) {
            return;
        }
        if self.seen.is_multiple_of(self.stride) {
            if self.kept.len() == MOST - 1 {
                let mut index = 0;
                self.kept.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride *= 2;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.kept.push(step);
            }
        }
        self.seen += 1;
        self.last = Some(step);
    }

    /// The curve, if any step was added.
    pub fn finish(self) -> Option<TrainingCurve> {
        let mut steps = self.kept;
        steps.extend(self.last.filter(|last| steps.last() != Some(last)));
        (!steps.is_empty()).then(|| TrainingCurve {
            passes: steps.iter().map(|step| step.passes).collect(),
            seconds: steps.iter().map(|step| step.seconds).collect(),
            objective: steps.iter().filter_map(|step| step.objective).collect(),
            kkt_residual: steps.iter().map(|step| step.kkt_residual).collect(),
            converged: steps.iter().map(|step| step.converged).collect(),
        })
    }
}

impl TrainingCurve {
    /// Describes a contradiction.
    pub(super) fn check(&self) -> Result<(), String> {
        let n = self.passes.len();
        let lengths = [self.seconds.len(), self.kkt_residual.len(), self.converged.len()];
        let objective = self.objective.len();
        if n > 0 && lengths.iter().all(|&length| length == n) && (objective == 0 || objective == n) {
            Ok(())
        } else {
            Err("the lists of its training curve are not equally long".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(k: usize) -> CurveStep {
        let k = k as f64;
        CurveStep { passes: k, seconds: k / 2.0, objective: Some(1.0), kkt_residual: 0.1, converged: 0 }
    }

    #[test]
    fn a_curve_is_bounded_and_keeps_its_ends() {
        for n in [1, 2, 198, 199, 200, 201, 1000, 54_321] {
            let mut recorder = CurveRecorder::default();
            (0..n).for_each(|k| recorder.add(step(k)));
            let curve = recorder.finish().unwrap();
            assert!(curve.passes.len() <= MOST && curve.check().is_ok(), "{n}: {}", curve.passes.len());
            assert!(n < MOST || curve.passes.len() >= MOST / 2, "{n}: {}", curve.passes.len());
            assert_eq!((curve.passes[0], *curve.passes.last().unwrap()), (0.0, (n - 1) as f64));
            assert!(curve.passes.windows(2).all(|pair| pair[0] < pair[1]), "{n}");
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let mut recorder = CurveRecorder::default();
        recorder.add(CurveStep { kkt_residual: f64::INFINITY, ..step(1) });
        assert_eq!(recorder.finish(), None);
    }
}
