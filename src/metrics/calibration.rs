//! Calibration: compares predicted probabilities with observed shares.

/// Sums over equal bins of [0, 1]: a histogram of probabilities for each side, and calibration.
///
/// Bin k of n holds `k / n < p <= (k + 1) / n`; the first bin also holds 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreBins {
    /// Weight of the negatives in each bin.
    negative: Vec<f64>,
    /// Weight of the positives in each bin.
    positive: Vec<f64>,
    /// Sum of `s p` in each bin.
    probability: Vec<f64>,
}

/// A bin of probabilities; an empty bin has no means.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bin {
    /// Exclusive lower edge (inclusive in the first bin).
    pub lower: f64,
    /// Inclusive upper edge.
    pub upper: f64,
    /// Weight of the rows in the bin.
    pub weight: f64,
    /// Their mean probability.
    pub mean_probability: Option<f64>,
    /// Share of the rows that is positive.
    pub observed: Option<f64>,
}

/// A reliability diagram and its summary.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Calibration {
    /// Expected calibration error: `sum_b s_b |mean_probability_b - observed_b| / S`, between 0 and 1.
    pub ece: f64,
    /// The bins, ascending, including empty ones.
    pub bins: Vec<Bin>,
}

impl ScoreBins {
    /// Empty, with `n_bins` bins.
    pub fn new(n_bins: usize) -> Self {
        let zeros = vec![0.0; n_bins.max(1)];
        Self { negative: zeros.clone(), positive: zeros.clone(), probability: zeros }
    }

    /// Adds a row.
    pub fn add(&mut self, probability: f64, weight: f64, is_positive: bool) {
        let n_bins = self.probability.len();
        let place = probability * n_bins as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let mut bin = (place as usize).min(n_bins - 1);
        // An edge belongs to the lower bin; near an edge the product is rounded, so compare with the edge
        // itself.
        if place - bin as f64 <= 1e-9 {
            while bin > 0 && probability <= bin as f64 / n_bins as f64 {
                bin -= 1;
            }
        }
        let side = if is_positive { &mut self.positive } else { &mut self.negative };
        side[bin] += weight;
        self.probability[bin] += weight * probability;
    }

    /// Adds the sums of `other`, which has the same number of bins.
    pub fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.negative, &other.negative),
            (&mut self.positive, &other.positive),
            (&mut self.probability, &other.probability),
        ];
        for (sums, others) in pairs {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
    }

    /// The histogram: weight of the negatives and of the positives in each bin.
    pub fn histogram(&self) -> (&[f64], &[f64]) {
        (&self.negative, &self.positive)
    }

    /// Compares the mean probability with the observed share in each bin.
    ///
    /// # References
    /// Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning,
    /// 2015 (the error); scikit-learn, `calibration_curve` with `strategy="uniform"` (the bins).
    pub fn calibration(&self) -> Calibration {
        let n_bins = self.probability.len();
        Calibration::new((0..n_bins).map(|k| {
            let edges = (k as f64 / n_bins as f64, (k + 1) as f64 / n_bins as f64);
            (edges, self.positive[k], self.negative[k], self.probability[k])
        }))
    }
}

impl Calibration {
    /// From `((lower, upper), weight of the positives, of the negatives, sum of s p)` of each bin.
    fn new(bins: impl Iterator<Item = ((f64, f64), f64, f64, f64)>) -> Self {
        let bins: Vec<Bin> = bins
            .map(|((lower, upper), positive, negative, probability)| {
                let weight = positive + negative;
                let some = |value: f64| (weight > 0.0).then(|| value / weight);
                Bin { lower, upper, weight, mean_probability: some(probability), observed: some(positive) }
            })
            .collect();
        let total: f64 = bins.iter().map(|bin| bin.weight).sum();
        let off =
            bins.iter().filter_map(|bin| Some(bin.weight * (bin.mean_probability? - bin.observed?).abs()));
        Self { ece: if total > 0.0 { off.sum::<f64>() / total } else { 0.0 }, bins }
    }
}
