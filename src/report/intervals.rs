//! Statistics from the training rows, for a page.

use super::text::{count, number, score, significant};
use crate::inference::{Covariance, Inference, ModelInference};

/// The statistics of the model of a class.
pub(super) fn of_class<'a>(inference: &'a Inference, class: &str) -> Option<&'a ModelInference> {
    inference.models.iter().find(|model| model.class == class)
}

/// The kind of a model's intervals.
pub(super) fn what_intervals(inference: &Inference, model: &ModelInference) -> String {
    let share = number(100.0 * inference.confidence);
    match model.covariance {
        Covariance::Posterior => format!("{share}% credible intervals of shrunk estimates"),
        Covariance::Information => format!("{share}% confidence intervals"),
        Covariance::Hc0 | Covariance::Hc1 => format!("{share}% robust confidence intervals"),
    }
}

/// Facts about the fit of a model.
pub(super) fn facts(inference: &Inference, model: &ModelInference) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Intervals", what_intervals(inference, model))];
    facts.push(("Training rows", count(inference.rows as f64)));
    if model.covariance != Covariance::Posterior && !inference.references.is_empty() {
        facts.push(("Levels are compared with", inference.references.join(", ")));
    }
    if let Some(test) = &model.likelihood_ratio {
        let p = if test.p_value > 0.0 {
            number(test.p_value)
        } else {
            format!("10^{}", number(test.log10_p_value.round()))
        };
        facts.push(("Likelihood-ratio test", format!("chi2({}) = {}, p = {p}", test.df, long(test.chi2))));
    }
    facts.extend(model.mcfadden_r2.map(|r2| ("McFadden R2", score(r2))));
    facts.extend(model.aic.map(|aic| ("AIC", long(aic))));
    facts.extend(model.bic.map(|bic| ("BIC", long(bic))));
    facts.extend(model.condition_number.map(|found| ("Condition number", number(found))));
    facts
}

/// Eight significant digits: models are compared by small differences of large numbers.
fn long(x: f64) -> String {
    significant(x, 8)
}

/// Warnings about the intervals.
pub(super) fn warnings(inference: &Inference, model: &ModelInference) -> Vec<String> {
    inference.warnings.iter().chain(&model.warnings).cloned().collect()
}
