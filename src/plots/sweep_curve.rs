//! The cross-validation curve.

use plotters::prelude::*;

use super::axis::{PenaltyAxis, drawable, number, value_axis};
use super::canvas::*;
use super::lines::{FEW, Line, colour, legend_width, lines, list};
use crate::config::{Rule, Scoring};
use crate::model::{CurvePoint, SweepTable};

/// Draws the mean scores over the penalties, with one standard error up and down, the points chosen and the best.
pub fn curve_svg(table: &SweepTable) -> String {
    let mut lines = lines(&table.curve);
    let few = lines.len() <= FEW;
    let entries = colour(&mut lines, few);
    let x = PenaltyAxis::new(table.curve.iter().map(|point| point.l1 + point.l2));
    let reach = table.curve.iter().filter_map(|point| Some((point.mean?, error(point).unwrap_or(0.0))));
    let y = value_axis(reach.flat_map(|(mean, error)| [mean - error, mean + error]), 7);

    let (score, unit) = words(table.scoring);
    let better = if table.greater_is_better { "larger" } else { "smaller" };
    let by_class = if lines.iter().any(|line| line.class.is_some()) { " by class" } else { "" };
    let title = format!("Cross-validated {score}{by_class} ({better} is better)");
    let below = choice(table);
    let single = !lines.is_empty()
        && lines.iter().filter(|line| line.l1_ratio.is_some()).count() <= 1
        && lines.iter().all(|line| line.class == lines[0].class);
    let legend = if lines.len() > 1 { legend_width(&entries) } else { 0.0 };
    let description = format!(
        "Mean {score} over the folds against the penalty, on a logarithmic scale from the largest to the smallest; \
         {} points in {} lines. {below}",
        table.curve.len(),
        lines.len(),
    );
    svg((WIDTH, HEIGHT), &title, &description, |area| {
        heading(area, &title, &below)?;
        let top = if single { 100.0 } else { 66.0 };
        let room = Room { left: 78.0, right: 20.0 + legend, top, bottom: 48.0 };
        let chart = chart(area, room, &x.scale, &y)?;
        let middle = (room.left + WIDTH - room.right) / 2.0;
        let below = (px(middle), px(HEIGHT - 14.0));
        area.draw_text("penalty λ = l1 + l2 (weaker to the right)", &font(12.0, DARK).pos(CENTRE), below)?;
        let beside = (px(18.0), px((top + HEIGHT - room.bottom) / 2.0));
        let turned = font(12.0, DARK).pos(CENTRE).transform(FontTransform::Rotate270);
        area.draw_text(&format!("{unit}, mean ± 1 standard error"), &turned, beside)?;
        if single {
            nonzero(area, &chart, &x, &table.curve, room)?;
        }
        uprights(&chart, &x, &lines, few)?;
        for line in &lines {
            draw(&chart, &x, line, few)?;
        }
        for line in &lines {
            marks(&chart, &x, line, few)?;
        }
        if table.curve.iter().any(|point| point.chosen) {
            key(area, table.curve.iter().any(|point| point.best && !point.chosen))?;
        }
        if legend > 0.0 { list(area, &entries, WIDTH - legend - 4.0, top) } else { Ok(()) }
    })
}

/// A score in words, and what its axis is called.
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

/// What was chosen, and how, as a sentence.
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

/// The standard error of a point, if it has one to draw.
fn error(point: &CurvePoint) -> Option<f64> {
    point.standard_error.filter(|&error| error > 0.0 && drawable(error))
}

