//! Scores of a sweep that the sums of its passes cannot give.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::plan::Plan;
use super::waves::{JointScores, Outcome};
use crate::config::Scoring;
use crate::metrics::{Confusion, Scores, multiclass_brier, multiclass_log_loss, normalise};
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::Panels;
use crate::scoring::{area, rank, rankings_at_once, walk};

/// Models in one pass that scores all classes of a penalty together.
const MODELS_PER_WALK: usize = 512;

/// Computes the scores that sums cannot give: ranking scores, and, if `together`, multiclass scores. Returns
/// the number of passes over X.
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
        // For each point and fold: the outcome of each class.
        let mut whole: BTreeMap<(usize, usize), Vec<&Outcome>> = BTreeMap::new();
        for outcome in outcomes {
            whole.entry((outcome.member.point, outcome.member.fold)).or_default().push(outcome);
        }
        // Scaling probabilities to sum to 1 needs every class.
        whole.retain(|_, models| models.len() == plan.classes.len());
        whole.values_mut().for_each(|models| models.sort_by_key(|outcome| outcome.member.class));
        let groups: Vec<Group<'_>> =
            whole.into_iter().map(|((point, fold), models)| Group { point, fold, models }).collect();
        walks += if scoring.is_ranking() {
            rank_jointly(scoring, panels, plan, &groups, joint)
        } else {
            sum_jointly(scoring, panels, plan, &groups, joint)
        };
    }
    walks
}

/// The mean over the classes that have a score. These classes depend only on the fold, so all penalties are
/// compared on the same classes.
fn mean_of_defined(scores: &[Option<f64>]) -> Option<f64> {
    let scores: Vec<f64> = scores.iter().copied().flatten().collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// The models of all classes at one penalty, outside one fold.
struct Group<'a> {
    point: usize,
    /// Index in the list of scored folds.
    fold: usize,
    models: Vec<&'a Outcome>,
}

/// The columns of some groups, side by side.
fn columns_of(groups: &[Group<'_>], n_features: usize) -> Coefficients {
    let columns = groups.iter().flat_map(|group| group.models.iter().map(|model| model.column.as_slice()));
    Coefficients::from_columns(n_features, columns)
}

/// The AUC or average precision of each class against the rest, by probabilities scaled to sum to 1, averaged
/// over the classes. Works on some groups at a time, or on some classes of one group.
fn rank_jointly(
    scoring: Scoring,
    panels: &Panels,
    plan: &Plan<'_>,
    groups: &[Group<'_>],
    joint: &mut JointScores,
) -> usize {
    let (rows, n_classes) = (plan.rows, plan.classes.len());
    let at_once = rankings_at_once(rows);
    let classes_at_once = n_classes.min(at_once);
    let groups_at_once = (at_once / classes_at_once).min(MODELS_PER_WALK / n_classes).max(1);
    let mut walks = 0;
    for some in groups.chunks(groups_at_once) {
        let columns = columns_of(some, panels.n_features());
        let folds: Vec<u32> = some.iter().map(|group| plan.folds.scored[group.fold].0).collect();
        let mut scores: Vec<Option<f64>> = vec![None; some.len() * n_classes];
        for first in (0..n_classes).step_by(classes_at_once) {
            let classes = first..(first + classes_at_once).min(n_classes);
            let mut held = vec![Scores::weighted(); some.len() * classes.len()];
            walk(panels, &columns, |slots, z| {
                let width = columns.n_models();
                let mut probabilities = vec![0.0; z.len()];
                let by_row = probabilities.par_chunks_mut(width).zip(z.par_chunks(width));
                by_row.zip(slots.clone()).for_each(|((p, z), slot)| {
                    let by_group = p.chunks_exact_mut(n_classes).zip(z.chunks_exact(n_classes));
                    for ((p, z), _) in by_group.zip(&folds).filter(|(_, fold)| **fold == rows.fold(slot)) {
                        normalise(z, p);
                    }
                });
                held.par_iter_mut().enumerate().for_each(|(at, held)| {
                    let (group, class) = (at / classes.len(), classes.start + at % classes.len());
                    let of_fold =
                        slots.clone().enumerate().filter(|&(_, slot)| rows.fold(slot) == folds[group]);
                    for (i, slot) in of_fold {
                        let p = probabilities[i * width + group * n_classes + class];
                        let is_positive = rows.class(slot) as usize == plan.classes[class];
                        held.push(p, rows.exact_weight(slot), is_positive);
                    }
                });
            });
            walks += 1;
            let areas: Vec<Option<f64>> = held.into_par_iter().map(|held| area(scoring, held)).collect();
            for (at, area) in areas.into_iter().enumerate() {
                scores[at / classes.len() * n_classes + classes.start + at % classes.len()] = area;
            }
        }
        joint.extend(
            some.iter()
                .zip(scores.chunks_exact(n_classes))
                .map(|(group, scores)| ((group.point, group.fold), mean_of_defined(scores))),
        );
    }
    walks
}

/// Sums over the rows of a fold, for the models of all classes at one penalty.
struct FoldSums {
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
                // The first in a tie, as in prediction.
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

/// The joint scores of all classes, by penalty and fold: log loss and Brier score of the probabilities scaled
/// to sum to 1, accuracy of the most probable class, and the mean F1 over the classes.
fn sum_jointly(
    scoring: Scoring,
    panels: &Panels,
    plan: &Plan<'_>,
    groups: &[Group<'_>],
    joint: &mut JointScores,
) -> usize {
    let (rows, n_classes) = (plan.rows, plan.classes.len());
    let mut walks = 0;
    for some in groups.chunks((MODELS_PER_WALK / n_classes).max(1)) {
        let columns = columns_of(some, panels.n_features());
        let zero = |group: &Group<'_>| FoldSums {
            fold: plan.folds.scored[group.fold].0,
            weight: 0.0,
            loss: 0.0,
            confusion: Confusion::new(n_classes),
        };
        let mut sums: Vec<FoldSums> = some.iter().map(zero).collect();
        walk(panels, &columns, |slots, z| {
            sums.par_iter_mut().enumerate().for_each(|(at, sums)| {
                let mut probabilities = vec![0.0; n_classes];
                for (z, slot) in z.chunks_exact(columns.n_models()).zip(slots.clone()) {
                    let weight = rows.exact_weight(slot);
                    if rows.fold(slot) == sums.fold && weight > 0.0 {
                        let z = &z[at * n_classes..][..n_classes];
                        sums.add(scoring, z, rows.class(slot) as usize, weight, &mut probabilities);
                    }
                }
            });
        });
        walks += 1;
        let scored = some.iter().zip(&sums);
        joint.extend(scored.map(|(group, sums)| ((group.point, group.fold), sums.score(scoring, n_classes))));
    }
    walks
}
