//! How good models are on the rows that they did not learn from.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::plan::Plan;
use super::waves::{JointScores, Outcome};
use crate::config::Scoring;
use crate::metrics::{Confusion, Scores, multiclass_brier, multiclass_log_loss, normalise};
use crate::objective::{Coefficients, HeldOutSums, linear_predictor_of};
use crate::panels::{PANEL_ROWS, Panels};

/// Scored rows that are held to be sorted: 16 bytes each, but never fewer than those of one model's fold.
const HELD_ROWS: usize = 1 << 23;

/// Predictors that are made at once, of the rows of some panels and all models of a walk.
const PREDICTORS_AT_ONCE: usize = 1 << 20;

/// Models of a walk where all classes of a penalty are scored together.
const MODELS_PER_WALK: usize = 512;

impl Scoring {
    /// Whether larger scores are better.
    pub fn is_greater_better(self) -> bool {
        !matches!(self, Self::LogLoss | Self::Brier)
    }

    /// Whether it needs the order of all rows, rather than sums over them.
    pub(super) fn is_ranking(self) -> bool {
        matches!(self, Self::Auc | Self::AveragePrecision)
    }

    /// The score as a loss: smaller is better.
    pub(super) fn loss(self, score: f64) -> f64 {
        if self.is_greater_better() { -score } else { score }
    }
}

/// The score of a model by sums over its held-out fold; none where the fold has no weight.
pub(super) fn of_sums(scoring: Scoring, sums: &HeldOutSums) -> Option<f64> {
    let all = sums.weight[0] + sums.weight[1];
    let hits = sums.weight[1] - sums.wrong[1];
    let score = match scoring {
        Scoring::LogLoss => sums.loss / all,
        Scoring::Brier => sums.squares / all,
        Scoring::Accuracy => 1.0 - (sums.wrong[0] + sums.wrong[1]) / all,
        Scoring::F1 => {
            let said_or_is = 2.0 * hits + sums.wrong[0] + sums.wrong[1];
            if said_or_is > 0.0 { 2.0 * hits / said_or_is } else { 0.0 }
        }
        Scoring::Auc | Scoring::AveragePrecision => return None,
    };
    (all > 0.0).then_some(score)
}

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
        walks += rank(scoring, panels, plan, outcomes);
    }
    if together {
        let outcomes = &*outcomes;
        // By point and fold: the outcome of each class. A fold without one of its models has no joint score.
        let mut whole: BTreeMap<(usize, usize), Vec<&Outcome>> = BTreeMap::new();
        for outcome in outcomes {
            whole.entry((outcome.member.point, outcome.member.fold)).or_default().push(outcome);
        }
        whole.retain(|_, models| models.len() == plan.classes.len());
        whole.values_mut().for_each(|models| models.sort_by_key(|outcome| outcome.member.class));
        if scoring.is_ranking() {
            joint.extend(
                whole.iter().map(|(key, models)| (*key, mean_of_all(models.iter().map(|m| m.score)))),
            );
        } else {
            walks += jointly(scoring, panels, plan, &whole, joint);
        }
    }
    walks
}

/// The mean of scores, if there is every one.
fn mean_of_all(scores: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let scores: Vec<f64> = scores.collect::<Option<_>>()?;
    Some(scores.iter().sum::<f64>() / scores.len().max(1) as f64)
}

/// Walks over X once for some models: calls `with` with the slots of some panels and the predictors of their rows.
fn walk(panels: &Panels, columns: &Coefficients, mut with: impl FnMut(Range<usize>, &[f64])) {
    let at_once = (PREDICTORS_AT_ONCE / (PANEL_ROWS * columns.n_models().max(1))).max(1);
    for first in (0..panels.n_panels()).step_by(at_once) {
        let range = first..(first + at_once).min(panels.n_panels());
        let z = linear_predictor_of(panels, range.clone(), columns);
        with(range.start * PANEL_ROWS..(range.end * PANEL_ROWS).min(panels.n_rows()), &z);
    }
}

/// The exact rank scores of models, each over the rows of its fold, a few models at a time.
fn rank(scoring: Scoring, panels: &Panels, plan: &Plan<'_>, outcomes: &mut [Outcome]) -> usize {
    let rows = plan.rows;
    let fold_rows: Vec<f64> = rows.counts().folds().map(|counts| counts.iter().sum()).collect();
    let number = |outcome: &Outcome| plan.folds.scored[outcome.member.fold].0;
    let largest = fold_rows.iter().fold(1.0, |a: f64, &b| a.max(b));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    let at_once = (HELD_ROWS / largest as usize).max(1);
    let mut walks = 0;
    for some in outcomes.chunks_mut(at_once) {
        let columns =
            Coefficients::from_columns(panels.n_features(), some.iter().map(|o| o.column.as_slice()));
        let mut held = vec![Scores::weighted(); some.len()];
        walk(panels, &columns, |slots, z| {
            held.par_iter_mut().zip(some.par_iter()).enumerate().for_each(|(k, (held, outcome))| {
                let fold = number(outcome);
                for (i, slot) in slots.clone().enumerate().filter(|&(_, slot)| rows.fold(slot) == fold) {
                    let weight = f64::from(rows.weight()[slot]);
                    let is_positive = rows.class(slot) == outcome.model.class;
                    held.push(z[i * columns.n_models() + k], weight, is_positive);
                }
            });
        });
        walks += 1;
        some.par_iter_mut().zip(held).for_each(|(outcome, held)| {
            outcome.score = held.rank().ranking().map(|ranking| match scoring {
                Scoring::Auc => ranking.auc,
                _ => ranking.average_precision,
            });
        });
    }
    walks
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
