//! The training curve.

use super::axis::{drawable, log_axis, number, precise, value_axis};
use super::canvas::{Canvas, Pen};
use super::frame::{Frame, Room};
use super::picture::Picture;
use crate::model::TrainingCurve;

/// Draws objective and residual over the passes, with the tolerance. `certified` is the largest float64
/// residual of the finished models.
pub fn training_curve(curve: &TrainingCurve, tolerance: f64, certified: f64) -> Picture {
    let has_objective = !curve.objective.is_empty();
    let size = (560.0, if has_objective { 400.0 } else { 300.0 });
    let last = curve.passes.last().copied().unwrap_or(0.0);
    let x = value_axis(curve.passes.iter().copied().chain([0.0, last * 1.02]), 6);
    let words = [
        "Training".to_owned(),
        format!(
            "{} passes, {} s; certified in float64: residual {}, tolerance {}",
            number(last),
            number(curve.seconds.last().copied().unwrap_or(0.0)),
            number(certified),
            number(tolerance),
        ),
        format!(
            "{}Largest optimality residual over passes through the data, on a logarithmic scale, from {} to {}; dashed: \
             the tolerance. A diamond marks the residual of the finished models in float64.",
            if has_objective { "Mean objective, and below it the " } else { "" },
            number(curve.kkt_residual.first().copied().unwrap_or(0.0)),
            number(curve.kkt_residual.last().copied().unwrap_or(0.0)),
        ),
    ];
    let mut canvas = Canvas::default();
    let room = Room { left: 62.0, right: 14.0, top: 22.0, bottom: 42.0 };
    let mut top = 0.0;
    if has_objective {
        let (name, objective) = objective(&curve.objective);
        let y = value_axis(objective.iter().copied(), 3);
        let mut above = x.clone();
        above.ticks.iter_mut().for_each(|tick| tick.1.clear());
        let frame = Frame::new((0.0, 0.0), (size.0, 176.0), Room { bottom: 14.0, ..room }, above, y);
        frame.draw(&mut canvas);
        canvas.write((frame.left, frame.top - 8.0), "note", &name);
        line(&mut canvas, &frame, curve, &objective, Pen::named(2));
        top = 172.0;
    }
    let residuals = || curve.kkt_residual.iter().copied().chain([tolerance, certified]);
    let frame = Frame::new((0.0, top), (size.0, size.1 - top), room, x, log_axis(residuals()));
    frame.draw(&mut canvas);
    canvas.write((frame.left, frame.top - 8.0), "note", "largest residual");
    canvas.write((frame.middle(), frame.bottom + 34.0), "note mid", "passes over the data");
    let at = frame.down(tolerance.log10());
    canvas.polyline(&[(frame.left, at), (frame.right, at)], &Pen::INK.dashed(), 1.0);
    canvas.write((frame.left + 6.0, at - 5.0), "tick", "tolerance");
    let logs: Vec<f64> = curve.kkt_residual.iter().map(|r| r.max(f64::MIN_POSITIVE).log10()).collect();
    line(&mut canvas, &frame, curve, &logs, Pen::named(0));
    let (x, y) = frame.place((last, certified.max(f64::MIN_POSITIVE).log10()));
    let diamond = [(x, y - 7.0), (x + 7.0, y), (x, y + 7.0), (x - 7.0, y), (x, y - 7.0)];
    canvas.polyline(&diamond, &Pen::INK, 1.8);
    Picture::new(size, words, canvas)
}

/// The objective to draw, and its name: the difference from the last value, if its leading digits would hide
/// the change.
fn objective(values: &[f64]) -> (String, Vec<f64>) {
    const SAME: f64 = 1e-2;
    let drawn = || values.iter().copied().filter(|&value| drawable(value));
    let (low, high) = (drawn().fold(f64::INFINITY, f64::min), drawn().fold(f64::NEG_INFINITY, f64::max));
    match drawn().next_back() {
        Some(last) if high > low && high - low < SAME * low.abs().max(high.abs()) => {
            let name = format!("mean objective minus the last ({})", precise(last));
            (name, values.iter().map(|value| value - last).collect())
        }
        _ => ("mean objective".to_owned(), values.to_vec()),
    }
}

fn line(canvas: &mut Canvas, frame: &Frame, curve: &TrainingCurve, values: &[f64], pen: Pen) {
    let points: Vec<_> =
        curve.passes.iter().zip(values).map(|(&passes, &value)| frame.place((passes, value))).collect();
    canvas.polyline(&points, &pen, 1.8);
    if points.len() <= 40 {
        points.iter().for_each(|&at| canvas.dot(at, 2.6, &pen));
    }
}
