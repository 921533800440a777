//! What a report knows of the scores of each class: curves, bins and stops, from one pass over the data.

use super::stops::{Stop, curve, stops};
use crate::error::Result;
use crate::evaluate::{EvaluateOptions, Evaluation, ScoredRows, evaluate_with};
use crate::metrics::{Calibration, Curve, Ranked, Ranking, ScoreBins, Scores, normalise};
use crate::model::{DEFAULT_THRESHOLD, Model, Task};
use crate::objective::sigmoid;
use crate::predict::Scorer;
use crate::train::Observer;

/// Bins of the histogram, of one class and of several, and of calibration.
const HISTOGRAM_BINS: [usize; 2] = [50, 25];
const CALIBRATION_BINS: usize = 10;
/// Stops of one class at most, and of all classes together about.
const STOPS: usize = 300;
const STOPS_IN_ALL: usize = 9_000;

/// The scores of one class against the rest.
#[derive(Debug, Clone)]
pub(super) struct ClassScores {
    /// Its index.
    pub(super) class: usize,
    /// Thresholds, ascending, and what they decide.
    pub(super) stops: Vec<Stop>,
    /// Place of the model's own threshold among them.
    pub(super) own: usize,
    /// Rows that reach each stop, positives and negatives, where rows have weights.
    pub(super) rows: Option<RowCounts>,
    pub(super) curve: Curve,
    pub(super) ranking: Option<Ranking>,
    pub(super) calibration: Calibration,
    pub(super) bins: ScoreBins,
}

/// Rows, whatever their weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowCounts {
    pub(super) positive: u64,
    pub(super) negative: u64,
    /// For each stop: positives and negatives that reach it.
    pub(super) reach: Vec<(u64, u64)>,
}

/// Evaluates, and keeps the scores of the classes `of` (all of them from one-vs-rest models, at most).
pub(super) fn collect(
    model: &Model,
    data: &[String],
    options: &EvaluateOptions,
    of: &[usize],
    observer: &dyn Observer,
) -> Result<(Evaluation, Vec<ClassScores>)> {
    let is_weighted = options.weight.is_some();
    let several = usize::from(of.len() > 1);
    let mut sums: Vec<Sums> = of.iter().map(|_| Sums::new(is_weighted, HISTOGRAM_BINS[several])).collect();
    let mut seen = |scorer: &Scorer, rows: &ScoredRows<'_>| add(model.task, scorer, rows, of, &mut sums);
    let evaluation = evaluate_with(model, data, options, observer, &mut seen)?;
    let most = (STOPS_IN_ALL / of.len().max(1)).clamp(20, STOPS);
    let threshold = evaluation.threshold.unwrap_or(DEFAULT_THRESHOLD);
    let classes = of.iter().zip(sums).map(|(&class, sums)| sums.finish(class, most, threshold)).collect();
    Ok((evaluation, classes))
}

fn add(task: Task, scorer: &Scorer, rows: &ScoredRows<'_>, of: &[usize], sums: &mut [Sums]) {
    let n_models = scorer.n_models();
    let mut p = vec![0.0; n_models];
    for (i, (z, class)) in rows.z.chunks_exact(n_models).zip(rows.class).enumerate() {
        let Some(class) = *class else { continue };
        let weight = rows.weight.map_or(1.0, |weight| weight[i]);
        match task {
            Task::Binary => p[0] = sigmoid(z[0]),
            Task::OneVsRest => normalise(z, &mut p),
        }
        for (sums, &k) in sums.iter_mut().zip(of) {
            let probability = if task == Task::Binary { p[0] } else { p[k] };
            sums.add(probability, weight, class as usize == k);
        }
    }
}

/// What is kept of the rows seen so far: 8 bytes for each, 24 with weights.
struct Sums {
    scores: Scores,
    rows: Option<Scores>,
    calibration: ScoreBins,
    histogram: ScoreBins,
}

impl Sums {
    fn new(is_weighted: bool, bins: usize) -> Self {
        Self {
            scores: if is_weighted { Scores::weighted() } else { Scores::counted() },
            rows: is_weighted.then(Scores::counted),
            calibration: ScoreBins::new(CALIBRATION_BINS),
            histogram: ScoreBins::new(bins),
        }
    }

    fn add(&mut self, probability: f64, weight: f64, is_positive: bool) {
        self.scores.push(probability, weight, is_positive);
        if let Some(rows) = &mut self.rows {
            rows.push(probability, 1.0, is_positive);
        }
        self.calibration.add(probability, weight, is_positive);
        self.histogram.add(probability, weight, is_positive);
    }

    fn finish(self, class: usize, most: usize, threshold: f64) -> ClassScores {
        let ranked = self.scores.rank();
        let (stops, own) = stops(&ranked, most, threshold);
        ClassScores {
            class,
            curve: curve(&ranked, &stops),
            ranking: ranked.ranking(),
            rows: self.rows.map(|rows| count(&rows.rank(), &stops)),
            stops,
            own,
            calibration: self.calibration.calibration(),
            bins: self.histogram,
        }
    }
}

/// Counts the rows that reach each stop.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of ones")]
fn count(ranked: &Ranked, stops: &[Stop]) -> RowCounts {
    let mut points = ranked.points().peekable();
    let mut at = points.next();
    let mut reach = vec![(0, 0); stops.len()];
    for (stop, reach) in stops.iter().zip(&mut reach).rev() {
        let threshold = stop.point().threshold;
        while points.peek().is_some_and(|next| next.threshold >= threshold) {
            at = points.next();
        }
        if let Some(at) = at {
            *reach = (at.true_positives as u64, at.false_positives as u64);
        }
    }
    RowCounts { positive: ranked.positive() as u64, negative: ranked.negative() as u64, reach }
}
