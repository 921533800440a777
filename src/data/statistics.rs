//! Weighted mean and variance, summed in a fixed order.

/// Weight, mean and sum of squared deviations of some values.
///
/// Merging two of these loses no digits to a large mean (Chan and others, Algorithms for computing the sample
/// variance, 1983).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) weight: f64,
    pub(crate) mean: f64,
    pub(crate) m2: f64,
    /// The smallest and largest value. They are always in the units of the column, so that they are equal
    /// only for a constant column, even where rounding loses the deviations.
    pub(crate) range: Range,
}

/// The smallest and the largest of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self { least: f64::INFINITY, most: f64::NEG_INFINITY }
    }
}

impl Range {
    /// The range of the values that are not NaN, computed in lanes so that it can be vectorised.
    pub(crate) fn of(values: &[f64]) -> Self {
        const LANES: usize = 8;
        let (mut least, mut most) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let (chunks, rest) = values.as_chunks::<LANES>();
        for x in chunks {
            for lane in 0..LANES {
                // One comparison each; `f64::min` would also test for NaN.
                least[lane] = if x[lane] < least[lane] { x[lane] } else { least[lane] };
                most[lane] = if x[lane] > most[lane] { x[lane] } else { most[lane] };
            }
        }
        let mut range = Self::default();
        rest.iter().for_each(|&value| range.add(value));
        least.into_iter().zip(most).for_each(|(least, most)| range.merge(Self { least, most }));
        range
    }

    /// Adds a value, unless it is NaN.
    fn add(&mut self, value: f64) {
        self.least = if value < self.least { value } else { self.least };
        self.most = if value > self.most { value } else { self.most };
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self { weight: 0.0, mean: 0.0, m2: 0.0, range: Range::default() }
    }
}

impl Moments {
    /// From the sums of weights, weighted values and weighted squares.
    pub(crate) fn from_sums(weight: f64, sum: f64, squares: f64, range: Range) -> Self {
        if weight > 0.0 {
            let mean = sum / weight;
            Self { weight, mean, m2: squares - sum * mean, range }
        } else {
            Self::default()
        }
    }

    /// Adds the moments of other values of the same column.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.weight > 0.0 {
            let weight = self.weight + other.weight;
            let apart = other.mean - self.mean;
            self.mean += apart * (other.weight / weight);
            self.m2 += other.m2 + apart * apart * (self.weight * other.weight / weight);
            self.weight = weight;
            self.range.merge(other.range);
        }
    }

    /// Whether no value was NaN, and neither values nor squares overflowed.
    pub(crate) fn is_finite(&self) -> bool {
        self.mean.is_finite() && self.m2.is_finite()
    }

    /// The moments of `centre + scale * value`.
    pub(crate) fn unscale(&self, centre: f64, scale: f64) -> Self {
        Self { mean: centre + scale * self.mean, m2: self.m2 * scale * scale, ..*self }
    }
}

/// Appends `u = (x - centre) / scale` to `out` as float32. Returns the moments of u.
///
/// The sums are kept in eight lanes, so that they can be vectorised with a fixed order of additions.
pub(crate) fn standardise(values: &[f64], centre: f64, scale: f64, out: &mut Vec<f32>) -> Moments {
    let inverse = 1.0 / scale;
    let (mut sums, mut squares) = ([0.0_f64; 8], [0.0_f64; 8]);
    let start = out.len();
    out.resize(start + values.len(), 0.0);
    let mut chunks = values.chunks_exact(8);
    let mut written = out[start..].chunks_exact_mut(8);
    for (x, o) in (&mut chunks).zip(&mut written) {
        for lane in 0..8 {
            let u = (x[lane] - centre) * inverse;
            sums[lane] += u;
            squares[lane] += u * u;
            o[lane] = narrow(u);
        }
    }
    for (lane, (x, o)) in chunks.remainder().iter().zip(written.into_remainder()).enumerate() {
        let u = (x - centre) * inverse;
        sums[lane] += u;
        squares[lane] += u * u;
        *o = narrow(u);
    }
    // The range takes a second loop: sums and extremes together need too many registers.
    Moments::from_sums(values.len() as f64, sums.iter().sum(), squares.iter().sum(), Range::of(values))
}

