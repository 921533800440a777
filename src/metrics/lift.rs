//! Lift and gain: the share of positives among the highest scores.

use super::Ranked;

/// The rows between two quantiles of the ranking, best first.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LiftPart {
    /// Share of the weight from the top to the end of this part.
    pub share: f64,
    /// Lowest score of the part.
    pub score: f64,
    /// Gain: share of the positives from the top to the end of this part.
    pub gain: f64,
    /// Share of the positives in this part, divided by its share of the rows; 1 for an uninformative model.
    pub lift: f64,
    /// `gain / share`: the lift of this part and all parts above it.
    pub cumulative_lift: f64,
}

impl Ranked {
    /// The ranking in `n_parts` parts of equal weight (10: deciles); empty without positives.
    ///
    /// With G(q) the cumulative gain of the top share q of the weight,
    ///
    /// ```text
    /// lift_k = n (G(k / n) - G((k - 1) / n)),   cumulative_lift_k = G(k / n) / (k / n)
    /// ```
    ///
    /// G is linear within rows of equal score: a part that ends among them gets the number of positives that
    /// a random order of these rows would give on average.
    ///
    /// # References
    /// Vuk and Curk, ROC curve, lift chart and calibration plot, 2006. Hastie, Tibshirani and Friedman call
    /// it the gain chart.
    pub fn lift(&self, n_parts: usize) -> Vec<LiftPart> {
        let total = self.positive() + self.negative();
        let mut parts: Vec<LiftPart> = Vec::with_capacity(n_parts);
        if self.positive() <= 0.0 {
            return parts;
        }
        let stretches = self.stretches();
        for k in 1..n_parts {
            // Multiply first: exact if the parts are whole rows.
            let cut = k as f64 * total / n_parts as f64;
            let at = stretches.partition_point(|stretch| stretch.before[0] + stretch.before[1] < cut);
            let from = &stretches[at.saturating_sub(1)..];
            let [false_positives, mut true_positives] = from[0].before;
            let mut called = false_positives + true_positives;
            for step in from.iter().flat_map(|stretch| self.steps_of(stretch)) {
                let weight = step.positive + step.negative;
                if cut <= called + weight {
                    let gain = (true_positives + step.positive * ((cut - called) / weight)) / self.positive();
                    parts.push(part(n_parts, k as f64 / n_parts as f64, step.score, gain, parts.last()));
                    break;
                }
                true_positives += step.positive;
                called += weight;
            }
        }
        // The last part ends with the last row, despite the rounding of sums.
        if let Some(lowest) = self.lowest()
            && n_parts > 0
        {
            parts.push(part(n_parts, 1.0, lowest, 1.0, parts.last()));
        }
        parts
    }
}

fn part(n_parts: usize, share: f64, score: f64, gain: f64, before: Option<&LiftPart>) -> LiftPart {
    let lift = n_parts as f64 * (gain - before.map_or(0.0, |part| part.gain));
    LiftPart { share, score, gain, lift, cumulative_lift: gain / share }
}
