//! The lines of a cross-validation curve, their colours and their legend.

use super::axis::{PenaltyAxis, drawable, number};
use super::canvas::{Canvas, NAMED, Pen, short};
use super::colours::scale;
use super::measure::{TEXT, width};
use crate::model::CurvePoint;

/// Up to this number of lines, each has its own colour, marks and error bars.
pub(super) const FEW: usize = NAMED;

/// The points of one L1 share and one class, from the largest penalty to the smallest.
pub(super) struct Line<'a> {
    pub(super) class: Option<&'a str>,
    pub(super) l1_ratio: Option<f64>,
    pub(super) points: Vec<&'a CurvePoint>,
    pub(super) pen: Pen,
    /// Whether the line is emphasised if there are many lines.
    pub(super) prominent: bool,
}

/// Groups points by L1 share and class, in the order of their first points.
pub(super) fn lines(curve: &[CurvePoint]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for point in curve {
        let class = point.class.as_deref();
        match lines.iter_mut().find(|line| line.class == class && line.l1_ratio == point.l1_ratio) {
            Some(line) => line.points.push(point),
            None => {
                let l1_ratio = point.l1_ratio;
                lines.push(Line { class, l1_ratio, points: vec![point], pen: Pen::INK, prominent: true });
            }
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| (b.l1 + b.l2).total_cmp(&(a.l1 + a.l2)));
    }
    lines
}

/// Assigns a colour to each line, and returns the legend.
pub(super) fn colour(lines: &mut [Line<'_>], few: bool) -> Vec<(String, Pen)> {
    let share = |ratio: Option<f64>| match ratio {
        None => "no penalty".to_owned(),
        Some(0.0) => "L1 share 0 (ridge)".to_owned(),
        Some(1.0) => "L1 share 1 (lasso)".to_owned(),
        Some(ratio) => format!("L1 share {}", number(ratio)),
    };
    let classes = distinct(lines.iter().map(|line| line.class));
    let shares = distinct(lines.iter().map(|line| line.l1_ratio));
    if few {
        let mut entries = Vec::new();
        for (i, line) in lines.iter_mut().enumerate() {
            line.pen = Pen::named(i);
            let name = match line.class {
                None => share(line.l1_ratio),
                Some(class) if shares.len() == 1 => short(class, 22),
                Some(class) => format!("{}, {}", short(class, 16), share(line.l1_ratio)),
            };
            entries.push((name, line.pen.clone()));
        }
        return entries;
    }
    // One colour scale over the classes, or over the L1 shares if there are no classes.
    let by_class = classes.len() > 1;
    let n = if by_class { classes.len() } else { shares.len() };
    for line in lines.iter_mut() {
        let place = if by_class {
            classes.iter().position(|class| *class == line.class)
        } else {
            shares.iter().position(|ratio| *ratio == line.l1_ratio)
        };
        line.pen = Pen::own(scale(place.unwrap_or(0), n));
        line.prominent = line.points.iter().any(|point| point.chosen);
    }
    // If no point is chosen, no line is faded.
    if lines.iter().all(|line| !line.prominent) {
        lines.iter_mut().for_each(|line| line.prominent = true);
    }
    let pens = (0..n).map(|i| Pen::own(scale(i, n)));
    let names: Vec<String> = if by_class {
        classes.iter().map(|class| short(class.unwrap_or(""), 22)).collect()
    } else {
        shares.iter().map(|ratio| share(*ratio)).collect()
    };
    let mut entries: Vec<_> = names.into_iter().zip(pens).collect();
    if by_class && shares.len() > 1 {
        entries.push(("faint: other L1 shares".into(), Pen::FAINT));
    }
    entries
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// The sections of neighbouring points that a line connects. A section ends at a missing point, and before
/// the penalty 0, whose place on the axis is not to scale.
pub(super) fn runs(
    x: &PenaltyAxis,
    points: impl Iterator<Item = (f64, Option<f64>)>,
) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut joined = false;
    for (penalty, value) in points {
        let value = value.filter(|&value| drawable(value));
        let Some(point) = x.place(penalty).zip(value) else {
            joined = false;
            continue;
        };
        match runs.last_mut().filter(|_| joined && penalty > 0.0) {
            Some(run) => run.push(point),
            None => runs.push(vec![point]),
        }
        joined = true;
    }
    runs
}

/// Width of the legend, in pixels.
pub(super) fn legend_width(entries: &[(String, Pen)]) -> f64 {
    entries.iter().map(|(name, _)| entry_width(name)).fold(0.0, f64::max)
}

/// The legend, with as many entries as fit above `bottom`.
pub(super) fn list(canvas: &mut Canvas, entries: &[(String, Pen)], (left, top): (f64, f64), bottom: f64) {
    const STEP: f64 = 18.0;
    let room = ((bottom - top) / STEP) as usize;
    let shown = if entries.len() <= room { entries.len() } else { room - 1 };
    for (row, (name, pen)) in entries[..shown].iter().enumerate() {
        let y = top + 8.0 + STEP * row as f64;
        canvas.polyline(&[(left, y), (left + 18.0, y)], pen, 2.5);
        canvas.write((left + 25.0, y + 4.0), "name", name);
    }
    if shown < entries.len() {
        let y = top + 12.0 + STEP * shown as f64;
        canvas.write((left + 25.0, y), "note", &format!("and {} more", entries.len() - shown));
    }
}

/// Width of an entry, including the gap to the next one.
fn entry_width(name: &str) -> f64 {
    41.0 + width(name, TEXT)
}

/// Height of the legend in rows, for a given width.
pub(super) fn legend_rows(entries: &[(String, Pen)], width: f64) -> f64 {
    places(entries, width).last().map_or(0.0, |place| place.1 + 18.0)
}

/// The legend in rows, from the upper left corner.
pub(super) fn rows(canvas: &mut Canvas, entries: &[(String, Pen)], width: f64) {
    for ((name, pen), (x, y)) in entries.iter().zip(places(entries, width)) {
        canvas.polyline(&[(x, y + 8.0), (x + 18.0, y + 8.0)], pen, 2.5);
        canvas.write((x + 25.0, y + 12.0), "name", name);
    }
}

/// The position of each entry: in columns of equal width, as many as fit.
fn places(entries: &[(String, Pen)], width: f64) -> Vec<(f64, f64)> {
    let column = legend_width(entries).max(1.0);
    let columns = ((width / column) as usize).clamp(1, entries.len().max(1));
    let place = |i: usize| (column * (i % columns) as f64, 18.0 * (i / columns) as f64);
    (0..entries.len()).map(place).collect()
}