/// The number of coefficients that are not zero, above the chart.
fn nonzero(
    area: &Area<'_>,
    chart: &Chart<'_, '_>,
    x: &PenaltyAxis,
    curve: &[CurvePoint],
    room: Room,
) -> Drawn {
    let mut points: Vec<_> = curve.iter().filter_map(|p| Some((x.place(p.l1 + p.l2)?, p.nonzero))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let style = font(11.0, MUTED).pos(CENTRE);
    let mut free = i32::MIN;
    for (at, nonzero) in points.into_iter().filter(|(_, nonzero)| nonzero.is_finite()) {
        let (across, _) = chart.backend_coord(&(at, chart.y_range().start));
        // Only where it does not touch the one before it.
        if across >= free {
            area.draw_text(&format!("{nonzero:.0}"), &style, (across, px(room.top - 9.0)))?;
            let tick = [(across, px(room.top)), (across, px(room.top - 3.5))];
            area.draw(&PathElement::new(tick, stroke(FAINT, 1.0)))?;
            free = across + px(46.0);
        }
    }
    let middle = (room.left + WIDTH - room.right) / 2.0;
    area.draw_text("nonzero coefficients, mean over the models", &style, (px(middle), px(room.top - 25.0)))
}

/// Dashed lines at the penalties chosen, one where several classes chose the same.
fn uprights(chart: &Chart<'_, '_>, x: &PenaltyAxis, lines: &[Line<'_>], few: bool) -> Drawn {
    let mut places: Vec<(f64, RGBColor)> = Vec::new();
    for line in lines {
        for point in line.points.iter().filter(|point| point.chosen) {
            let Some(at) = x.place(point.l1 + point.l2) else { continue };
            match places.iter_mut().find(|place| place.0 == at) {
                Some(shared) => shared.1 = DARK,
                None => places.push((at, if line.class.is_none() { DARK } else { line.colour })),
            }
        }
    }
    for (at, colour) in places {
        upright(chart, at, if few { stroke(colour, 1.0) } else { stroke(colour.mix(0.6), 0.8) })?;
    }
    Ok(())
}

/// A line with its error bars.
fn draw(chart: &Chart<'_, '_>, x: &PenaltyAxis, line: &Line<'_>, few: bool) -> Drawn {
    let plot = chart.plotting_area();
    let width = if few { 1.8 } else { 1.2 };
    let strength = if line.prominent { 1.0 } else { 0.22 };
    if few || line.prominent {
        let style = stroke(line.colour.mix(if few { 0.5 } else { 0.3 }), 1.0);
        for point in &line.points {
            let Some(((mean, error), at)) = point.mean.zip(error(point)).zip(x.place(point.l1 + point.l2))
            else {
                continue;
            };
            plot.draw(&PathElement::new([(at, mean - error), (at, mean + error)], style))?;
            for end in [mean - error, mean + error].into_iter().filter(|_| few) {
                let cap = PathElement::new([(-px(3.0), 0), (px(3.0), 0)], style);
                plot.draw(&(EmptyElement::at((at, end)) + cap))?;
            }
        }
    }
    for run in runs(x, line.points.iter().map(|point| (point.l1 + point.l2, point.mean))) {
        let dots = if few || run.len() == 1 { run.clone() } else { Vec::new() };
        plot.draw(&PathElement::new(run, stroke(line.colour.mix(strength), width)))?;
        for at in dots {
            plot.draw(&Circle::new(at, px(width + 0.7), line.colour.mix(strength).filled()))?;
        }
    }
    Ok(())
}

/// Rings around what was chosen, diamonds around what was best and not chosen.
fn marks(chart: &Chart<'_, '_>, x: &PenaltyAxis, line: &Line<'_>, few: bool) -> Drawn {
    let colour = if few { DARK } else { line.colour };
    for point in line.points.iter().filter(|point| point.chosen || point.best) {
        let mean = point.mean.filter(|&mean| drawable(mean));
        let Some(at) = x.place(point.l1 + point.l2).zip(mean) else { continue };
        if point.chosen {
            chart.plotting_area().draw(&(EmptyElement::at(at) + ring(colour)))?;
        } else {
            chart.plotting_area().draw(&(EmptyElement::at(at) + diamond(colour)))?;
        }
    }
    Ok(())
}

fn ring(colour: RGBColor) -> Circle<(i32, i32), i32> {
    Circle::new((0, 0), px(6.5), stroke(colour, 1.8))
}

fn diamond(colour: RGBColor) -> PathElement<(i32, i32)> {
    let r = px(7.0);
    PathElement::new([(0, -r), (r, 0), (0, r), (-r, 0), (0, -r)], stroke(colour, 1.8))
}

/// What the marks mean, at the right end of the line below the title.
fn key(area: &Area<'_>, best: bool) -> Drawn {
    let style = font(12.0, MUTED);
    let y = px(43.0);
    let (chosen, other) = (WIDTH - 72.0, WIDTH - 172.0);
    area.draw(&(EmptyElement::at((px(chosen), y)) + ring(DARK)))?;
    area.draw_text("chosen", &style, (px(chosen + 13.0), y))?;
    if best {
        area.draw(&(EmptyElement::at((px(other), y)) + diamond(DARK)))?;
        area.draw_text("best mean", &style, (px(other + 13.0), y))?;
    }
    Ok(())
}
