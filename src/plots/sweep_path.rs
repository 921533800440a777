//! The coefficients along the path of penalties.

use std::collections::HashMap;

use plotters::prelude::*;

use super::axis::{PenaltyAxis, Scale, drawable, number, value_axis};
use super::canvas::*;
use super::labels::apart;
use crate::model::{Choice, PathPoint, SweepTable};

/// Features that are drawn at most.
const DRAWN: usize = 200;
/// Features that are named at most, and where panels are small.
const NAMED: usize = 12;
const NAMED_IN_SMALL: usize = 6;
/// Classes that are drawn at most.
const PANELS: usize = 12;

/// The path of one class, from the largest penalty on.
struct Panel<'a> {
    class: Option<&'a str>,
    chosen: Option<&'a Choice>,
    points: Vec<&'a PathPoint>,
    /// The features that are drawn, the largest coefficients at the end of the path first.
    features: Vec<usize>,
}

/// Draws the coefficients along the penalties, at the share of L1 that was chosen; a panel for each class.
pub fn path_svg(table: &SweepTable, path: &[PathPoint], features: &[String]) -> String {
    let (panels, n_classes) = panels(table, path);
    let n_features = path.iter().map(|point| point.coefficients.len()).max().unwrap_or(0);
    let lambdas = panels.iter().flat_map(|panel| panel.points.iter().map(|point| point.l1 + point.l2));
    let chosen = panels.iter().filter_map(|panel| panel.chosen).map(|chosen| chosen.l1 + chosen.l2);
    let x = PenaltyAxis::new(lambdas.chain(chosen));
    let columns = panels.len().clamp(1, 3);
    let rows = panels.len().div_ceil(3).max(1);
    let drawn = panels.iter().flat_map(|panel| {
        let values = |&j: &usize| panel.points.iter().filter_map(move |p| p.coefficients.get(j).copied());
        panel.features.iter().flat_map(values)
    });
    // Zero is always in sight.
    let y = value_axis(drawn.chain([0.0]), if rows > 1 { 4 } else { 7 });

    let title = title(n_features, panels.len(), n_classes);
    let below = below(&panels);
    let description = format!(
        "Coefficients of {n_features} features against the penalty, on a logarithmic scale from the largest to the \
         smallest, in {} panels. {below}",
        panels.len(),
    );
    let height = HEIGHT.max(88.0 + 205.0 * rows as f64);
    svg((WIDTH, height), &title, &description, |area| {
        heading(area, &title, &below)?;
        let style = font(12.0, DARK).pos(CENTRE);
        let axis = "penalty λ = l1 + l2 (weaker to the right)";
        area.draw_text(axis, &style, (px(WIDTH / 2.0), px(height - 14.0)))?;
        let turned = style.transform(FontTransform::Rotate270);
        area.draw_text("coefficient per standard deviation", &turned, (px(18.0), px((height + 30.0) / 2.0)))?;
        let body = area.margin(px(58.0), px(26.0), px(28.0), px(8.0));
        let mut colours = HashMap::new();
        for (panel, part) in panels.iter().zip(body.split_evenly((rows, columns))) {
            draw(&part, panel, features, &mut colours, (&x, &y), (rows, columns))?;
        }
        Ok(())
    })
}

fn title(n_features: usize, n_panels: usize, n_classes: usize) -> String {
    let mut title = "Coefficients along the path".to_owned();
    if n_features > DRAWN {
        let each = if n_panels > 1 { " for each class" } else { "" };
        title += &format!(", the {DRAWN} largest of {n_features} features{each}");
    }
    if n_panels < n_classes {
        title += &format!(", the first {n_panels} of {n_classes} classes");
    }
    title
}

fn below(panels: &[Panel<'_>]) -> String {
    let mut shares: Vec<f64> =
        panels.iter().filter_map(|panel| panel.points.first()).map(|p| p.l1_ratio).collect();
    shares.dedup();
    match (shares.as_slice(), panels) {
        ([], _) => "No path was kept".into(),
        ([share], [Panel { chosen: Some(chosen), .. }]) => {
            format!("L1 share {}; dashed: the chosen λ = {}", number(*share), number(chosen.l1 + chosen.l2))
        }
        ([share], _) => format!("L1 share {}; dashed: the chosen λ", number(*share)),
        _ => "At the L1 share chosen for each class; dashed: the chosen λ".into(),
    }
}

/// The first classes, each at its share of L1, and how many classes there are.
fn panels<'a>(table: &'a SweepTable, path: &'a [PathPoint]) -> (Vec<Panel<'a>>, usize) {
    let mut classes: Vec<Option<&str>> = Vec::new();
    for point in path {
        if !classes.contains(&point.class.as_deref()) {
            classes.push(point.class.as_deref());
        }
    }
    let panel = |&class: &Option<&'a str>| {
        let own = table.chosen.iter().find(|choice| choice.class.as_deref() == class);
        let chosen = own.or_else(|| table.chosen.iter().find(|choice| choice.class.is_none()));
        let mut points: Vec<_> = path.iter().filter(|point| point.class.as_deref() == class).collect();
        // Without a penalty there is no share; that point belongs to the paths of all.
        let share = chosen
            .and_then(|choice| choice.l1_ratio)
            .or_else(|| points.iter().find(|point| point.l1 + point.l2 > 0.0).map(|point| point.l1_ratio));
        points
            .retain(|point| point.l1 + point.l2 == 0.0 || share.is_none_or(|share| share == point.l1_ratio));
        points.sort_by(|a, b| (b.l1 + b.l2).total_cmp(&(a.l1 + a.l2)));
        let features = largest(&points);
        Panel { class, chosen, points, features }
    };
    (classes.iter().take(PANELS).map(panel).collect(), classes.len())
}

