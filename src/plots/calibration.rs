//! The reliability diagram.

use super::axis::{Scale, unit_axis};
use super::canvas::{Canvas, Pen, px, short};
use super::frame::{Frame, Room};
use super::picture::Picture;
use crate::metrics::Calibration;

const SIZE: (f64, f64) = (420.0, 380.0);
const ROOM: Room = Room { left: 52.0, right: 12.0, top: 12.0, bottom: 42.0 };

/// Distance by which the axes extend beyond 0 and 1: the radius of the largest dot.
const BEYOND: f64 = 0.035;

/// Draws the share of positives against the mean probability of each bin; larger dots stand for more rows.
pub fn calibration_plot(calibration: &Calibration, class: &str) -> Picture {
    let words = [
        format!("Calibration of {}", short(class, 40)),
        format!("expected calibration error {:.4}; dashed: perfect calibration", calibration.ece),
        "Share of rows that are of the class against their mean probability, in bins; dashed: where both are equal. \
         The values are in the table of calibration bins."
            .to_owned(),
    ];
    let mut canvas = Canvas::default();
    // Leave room for dots at 0 and 1 beside the tick labels.
    let axis = || Scale { range: -BEYOND..1.0 + BEYOND, ..unit_axis() };
    let frame = Frame::new((0.0, 0.0), SIZE, ROOM, axis(), axis());
    frame.draw(&mut canvas);
    frame.name(&mut canvas, "mean probability", "share of the class");
    frame.locate(&mut canvas, 0.0);
    canvas.polyline(&[frame.place((0.0, 0.0)), frame.place((1.0, 1.0))], &Pen::FAINT.dashed(), 1.2);
    let total: f64 = calibration.bins.iter().map(|bin| bin.weight).sum();
    let points: Vec<((f64, f64), f64)> = calibration
        .bins
        .iter()
        .filter_map(|bin| Some((frame.place((bin.mean_probability?, bin.observed?)), bin.weight / total)))
        .collect();
    let line: Vec<_> = points.iter().map(|point| point.0).collect();
    canvas.group("curve", |canvas| canvas.polyline(&line, &Pen::named(0), 1.8));
    canvas.group("bins", |canvas| {
        for ((x, y), share) in points {
            let (x, y, r) = (px(x), px(y), px(radius(share)));
            canvas.element("circle", &[("class", &"f0"), ("cx", &x), ("cy", &y), ("r", &r)]);
        }
    });
    Picture::new(SIZE, words, canvas)
}

/// The area grows with the share of the rows; the smallest dot is still visible.
fn radius(share: f64) -> f64 {
    3.0 + 7.0 * share.sqrt()
}
