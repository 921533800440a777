//! The cross-validation curve.

use super::axis::{PenaltyAxis, drawable, number, value_axis};
use super::canvas::{Canvas, Pen};
use super::frame::{Frame, Room, room_beside};
use super::lines::{FEW, Line, colour, legend_rows, legend_width, lines, list, rows, runs};
use super::picture::Picture;
use crate::config::{Rule, Scoring};
use crate::model::{CurvePoint, SweepTable};

const HEIGHT: f64 = 400.0;

/// Draws the mean scores over the penalties with error bars of one standard error, and marks chosen and best
/// points.
pub fn sweep_curve(table: &SweepTable) -> Picture {
    let mut lines = lines(&table.curve);
    let few = lines.len() <= FEW;
    let entries = colour(&mut lines, few);
    let x = PenaltyAxis::new(table.curve.iter().map(|point| point.l1 + point.l2));
    let reach = table.curve.iter().filter_map(|point| Some((point.mean?, error(point).unwrap_or(0.0))));
    let y = value_axis(reach.flat_map(|(mean, error)| [mean - error, mean + error]), 6);

    let (score, unit) = words(table.scoring);
    let better = if table.greater_is_better { "larger" } else { "smaller" };
    let by_class = if lines.iter().any(|line| line.class.is_some()) { " by class" } else { "" };
    let single = !lines.is_empty()
        && lines.iter().filter(|line| line.l1_ratio.is_some()).count() <= 1
        && lines.iter().all(|line| line.class == lines[0].class);
    let below = choice(table);
    let words = [
        format!("Cross-validated {score}{by_class} ({better} is better)"),
        below.clone(),
        format!(
            "Mean {score} over the folds against the penalty, on a logarithmic scale from the largest to the smallest; \
             {} points in {} lines. {below}",
            table.curve.len(),
            lines.len(),
        ),
    ];

    // A short legend is above the chart, a longer one beside it.
    let beside = if few { 0.0 } else { legend_width(&entries) };
    let above = if few && lines.len() > 1 { legend_rows(&entries, 548.0) } else { 0.0 };
    let size = (560.0 + beside, HEIGHT + above);
    let top = above + if single { 62.0 } else { 34.0 };
    let room = Room { left: room_beside(&y, 62.0), right: 12.0 + beside, top, bottom: 44.0 };
    let frame = Frame::new((0.0, 0.0), size, room, x.scale.clone(), y);
    let mut canvas = Canvas::default();
    frame.draw(&mut canvas);
    frame.name(
        &mut canvas,
        "penalty λ = l1 + l2 (weaker to the right)",
        &format!("{unit}, mean ± 1 standard error"),
    );
    if single {
        nonzero(&mut canvas, &frame, &x, &table.curve);
    }
    uprights(&mut canvas, &frame, &x, &lines, few);
    for line in &lines {
        draw(&mut canvas, &frame, &x, line, few);
    }
    for line in &lines {
        marks(&mut canvas, &frame, &x, line, few);
    }
    if table.curve.iter().any(|point| point.chosen) {
        key(
            &mut canvas,
            (frame.right, above + 14.0),
            table.curve.iter().any(|point| point.best && !point.chosen),
        );
    }
    if beside > 0.0 {
        list(&mut canvas, &entries, (size.0 - beside, frame.top), frame.bottom);
    } else if above > 0.0 {
        rows(&mut canvas, &entries, 548.0);
    }
    Picture::new(size, words, canvas)
}

/// The name of a score, and the label of its axis.
fn words(scoring: Scoring) -> (&'static str, &'static str) {
    match scoring {
        Scoring::LogLoss => ("log loss", "log loss (nats per row)"),
        Scoring::Auc => ("area under the ROC curve", "area under the ROC curve"),
        Scoring::Accuracy => ("accuracy", "accuracy (share of rows)"),
        Scoring::Brier => ("Brier score", "Brier score"),
        Scoring::AveragePrecision => ("average precision", "average precision"),
        Scoring::F1 => ("F1 score", "F1 score"),
    }
}

/// A sentence about the chosen penalty and the rule.
fn choice(table: &SweepTable) -> String {
    let rule = match table.rule {
        Rule::Best => "best mean",
        Rule::OneStandardError => "largest penalty within one standard error of the best",
    };
    match table.chosen.as_slice() {
        [] => String::new(),
        [one] => {
            let share = one.l1_ratio.map_or(String::new(), |ratio| format!(", L1 share {}", number(ratio)));
            format!("Chosen: λ = {}{share} ({rule})", number(one.l1 + one.l2))
        }
        _ => format!("Chosen for each class: {rule}"),
    }
}

