//! The axes around a chart.

use super::axis::Scale;
use super::canvas::{Canvas, px};
use super::measure::{TEXT, TICK, widest, width};

/// The drawing area of a chart, and its two scales.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

/// Margins of a chart, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Distance between two labels of an axis.
const APART: f64 = 6.0;

/// Width of the tick labels of a vertical axis.
pub(super) fn ticks_width(y: &Scale) -> f64 {
    7.0 + widest(y.ticks.iter().map(|tick| tick.1.as_str()), TICK)
}

/// Distance from a vertical axis to its name.
fn beside(y: &Scale) -> f64 {
    ticks_width(y) + 8.0
}

/// Margin on the left for the ticks and the name of a vertical axis; at least `least`.
pub(super) fn room_beside(y: &Scale, least: f64) -> f64 {
    (beside(y) + TEXT + 2.0).max(least)
}

impl Frame {
    /// A chart in a picture of this size, or in a part of it that begins at `origin`.
    pub(super) fn new(origin: (f64, f64), size: (f64, f64), room: Room, x: Scale, y: Scale) -> Self {
        Self {
            left: origin.0 + room.left,
            right: origin.0 + size.0 - room.right,
            top: origin.1 + room.top,
            bottom: origin.1 + size.1 - room.bottom,
            x,
            y,
        }
    }

    pub(super) fn across(&self, x: f64) -> f64 {
        let share = (x - self.x.range.start) / (self.x.range.end - self.x.range.start);
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    pub(super) fn down(&self, y: f64) -> f64 {
        let share = (y - self.y.range.start) / (self.y.range.end - self.y.range.start);
        self.bottom - share.clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.across(x), self.down(y))
    }

    /// The horizontal centre.
    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.left, self.right)
    }

    /// Draws the grid, the axes and the tick labels.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        for (at, text) in &self.y.ticks {
            let y = self.down(*at);
            canvas.line((self.left, y), (self.right, y), "grid", 1.0);
            canvas.write((self.left - 7.0, y + 3.8), "tick end", text);
        }
        let mut ticks: Vec<(f64, &str)> =
            self.x.ticks.iter().map(|(at, text)| (self.across(*at), text.as_str())).collect();
        ticks.sort_by(|a, b| b.0.total_cmp(&a.0));
        // From the right, where the penalty 0 has its place; labels that would touch their neighbour are left
        // out.
        let mut free = f64::INFINITY;
        for (x, text) in ticks {
            canvas.line((x, self.top), (x, self.bottom), "grid", 1.0);
            let half = width(text, TICK) / 2.0;
            if x + half <= free {
                canvas.write((x, self.bottom + 16.0), "tick mid", text);
                free = x - half - APART;
            }
        }
        canvas.line((self.left, self.bottom), (self.right, self.bottom), "axis", 1.0);
        canvas.line((self.left, self.top), (self.left, self.bottom), "axis", 1.0);
    }

    /// Writes the positions of values from 0 to 1 (horizontal) and from `low` to 1 (vertical), so that a page
    /// can move marks.
    pub(super) fn locate(&self, canvas: &mut Canvas, low: f64) {
        let [left, right] = [0.0, 1.0].map(|x| px(self.across(x)));
        let [bottom, top] = [low, 1.0].map(|y| px(self.down(y)));
        let attributes: [(&str, &dyn std::fmt::Display); 5] = [
            ("class", &"frame"),
            ("data-left", &left),
            ("data-right", &right),
            ("data-top", &top),
            ("data-bottom", &bottom),
        ];
        canvas.element("g", &attributes);
    }

    /// Writes the names of the axes.
    pub(super) fn name(&self, canvas: &mut Canvas, x: &str, y: &str) {
        canvas.write((self.middle(), self.bottom + 34.0), "note mid", x);
        let left = self.left - beside(&self.y).max(40.0);
        canvas.write_upwards((left, f64::midpoint(self.top, self.bottom)), "note mid", y);
    }
}
