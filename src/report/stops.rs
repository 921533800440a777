//! The stops of the threshold slider, and the decisions at each.

use crate::metrics::{Curve, Point, Ranked, rounded_between, shortest_between};

/// Round thresholds that get a stop if rows lie around them.
const ROUND: usize = 100;

/// A threshold and its decisions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stop {
    /// The threshold, in the fewest digits that give exactly these decisions.
    pub(super) threshold: String,
    /// Weight of the true positives.
    pub(super) true_positives: f64,
    /// Weight of the false positives.
    pub(super) false_positives: f64,
}

impl Stop {
    /// The stop as a point of the curves.
    pub(super) fn point(&self) -> Point {
        Point {
            threshold: self.threshold.parse().unwrap_or(1.0),
            true_positives: self.true_positives,
            false_positives: self.false_positives,
        }
    }
}

/// The stops, with ascending thresholds, and the index of `model`, the model's own threshold. `probability`
/// converts a score to the probability that thresholds are compared with; it must not change the order.
///
/// Decisions change only where a threshold passes a probability. All thresholds between two neighbouring
/// probabilities decide the same, so a stop is the shortest decimal between them: as `--threshold` it gives
/// exactly these decisions. The stops are the gaps that the thinned curves keep (about `most` at most), those
/// around round thresholds, those with the largest F1 and the largest difference between both rates, and the
/// model's own threshold, rounded as far as the decisions stay the same.
pub(super) fn stops(
    ranked: &Ranked,
    most: usize,
    model: f64,
    probability: impl Fn(f64) -> f64,
) -> (Vec<Stop>, usize) {
    let kept: Vec<f64> = ranked.thin_curve(most).points.iter().map(|point| point.threshold).collect();
    let round = ROUND.min(most / 3).max(2) as f64;
    let best = best(ranked);
    let mut stops: Vec<Stop> = Vec::new();
    let mut own = 0;
    let mut points = ranked.points().peekable();
    // Different scores may round to one probability, which no threshold can divide: the last score represents
    // them all.
    let mut wanted = false;
    while let Some(point) = points.next() {
        let place = |score: f64| if score == f64::INFINITY { f64::INFINITY } else { probability(score) };
        let next = points.peek().map_or(0.0, |next| place(next.threshold));
        let here = place(point.threshold);
        wanted = wanted
            || best.contains(&point.threshold)
            || kept.binary_search_by(|kept| point.threshold.total_cmp(kept)).is_ok();
        if next == here {
            continue;
        }
        // Thresholds are below 1, because probabilities may be just below 1.
        let high = here.min(1.0 - f64::EPSILON / 2.0);
        let is_model = next < model && model <= here;
        let is_round = (next * round).floor() < (high * round).floor();
        if !(std::mem::take(&mut wanted) || is_model || is_round) {
            continue;
        }
        let threshold =
            if is_model { Some(rounded_between(model, next, high)) } else { shortest_between(next, high) };
        let Some(threshold) = threshold.map(shown) else { continue };
        own = if is_model { stops.len() } else { own };
        let (true_positives, false_positives) = (point.true_positives, point.false_positives);
        stops.push(Stop { threshold, true_positives, false_positives });
    }
    let own = stops.len().saturating_sub(1 + own);
    stops.reverse();
    (stops, own)
}

/// The curves through the stops, including both ends.
pub(super) fn curve(ranked: &Ranked, stops: &[Stop]) -> Curve {
    let (positive, negative) = (ranked.positive(), ranked.negative());
    let first = Point { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };
    let last = Point { threshold: 0.0, true_positives: positive, false_positives: negative };
    let points = std::iter::once(first).chain(stops.iter().rev().map(Stop::point)).chain([last]).collect();
    Curve { positive, negative, points }
}

/// The scores at which F1, and the difference between true and false positive rate, are largest.
fn best(ranked: &Ranked) -> [f64; 2] {
    let (p, n) = (ranked.positive(), ranked.negative());
    let mut best = [(f64::NEG_INFINITY, f64::INFINITY); 2];
    for point in ranked.points() {
        let called = point.true_positives + point.false_positives;
        let f1 = 2.0 * point.true_positives / (called + p).max(f64::MIN_POSITIVE);
        let youden = point.true_positives / p.max(f64::MIN_POSITIVE)
            - point.false_positives / n.max(f64::MIN_POSITIVE);
        for (best, value) in best.iter_mut().zip([f1, youden]) {
            if value > best.0 {
                *best = (value, point.threshold);
            }
        }
    }
    best.map(|best| best.1)
}

/// A threshold with all its digits, in the format of JavaScript.
fn shown(threshold: f64) -> String {
    if threshold < 1e-6 { format!("{threshold:e}") } else { format!("{threshold}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Scores;

    #[test]
    fn every_stop_counts_exactly_the_rows_that_reach_it() {
        let rows: Vec<(f64, f64, bool)> = (0..5000)
            .map(|i| {
                let p = (f64::from(i * 7919 % 4999) / 4999.0).powi(3);
                (p, 1.0, (i * 31 % 97) as f64 / 97.0 < p)
            })
            .collect();
        let ranked = Scores::from_iter(rows.iter().copied()).rank();
        for (model, shown) in [
            (0.5, "0.5"),
            (0.123_456, "0.1235"),
            (0.287_332_430_246_410_25, "0.2873"),
            (1e-9, "1e-9"),
            (0.999_999_9, "0.9999999"),
        ] {
            let (stops, own) = stops(&ranked, 200, model, |p| p);
            assert!(stops.len() > 100 && stops.len() < 420, "{}", stops.len());
            assert_eq!(stops[own].threshold, shown);
            let as_model = |side| rows.iter().filter(|row| row.2 == side && row.0 >= model).count() as f64;
            assert_eq!(
                (stops[own].true_positives, stops[own].false_positives),
                (as_model(true), as_model(false))
            );
            for stop in &stops {
                let threshold: f64 = stop.threshold.parse().unwrap();
                assert!(threshold > 0.0 && threshold < 1.0);
                let reach =
                    |side| rows.iter().filter(|row| row.2 == side && row.0 >= threshold).count() as f64;
                assert_eq!(
                    (stop.true_positives, stop.false_positives),
                    (reach(true), reach(false)),
                    "{stop:?}"
                );
            }
            assert!(stops.windows(2).all(|pair| pair[0].point().threshold < pair[1].point().threshold));
        }
    }

    #[test]
    fn scores_that_are_one_probability_are_one_stop() {
        let rows = [(800.0, 1.0, true), (790.0, 1.0, false), (780.0, 1.0, true), (-1.0, 1.0, false)];
        let ranked = Scores::from_iter(rows).rank();
        let (stops, own) = stops(&ranked, 100, 0.5, crate::objective::sigmoid);
        let counts: Vec<_> = stops.iter().map(|stop| (stop.true_positives, stop.false_positives)).collect();
        assert_eq!(counts, [(2.0, 2.0), (2.0, 1.0)]);
        assert_eq!((own, stops[1].threshold.as_str()), (1, "0.5"));
    }
}
