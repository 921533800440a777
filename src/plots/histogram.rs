//! Histogram of the scores of each side.

use std::fmt::Write;

use super::axis::{Scale, unit_axis};
use super::canvas::{Canvas, Pen, px, short};
use super::frame::{Frame, Room};
use super::picture::Picture;

const SIZE: (f64, f64) = (420.0, 380.0);
/// The left margin holds `100%` and the name of the axis.
const ROOM: Room = Room { left: 62.0, right: 12.0, top: 12.0, bottom: 42.0 };

/// Possible ends of the histogram's axis, as shares of a side's rows.
pub(crate) const HISTOGRAM_ENDS: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.6, 1.0];

/// Space beyond the largest bar of each side, for the name of the side.
const ABOVE: f64 = 0.15;

/// Draws the distribution of the probabilities of both sides over equal bins of [0, 1]: positives upward,
/// negatives downward, each as shares of its own weight. `names` are the names of the negatives and of the
/// positives.
pub fn score_histogram(
    (negative, positive): (&[f64], &[f64]),
    names: (&str, &str),
    threshold: Option<f64>,
) -> Picture {
    let sides = [shares(positive), shares(negative)];
    let largest = sides.iter().flatten().copied().fold(0.0, f64::max);
    let end = HISTOGRAM_ENDS.into_iter().find(|&end| largest <= end).unwrap_or(1.0);
    let ticks = [-1.0, -0.5, 0.0, 0.5, 1.0_f64]
        .map(|t| (t, format!("{}%", (100.0 * end * t.abs() * 10.0).round() / 10.0)));
    let y = Scale { range: -1.0 - ABOVE..1.0 + ABOVE, ticks: ticks.to_vec() };
    let (lower, upper) = (short(names.0, 28), short(names.1, 28));
    let words = [
        format!("Probabilities of {}", short(names.1, 40)),
        format!("above {upper}, below {lower}, each as shares of its rows"),
        "Histogram of the probabilities of a class: of its own rows above the axis, of the others below, each as shares \
         of their number. The values are, in wider bins, in the table of calibration bins."
            .to_owned(),
    ];
    let mut canvas = Canvas::default();
    let frame = Frame::new((0.0, 0.0), SIZE, ROOM, unit_axis(), y);
    frame.draw(&mut canvas);
    frame.name(&mut canvas, "probability", "share of the class's rows");
    frame.locate(&mut canvas, -1.0);
    for (side, class, sign) in [(&sides[0], "f1 positives", 1.0), (&sides[1], "f0 negatives", -1.0)] {
        canvas.element("path", &[("class", &class), ("d", &bars(&frame, side, sign / end))]);
    }
    let zero = frame.down(0.0);
    canvas.line((frame.left, zero), (frame.right, zero), "axis", 1.0);
    canvas.group("upper", |canvas| canvas.write((frame.right - 6.0, frame.top + 15.0), "end strong", &upper));
    canvas
        .group("lower", |canvas| canvas.write((frame.right - 6.0, frame.bottom - 7.0), "end strong", &lower));
    if let Some(threshold) = threshold {
        let at = frame.across(threshold);
        canvas.group("at", |canvas| {
            canvas.polyline(&[(at, frame.down(1.0)), (at, frame.down(-1.0))], &Pen::INK.dashed(), 1.4);
        });
    }
    Picture::new(SIZE, words, canvas)
}

fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 }).collect()
}

/// All bars of a side as one path.
fn bars(frame: &Frame, shares: &[f64], scale: f64) -> String {
    let (n, zero) = (shares.len() as f64, frame.down(0.0));
    let mut path = String::new();
    for (k, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (left, right) = (frame.across(k as f64 / n) + 0.5, frame.across((k + 1) as f64 / n) - 0.5);
        // Every bar with rows is visible, however small.
        let height = (frame.down(share * scale) - zero).abs().max(1.0) * scale.signum();
        let _ = write!(path, "M{} {}V{}H{}V{}Z", px(left), px(zero), px(zero - height), px(right), px(zero));
    }
    path
}
