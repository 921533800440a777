//! Ranking scores: areas under curves.

use std::ops::Range;

use rayon::prelude::*;

use crate::config::Scoring;
use crate::engine::exact::linear_predictor_of;
use crate::metrics::Scores;
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::{PANEL_ROWS, Panels, Rows};

/// Scored rows held in memory for sorting, 16 bytes each; at least the rows of one fold.
const HELD_ROWS: usize = 1 << 23;

/// Linear predictors computed at once, for the rows of some panels and all models of the pass.
const PREDICTORS_AT_ONCE: usize = 1 << 20;

/// The exact ranking scores of models, each over the rows of the fold that it is scored on, a few models in
/// each pass. Also returns the number of passes over X.
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

/// Number of folds whose scores may be held for sorting at the same time.
pub(crate) fn rankings_at_once(rows: &Rows) -> usize {
    let fold_rows = rows.counts().folds().map(|counts| counts.iter().sum::<f64>());
    let largest = fold_rows.fold(1.0, f64::max);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    let at_once = HELD_ROWS / largest as usize;
    at_once.max(1)
}

/// Bytes of the held scores of `models` models, each over the rows of its fold, while the lists grow; and of
/// the linear predictors.
pub(crate) fn ranking_bytes(rows: usize, folds: usize, models: u64) -> u64 {
    let of_fold = (rows / folds.max(1)) as u64;
    let held = models.saturating_mul(of_fold).min(HELD_ROWS.max(rows) as u64);
    let predictors = (rows as u64).saturating_mul(models).min(PREDICTORS_AT_ONCE as u64);
    held.saturating_mul(24).saturating_add(predictors.saturating_mul(16))
}

/// The area under a curve; `None` if one side has no weight.
pub(crate) fn area(scoring: Scoring, held: Scores) -> Option<f64> {
    held.rank().ranking().map(|ranking| match scoring {
        Scoring::AveragePrecision => ranking.average_precision,
        _ => ranking.auc,
    })
}

/// One pass over X for some models: calls `with` with the slots of some panels and the predictors of their
/// rows.
pub(crate) fn walk(panels: &Panels, columns: &Coefficients, mut with: impl FnMut(Range<usize>, &[f64])) {
    let at_once = (PREDICTORS_AT_ONCE / (PANEL_ROWS * columns.n_models().max(1))).max(1);
    for first in (0..panels.n_panels()).step_by(at_once) {
        let range = first..(first + at_once).min(panels.n_panels());
        let z = linear_predictor_of(panels, range.clone(), columns);
        with(range.start * PANEL_ROWS..(range.end * PANEL_ROWS).min(panels.n_rows()), &z);
    }
}
