//! Sums over the rows of a table, for one model.

use rayon::prelude::*;

use super::contest::{Contest, Rows};
use crate::metrics::{Confusion, ScoreBins, multiclass_brier, multiclass_log_loss};
use crate::model::Task;
use crate::objective::{Logistic, logistics};
use crate::predict::Scorer;

/// Number of calibration bins.
const BINS: usize = 10;
/// Rows of one parallel task.
const ROWS_PER_TASK: usize = 1 << 12;

/// Sums over the rows.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) confusion: Confusion,
    pub(super) losses: Losses,
}

/// Sums that do not depend on the decisions.
#[derive(Debug, Clone)]
pub(super) struct Losses {
    pub(super) weight: f64,
    pub(super) log_loss: f64,
    pub(super) brier: f64,
    /// For each model: bins of the probability of its class.
    pub(super) of_models: Vec<ScoreBins>,
    /// Several classes: bins of the largest probability; a row is positive if that class is correct.
    likeliest: ScoreBins,
}

/// The terms of each row.
pub(super) struct Terms {
    pub(super) prediction: Vec<u32>,
    /// Log loss and squared error.
    pub(super) losses: Vec<(f64, f64)>,
}

impl Sums {
    pub(super) fn new(n_classes: usize, n_models: usize) -> Self {
        Self { confusion: Confusion::new(n_classes), losses: Losses::new(n_models) }
    }

    /// Adds rows; `scores` are the scores of this model.
    pub(super) fn add(&mut self, contest: &Contest<'_>, model: usize, rows: &Rows, scores: &[f64]) -> Terms {
        let scorer = &contest.scorers[model];
        let n_models = scorer.n_models();
        let mut prediction = match contest.task() {
            Task::Binary => vec![0; rows.class.len()],
            Task::OneVsRest => scorer.decide(&rows.z[model]),
        };
        let mut losses = vec![(0.0, 0.0); rows.class.len()];
        // Sums over fixed ranges of rows, added in order, so that the result does not depend on the threads.
        let parts: Vec<Losses> = losses
            .par_chunks_mut(ROWS_PER_TASK)
            .zip(prediction.par_chunks_mut(ROWS_PER_TASK))
            .zip(rows.z[model].par_chunks(ROWS_PER_TASK * n_models))
            .zip(scores.par_chunks(ROWS_PER_TASK * n_models))
            .enumerate()
            .map(|(part, (((losses, prediction), z), scores))| {
                let mut sums = Losses::new(n_models);
                let first = part * ROWS_PER_TASK;
                match contest.task() {
                    Task::Binary => sums.add_binary(scorer, rows, first, z, losses, prediction),
                    Task::OneVsRest => sums.add_classes(rows, first, z, scores, losses),
                }
                sums
            })
            .collect();
        parts.iter().for_each(|part| self.losses.merge(part));
        for (i, (&class, &said)) in rows.class.iter().zip(&prediction).enumerate() {
            self.confusion.add(class as usize, said as usize, rows.weight(i));
        }
        Terms { prediction, losses }
    }

    /// Binary: bins of the positive class. Several classes: bins of the largest probability.
    pub(super) fn calibration(&self) -> &ScoreBins {
        if self.losses.of_models.len() == 1 { &self.losses.of_models[0] } else { &self.losses.likeliest }
    }
}

impl Losses {
    fn new(n_models: usize) -> Self {
        let bins = ScoreBins::new(BINS);
        Self {
            weight: 0.0,
            log_loss: 0.0,
            brier: 0.0,
            of_models: vec![bins.clone(); n_models],
            likeliest: bins,
        }
    }

    fn add(&mut self, weight: f64, (log_loss, brier): (f64, f64)) {
        self.weight += weight;
        self.log_loss += weight * log_loss;
        self.brier += weight * brier;
    }

    fn merge(&mut self, other: &Self) {
        self.weight += other.weight;
        self.log_loss += other.log_loss;
        self.brier += other.brier;
        self.of_models.iter_mut().zip(&other.of_models).for_each(|(bins, other)| bins.merge(other));
        self.likeliest.merge(&other.likeliest);
    }

    /// Adds the rows from `first` on, with linear predictors `z`, and records their predictions.
    fn add_binary(
        &mut self,
        scorer: &Scorer,
        rows: &Rows,
        first: usize,
        z: &[f64],
        losses: &mut [(f64, f64)],
        prediction: &mut [u32],
    ) {
        let positive = scorer.positive();
        let mut terms = vec![Logistic::default(); z.len()];
        logistics(z, &mut terms);
        for (i, (term, of)) in losses.iter_mut().zip(&terms).enumerate() {
            let is_positive = rows.class[first + i] as usize == positive;
            let (loss, off) = if is_positive { (of.loss_of_one, of.rest) } else { (of.loss_of_zero, of.p) };
            *term = (loss, off * off);
            let weight = rows.weight(first + i);
            self.add(weight, *term);
            self.of_models[0].add(of.p, weight, is_positive);
            prediction[i] = scorer.decide_binary(of.p);
        }
    }

    /// The same for several classes, with the probabilities of all classes.
    fn add_classes(&mut self, rows: &Rows, first: usize, z: &[f64], p: &[f64], losses: &mut [(f64, f64)]) {
        let n_classes = self.of_models.len();
        let both = z.chunks_exact(n_classes).zip(p.chunks_exact(n_classes));
        for (i, ((z, p), term)) in both.zip(losses).enumerate() {
            let (class, weight) = (rows.class[first + i] as usize, rows.weight(first + i));
            *term = (multiclass_log_loss(z, class), multiclass_brier(p, class));
            self.add(weight, *term);
            for (k, (bins, &p)) in self.of_models.iter_mut().zip(p).enumerate() {
                bins.add(p, weight, k == class);
            }
            let (likeliest, p) = most_probable(p);
            self.likeliest.add(p, weight, likeliest == class);
        }
    }
}

/// The most probable class (the first in a tie) and its probability.
fn most_probable(p: &[f64]) -> (usize, f64) {
    let mut best = (0, p[0]);
    for (k, &p) in p.iter().enumerate().skip(1) {
        if p > best.1 {
            best = (k, p);
        }
    }
    best
}
