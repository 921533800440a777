//! Lift and gain: how many of the positives the highest scores hold.

use super::Ranked;

/// The rows between two quantiles of the ranking, best first.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LiftPart {
    /// Share of the weight from the top down to the end of this part.
    pub share: f64,
    /// Lowest score of the part.
    pub score: f64,
    /// Gain: share of the positives from the top down to the end of this part.
    pub gain: f64,
    /// Share of the positives in this part by its share of the rows: 1 for a model that knows nothing.
    pub lift: f64,
    /// `gain / share`: the lift of this part and all better ones.
    pub cumulative_lift: f64,
}

impl Ranked {
    /// The ranking in `n_parts` parts of equal weight (10: deciles), or nothing without positives.
    ///
    /// With G the cumulative gain as a function of the share q of the weight, from the top down,
    ///
    /// ```text
    /// lift_k = n (G(k / n) - G((k - 1) / n)),   cumulative_lift_k = G(k / n) / (k / n)
    /// ```
    ///
    /// G is linear inside rows of equal score: a part that ends among them holds as many positives as
    /// it would on average if their order were drawn by lot.
    ///
    /// # References
    /// Hastie, Tibshirani and Friedman speak of the gain chart; Vuk and Curk, ROC curve, lift chart and
    /// calibration plot, 2006.
    pub fn lift(&self, n_parts: usize) -> Vec<LiftPart> {
        let total = self.positive() + self.negative();
        let mut parts: Vec<LiftPart> = Vec::with_capacity(n_parts);
        if self.positive() <= 0.0 {
            return parts;
        }
        let (mut true_positives, mut called) = (0.0, 0.0);
        for step in self.steps() {
            let weight = step.positive + step.negative;
            while parts.len() < n_parts {
                let k = (parts.len() + 1) as f64;
                // Multiplied first: exact where the parts are whole rows.
                let inside = k * total / n_parts as f64 - called;
                // The last part ends with the last row, whatever its sum was rounded to.
                if inside > weight || parts.len() + 1 == n_parts {
                    break;
                }
                let gain = (true_positives + step.positive * (inside / weight)) / self.positive();
                parts.push(part(n_parts, k / n_parts as f64, step.score, gain, parts.last()));
            }
            true_positives += step.positive;
            called += weight;
        }
        if let Some(last) = self.steps().last()
            && n_parts > 0
        {
            parts.push(part(n_parts, 1.0, last.score, 1.0, parts.last()));
        }
        parts
    }
}

fn part(n_parts: usize, share: f64, score: f64, gain: f64, before: Option<&LiftPart>) -> LiftPart {
    let lift = n_parts as f64 * (gain - before.map_or(0.0, |part| part.gain));
    LiftPart { share, score, gain, lift, cumulative_lift: gain / share }
}
