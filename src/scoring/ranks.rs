//! Scores by the order of the rows: areas under curves.

use std::ops::Range;

use rayon::prelude::*;

use crate::config::Scoring;
use crate::metrics::Scores;
use crate::objective::{Coefficients, ModelSpec, linear_predictor_of};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Scored rows that are held to be sorted: 16 bytes each, but never fewer than those of one model's fold.
const HELD_ROWS: usize = 1 << 23;

/// Predictors that are made at once, of the rows of some panels and all models of a walk.
const PREDICTORS_AT_ONCE: usize = 1 << 20;

/// The exact rank scores of models, each over the rows of the fold that it is scored on, a few models at a time; and the
/// readings of X that this took.
///
/// # Panics
/// If the shapes disagree.
pub fn rank(
    scoring: Scoring,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    coefficients: &Coefficients,
) -> (Vec<Option<f64>>, usize) {
    assert_eq!(models.len(), coefficients.n_models(), "a column of coefficients for each model");
    let at_once = rankings_at_once(rows);
    let (mut scores, mut readings) = (Vec::with_capacity(models.len()), 0);
    for some in models.chunks(at_once) {
        let members: Vec<usize> = (scores.len()..scores.len() + some.len()).collect();
        let mut held = vec![Scores::weighted(); some.len()];
        walk(panels, &coefficients.select(&members), |slots, z| {
            held.par_iter_mut().zip(some).enumerate().for_each(|(k, (held, model))| {
                let fold = model.held_out.scored();
                for (i, slot) in slots.clone().enumerate().filter(|&(_, slot)| Some(rows.fold(slot)) == fold)
                {
                    let weight = rows.exact_weight(slot);
                    held.push(z[i * some.len() + k], weight, rows.class(slot) == model.class);
                }
            });
        });
        readings += 1;
        scores.par_extend(held.into_par_iter().map(|held| area(scoring, held)));
    }
    (scores, readings)
}

/// Folds whose scores may be held to be sorted at the same time.
pub(crate) fn rankings_at_once(rows: &Rows) -> usize {
    let fold_rows = rows.counts().folds().map(|counts| counts.iter().sum::<f64>());
    let largest = fold_rows.fold(1.0, f64::max);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    let at_once = HELD_ROWS / largest as usize;
    at_once.max(1)
}

/// Bytes of the scores of so many models that are held to be sorted, each over the rows of its fold, while their lists
/// grow; and of the predictors that they come from.
pub(crate) fn ranking_bytes(rows: usize, folds: usize, models: u64) -> u64 {
    let of_fold = (rows / folds.max(1)) as u64;
    let held = models.saturating_mul(of_fold).min(HELD_ROWS.max(rows) as u64);
    let predictors = (rows as u64).saturating_mul(models).min(PREDICTORS_AT_ONCE as u64);
    held.saturating_mul(24).saturating_add(predictors.saturating_mul(16))
}

/// The area under a curve; none where one side has no weight.
pub(crate) fn area(scoring: Scoring, held: Scores) -> Option<f64> {
    held.rank().ranking().map(|ranking| match scoring {
        Scoring::AveragePrecision => ranking.average_precision,
        _ => ranking.auc,
    })
}

/// Walks over X once for some models: calls `with` with the slots of some panels and the predictors of their rows.
pub(crate) fn walk(panels: &Panels, columns: &Coefficients, mut with: impl FnMut(Range<usize>, &[f64])) {
    let at_once = (PREDICTORS_AT_ONCE / (PANEL_ROWS * columns.n_models().max(1))).max(1);
    for first in (0..panels.n_panels()).step_by(at_once) {
        let range = first..(first + at_once).min(panels.n_panels());
        let z = linear_predictor_of(panels, range.clone(), columns);
        with(range.start * PANEL_ROWS..(range.end * PANEL_ROWS).min(panels.n_rows()), &z);
    }
}
