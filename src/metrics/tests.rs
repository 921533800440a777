//! Against scikit-learn's numbers in `tests/fixtures/metrics.json`, made by the script beside it.

use std::collections::HashMap;

use serde::Deserialize;

use super::*;
use crate::objective::sigmoid;

#[derive(Deserialize)]
struct Fixture {
    binary: Vec<Case<f64>>,
    multiclass: Vec<Case<Vec<f64>>>,
    delong: Vec<DeLongCase>,
}

#[derive(Deserialize)]
struct DeLongCase {
    z: Vec<Vec<f64>>,
    y: Vec<bool>,
    auc: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Case<Z> {
    z: Vec<Z>,
    y: Vec<usize>,
    weight: Vec<f64>,
    auc: Option<f64>,
    average_precision: Option<f64>,
    log_loss: f64,
    brier: f64,
    accuracy: f64,
    confusion_matrix: Vec<Vec<u64>>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    balanced_accuracy: f64,
    mcc: f64,
    averages: HashMap<String, [f64; 3]>,
    weighted_auc: Option<f64>,
    #[serde(default)]
    class_auc: Vec<f64>,
    /// Threshold, true positive rate, false positive rate.
    #[serde(default)]
    roc: [Vec<f64>; 3],
    /// Precision, recall, threshold.
    #[serde(default)]
    precision_recall: [Vec<f64>; 3],
    calibration: Option<Bins>,
    /// Gain, lift, cumulative lift.
    #[serde(default)]
    deciles: Vec<[f64; 3]>,
    /// Weight of negatives, of positives.
    #[serde(default)]
    histogram: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Bins {
    ece: f64,
    /// Weight, mean probability, share of positives.
    bins: Vec<(f64, Option<f64>, Option<f64>)>,
}

impl Bins {
    #[track_caller]
    fn check(&self, found: &Calibration) {
        close(found.ece, self.ece);
        assert_eq!(found.bins.len(), self.bins.len());
        for (found, (weight, mean, observed)) in found.bins.iter().zip(&self.bins) {
            close(found.weight, *weight);
            close_options(found.mean_probability, *mean);
            close_options(found.observed, *observed);
        }
        assert!(found.bins.windows(2).all(|pair| pair[0].upper == pair[1].lower), "{:?}", found.bins);
    }
}

impl<Z> Case<Z> {
    fn mean(&self, value: impl Fn(&Z, usize) -> f64) -> f64 {
        let sum: f64 = self.z.iter().zip(&self.y).zip(&self.weight).map(|((z, &y), w)| w * value(z, y)).sum();
        sum / self.weight.iter().sum::<f64>()
    }

    fn ranked(&self, score: impl Fn(&Z) -> f64, positive: usize) -> Ranked {
        let rows = self.z.iter().zip(&self.y).zip(&self.weight);
        if self.weight.iter().any(|&w| w != 1.0) {
            return rows.map(|((z, &y), &w)| (score(z), w, y == positive)).collect::<Scores>().rank();
        }
        let mut scores = Scores::counted();
        rows.for_each(|((z, &y), _)| scores.push(score(z), 1.0, y == positive));
        scores.rank()
    }

    fn check_decisions(&self, n_classes: usize, decide: impl Fn(&Z) -> usize) -> Confusion {
        let mut confusion = Confusion::new(n_classes);
        for ((z, &y), &w) in self.z.iter().zip(&self.y).zip(&self.weight) {
            confusion.add(y, decide(z), w);
        }
        assert_eq!(confusion.matrix(), self.confusion_matrix);
        close(confusion.accuracy(), self.accuracy);
        for k in 0..n_classes {
            let class = confusion.class(k);
            close(class.precision, self.precision[k]);
            close(class.recall, self.recall[k]);
            close(class.f1, self.f1[k]);
        }
        close(confusion.balanced_accuracy(), self.balanced_accuracy);
        close(confusion.mcc(), self.mcc);
        let averages = Averages::new(&confusion, &[]);
        for (name, average) in
            [("macro", averages.by_class), ("micro", averages.micro), ("weighted", averages.weighted)]
        {
            let [precision, recall, f1] = self.averages[name];
            close(average.precision, precision);
            close(average.recall, recall);
            close(average.f1, f1);
        }
        confusion
    }
}

/// Both sides sum at most some hundred float64 terms.
#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
}

#[track_caller]
fn close_options(actual: Option<f64>, expected: Option<f64>) {
    assert_eq!(actual.is_some(), expected.is_some(), "{actual:?} is not {expected:?}");
    close(actual.unwrap_or(0.0), expected.unwrap_or(0.0));
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../tests/fixtures/metrics.json")).unwrap()
}

#[test]
fn binary_metrics_are_those_of_scikit_learn() {
    for case in fixture().binary {
        let ranking = case.ranked(|&z| z, 1).ranking();
        close_options(ranking.map(|r| r.auc), case.auc);
        close_options(ranking.map(|r| r.average_precision), case.average_precision);
        close(case.mean(|&z, y| binary_log_loss(z, y == 1)), case.log_loss);
        close(case.mean(|&z, y| binary_brier(z, y == 1)), case.brier);
        case.check_decisions(2, |&z| usize::from(sigmoid(z) >= 0.5));
    }
}

#[test]
fn curves_are_those_of_scikit_learn() {
    for case in fixture().binary.iter().filter(|case| case.auc.is_some()) {
        let ranked = case.ranked(|&z| z, 1);
        let curve = ranked.curve();
        assert_eq!(curve.points[0].threshold, f64::INFINITY);
        assert_eq!(curve.points.len(), case.roc[1].len());
        for (i, point) in curve.points.iter().enumerate() {
            close(curve.recall(point), case.roc[1][i]);
            close(curve.false_positive_rate(point), case.roc[2][i]);
            close(point.precision(), case.precision_recall[0][i]);
            close(curve.recall(point), case.precision_recall[1][i]);
            if i > 0 {
                assert_eq!(point.threshold, case.roc[0][i - 1]);
                assert_eq!(point.threshold, case.precision_recall[2][i - 1]);
            }
        }
        assert_eq!(ranked.thin_curve(curve.points.len()), curve);
    }
}

#[test]
fn calibration_and_histograms_are_those_of_scikit_learn_and_numpy() {
    for case in fixture().binary {
        let filled = |n_bins| {
            let mut bins = ScoreBins::new(n_bins);
            for ((&z, &y), &w) in case.z.iter().zip(&case.y).zip(&case.weight) {
                bins.add(sigmoid(z), w, y == 1);
            }
            bins
        };
        case.calibration.as_ref().unwrap().check(&filled(10).calibration());
        let bins = filled(20);
        let (negative, positive) = bins.histogram();
        for (found, expected) in [negative, positive].iter().zip(&case.histogram) {
            assert_eq!(found.len(), expected.len());
            found.iter().zip(expected).for_each(|(&found, &expected)| close(found, expected));
        }
    }
}

#[test]
fn lift_is_that_of_the_interpolated_gain() {
    for case in fixture().binary {
        let parts = case.ranked(|&z| z, 1).lift(10);
        assert_eq!(parts.len(), case.deciles.len());
        for (part, [gain, lift, cumulative]) in parts.iter().zip(&case.deciles) {
            close(part.gain, *gain);
            // Ten times the difference of two gains.
            close(part.lift / 10.0, lift / 10.0);
            close(part.cumulative_lift / 10.0, cumulative / 10.0);
        }
    }
}

#[test]
fn multiclass_metrics_are_those_of_scikit_learn() {
    for case in fixture().multiclass {
        let n_classes = case.z[0].len();
        let probabilities = |z: &[f64]| {
            let mut p = vec![0.0; n_classes];
            normalise(z, &mut p);
            p
        };
        let rankings: Vec<Option<Ranking>> =
            (0..n_classes).map(|k| case.ranked(|z| probabilities(z)[k], k).ranking()).collect();
        for (ranking, auc) in rankings.iter().zip(&case.class_auc) {
            close_options(ranking.map(|r| r.auc), Some(*auc));
        }
        close(case.mean(|z, y| multiclass_log_loss(z, y)), case.log_loss);
        close(case.mean(|z, y| multiclass_brier(&probabilities(z), y)), case.brier);
        let confusion = case.check_decisions(n_classes, |z| {
            (0..n_classes).rev().max_by(|&a, &b| z[a].total_cmp(&z[b])).unwrap()
        });
        let averages = Averages::new(&confusion, &rankings);
        close_options(averages.by_class.auc, case.auc);
        close_options(averages.by_class.average_precision, case.average_precision);
        close_options(averages.weighted.auc, case.weighted_auc);
    }
}

/// 20,000 rows of many scores, with ties.
fn many() -> Ranked {
    let rows = (0..20_000_u64).map(|i| {
        let hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let is_positive = hash % 7 < 2;
        ((hash >> 40) as f64 / 1e4 + if is_positive { 400.0 } else { 0.0 }, 1.0, is_positive)
    });
    rows.collect::<Scores>().rank()
}

#[test]
fn a_long_ranking_is_that_of_its_steps_one_by_one() {
    // Enough positives for several stretches.
    let rows = (0..200_000_u64).map(|i| {
        let hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (i >> 3);
        ((hash >> 50) as f64, 1.0 + (hash % 3) as f64, hash % 5 < 2)
    });
    let ranked = rows.collect::<Scores>().rank();
    let (mut tp, mut fp, mut area, mut precision) = (0.0, 0.0, 0.0, 0.0);
    let mut gains = Vec::new();
    for step in ranked.steps() {
        area += step.negative * (tp + step.positive / 2.0);
        tp += step.positive;
        fp += step.negative;
        precision += step.positive * tp / (tp + fp);
        gains.push((tp + fp, tp, step.score));
    }
    let found = ranked.ranking().unwrap();
    close(found.auc, area / (tp * fp));
    close(found.average_precision, precision / tp);
    let parts = ranked.lift(10);
    assert_eq!(parts.len(), 10);
    for (k, part) in (1..).zip(&parts) {
        let cut = f64::from(k) * (tp + fp) / 10.0;
        let at = gains.iter().position(|gain| gain.0 >= cut).unwrap();
        let (before, after) = (gains[at - 1], gains[at]);
        let gain = before.1 + (after.1 - before.1) * (cut - before.0) / (after.0 - before.0);
        close(part.gain, gain / tp);
        assert_eq!(part.score, after.2);
    }
}

#[test]
fn a_thinned_curve_keeps_to_the_exact_one() {
    let ranked = many();
    let exact = ranked.curve();
    let thin = ranked.thin_curve(200);
    assert_eq!(thin.points.len(), 200);
    assert!(thin.points.iter().all(|point| exact.points.contains(point)));
    assert_eq!((thin.points[0], thin.points[199]), (exact.points[0], *exact.points.last().unwrap()));
    let area = |curve: &Curve| -> f64 {
        let trapezes = curve.points.windows(2).map(|pair| {
            (curve.false_positive_rate(&pair[1]) - curve.false_positive_rate(&pair[0]))
                * (curve.recall(&pair[1]) + curve.recall(&pair[0]))
                / 2.0
        });
        trapezes.sum()
    };
    close(area(&exact), ranked.ranking().unwrap().auc);
    // A chord leaves out at most the distance bound of the 198 best points: far below a pixel.
    assert!((area(&thin) - area(&exact)).abs() < 1e-4, "{} {}", area(&thin), area(&exact));
    // Once a hundredth of the rows is called positive, every point lies on the line between two kept ones
    // to less than a pixel, in both pictures.
    let places =
        |p: &Point| [[exact.false_positive_rate(p), exact.recall(p)], [exact.recall(p), p.precision()]];
    for point in exact.points.iter().filter(|p| p.true_positives + p.false_positives > 200.0) {
        let after = thin.points.partition_point(|kept| kept.threshold > point.threshold).max(1);
        let (a, b) = (places(&thin.points[after - 1]), places(&thin.points[after]));
        for (k, p) in places(point).into_iter().enumerate() {
            let off = thin::distance(a[k], b[k], p);
            assert!(off < 0.002, "{point:?} is {off} off");
        }
    }
}

#[test]
fn delong_covariances_are_those_of_all_pairs() {
    for case in fixture().delong {
        let mut influences = case.z;
        for (column, expected) in influences.iter_mut().zip(&case.auc) {
            close(delong(column, &case.y).unwrap(), *expected);
        }
        for (a, row) in influences.iter().zip(&case.covariance) {
            for (b, expected) in influences.iter().zip(row) {
                close(a.iter().zip(b).map(|(a, b)| a * b).sum(), *expected);
            }
        }
    }
    assert_eq!(delong(&mut [0.1, 0.2, 0.3], &[true, false, false]), None);
}

#[test]
fn a_ranking_with_one_side_only_has_no_value() {
    let ranking = |rows: Vec<(f64, f64, bool)>| rows.into_iter().collect::<Scores>().rank().ranking();
    assert_eq!(ranking(vec![(0.1, 1.0, true), (0.2, 1.0, true)]), None);
    assert_eq!(ranking(vec![(0.1, 1.0, true), (0.2, 0.0, false)]), None);
    assert_eq!(ranking(Vec::new()), None);
}

#[test]
fn probabilities_survive_predictors_that_all_say_no() {
    let mut p = [0.0; 2];
    normalise(&[-800.0, -801.0], &mut p);
    assert!((p[0] - sigmoid(1.0)).abs() < 1e-12, "{p:?}");
    assert!((multiclass_log_loss(&[-800.0, -801.0], 0) + p[0].ln()).abs() < 1e-12);
}
