//! Metrics of probabilities. They take linear predictors, so that no probability is rounded to 0 or 1.

use crate::objective::{log1pexp, sigmoid};

/// `-log p(y | z) = log(1 + exp(z)) - y z`, computed without cancellation.
pub fn binary_log_loss(z: f64, is_positive: bool) -> f64 {
    if is_positive { log1pexp(-z) } else { log1pexp(z) }
}

/// `(p - y)^2`.
pub fn binary_brier(z: f64, is_positive: bool) -> f64 {
    // For y = 1, p - 1 = -sigmoid(-z) avoids the cancellation.
    let off = if is_positive { sigmoid(-z) } else { sigmoid(z) };
    off * off
}

/// One-vs-rest probabilities `sigmoid(z_k)` scaled to sum to 1, as scikit-learn does.
///
/// Computed through logarithms, so that classes keep their order even if all probabilities underflow:
///
/// ```text
/// log p_k = -log(1 + exp(-z_k)) - log sum_j exp(-log(1 + exp(-z_j)))
/// ```
pub fn normalise(z: &[f64], probabilities: &mut [f64]) {
    let log_sum = log_sum_sigmoid(z);
    for (p, &z) in probabilities.iter_mut().zip(z) {
        *p = (-log1pexp(-z) - log_sum).exp();
    }
}

/// `-log p_class` of the scaled one-vs-rest probabilities.
pub fn multiclass_log_loss(z: &[f64], class: usize) -> f64 {
    log1pexp(-z[class]) + log_sum_sigmoid(z)
}

/// `sum_k (p_k - [k = class])^2`, between 0 and 2.
pub fn multiclass_brier(probabilities: &[f64], class: usize) -> f64 {
    let off = |(k, p): (usize, &f64)| (p - f64::from(u8::from(k == class))).powi(2);
    probabilities.iter().enumerate().map(off).sum()
}

/// `log sum_k sigmoid(z_k)`.
fn log_sum_sigmoid(z: &[f64]) -> f64 {
    let largest = z.iter().map(|&z| -log1pexp(-z)).fold(f64::NEG_INFINITY, f64::max);
    z.iter().map(|&z| (-log1pexp(-z) - largest).exp()).sum::<f64>().ln() + largest
}
