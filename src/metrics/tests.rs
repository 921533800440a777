//! Against scikit-learn's numbers in `tests/fixtures/metrics.json`, made by the script beside it.

use serde::Deserialize;

use super::*;
use crate::objective::sigmoid;

#[derive(Deserialize)]
struct Fixture {
    binary: Vec<Case<f64>>,
    multiclass: Vec<Case<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Case<Z> {
    z: Vec<Z>,
    y: Vec<usize>,
    weight: Vec<f64>,
    auc: f64,
    average_precision: f64,
    log_loss: f64,
    brier: f64,
    accuracy: f64,
    confusion_matrix: Vec<Vec<u64>>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    #[serde(default)]
    class_auc: Vec<f64>,
}

impl<Z> Case<Z> {
    fn mean(&self, value: impl Fn(&Z, usize) -> f64) -> f64 {
        let sum: f64 = self.z.iter().zip(&self.y).zip(&self.weight).map(|((z, &y), w)| w * value(z, y)).sum();
        sum / self.weight.iter().sum::<f64>()
    }

    fn ranking(&self, score: impl Fn(&Z) -> f64, positive: usize) -> Ranking {
        let rows = self.z.iter().zip(&self.y).zip(&self.weight);
        ranking(rows.map(|((z, &y), &w)| (score(z), w, y == positive)).collect()).unwrap()
    }

    fn check_decisions(&self, n_classes: usize, decide: impl Fn(&Z) -> usize) {
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
    }
}

/// Both sides sum at most some hundred float64 terms.
#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../tests/fixtures/metrics.json")).unwrap()
}

#[test]
fn binary_metrics_are_those_of_scikit_learn() {
    for case in fixture().binary {
        let ranking = case.ranking(|&z| z, 1);
        close(ranking.auc, case.auc);
        close(ranking.average_precision, case.average_precision);
        close(case.mean(|&z, y| binary_log_loss(z, y == 1)), case.log_loss);
        close(case.mean(|&z, y| binary_brier(z, y == 1)), case.brier);
        case.check_decisions(2, |&z| usize::from(sigmoid(z) >= 0.5));
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
        let rankings: Vec<Ranking> =
            (0..n_classes).map(|k| case.ranking(|z| probabilities(z)[k], k)).collect();
        for (ranking, auc) in rankings.iter().zip(&case.class_auc) {
            close(ranking.auc, *auc);
        }
        let mean = |of: fn(&Ranking) -> f64| rankings.iter().map(of).sum::<f64>() / n_classes as f64;
        close(mean(|r| r.auc), case.auc);
        close(mean(|r| r.average_precision), case.average_precision);
        close(case.mean(|z, y| multiclass_log_loss(z, y)), case.log_loss);
        close(case.mean(|z, y| multiclass_brier(&probabilities(z), y)), case.brier);
        case.check_decisions(n_classes, |z| {
            (0..n_classes).rev().max_by(|&a, &b| z[a].total_cmp(&z[b])).unwrap()
        });
    }
}

#[test]
fn a_ranking_with_one_side_only_has_no_value() {
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
