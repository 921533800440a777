//! What is added up over the rows of a table, for one model.

use rayon::prelude::*;

use super::contest::{Contest, Rows};
use crate::metrics::{
    Confusion, ScoreBins, binary_brier, binary_log_loss, multiclass_brier, multiclass_log_loss,
};
use crate::model::Task;

/// Bins of a calibration.
const BINS: usize = 10;

/// Sums over the rows.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) confusion: Confusion,
    pub(super) weight: f64,
    pub(super) log_loss: f64,
    pub(super) brier: f64,
    /// Binary: of the positive class. Else of the most probable class, being the right one.
    pub(super) calibration: ScoreBins,
    /// Of each model.
    pub(super) of_models: Vec<ScoreBins>,
}

/// What each row adds.
pub(super) struct Terms {
    pub(super) prediction: Vec<u32>,
    /// Log loss and squared error.
    pub(super) losses: Vec<(f64, f64)>,
}

impl Sums {
    pub(super) fn new(n_classes: usize, n_models: usize) -> Self {
        Self {
            confusion: Confusion::new(n_classes),
            weight: 0.0,
            log_loss: 0.0,
            brier: 0.0,
            calibration: ScoreBins::new(BINS),
            of_models: vec![ScoreBins::new(BINS); n_models],
        }
    }

    /// Adds the rows, of which `scores` are those of this model; in their order, whatever the threads do.
    pub(super) fn add(&mut self, contest: &Contest<'_>, model: usize, rows: &Rows, scores: &[f64]) -> Terms {
        let scorer = &contest.scorers[model];
        let (z, n_models) = (&rows.z[model], scorer.n_models());
        let positive = scorer.positive();
        let prediction = scorer.decide(z);
        let losses: Vec<(f64, f64)> = z
            .par_chunks_exact(n_models)
            .zip(scores.par_chunks_exact(n_models))
            .zip(&rows.class)
            .map(|((z, p), &class)| match contest.task() {
                Task::Binary => {
                    let is_positive = class as usize == positive;
                    (binary_log_loss(z[0], is_positive), binary_brier(z[0], is_positive))
                }
                Task::OneVsRest => {
                    (multiclass_log_loss(z, class as usize), multiclass_brier(p, class as usize))
                }
            })
            .collect();
        for (i, (&class, loss)) in rows.class.iter().zip(&losses).enumerate() {
            let weight = rows.weight(i);
            self.confusion.add(class as usize, prediction[i] as usize, weight);
            self.weight += weight;
            self.log_loss += weight * loss.0;
            self.brier += weight * loss.1;
        }
        let classes = contest.classes().len();
        self.of_models.par_iter_mut().enumerate().for_each(|(m, bins)| {
            let of = if contest.task() == Task::Binary { positive } else { m };
            for (i, score) in scores.iter().skip(m).step_by(n_models).enumerate() {
                bins.add(contest.probability(*score), rows.weight(i), rows.class[i] as usize == of);
            }
        });
        match contest.task() {
            Task::Binary => self.calibration = self.of_models[0].clone(),
            Task::OneVsRest => {
                for (i, p) in scores.chunks_exact(classes).enumerate() {
                    let (likely, p) = most_probable(p);
                    self.calibration.add(p, rows.weight(i), rows.class[i] as usize == likely);
                }
            }
        }
        Terms { prediction, losses }
    }
}

/// The first of the most probable classes, and its probability.
fn most_probable(p: &[f64]) -> (usize, f64) {
    let mut best = (0, p[0]);
    for (k, &p) in p.iter().enumerate().skip(1) {
        if p > best.1 {
            best = (k, p);
        }
    }
    best
}
