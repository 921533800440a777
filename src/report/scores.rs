//! The scores of each class, collected while the model is evaluated.

use rayon::prelude::*;

use super::stops::{Stop, curve, stops};
use crate::error::Result;
use crate::evaluate::{Contest, EvaluateOptions, Evaluation, Rows, Witness, compare_before};
use crate::metrics::{Calibration, Curve, Ranked, Ranking, ScoreBins};
use crate::model::{DEFAULT_THRESHOLD, Model};
use crate::observer::Observer;

/// Bins of the histogram and the calibration: for one class, and for several.
const HISTOGRAM_BINS: [usize; 2] = [50, 25];
const CALIBRATION_BINS: usize = 10;
/// Most stops of one class, and about the most of all classes together.
const STOPS: usize = 300;
const STOPS_IN_ALL: usize = 9_000;

/// The scores of one class against the rest.
#[derive(Debug, Clone)]
pub(super) struct ClassScores {
    /// Its index.
    pub(super) class: usize,
    /// Thresholds, ascending, and their decisions.
    pub(super) stops: Vec<Stop>,
    /// Index of the model's own threshold among them.
    pub(super) own: usize,
    pub(super) curve: Curve,
    pub(super) ranking: Option<Ranking>,
    pub(super) calibration: Calibration,
    pub(super) bins: ScoreBins,
}

/// Evaluates, and collects the scores of the classes `of`.
pub(super) fn collect(
    model: &Model,
    data: &[String],
    options: &EvaluateOptions,
    of: &[usize],
    observer: &dyn Observer,
) -> Result<(Evaluation, Vec<ClassScores>)> {
    let options = EvaluateOptions { intervals: None, ..options.clone() };
    let bins = HISTOGRAM_BINS[usize::from(of.len() > 1)];
    let sums = Sums { calibration: ScoreBins::new(CALIBRATION_BINS), histogram: ScoreBins::new(bins) };
    let mut gathered = Gathered { of, sums: vec![sums; of.len()], rankings: Vec::new() };
    let evaluation =
        compare_before(&[model], data, &options, observer, &mut gathered)?.evaluations.swap_remove(0);
    let classes = gathered.rankings.into_iter().zip(gathered.sums).map(|(rank, sums)| ClassScores {
        class: rank.class,
        stops: rank.stops,
        own: rank.own,
        curve: rank.curve,
        ranking: rank.ranking,
        calibration: sums.calibration.calibration(),
        bins: sums.histogram,
    });
    Ok((evaluation, classes.collect()))
}

/// The data collected from the rows so far.
struct Gathered<'a> {
    of: &'a [usize],
    sums: Vec<Sums>,
    /// In the order of `of`, which is also the order of ranking.
    rankings: Vec<RankedClass>,
}

#[derive(Clone)]
struct Sums {
    calibration: ScoreBins,
    histogram: ScoreBins,
}

struct RankedClass {
    class: usize,
    stops: Vec<Stop>,
    own: usize,
    curve: Curve,
    ranking: Option<Ranking>,
}

impl Witness for Gathered<'_> {
    fn rows(&mut self, contest: &Contest<'_>, rows: &Rows, scores: &[Vec<f64>]) {
        let width = contest.scorers[0].n_models();
        self.sums.par_iter_mut().zip(self.of).enumerate().for_each(|(at, (sums, &class))| {
            // A binary model has one score, for its positive class; others have one for each class.
            let column = scores[0].iter().skip(at).step_by(width);
            for (i, (score, &of)) in column.zip(&rows.class).enumerate() {
                let (p, weight, is_positive) =
                    (contest.probability(*score), rows.weight(i), of as usize == class);
                sums.calibration.add(p, weight, is_positive);
                sums.histogram.add(p, weight, is_positive);
            }
        });
    }

    fn ranked(&mut self, contest: &Contest<'_>, class: usize, ranked: &Ranked) {
        if !self.of.contains(&class) {
            return;
        }
        let most = (STOPS_IN_ALL / self.of.len().max(1)).clamp(20, STOPS);
        let threshold = contest.scorers[0].threshold().unwrap_or(DEFAULT_THRESHOLD);
        let (stops, own) = stops(ranked, most, threshold, |score| contest.probability(score));
        let (curve, ranking) = (curve(ranked, &stops), ranked.ranking());
        self.rankings.push(RankedClass { class, stops, own, curve, ranking });
    }
}
