//! Confidence intervals of an evaluation, and of the differences between models.

use super::bootstrap::{Replicate, Replicates};
use super::ranks::Rank;
use super::report::{ClassIntervals, Difference, Evaluation, Headline, IntervalBasis, Intervals};
use crate::metrics::{Interval, two_sided};

/// Why there is no p-value.
const NO_ERROR: &str = "the standard error is 0, so DeLong's method cannot test this difference: the rows \
                        rank each model perfectly, or not at all; only more rows can help";
/// A warning about intervals of width 0.
const NO_WIDTH: &str = "an interval without width does not mean certainty: no resample of these rows changes the \
                        number, and only more rows can show how uncertain it is";

/// The data from which intervals are computed.
pub(super) enum Evidence {
    /// The influence of each row on the AUC of each model, averaged over its rankings.
    DeLong(Vec<Vec<f64>>),
    Bootstrap(Replicates),
}

impl Evidence {
    /// Turns sums of influences into influences on the mean AUC, once all rankings are there. Without
    /// variance in one of the areas there is no interval.
    pub(super) fn settle(&mut self, ranks: &[Vec<Rank>]) {
        let Self::DeLong(influence) = self else { return };
        for (m, influence) in influence.iter_mut().enumerate() {
            let known: Vec<&Rank> =
                ranks.iter().map(|models| &models[m]).filter(|rank| rank.ranking.is_some()).collect();
            if known.iter().any(|rank| rank.variance.is_none()) {
                influence.clear();
            }
            influence.iter_mut().for_each(|sum| *sum /= known.len() as f64);
        }
    }
}

/// The replicates of the headline metrics of a model.
struct Drawn {
    replicates: Vec<Replicate>,
    headline: Vec<Headline<f64>>,
}

impl Drawn {
    fn new(replicates: Vec<Replicate>, ranks: &[&Rank]) -> Self {
        let headline = replicates.iter().enumerate().map(|(r, replicate)| {
            // As in the evaluation: the mean over the classes that have a ranking.
            let mean = |of: fn(&(f64, f64)) -> f64| {
                let known =
                    ranks.iter().map(|rank| of(&rank.replicates[r])).filter(|value| value.is_finite());
                let (n, sum) = known.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
                sum / n
            };
            let margins = &replicate.margins;
            let drawn: f64 = margins.truth.iter().sum();
            Headline {
                log_loss: replicate.log_loss,
                accuracy: over(drawn, margins.accuracy()),
                balanced_accuracy: over(drawn, margins.balanced_accuracy()),
                mcc: over(drawn, margins.mcc()),
                auc: mean(|r| r.0),
                average_precision: mean(|r| r.1),
                brier: replicate.brier,
            }
        });
        let headline = headline.collect();
        Self { replicates, headline }
    }
}

/// The note on the intervals.
fn note(headline: Headline<Option<Interval>>) -> Option<&'static str> {
    let mut found = None;
    let _ = headline.map(|interval| {
        if interval.is_some_and(|interval| interval.upper <= interval.lower) {
            found = Some(NO_WIDTH);
        }
    });
    found
}

/// A ratio of a replicate. It is NaN, and left out of the interval, if the replicate has nothing of its
/// `whole`.
fn over(whole: f64, ratio: f64) -> f64 {
    if whole > 0.0 { ratio } else { f64::NAN }
}

/// Fills in the intervals of `evaluations`, and returns the differences from the first model. `ranks` has one
/// entry for each ranking and model.
pub(super) fn fill(
    evidence: &Evidence,
    basis: IntervalBasis,
    ranks: &[Vec<Rank>],
    evaluations: &mut [Evaluation],
) -> Vec<Headline<Option<Difference>>> {
    match evidence {
        Evidence::DeLong(influence) => delong(influence, basis, ranks, evaluations),
        Evidence::Bootstrap(replicates) => bootstrap(replicates, basis, ranks, evaluations),
    }
}

