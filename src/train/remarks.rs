//! Sentences about the columns of a model, from its proof.

use rayon::prelude::*;

use crate::data::{ColumnKind, Dataset, Encoding};
use crate::engine::exact::linear_predictor;
use crate::model::centre_levels;
use crate::objective::{Coefficients, ModelSpec};
use crate::panels::PANEL_ROWS;
use crate::solver::Proof;

/// Share of a direction's largest part from which a feature is named.
const NAMED: f64 = 0.05;

/// Most names in a list.
const LISTED: usize = 5;

/// One sentence for each set of features that separates classes, or that the data leave undetermined.
pub(super) fn remarks(dataset: &Dataset, models: &[ModelSpec], proofs: &[Proof]) -> Vec<String> {
    let (encoding, classes) = (&dataset.encoding, &dataset.target.classes);
    let names = encoding.feature_names();
    let listed = |features: &[usize]| list(&features.iter().map(|&j| names[j].as_str()).collect::<Vec<_>>());
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for (model, proof) in models.iter().zip(proofs) {
        let class = classes[model.class as usize].as_str();
        let separating = proof.separating.as_ref().map(|direction| {
            let features = listed(&separating(dataset, model, direction));
            format!("no finite optimum without a penalty, because rows are separated by {features}")
        });
        let undetermined = undetermined(encoding, &proof.undetermined);
        let undetermined = (!undetermined.is_empty()).then(|| {
            format!(
                "not determined by these data, because they are combinations of other columns: {}",
                listed(&undetermined)
            )
        });
        let nearly = (proof.is_beyond_precision && !proof.nearly_dependent.is_empty()).then(|| {
            let doubt = match proof.is_too_large {
                true => "resolving such columns takes a copy of the table, and this table is too large for that",
                false => "the distance to the minimum is not known to eight digits",
            };
            format!(
                "so close to combinations of other columns that their differences are lost in rounding: {}; {doubt}; give the \
                 difference a column of its own, leave one out, or add a penalty",
                listed(&proof.nearly_dependent)
            )
        });
        for sentence in separating.into_iter().chain(undetermined).chain(nearly) {
            match said.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, classes)) => classes.push(class),
                None => said.push((sentence, vec![class])),
            }
        }
    }
    said.into_iter()
        .map(|(sentence, classes)| match classes.len() == models.len() {
            true => sentence,
            false => format!("{sentence} (class {})", list(&classes)),
        })
        .collect()
}

/// The features along which a direction separates.
///
/// With an intercept, all levels of a column may move by the same amount against the intercept, and no row
/// moves. So the parts of the levels are measured from the part of a level with some rows that do not move.
fn separating(dataset: &Dataset, model: &ModelSpec, direction: &[f64]) -> Vec<usize> {
    let (encoding, d) = (&dataset.encoding, dataset.encoding.n_features());
    let mut centred = Coefficients::from_columns(d, [direction]);
    centre_levels(encoding, &mut centred);
    let mut parts = centred.features(0).to_vec();
    let largest = |parts: &[f64]| parts.iter().fold(0.0, |largest: f64, part| largest.max(part.abs()));
    if encoding.intercept && encoding.columns.iter().any(|column| column.kind == ColumnKind::Categorical) {
        let moves = linear_predictor(&dataset.panels, &centred);
        let stays = NAMED * moves.iter().fold(0.0, |largest: f64, by| largest.max(by.abs()));
        let near = NAMED * largest(&parts);
        let mut first = 0;
        for column in &encoding.columns {
            let places = first..first + column.width();
            first = places.end;
            if column.kind == ColumnKind::Categorical {
                let has_unmoved = |j: usize| least_move(dataset, model, &moves, j) <= stays;
                let unmoved: Vec<usize> =
                    places.clone().into_par_iter().filter(|&j| has_unmoved(j)).collect();
                let of: Vec<f64> = match unmoved.is_empty() {
                    true => places.clone().map(|j| parts[j]).collect(),
                    false => unmoved.iter().map(|&j| parts[j]).collect(),
                };
                let shared = shared_part(of, near);
                parts[places].iter_mut().for_each(|part| *part -= shared);
            }
        }
    }
    let largest = largest(&parts);
    let mut named: Vec<usize> = (0..d).filter(|&j| parts[j].abs() >= NAMED * largest).collect();
    named.sort_by(|&a, &b| parts[b].abs().total_cmp(&parts[a].abs()));
    named
}

/// The smallest move of the rows that have a level; infinite if no row with a weight has it.
fn least_move(dataset: &Dataset, model: &ModelSpec, moves: &[f64], level: usize) -> f64 {
    let rows = &dataset.rows;
    let counts = |slot: usize| model.weight(rows.labels()[slot], rows.exact_weight(slot)) > 0.0;
    let (mut least, mut x) = (f64::INFINITY, [0.0; PANEL_ROWS]);
    for (p, moves) in moves.chunks(PANEL_ROWS).enumerate() {
        dataset.panels.widen(p, level, &mut x);
        for (i, by) in moves.iter().enumerate().filter(|&(i, _)| x[i] >= 1.0) {
            if by.abs() < least && counts(p * PANEL_ROWS + i) {
                least = by.abs();
            }
        }
    }
    least
}

/// The part that most others share, up to `near`.
fn shared_part(mut parts: Vec<f64>, near: f64) -> f64 {
    parts.sort_by(f64::total_cmp);
    let sharing = |part: f64| {
        parts.partition_point(|&other| other <= part + near)
            - parts.partition_point(|&other| other < part - near)
    };
    parts.iter().copied().max_by_key(|&part| sharing(part)).unwrap_or(0.0)
}

/// Leaves out one level of each column, which the other levels and the intercept always determine.
fn undetermined(encoding: &Encoding, features: &[usize]) -> Vec<usize> {
    let mut kept = Vec::new();
    let mut first = 0;
    for column in &encoding.columns {
        let own = first..first + column.width();
        first = own.end;
        let found: Vec<usize> = features.iter().copied().filter(|j| own.contains(j)).collect();
        let by_nature = usize::from(column.kind == ColumnKind::Categorical).min(found.len());
        kept.extend(&found[..found.len() - by_nature]);
    }
    kept
}

/// A list of names: the first ones, and the number of the others.
pub(super) fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
    let more =
        if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
