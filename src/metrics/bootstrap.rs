//! Bootstrap resamples of the rows, and confidence intervals.

/// Increment of the splitmix64 counter.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// `2^32 P(X <= k)` of a Poisson variable X of mean 1, for k = 0, 1, ..; the rest is below 2^-32.
const CUMULATIVE: [u32; 13] = cumulative();

const fn cumulative() -> [u32; 13] {
    let (mut out, mut k) = ([0; 13], 0);
    let (mut term, mut sum) = (1.0 / std::f64::consts::E, 0.0);
    while k < 13 {
        sum += term;
        // Truncated: the last values round to 2^32, which does not fit u32.
        out[k] = (sum * 4_294_967_296.0) as u32;
        k += 1;
        term /= k as f64;
    }
    out
}

/// How often each replicate from `first` on contains `row`: one count for each of `counts`.
///
/// The counts are independent Poisson variables of mean 1, the limit of drawing n of n rows with replacement.
/// They depend only on seed, row and replicate. So a table may be read block by block, several times, by any
/// number of threads, and models are compared on the same resamples.
///
/// # References
/// Hanley and MacGibbon, Creating non-parametric bootstrap samples using Poisson frequencies, 2006;
/// Chamandy et al., Estimating uncertainty for massive data streams, 2012; Steele, Lea and Flood, Fast
/// splittable pseudorandom number generators, 2014 (splitmix64).
#[inline(always)]
pub fn poisson_counts(seed: u64, row: u64, first: usize, counts: &mut [f64]) {
    let start = mix(mix(seed).wrapping_add(row.wrapping_mul(GOLDEN)));
    // Two counts from the two halves of each 64-bit number.
    for (i, pair) in counts.chunks_mut(2).enumerate() {
        let random = mix(start.wrapping_add((first as u64 / 2 + i as u64 + 1).wrapping_mul(GOLDEN)));
        for (count, half) in pair.iter_mut().zip([random as u32, (random >> 32) as u32]) {
            *count = f64::from(poisson(half));
        }
    }
}

/// The smallest count for each leading byte.
const SMALLEST: [u8; 256] = smallest();

const fn smallest() -> [u8; 256] {
    let (mut out, mut byte) = ([0; 256], 0);
    while byte < 256 {
        while CUMULATIVE[out[byte] as usize] <= (byte as u32) << 24 {
            out[byte] += 1;
        }
        byte += 1;
    }
    out
}

/// The Poisson variable for a uniform one.
#[inline(always)]
fn poisson(uniform: u32) -> u32 {
    let mut count = usize::from(SMALLEST[(uniform >> 24) as usize]);
    // At most one step, except for the last byte.
    while count < CUMULATIVE.len() && uniform >= CUMULATIVE[count] {
        count += 1;
    }
    count as u32
}

/// The output function of splitmix64.
#[inline(always)]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Standard deviation of the estimate.
    pub standard_error: f64,
}

impl Interval {
    /// The percentile interval of a metric's replicates, without those that are NaN. `None` if fewer than two
    /// remain.
    ///
    /// Quantiles interpolate linearly, as in numpy.
    ///
    /// # References
    /// Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 13.
    pub fn of_replicates(replicates: impl IntoIterator<Item = f64>, confidence: f64) -> Option<Self> {
        let mut sorted: Vec<f64> = replicates.into_iter().filter(|value| value.is_finite()).collect();
        if sorted.len() < 2 {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let quantile = |q: f64| {
            let at = q * (n - 1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n - 1")]
            let below = at.floor() as usize;
            let above = (below + 1).min(sorted.len() - 1);
            sorted[below] + (at - at.floor()) * (sorted[above] - sorted[below])
        };
        let mean = sorted.iter().sum::<f64>() / n;
        let variance = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let tail = (1.0 - confidence) / 2.0;
        Some(Self { lower: quantile(tail), upper: quantile(1.0 - tail), standard_error: variance.sqrt() })
    }

    /// `value +- z standard_error`, with z the normal quantile of `confidence`.
    pub fn normal(value: f64, standard_error: f64, confidence: f64) -> Self {
        let half = super::normal::central_quantile(confidence) * standard_error;
        Self { lower: value - half, upper: value + half, standard_error }
    }

    /// The interval, clipped to [0, 1].
    pub fn within_unit(self) -> Self {
        Self { lower: self.lower.max(0.0), upper: self.upper.min(1.0), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_poisson_and_uncorrelated() {
        let (rows, replicates) = (2000, 100);
        let draw = |row: usize| {
            let mut counts = vec![0.0; replicates];
            poisson_counts(7, row as u64, 0, &mut counts);
            counts
        };
        let all: Vec<Vec<f64>> = (0..rows).map(draw).collect();
        let n = (rows * replicates) as f64;
        let mean = |value: &dyn Fn(usize, usize) -> f64| {
            (0..rows)
                .flat_map(|i| (0..replicates).map(move |r| (i, r)))
                .map(|(i, r)| value(i, r))
                .sum::<f64>()
                / n
        };
        // 200,000 draws: the standard error of each mean is below 0.005.
        assert!((mean(&|i, r| all[i][r]) - 1.0).abs() < 0.01);
        assert!((mean(&|i, r| (all[i][r] - 1.0).powi(2)) - 1.0).abs() < 0.025);
        assert!((mean(&|i, r| f64::from(all[i][r] == 0.0)) - (-1.0_f64).exp()).abs() < 0.005);
        let next_row = mean(&|i, r| (all[i][r] - 1.0) * (all[(i + 1) % rows][r] - 1.0));
        let next_replicate = mean(&|i, r| (all[i][r] - 1.0) * (all[i][(r + 1) % replicates] - 1.0));
        assert!(next_row.abs() < 0.01 && next_replicate.abs() < 0.01, "{next_row} {next_replicate}");
    }

    #[test]
    fn counts_do_not_depend_on_how_replicates_are_cut() {
        let (mut whole, mut part) = ([0.0; 64], [0.0; 32]);
        poisson_counts(1, 99, 0, &mut whole);
        poisson_counts(1, 99, 32, &mut part);
        assert_eq!(whole[32..], part);
    }

    #[test]
    fn percentile_intervals_are_quantiles_of_the_replicates() {
        let interval = Interval::of_replicates((0..=100).map(f64::from), 0.5).unwrap();
        assert_eq!((interval.lower, interval.upper), (25.0, 75.0));
        assert_eq!(Interval::of_replicates([f64::NAN, 1.0], 0.9), None);
    }
}
