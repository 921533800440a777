//! Tail probabilities and quantiles of the normal distribution.

use std::f64::consts::{PI, SQRT_2};

/// `P(|Z| >= |z|)` of a standard normal Z.
pub fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / SQRT_2)
}

/// The z with `P(|Z| < z) = confidence`, for a confidence between 0 and 1. Newton's method solves for the
/// logarithm of the tail. It is concave, so from the second step on z decreases towards the solution.
pub fn central_quantile(confidence: f64) -> f64 {
    let tail = (1.0 - confidence).ln();
    let mut z = 1.0;
    for _ in 0..100 {
        let p = two_sided(z);
        let step = (p.ln() - tail) * p / ((-0.5 * z * z).exp() * (2.0 / PI).sqrt());
        z += step;
        if step.abs() <= 1e-15 * z {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tails_are_those_of_the_tables() {
        // scipy.stats.norm.ppf((1 + c) / 2).
        for (confidence, z) in
            [(0.5, 0.674_489_750_196_081_7), (0.95, 1.959_963_984_540_054), (0.999, 3.290_526_731_491_926)]
        {
            assert!((central_quantile(confidence) - z).abs() < 1e-13, "{}", central_quantile(confidence));
            assert!((two_sided(z) - (1.0 - confidence)).abs() < 1e-15, "{}", two_sided(z));
        }
        for confidence in [1e-6, 0.9, 1.0 - 1e-12] {
            let tail = two_sided(central_quantile(confidence));
            assert!((tail - (1.0 - confidence)).abs() < 1e-12 * (1.0 - confidence), "{tail}");
        }
    }
}