/// [`standardise`] for weighted values. NaN means null: it stays NaN and does not enter the moments.
pub(crate) fn standardise_weighted(
    values: &[f64],
    weights: impl Iterator<Item = f64>,
    centre: f64,
    scale: f64,
    out: &mut Vec<f32>,
) -> Moments {
    let inverse = 1.0 / scale;
    let (mut weight, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let mut range = Range::default();
    for (&x, w) in values.iter().zip(weights) {
        let u = (x - centre) * inverse;
        out.push(narrow(u));
        // A value of weight 0 must not enter: its square may overflow.
        if !u.is_nan() && w > 0.0 {
            weight += w;
            sum += w * u;
            squares += w * u * u;
            range.add(x);
        }
    }
    Moments::from_sums(weight, sum, squares, range)
}

/// The rounding errors of the values that [`standardise`] wrote to `narrowed`, as float32; 0 for NaN.
pub(crate) fn rests(values: &[f64], centre: f64, scale: f64, narrowed: &[f32], out: &mut Vec<f32>) {
    let inverse = 1.0 / scale;
    out.clear();
    out.extend(values.iter().zip(narrowed).map(|(x, &u)| {
        let rest = narrow((x - centre) * inverse - f64::from(u));
        if rest.is_nan() { 0.0 } else { rest }
    }));
}

/// Rounds to float32.
#[allow(clippy::cast_possible_truncation, reason = "panels hold float32")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}

/// A first guess of centre and scale from the finite values of a batch; none if there are no such values.
pub(crate) fn guess(values: &[f64]) -> Option<(f64, f64)> {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let n = finite().count();
    if n == 0 {
        return None;
    }
    let first = finite().next().unwrap_or_default();
    if finite().all(|v| v == first) {
        // The computed mean could differ by rounding, and suggest a spread.
        return Some((first, if first == 0.0 { 1.0 } else { first.abs() }));
    }
    // Values are divided first, so that neither the sum nor a difference overflows.
    let centre = finite().map(|v| v / n as f64).sum::<f64>();
    let largest = finite().map(|v| (v / 2.0 - centre / 2.0).abs()).fold(0.0, f64::max) * 2.0;
    if !largest.is_finite() {
        return Some((centre, f64::MAX));
    }
    let spread =
        (finite().map(|v| ((v - centre) / largest).powi(2)).sum::<f64>() / n as f64).sqrt() * largest;
    Some((centre, spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_moments_equal_those_of_the_whole() {
        let values: Vec<f64> = (0..10_000).map(|i| 1e9 + f64::from(i % 97) * 0.01).collect();
        let mut merged = Moments::default();
        for part in values.chunks(777) {
            let mut out = Vec::new();
            merged.merge(&standardise(part, 1e9, 0.3, &mut out).unscale(1e9, 0.3));
        }
        let n = values.len() as f64;
        let mean = values.iter().map(|v| v - 1e9).sum::<f64>() / n;
        let m2: f64 = values.iter().map(|v| (v - 1e9 - mean).powi(2)).sum();
        assert!((merged.mean - 1e9 - mean).abs() < 1e-6);
        assert!((merged.m2 / m2 - 1.0).abs() < 1e-6, "1e9 leaves 1e-7 of an absolute deviation of 0.3");
    }

    #[test]
    fn weight_two_is_the_value_twice() {
        let values = [3.0, 1.5, f64::NAN, -2.0];
        let twice: Vec<f64> = values.iter().flat_map(|&v| [v, v]).collect();
        let once = standardise_weighted(&values, [2.0; 4].into_iter(), 1.0, 2.0, &mut Vec::new());
        let repeated = standardise_weighted(&twice, [1.0; 8].into_iter(), 1.0, 2.0, &mut Vec::new());
        assert!((once.mean - repeated.mean).abs() < 1e-15);
        assert!((once.m2 - repeated.m2).abs() < 1e-14);
        assert_eq!(once.weight, repeated.weight);
    }

    #[test]
    fn a_guess_survives_huge_and_constant_values() {
        assert_eq!(guess(&[f64::NAN]), None);
        assert_eq!(guess(&[5.0, 5.0, f64::NAN]), Some((5.0, 5.0)));
        let tiny = guess(&[1e-200, 3e-200]).expect("finite values");
        assert!((tiny.0 / 2e-200 - 1.0).abs() < 1e-9 && (tiny.1 / 1e-200 - 1.0).abs() < 1e-9, "{tiny:?}");
        let (centre, scale) = guess(&[f64::MAX, f64::MAX, -f64::MAX]).expect("finite values");
        assert!(centre.is_finite() && scale.is_finite() && scale > 0.0);
    }
}