/// The standard error of a point, if it can be drawn.
fn error(point: &CurvePoint) -> Option<f64> {
    point.standard_error.filter(|&error| error > 0.0 && drawable(error))
}

/// The number of nonzero coefficients, above the chart.
fn nonzero(canvas: &mut Canvas, frame: &Frame, x: &PenaltyAxis, curve: &[CurvePoint]) {
    let mut points: Vec<_> = curve.iter().filter_map(|p| Some((x.place(p.l1 + p.l2)?, p.nonzero?))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = f64::NEG_INFINITY;
    for (at, nonzero) in points.into_iter().filter(|(_, nonzero)| nonzero.is_finite()) {
        let across = frame.across(at);
        // Leave out a label that would touch the previous one.
        if across >= free {
            canvas.write((across, frame.top - 8.0), "tick mid", &format!("{nonzero:.0}"));
            canvas.line((across, frame.top), (across, frame.top - 4.0), "faint", 1.0);
            free = across + 42.0;
        }
    }
    let title = "nonzero coefficients, mean over the models";
    canvas.write((frame.middle(), frame.top - 24.0), "tick mid", title);
}

/// Dashed lines at the chosen penalties; one line if several classes chose the same.
fn uprights(canvas: &mut Canvas, frame: &Frame, x: &PenaltyAxis, lines: &[Line<'_>], few: bool) {
    let mut places: Vec<(f64, Pen)> = Vec::new();
    for line in lines {
        for point in line.points.iter().filter(|point| point.chosen) {
            let Some(at) = x.place(point.l1 + point.l2) else { continue };
            match places.iter_mut().find(|place| place.0 == at) {
                Some(shared) => shared.1 = Pen::INK,
                None => places.push((at, if line.class.is_none() { Pen::INK } else { line.pen.clone() })),
            }
        }
    }
    for (at, pen) in places {
        let at = frame.across(at);
        let pen = pen.dashed().faded(if few { 0.8 } else { 0.5 });
        canvas.polyline(&[(at, frame.top), (at, frame.bottom)], &pen, 1.0);
    }
}

/// A line with its error bars.
fn draw(canvas: &mut Canvas, frame: &Frame, x: &PenaltyAxis, line: &Line<'_>, few: bool) {
    let width = if few { 1.8 } else { 1.2 };
    let pen = line.pen.clone().faded(if line.prominent { 1.0 } else { 0.22 });
    if few || line.prominent {
        let faint = line.pen.clone().faded(if few { 0.5 } else { 0.3 });
        for point in &line.points {
            let mean = point.mean.filter(|&mean| drawable(mean));
            let Some(((mean, error), at)) = mean.zip(error(point)).zip(x.place(point.l1 + point.l2)) else {
                continue;
            };
            let at = frame.across(at);
            let (low, high) = (frame.down(mean - error), frame.down(mean + error));
            canvas.polyline(&[(at, low), (at, high)], &faint, 1.0);
            for end in [low, high].into_iter().filter(|_| few) {
                canvas.polyline(&[(at - 3.0, end), (at + 3.0, end)], &faint, 1.0);
            }
        }
    }
    for run in runs(x, line.points.iter().map(|point| (point.l1 + point.l2, point.mean))) {
        let run: Vec<_> = run.into_iter().map(|point| frame.place(point)).collect();
        canvas.polyline(&run, &pen, width);
        if few || run.len() == 1 {
            run.iter().for_each(|&at| canvas.dot(at, width + 0.7, &pen));
        }
    }
}

/// Circles around chosen points, diamonds around the best points that were not chosen.
fn marks(canvas: &mut Canvas, frame: &Frame, x: &PenaltyAxis, line: &Line<'_>, few: bool) {
    let pen = if few { &Pen::INK } else { &line.pen };
    for point in line.points.iter().filter(|point| point.chosen || point.best) {
        let mean = point.mean.filter(|&mean| drawable(mean));
        let Some(at) = x.place(point.l1 + point.l2).zip(mean) else { continue };
        let at = frame.place(at);
        if point.chosen { canvas.ring(at, 6.5, pen) } else { diamond(canvas, at, pen) }
    }
}

fn diamond(canvas: &mut Canvas, (x, y): (f64, f64), pen: &Pen) {
    let r = 7.0;
    canvas.polyline(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y), (x, y - r)], pen, 1.8);
}

/// The legend of the marks, above the chart on the right.
fn key(canvas: &mut Canvas, (right, y): (f64, f64), best: bool) {
    canvas.ring((right - 56.0, y), 6.5, &Pen::INK);
    canvas.write((right - 44.0, y + 4.0), "note", "chosen");
    if best {
        diamond(canvas, (right - 148.0, y), &Pen::INK);
        canvas.write((right - 136.0, y + 4.0), "note", "best mean");
    }
}
