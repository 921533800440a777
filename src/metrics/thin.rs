//! Thins curves to the points that a picture needs.

use std::collections::BinaryHeap;

use super::{Curve, Point, Ranked};

/// Candidate points for each point that is kept.
const CANDIDATES: usize = 16;

impl Ranked {
    /// The curves with at most `max_points` points (at least 2). If there are more, the ends and the corners
    /// of both curves are kept. Every point kept lies on the exact curves.
    ///
    /// First, points closer than a small step along both curves are skipped. The length of a step is measured
    /// by a quantity that never decreases,
    ///
    /// ```text
    /// recall + false positive rate + log(1 + called positive) / log(1 + P + N),
    /// ```
    ///
    /// The last term preserves the beginning of the precision-recall curve, where a few rows move it. Then
    /// the points farthest from the lines between kept points are added one by one.
    ///
    /// # References
    /// Ramer, An iterative procedure for the polygonal approximation of plane curves, 1972; Douglas and
    /// Peucker, 1973.
    pub fn thin_curve(&self, max_points: usize) -> Curve {
        self.corner_curve(max_points, 0.0)
    }

    /// The same, without points of a longer curve that lie nearer than `least` to the lines between the
    /// others; in a table they would add nothing.
    pub(crate) fn corner_curve(&self, max_points: usize, least: f64) -> Curve {
        let max_points = max_points.max(2);
        let (positive, negative) = (self.positive(), self.negative());
        let mut curve = Curve { positive, negative, points: Vec::new() };
        if self.points().take(max_points + 1).count() <= max_points {
            curve.points.extend(self.points());
            return curve;
        }
        let log_all = (positive + negative).ln_1p();
        let progress = |curve: &Curve, point: &Point| {
            let called = point.true_positives + point.false_positives;
            curve.recall(point) + curve.false_positive_rate(point) + called.ln_1p() / log_all
        };
        let step = 3.0 / max_points.saturating_mul(CANDIDATES) as f64;
        let mut candidates: Vec<Point> = Vec::new();
        let mut last = None;
        for point in self.points() {
            if candidates.last().is_none_or(|kept| progress(&curve, &point) - progress(&curve, kept) >= step)
            {
                candidates.push(point);
            }
            last = Some(point);
        }
        if let Some(last) = last
            && candidates.last() != Some(&last)
        {
            candidates.push(last);
        }
        curve.points = corners(&curve, &candidates, max_points, least);
        curve
    }
}

/// The part of the curve between two kept points, and its point that is farthest from the chord.
#[derive(Debug, PartialEq)]
struct Stretch {
    distance: f64,
    farthest: usize,
    ends: (usize, usize),
}

impl Eq for Stretch {}

impl PartialOrd for Stretch {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Stretch {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // In a tie take the first, so that the choice does not depend on the heap.
        self.distance.total_cmp(&other.distance).then_with(|| other.ends.cmp(&self.ends))
    }
}

/// The ends, and the up to `max_points - 2` points farthest from the lines between kept points.
fn corners(curve: &Curve, points: &[Point], max_points: usize, least: f64) -> Vec<Point> {
    // (false positive rate, recall, precision): the coordinates of both curves.
    let place = |point: &Point| [curve.false_positive_rate(point), curve.recall(point), point.precision()];
    let places: Vec<[f64; 3]> = points.iter().map(place).collect();
    let stretch = |first: usize, last: usize| {
        let (a, b) = (places[first], places[last]);
        let from_chord = |p: [f64; 3]| {
            let roc = distance([a[0], a[1]], [b[0], b[1]], [p[0], p[1]]);
            roc.max(distance([a[1], a[2]], [b[1], b[2]], [p[1], p[2]]))
        };
        let inside = (first + 1..last).map(|at| (from_chord(places[at]), at));
        let farthest = inside.max_by(|x, y| x.0.total_cmp(&y.0).then(y.1.cmp(&x.1)));
        farthest.map(|(distance, farthest)| Stretch { distance, farthest, ends: (first, last) })
    };
    let mut kept = vec![0, points.len() - 1];
    let mut open: BinaryHeap<Stretch> = stretch(0, points.len() - 1).into_iter().collect();
    while kept.len() < max_points
        && let Some(next) = open.pop().filter(|next| next.distance >= least)
    {
        kept.push(next.farthest);
        open.extend(stretch(next.ends.0, next.farthest));
        open.extend(stretch(next.farthest, next.ends.1));
    }
    kept.sort_unstable();
    kept.into_iter().map(|at| points[at]).collect()
}

/// Distance of `p` from the line between `a` and `b`.
pub(super) fn distance(a: [f64; 2], b: [f64; 2], p: [f64; 2]) -> f64 {
    let (along, to) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let length = along[0].hypot(along[1]);
    if length == 0.0 { to[0].hypot(to[1]) } else { (along[0] * to[1] - along[1] * to[0]).abs() / length }
}
