//! What both pictures are drawn with: colours, type, charts, and the frame of the SVG.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{PenaltyAxis, Scale, drawable};

pub(super) type Area<'b> = DrawingArea<SVGBackend<'b>, Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Scale, Scale>>;
pub(super) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// The backend rounds to whole units, so a pixel has several of them.
const UNITS: f64 = 8.0;

pub(super) const WIDTH: f64 = 900.0;
pub(super) const HEIGHT: f64 = 560.0;

/// The colours of Okabe and Ito, which the colour-blind can tell apart, less the yellow, which white drowns.
pub(super) const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 60, 60),
];

pub(super) const DARK: RGBColor = RGBColor(34, 34, 34);
pub(super) const MUTED: RGBColor = RGBColor(95, 95, 95);
pub(super) const FAINT: RGBColor = RGBColor(190, 190, 190);
const GRID: RGBColor = RGBColor(232, 232, 232);
const FRAME: RGBColor = RGBColor(150, 150, 150);

/// Pixels in units of the drawing.
pub(super) fn px(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// A line of some width in pixels.
pub(super) fn stroke(colour: impl Into<RGBAColor>, width: f64) -> ShapeStyle {
    ShapeStyle { color: colour.into(), filled: false, stroke_width: px(width) as u32 }
}

/// Type of some size in pixels, that begins at its place.
pub(super) fn font(size: f64, colour: RGBColor) -> TextStyle<'static> {
    // The backend divides sizes by this number.
    const BACKEND: f64 = 1.24;
    let font = ("sans-serif", size * UNITS * BACKEND).into_font();
    TextStyle { font, color: colour.to_backend_color(), pos: LEFT }
}

const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
pub(super) const CENTRE: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };

/// The `i`-th of `n` colours from dark violet to light green, where a palette has too few.
pub(super) fn scale(i: usize, n: usize) -> RGBColor {
    // viridis, less the yellow.
    const STOPS: [[f64; 3]; 5] = [
        [68.0, 1.0, 84.0],
        [65.0, 68.0, 135.0],
        [42.0, 120.0, 142.0],
        [34.0, 168.0, 132.0],
        [122.0, 209.0, 81.0],
    ];
    let at = i as f64 / (n.max(2) - 1) as f64 * (STOPS.len() - 1) as f64;
    let stop = (at as usize).min(STOPS.len() - 2);
    let [r, g, b] = [0, 1, 2]
        .map(|c| (STOPS[stop][c] + (at - stop as f64) * (STOPS[stop + 1][c] - STOPS[stop][c])).round() as u8);
    RGBColor(r, g, b)
}

/// A name as it may stand in a picture: at most `n` characters, none that XML refuses.
pub(super) fn short(name: &str, n: usize) -> String {
    let allowed =
        |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    let mut text: String = name.chars().take(n).map(allowed).collect();
    if name.chars().nth(n).is_some() {
        text.pop();
        text.push('…');
    }
    text
}

/// Draws an SVG of `width` times `height` pixels.
pub(super) fn svg(
    (width, height): (f64, f64),
    title: &str,
    description: &str,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> String {
    let mut text = String::new();
    {
        let area =
            SVGBackend::with_string(&mut text, (px(width) as u32, px(height) as u32)).into_drawing_area();
        draw(&area).and_then(|()| area.present()).expect("a string takes all that is drawn");
    }
    // The backend's opening tag gives the size in units, and has no place for the words.
    let drawing = text.split_once('>').map_or("", |(_, drawing)| drawing);
    let escape = |text: &str| {
        let text: String = short(text, usize::MAX);
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         role=\"img\" stroke-linejoin=\"round\">\n<title>{}</title>\n<desc>{}</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>{drawing}",
        px(width),
        px(height),
        escape(title),
        escape(description),
    )
}

/// Writes the title and the line below it.
pub(super) fn heading(area: &Area<'_>, title: &str, below: &str) -> Drawn {
    let bold = font(16.0, DARK);
    let bold = TextStyle { font: bold.font.style(FontStyle::Bold), ..bold };
    area.draw_text(title, &bold, (px(16.0), px(22.0)))?;
    area.draw_text(below, &font(12.0, MUTED), (px(16.0), px(43.0)))
}

/// Room around a chart, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// A chart with its grid and the labels of its ticks.
pub(super) fn chart<'a, 'b>(area: &'a Area<'b>, room: Room, x: &Scale, y: &Scale) -> Drawn<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(room.top))
        .margin_right(px(room.right))
        .x_label_area_size(px(room.bottom))
        .y_label_area_size(px(room.left))
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .bold_line_style(stroke(GRID, 1.0))
        .light_line_style(TRANSPARENT)
        .axis_style(stroke(FRAME, 1.0))
        .label_style(font(11.0, MUTED))
        .set_all_tick_mark_size(px(3.5))
        .draw()?;
    Ok(chart)
}

/// A dashed line from the bottom to the top of a chart.
pub(super) fn upright(chart: &Chart<'_, '_>, at: f64, style: ShapeStyle) -> Drawn {
    let range = chart.y_range();
    dashed(chart, vec![(at, range.start), (at, range.end)], style)
}

/// A dashed line through points.
pub(super) fn dashed(chart: &Chart<'_, '_>, points: Vec<(f64, f64)>, style: ShapeStyle) -> Drawn {
    chart.plotting_area().draw(&DashedPathElement::new(points, px(5.0), px(4.0), style))
}

/// The runs of neighbouring points that a line goes through. A missing point ends a run, and so does the step to no
/// penalty at all, whose place on the axis is not to scale.
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
