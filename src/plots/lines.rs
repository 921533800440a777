//! The lines of a cross-validation curve, their colours and their legend.

use plotters::prelude::*;

use super::axis::number;
use super::canvas::*;
use crate::model::CurvePoint;

/// Up to this many lines, each has a colour of the palette, marks and error bars.
pub(super) const FEW: usize = PALETTE.len();

/// The points of one share of L1 and one class, from the largest penalty on.
pub(super) struct Line<'a> {
    pub(super) class: Option<&'a str>,
    pub(super) l1_ratio: Option<f64>,
    pub(super) points: Vec<&'a CurvePoint>,
    pub(super) colour: RGBColor,
    /// Where lines are many: whether it is among those to look at.
    pub(super) prominent: bool,
}

/// Groups points by share of L1 and class, in the order of their first points.
pub(super) fn lines(curve: &[CurvePoint]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for point in curve {
        let class = point.class.as_deref();
        match lines.iter_mut().find(|line| line.class == class && line.l1_ratio == point.l1_ratio) {
            Some(line) => line.points.push(point),
            None => {
                let l1_ratio = point.l1_ratio;
                lines.push(Line { class, l1_ratio, points: vec![point], colour: DARK, prominent: true });
            }
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| (b.l1 + b.l2).total_cmp(&(a.l1 + a.l2)));
    }
    lines
}

/// Gives each line its colour, and returns the legend.
pub(super) fn colour(lines: &mut [Line<'_>], few: bool) -> Vec<(String, RGBColor)> {
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
            line.colour = PALETTE[i];
            let name = match line.class {
                None => share(line.l1_ratio),
                Some(class) if shares.len() == 1 => short(class, 22),
                Some(class) => format!("{}, {}", short(class, 16), share(line.l1_ratio)),
            };
            entries.push((name, line.colour));
        }
        return entries;
    }
    // One scale over the classes, or over the shares of L1 where there are no classes.
    let by_class = classes.len() > 1;
    let n = if by_class { classes.len() } else { shares.len() };
    for line in lines.iter_mut() {
        let place = if by_class {
            classes.iter().position(|class| *class == line.class)
        } else {
            shares.iter().position(|ratio| *ratio == line.l1_ratio)
        };
        line.colour = scale(place.unwrap_or(0), n);
        line.prominent = line.points.iter().any(|point| point.chosen);
    }
    // Nothing chosen: nothing stands back.
    if lines.iter().all(|line| !line.prominent) {
        lines.iter_mut().for_each(|line| line.prominent = true);
    }
    let colours = (0..n).map(|i| scale(i, n));
    let names: Vec<String> = if by_class {
        classes.iter().map(|class| short(class.unwrap_or(""), 22)).collect()
    } else {
        shares.iter().map(|ratio| share(*ratio)).collect()
    };
    let mut entries: Vec<_> = names.into_iter().zip(colours).collect();
    if by_class && shares.len() > 1 {
        entries.push(("faint: other L1 shares".into(), FAINT));
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

/// How wide the legend is, in pixels.
pub(super) fn legend_width(entries: &[(String, RGBColor)]) -> f64 {
    let longest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    44.0 + 6.6 * longest as f64
}

/// The legend, with as many entries as fit.
pub(super) fn list(area: &Area<'_>, entries: &[(String, RGBColor)], left: f64, top: f64) -> Drawn {
    const STEP: f64 = 18.0;
    let style = font(12.0, DARK);
    let room = ((HEIGHT - 48.0 - top) / STEP) as usize;
    let shown = if entries.len() <= room { entries.len() } else { room - 1 };
    for (row, (name, colour)) in entries[..shown].iter().enumerate() {
        let y = px(top + 8.0 + STEP * row as f64);
        area.draw(&PathElement::new([(px(left), y), (px(left + 18.0), y)], stroke(*colour, 2.5)))?;
        area.draw_text(name, &style, (px(left + 25.0), y))?;
    }
    if shown < entries.len() {
        let y = px(top + 8.0 + STEP * shown as f64);
        area.draw_text(&format!("and {} more", entries.len() - shown), &style, (px(left + 25.0), y))?;
    }
    Ok(())
}
