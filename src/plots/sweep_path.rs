//! Coefficients along a path of penalties.

use std::collections::HashMap;

use super::axis::{PenaltyAxis, Scale, number, value_axis};
use super::canvas::{Canvas, NAMED as COLOURS, Pen, short};
use super::frame::{Frame, Room, ticks_width};
use super::labels::apart;
use super::lines::runs;
use super::measure::{SMALL, TEXT, widest};
use super::picture::Picture;
use crate::model::{ChosenPenalty, ClassPath, FeaturePath, SweepTable};

/// Most features with labels; below, the same for small panels.
const NAMED: usize = 12;
const NAMED_IN_SMALL: usize = 6;

/// Draws the coefficients along the penalties at the chosen L1 share, with a panel for each class of `paths`;
/// `n_classes` is the number of all classes.
pub fn sweep_path(table: &SweepTable, paths: &[ClassPath], n_classes: usize) -> Picture {
    let chosen: Vec<Option<&ChosenPenalty>> =
        paths.iter().map(|path| table.chosen_for(path.class.as_deref())).collect();
    let lambdas = paths.iter().flat_map(|path| path.lambda.iter().copied());
    let x = PenaltyAxis::new(lambdas.chain(chosen.iter().flatten().map(|chosen| chosen.l1 + chosen.l2)));
    let columns = paths.len().clamp(1, 3);
    let rows = paths.len().div_ceil(3).max(1);
    let features = || paths.iter().flat_map(|path| &path.features);
    let values = features().flat_map(standardised);
    // Zero is always visible.
    let y = value_axis(values.chain([0.0]), if rows > 1 { 4 } else { 6 });

    let n_features = paths.iter().map(|path| path.n_features).max().unwrap_or(0);
    let below = below(paths, &chosen);
    let words = [
        title(paths, n_classes),
        below.clone(),
        format!(
            "Coefficients of {n_features} features against the penalty, on a logarithmic scale from the largest to the \
             smallest, in {} panels. {below}",
            paths.len(),
        ),
    ];
    let width = if columns == 1 { 560.0 } else { 860.0 };
    let size = (width, if rows == 1 { 400.0 } else { 40.0 + 205.0 * rows as f64 });
    let mut canvas = Canvas::default();
    let is_scaled = features().any(|feature| feature.scale != 1.0);
    let value_name = if is_scaled { "coefficient per standard deviation" } else { "coefficient" };
    let axis = "penalty λ = l1 + l2 (weaker to the right)";
    canvas.write((size.0 / 2.0, size.1 - 8.0), "note mid", axis);
    canvas.write_upwards((14.0, (size.1 - 30.0) / 2.0), "note mid", value_name);
    let part = ((size.0 - 22.0) / columns as f64, (size.1 - 28.0) / rows as f64);
    let mut colours = HashMap::new();
    for (i, (path, chosen)) in paths.iter().zip(chosen).enumerate() {
        let origin = (22.0 + part.0 * (i % columns) as f64, part.1 * (i / columns) as f64);
        draw(&mut canvas, (path, chosen), &mut colours, (&x, &y), (origin, part), (rows, columns));
    }
    Picture::new(size, words, canvas)
}

/// The coefficients of a feature, per standard deviation of its column or for having a level.
fn standardised(feature: &FeaturePath) -> impl Iterator<Item = f64> {
    feature.coefficients.iter().map(|coefficient| coefficient * feature.scale)
}

fn title(paths: &[ClassPath], n_classes: usize) -> String {
    let mut title = "Coefficients along the path".to_owned();
    if let Some(path) = paths.iter().find(|path| path.features.len() < path.n_features) {
        let each = if paths.len() > 1 { " for each class" } else { "" };
        title += &format!(", the {} largest of {} features{each}", path.features.len(), path.n_features);
    }
    if paths.len() < n_classes {
        title += &format!(", the first {} of {n_classes} classes", paths.len());
    }
    title
}

fn below(paths: &[ClassPath], chosen: &[Option<&ChosenPenalty>]) -> String {
    let mut shares: Vec<f64> = paths.iter().map(|path| path.l1_ratio).collect();
    shares.dedup();
    match (shares.as_slice(), chosen) {
        ([], _) => "No path was stored".into(),
        ([share], [Some(chosen)]) => {
            format!("L1 share {}; dashed: the chosen λ = {}", number(*share), number(chosen.l1 + chosen.l2))
        }
        ([share], _) => format!("L1 share {}; dashed: the chosen λ", number(*share)),
        _ => "At the L1 share chosen for each class; dashed: the chosen λ".into(),
    }
}

