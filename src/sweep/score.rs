//! The scores of a sweep that the sums of its passes do not give.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::plan::Plan;
use super::waves::{JointScores, Outcome};
use crate::config::Scoring;
use crate::metrics::{Confusion, multiclass_brier, multiclass_log_loss, normalise};
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::Panels;
use crate::scoring::{rank, walk};

/// Models of a walk where all classes of a penalty are scored together.
const MODELS_PER_WALK: usize = 512;

/// Scores what the sums of the passes do not: orders of rows, and, if `together`, classes against each other. Returns the
/// readings of X that this took.
pub(super) fn score(
    scoring: Scoring,
    panels: &Panels,
    plan: &Plan<'_>,
    together: bool,
    outcomes: &mut [Outcome],
    joint: &mut JointScores,
) -> usize {
    let mut walks = 0;
    if scoring.is_ranking() {
        let models: Vec<ModelSpec> = outcomes.iter().map(|outcome| outcome.model).collect();
        let columns = outcomes.iter().map(|outcome| outcome.column.as_slice());
        let columns = Coefficients::from_columns(panels.n_features(), columns);
        let (scores, readings) = rank(scoring, panels, plan.rows, &models, &columns);
        outcomes.iter_mut().zip(scores).for_each(|(outcome, score)| outcome.score = score);
        walks += readings;
    }
    if together {
        let outcomes = &*outcomes;
        // By point and fold: the outcome of each class.
        let mut whole: BTreeMap<(usize, usize), Vec<&Outcome>> = BTreeMap::new();
        for outcome in outcomes {
            whole.entry((outcome.member.point, outcome.member.fold)).or_default().push(outcome);
        }
        if scoring.is_ranking() {
            joint.extend(
                whole.iter().map(|(key, models)| (*key, mean_of_defined(models.iter().map(|m| m.score)))),
            );
        } else {
            // Probabilities that are scaled to sum to 1 need every class.
            whole.retain(|_, models| models.len() == plan.classes.len());
            whole.values_mut().for_each(|models| models.sort_by_key(|outcome| outcome.member.class));
            walks += jointly(scoring, panels, plan, &whole, joint);
        }
    }
    walks
}

/// The mean over the classes that have a score. Which they are depends on the fold alone, so that the penalties are
/// compared on the same ones.
fn mean_of_defined(scores: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let scores: Vec<f64> = scores.flatten().collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// Sums over the rows of a fold, of the models of all classes at one penalty.
struct FoldSums {
    key: (usize, usize),
    /// Number of the fold in the labels.
    fold: u32,
    weight: f64,
    loss: f64,
    confusion: Confusion,
}

impl FoldSums {
    fn add(&mut self, scoring: Scoring, z: &[f64], truth: usize, weight: f64, probabilities: &mut [f64]) {
        self.weight += weight;
        match scoring {
            Scoring::LogLoss => self.loss += weight * multiclass_log_loss(z, truth),
            Scoring::Brier => {
                normalise(z, probabilities);
                self.loss += weight * multiclass_brier(probabilities, truth);
            }
            _ => {
                // The first of equals, as everywhere.
                let said = (0..z.len()).rev().max_by(|&a, &b| z[a].total_cmp(&z[b])).unwrap_or(0);
                self.confusion.add(truth, said, weight);
            }
        }
    }

    fn score(&self, scoring: Scoring, n_classes: usize) -> Option<f64> {
        let score = match scoring {
            Scoring::LogLoss | Scoring::Brier => self.loss / self.weight,
            Scoring::Accuracy => self.confusion.accuracy(),
            _ => (0..n_classes).map(|k| self.confusion.class(k).f1).sum::<f64>() / n_classes as f64,
        };
        (self.weight > 0.0).then_some(score)
    }
}

/// The scores of the classes' models together, by penalty and fold: log loss and Brier score of the probabilities scaled
/// to sum to 1, accuracy of the most probable class, F1 as the mean over the classes.
fn jointly(
    scoring: Scoring,
    panels: &Panels,
    plan: &Plan<'_>,
    whole: &BTreeMap<(usize, usize), Vec<&Outcome>>,
    joint: &mut JointScores,
) -> usize {
    let (rows, n_classes) = (plan.rows, plan.classes.len());
    let groups: Vec<(&(usize, usize), &Vec<&Outcome>)> = whole.iter().collect();
    let mut walks = 0;
    for some in groups.chunks((MODELS_PER_WALK / n_classes).max(1)) {
        let columns = some.iter().flat_map(|(_, models)| models.iter().map(|m| m.column.as_slice()));
        let columns = Coefficients::from_columns(panels.n_features(), columns);
        let zero = |(key, _): &(&(usize, usize), &Vec<&Outcome>)| FoldSums {
            key: **key,
            fold: plan.folds.scored[key.1].0,
            weight: 0.0,
            loss: 0.0,
            confusion: Confusion::new(n_classes),
        };
        let mut sums: Vec<FoldSums> = some.iter().map(zero).collect();
        walk(panels, &columns, |slots, z| {
            sums.par_iter_mut().enumerate().for_each(|(at, sums)| {
                let mut probabilities = vec![0.0; n_classes];
                for (z, slot) in z.chunks_exact(columns.n_models()).zip(slots.clone()) {
                    let weight = f64::from(rows.weight()[slot]);
                    if rows.fold(slot) == sums.fold && weight > 0.0 {
                        let z = &z[at * n_classes..][..n_classes];
                        sums.add(scoring, z, rows.class(slot) as usize, weight, &mut probabilities);
                    }
                }
            });
        });
        walks += 1;
        joint.extend(sums.iter().map(|sums| (sums.key, sums.score(scoring, n_classes))));
    }
    walks
}