fn delong(
    influence: &[Vec<f64>],
    basis: IntervalBasis,
    ranks: &[Vec<Rank>],
    evaluations: &mut [Evaluation],
) -> Vec<Headline<Option<Difference>>> {
    let variance = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>();
    for (m, evaluation) in evaluations.iter_mut().enumerate() {
        let around =
            |auc: f64, variance: f64| Interval::normal(auc, variance.sqrt(), basis.confidence).within_unit();
        let known = !influence[m].is_empty();
        let of_mean = evaluation.auc.filter(|_| known);
        let auc = of_mean.map(|auc| around(auc, variance(&mut influence[m].iter().copied())));
        let classes = evaluation.classes.iter().enumerate().map(|(k, class)| {
            let rank = &ranks.get(k).unwrap_or(&ranks[0])[m];
            let auc = class.auc.zip(rank.variance).map(|(auc, variance)| around(auc, variance));
            ClassIntervals { precision: None, recall: None, f1: None, auc }
        });
        let classes = classes.collect();
        let headline = Headline { auc, ..Headline::default() };
        evaluation.intervals = Some(Intervals { basis, headline, classes, note: note(headline) });
    }
    let against_first = |m: usize| {
        let pairs = influence[m].iter().zip(&influence[0]);
        let standard_error = variance(&mut pairs.map(|(a, b)| a - b)).sqrt();
        let known = !influence[m].is_empty();
        let both = evaluations[m].auc.zip(evaluations[0].auc).filter(|_| known);
        let auc = both.map(|(auc, first)| {
            let difference = auc - first;
            let interval = Interval::normal(difference, standard_error, basis.confidence);
            let p_value = if standard_error > 0.0 {
                Some(two_sided(difference / standard_error))
            } else {
                (difference == 0.0).then_some(1.0)
            };
            let note = p_value.is_none().then_some(NO_ERROR);
            Difference { difference, interval, p_value, note }
        });
        Headline { auc, ..Headline::default() }
    };
    (1..evaluations.len()).map(against_first).collect()
}

fn bootstrap(
    replicates: &Replicates,
    basis: IntervalBasis,
    ranks: &[Vec<Rank>],
    evaluations: &mut [Evaluation],
) -> Vec<Headline<Option<Difference>>> {
    let of_model = |m: usize| {
        let ranks: Vec<&Rank> = ranks.iter().map(|models| &models[m]).collect();
        Drawn::new(replicates.of_model(m), &ranks)
    };
    let drawn: Vec<Drawn> = (0..evaluations.len()).map(of_model).collect();
    let intervals = |all: &mut dyn Iterator<Item = Headline<f64>>| {
        Headline::columns(all).map(|column| Interval::of_replicates(column, basis.confidence))
    };
    for (m, evaluation) in evaluations.iter_mut().enumerate() {
        let found = intervals(&mut drawn[m].headline.iter().copied());
        let headline = evaluation.headline().zip(found, |value, interval| value.and(interval));
        let classes = evaluation.classes.iter().enumerate().map(|(k, class)| {
            let margin = |of: fn(&Replicate, usize) -> f64| {
                Interval::of_replicates(drawn[m].replicates.iter().map(|r| of(r, k)), basis.confidence)
            };
            let rank = &ranks.get(k).unwrap_or(&ranks[0])[m];
            let auc = Interval::of_replicates(rank.replicates.iter().map(|r| r.0), basis.confidence);
            ClassIntervals {
                precision: margin(|r, k| over(r.margins.predicted[k], r.margins.precision(k))),
                recall: margin(|r, k| over(r.margins.truth[k], r.margins.recall(k))),
                f1: margin(|r, k| over(r.margins.predicted[k] + r.margins.truth[k], r.margins.f1(k))),
                auc: class.auc.and(auc),
            }
        });
        let classes = classes.collect();
        evaluation.intervals = Some(Intervals { basis, headline, classes, note: note(headline) });
    }
    let against_first = |m: usize| {
        let pairs = drawn[m].headline.iter().zip(&drawn[0].headline);
        let found = intervals(&mut pairs.map(|(a, b)| a.zip(*b, |a, b| a - b)));
        let values = evaluations[m].headline().zip(evaluations[0].headline(), |a, b| Some(a? - b?));
        values.zip(found, |difference, interval| {
            Some(Difference { difference: difference?, interval: interval?, p_value: None, note: None })
        })
    };
    (1..evaluations.len()).map(against_first).collect()
}