/// A feature has the same colour in all panels, as far as colours stay distinct within each panel.
fn colour<'a>(colours: &mut HashMap<&'a str, usize>, here: &[&'a str], name: &'a str, rank: usize) -> usize {
    if let Some(colour) = colours.get(name) {
        return *colour;
    }
    let taken: Vec<_> = here.iter().filter_map(|other| colours.get(other)).collect();
    let free = (0..COLOURS).find(|colour| !taken.contains(&colour));
    *colours.entry(name).or_insert(free.unwrap_or(rank % COLOURS))
}

fn draw<'a>(
    canvas: &mut Canvas,
    (path, chosen): (&'a ClassPath, Option<&ChosenPenalty>),
    colours: &mut HashMap<&'a str, usize>,
    (x, y): (&PenaltyAxis, &Scale),
    (origin, part): ((f64, f64), (f64, f64)),
    (rows, columns): (usize, usize),
) {
    let small = columns > 1;
    let (size, class) = if small { (SMALL, "small") } else { (TEXT, "name") };
    let letters = [24, 16, 11][columns - 1];
    let named = if rows > 1 { NAMED_IN_SMALL } else { NAMED };
    let (named, others) = path.features.split_at(named.min(path.features.len()));
    let names: Vec<String> = named.iter().map(|feature| short(&feature.feature, letters)).collect();
    let longest = widest(names.iter().map(String::as_str), size);
    let room = Room {
        left: (ticks_width(y) + 5.0).max(if small { 40.0 } else { 50.0 }),
        right: 26.0 + longest,
        top: if path.class.is_some() { 26.0 } else { 10.0 },
        bottom: 26.0,
    };
    let frame = Frame::new(origin, part, room, x.scale.clone(), y.clone());
    frame.draw(canvas);
    if let Some(class) = &path.class {
        canvas.write((frame.middle(), frame.top - 9.0), "mid", &short(class, 30));
    }
    canvas.line((frame.left, frame.down(0.0)), (frame.right, frame.down(0.0)), "axis", 1.0);
    let places = |feature: &FeaturePath| -> Vec<Vec<(f64, f64)>> {
        let points = path.lambda.iter().copied().zip(standardised(feature).map(Some));
        let runs = runs(x, points);
        runs.into_iter().map(|run| run.into_iter().map(|point| frame.place(point)).collect()).collect()
    };
    for feature in others.iter().rev() {
        line(canvas, &places(feature), &Pen::FAINT.faded(0.8), 0.8);
    }
    if let Some(at) = chosen.and_then(|chosen| x.place(chosen.l1 + chosen.l2)) {
        let at = frame.across(at);
        canvas.polyline(&[(at, frame.top), (at, frame.bottom)], &Pen::INK.dashed(), 1.0);
    }
    let here: Vec<&str> = named.iter().map(|feature| feature.feature.as_str()).collect();
    let own: Vec<_> =
        here.iter().enumerate().map(|(rank, name)| colour(colours, &here, name, rank)).collect();
    let mut ends: Vec<((f64, f64), &str, Pen)> = Vec::new();
    // Draw the largest last, above the others.
    for (rank, feature) in named.iter().enumerate().rev() {
        let pen = Pen::named(own[rank]);
        let runs = places(feature);
        if let Some(&last) = runs.last().and_then(|run| run.last()) {
            ends.push((last, feature.feature.as_str(), pen.clone()));
        }
        // Each colour is used twice; the second line is dashed.
        let pen = if rank >= COLOURS { pen.dashed() } else { pen };
        line(canvas, &runs, &pen, if small { 1.3 } else { 1.7 });
    }
    ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    let wanted: Vec<f64> = ends.iter().map(|end| end.0.1).collect();
    for ((end, name, pen), place) in ends.into_iter().zip(apart(&wanted, size + 2.0, frame.top, frame.bottom))
    {
        let edge = frame.right;
        let leader = [end, (edge + 3.0, end.1), (edge + 14.0, place), (edge + 17.0, place)];
        canvas.polyline(&leader, &pen.faded(0.6), 0.8);
        canvas.write((edge + 20.0, place + 4.0), class, &short(name, letters));
    }
}

/// A line, with dots for isolated points.
fn line(canvas: &mut Canvas, runs: &[Vec<(f64, f64)>], pen: &Pen, width: f64) {
    for run in runs {
        if let [alone] = run[..] {
            canvas.dot(alone, width * 1.5, pen)
        } else {
            canvas.polyline(run, pen, width)
        }
    }
}