/// The features with the largest coefficients at the end of the path; of those equal there, with the largest before.
fn largest(points: &[&PathPoint]) -> Vec<usize> {
    let n = points.iter().map(|point| point.coefficients.len()).max().unwrap_or(0);
    let mut size = vec![(0.0_f64, 0.0_f64); n];
    for point in points {
        for ((last, most), value) in size.iter_mut().zip(&point.coefficients) {
            if drawable(*value) {
                *last = value.abs();
                *most = most.max(*last);
            }
        }
    }
    let mut features: Vec<usize> = (0..n).filter(|&j| size[j].1 > 0.0).collect();
    let order =
        |&a: &usize, &b: &usize| size[b].0.total_cmp(&size[a].0).then(size[b].1.total_cmp(&size[a].1));
    features.sort_by(order);
    features.truncate(DRAWN);
    features
}

/// A feature has one colour in all panels, as far as that leaves those of a panel apart.
fn colour(colours: &mut HashMap<usize, usize>, here: &[usize], j: usize, rank: usize) -> usize {
    if let Some(colour) = colours.get(&j) {
        return *colour;
    }
    let taken: Vec<_> = here.iter().filter_map(|other| colours.get(other)).collect();
    let free = (0..PALETTE.len()).find(|colour| !taken.contains(&colour));
    *colours.entry(j).or_insert(free.unwrap_or(rank % PALETTE.len()))
}

fn draw(
    area: &Area<'_>,
    panel: &Panel<'_>,
    features: &[String],
    colours: &mut HashMap<usize, usize>,
    (x, y): (&PenaltyAxis, &Scale),
    (rows, columns): (usize, usize),
) -> Drawn {
    let small = columns > 1;
    let size = if small { 10.5 } else { 12.0 };
    let letters = [24, 16, 11][columns - 1];
    let named = if rows > 1 { NAMED_IN_SMALL } else { NAMED };
    let named = &panel.features[..named.min(panel.features.len())];
    let name = |j: usize| features.get(j).map_or_else(|| format!("feature {j}"), |name| short(name, letters));
    let longest = named.iter().map(|&j| name(j).chars().count()).max().unwrap_or(0);
    let room = Room {
        left: if small { 40.0 } else { 50.0 },
        right: 26.0 + 0.58 * size * longest as f64,
        top: if panel.class.is_some() { 24.0 } else { 8.0 },
        bottom: 26.0,
    };
    let chart = chart(area, room, &x.scale, y)?;
    let (across, down) = chart.plotting_area().get_pixel_range();
    let (x0, y0) = area.get_base_pixel();
    if let Some(class) = panel.class {
        let middle = (across.start + across.end) / 2 - x0;
        area.draw_text(&short(class, 30), &font(12.0, DARK).pos(CENTRE), (middle, px(12.0)))?;
    }
    let plot = chart.plotting_area();
    plot.draw(&PathElement::new([(x.scale.range.start, 0.0), (x.scale.range.end, 0.0)], stroke(FAINT, 1.0)))?;
    let values =
        |j: usize| runs(x, panel.points.iter().map(|p| (p.l1 + p.l2, p.coefficients.get(j).copied())));
    let grey = stroke(FAINT.mix(0.8), 0.8);
    for &j in panel.features[named.len()..].iter().rev() {
        line(&chart, values(j), grey, false)?;
    }
    if let Some(at) = panel.chosen.and_then(|chosen| x.place(chosen.l1 + chosen.l2)) {
        upright(&chart, at, stroke(DARK, 1.0))?;
    }
    // The ends of the lines, in units from the top of the area.
    let mut ends: Vec<(f64, (i32, i32), usize, RGBColor)> = Vec::new();
    let own: Vec<_> = named.iter().enumerate().map(|(rank, &j)| colour(colours, named, j, rank)).collect();
    // The largest last, above the others.
    for (rank, &j) in named.iter().enumerate().rev() {
        let colour = PALETTE[own[rank]];
        let runs = values(j);
        if let Some(&last) = runs.last().and_then(|run| run.last()) {
            let (across, down) = chart.backend_coord(&last);
            ends.push((f64::from(down - y0), (across - x0, down - y0), j, colour));
        }
        // Colours come twice; the second time the line is dashed.
        line(&chart, runs, stroke(colour, if small { 1.3 } else { 1.7 }), rank >= PALETTE.len())?;
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted: Vec<f64> = ends.iter().map(|end| end.0).collect();
    let (high, low) = (f64::from(down.start - y0), f64::from(down.end - y0));
    let places = apart(&wanted, f64::from(px(size + 2.0)), high, low);
    for ((_, end, j, colour), place) in ends.into_iter().zip(places) {
        let (edge, place) = (across.end - x0, place.round() as i32);
        let leader = [end, (edge + px(3.0), end.1), (edge + px(14.0), place), (edge + px(17.0), place)];
        area.draw(&PathElement::new(leader, stroke(colour.mix(0.6), 0.8)))?;
        area.draw_text(&name(j), &font(size, DARK), (edge + px(20.0), place))?;
    }
    Ok(())
}

/// A line, with dots where a point stands alone.
fn line(chart: &Chart<'_, '_>, runs: Vec<Vec<(f64, f64)>>, style: ShapeStyle, broken: bool) -> Drawn {
    for run in runs {
        if let [alone] = run[..] {
            let radius = style.stroke_width as i32 * 3 / 2;
            chart.plotting_area().draw(&Circle::new(alone, radius, style.color.filled()))?;
        } else if broken {
            dashed(chart, run, style)?;
        } else {
            chart.plotting_area().draw(&PathElement::new(run, style))?;
        }
    }
    Ok(())
}
