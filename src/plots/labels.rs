//! Moves labels so that they do not overlap.

/// Moves labels to a distance of at least `gap` within `low..=high`, with the least sum of squared moves.
/// `wanted` must be in ascending order, and there must be enough room.
pub(super) fn apart(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // After subtracting the gaps, positions only have to be in ascending order. This is isotonic regression:
    // pool neighbours that are out of order at their mean.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (rank, position) in wanted.iter().enumerate() {
        let mut pool = (position - rank as f64 * gap, 1);
        while let Some(&(mean, n)) = pools.last().filter(|(mean, _)| *mean > pool.0) {
            pools.pop();
            pool = ((mean * n as f64 + pool.0 * pool.1 as f64) / (n + pool.1) as f64, n + pool.1);
        }
        pools.push(pool);
    }
    let last = high - wanted.len().saturating_sub(1) as f64 * gap;
    let slid = pools.iter().flat_map(|&(mean, n)| std::iter::repeat_n(mean.min(last).max(low), n));
    slid.enumerate().map(|(rank, position)| position + rank as f64 * gap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_apart_and_stay_inside() {
        assert_eq!(apart(&[10.0, 50.0], 12.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(apart(&[50.0, 50.0, 50.0], 12.0, 0.0, 100.0), [38.0, 50.0, 62.0]);
        assert_eq!(apart(&[0.0, 0.0, 99.0], 12.0, 0.0, 100.0), [0.0, 12.0, 99.0]);
        assert_eq!(apart(&[98.0, 99.0], 12.0, 0.0, 100.0), [88.0, 100.0]);
        assert!(apart(&[], 12.0, 0.0, 100.0).is_empty());
    }
}
