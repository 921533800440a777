//! What a proof says of a model's columns, for people.

use crate::data::{ColumnKind, Encoding};
use crate::model::centre_levels;
use crate::objective::{Coefficients, ModelSpec};
use crate::solver::Proof;

/// Share of the largest part of a direction from which a feature is named.
const NAMED: f64 = 0.05;

/// Names listed at most.
const LISTED: usize = 5;

/// One sentence for each set of features that separates classes, or that the data leave undetermined.
pub(super) fn remarks(
    encoding: &Encoding,
    models: &[ModelSpec],
    classes: &[String],
    proofs: &[Proof],
) -> Vec<String> {
    let names = encoding.feature_names();
    let listed = |features: &[usize]| list(&features.iter().map(|&j| names[j].as_str()).collect::<Vec<_>>());
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for (model, proof) in models.iter().zip(proofs) {
        let class = classes[model.class as usize].as_str();
        let separating = proof.separating.as_ref().map(|direction| {
            let features = listed(&separating(encoding, direction));
            format!("no finite optimum without a penalty, as rows are separated by {features}")
        });
        let is_sure = |feature: &usize| !proof.nearly_dependent.contains(feature);
        let undetermined: Vec<usize> = proof.undetermined.iter().copied().filter(is_sure).collect();
        let undetermined = self::undetermined(encoding, &undetermined);
        let undetermined = (!undetermined.is_empty()).then(|| {
            format!(
                "not determined by these data, as combinations of other columns: {}",
                listed(&undetermined)
            )
        });
        let nearly = (proof.is_beyond_precision && !proof.nearly_dependent.is_empty()).then(|| {
            format!(
                "nearly combinations of other columns, so that rounding of their values leaves the objective fewer than \
                 eight digits: {}; give the difference a column of its own, leave one out, or add a penalty",
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

/// The features that a direction goes along. Levels are taken from their mean, which the intercept could move.
fn separating(encoding: &Encoding, direction: &[f64]) -> Vec<usize> {
    let d = encoding.n_features();
    let mut centred = Coefficients::from_columns(d, [direction]);
    centre_levels(encoding, &mut centred);
    let parts = centred.features(0);
    let largest = parts.iter().fold(0.0, |largest: f64, part| largest.max(part.abs()));
    let mut named: Vec<usize> = (0..d).filter(|&j| parts[j].abs() >= NAMED * largest).collect();
    named.sort_by(|&a, &b| parts[b].abs().total_cmp(&parts[a].abs()));
    named
}

/// Without the one level of each column that the others and the intercept always give.
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

/// Names for people: the first ones, and how many more.
pub(super) fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
    let more =
        if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
