//! How good models are on the rows that they did not learn from.

use std::ops::Range;

use rayon::prelude::*;

use crate::config::Scoring;
use crate::metrics::{Confusion, multiclass_brier, multiclass_log_loss, normalise, ranking};
use crate::objective::{Coefficients, HeldOutSums, linear_predictor_of};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Float64 scores that are held at once.
const HELD_SCORES: usize = 1 << 26;

/// Panels whose scores of several models are made together.
const PANELS_AT_ONCE: usize = 64;

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

/// A model to be ranked: its class, the fold that it is scored on, its column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked<'a> {
    pub(super) class: u32,
    pub(super) fold: u32,
    pub(super) column: &'a [f64],
}

/// The exact rank scores of some models, each over the rows of its fold. Models are taken a few at a time, so that
/// never more scores are held than [`HELD_SCORES`] or those of one model.
pub(super) fn rank(
    scoring: Scoring,
    panels: &Panels,
    rows: &Rows,
    models: &[Ranked<'_>],
) -> Vec<Option<f64>> {
    let at_once = (HELD_SCORES / panels.n_rows().max(1)).max(1);
    let mut scores = Vec::with_capacity(models.len());
    for models in models.chunks(at_once) {
        let columns = Coefficients::from_columns(panels.n_features(), models.iter().map(|m| m.column));
        let z = linear_predictor_of(panels, 0..panels.n_panels(), &columns);
        let of = |(k, model): (usize, &Ranked<'_>)| {
            let scored = (0..rows.n_rows()).filter(|&slot| rows.fold(slot) == model.fold);
            let row = |slot: usize| {
                let weight = f64::from(rows.weight()[slot]);
                (z[slot * models.len() + k], weight, rows.class(slot) == model.class)
            };
            let ranking = ranking(scored.map(row).filter(|row| row.1 > 0.0).collect())?;
            Some(if scoring == Scoring::Auc { ranking.auc } else { ranking.average_precision })
        };
        scores.par_extend(models.par_iter().enumerate().map(of));
    }
    scores
}

/// All one-vs-rest models of a penalty: for each fold that is scored, its number and the columns of its classes.
pub(super) struct Joint<'a> {
    pub(super) folds: Vec<(u32, Vec<&'a [f64]>)>,
    pub(super) n_classes: usize,
}

/// Sums over the rows of a fold.
struct FoldSums {
    weight: f64,
    loss: f64,
    confusion: Confusion,
}

/// The scores of the classes' models together, by fold: log loss and Brier score of the probabilities scaled to sum
/// to 1, accuracy of the most probable class, F1 as the mean over the classes. One walk over X.
pub(super) fn jointly(scoring: Scoring, panels: &Panels, rows: &Rows, joint: &Joint<'_>) -> Vec<Option<f64>> {
    let n_classes = joint.n_classes;
    let columns = joint.folds.iter().flat_map(|(_, columns)| columns.iter().copied());
    let columns = Coefficients::from_columns(panels.n_features(), columns);
    let mut sums: Vec<FoldSums> = joint
        .folds
        .iter()
        .map(|_| FoldSums { weight: 0.0, loss: 0.0, confusion: Confusion::new(n_classes) })
        .collect();
    let mut probabilities = vec![0.0; n_classes];
    for first in (0..panels.n_panels()).step_by(PANELS_AT_ONCE) {
        let range = first..(first + PANELS_AT_ONCE).min(panels.n_panels());
        let z = linear_predictor_of(panels, range.clone(), &columns);
        for (slot, z) in slots(&range, rows).zip(z.chunks_exact(columns.n_models().max(1))) {
            let (fold, weight) = (rows.fold(slot), f64::from(rows.weight()[slot]));
            let Some(at) = joint.folds.iter().position(|(number, _)| *number == fold) else { continue };
            if weight == 0.0 {
                continue;
            }
            let (z, truth) = (&z[at * n_classes..][..n_classes], rows.class(slot) as usize);
            let sums = &mut sums[at];
            sums.weight += weight;
            match scoring {
                Scoring::LogLoss => sums.loss += weight * multiclass_log_loss(z, truth),
                Scoring::Brier => {
                    normalise(z, &mut probabilities);
                    sums.loss += weight * multiclass_brier(&probabilities, truth);
                }
                _ => {
                    // The first of equals, as everywhere.
                    let said = (0..n_classes).rev().max_by(|&a, &b| z[a].total_cmp(&z[b])).unwrap_or(0);
                    sums.confusion.add(truth, said, weight);
                }
            }
        }
    }
    let score = |sums: &FoldSums| {
        let score = match scoring {
            Scoring::LogLoss | Scoring::Brier => sums.loss / sums.weight,
            Scoring::Accuracy => sums.confusion.accuracy(),
            _ => (0..n_classes).map(|k| sums.confusion.class(k).f1).sum::<f64>() / n_classes as f64,
        };
        (sums.weight > 0.0).then_some(score)
    };
    sums.iter().map(score).collect()
}

/// The slots of some panels, padding not counted.
fn slots(panels: &Range<usize>, rows: &Rows) -> Range<usize> {
    panels.start * PANEL_ROWS..(panels.end * PANEL_ROWS).min(rows.n_rows())
}
