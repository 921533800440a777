//! The axes around a chart.

use super::axis::Scale;
use super::canvas::{Canvas, px};
use super::measure::{TEXT, TICK, widest, width};

/// The rectangle that values are drawn in, and its two scales.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

/// Room around a chart, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Between two labels of an axis.
const APART: f64 = 6.0;

/// Room for what is written beside the ticks of an upward axis.
pub(super) fn ticks_width(y: &Scale) -> f64 {
    7.0 + widest(y.ticks.iter().map(|tick| tick.1.as_str()), TICK)
}

/// How far left of such an axis its name stands.
fn beside(y: &Scale) -> f64 {
    ticks_width(y) + 8.0
}

/// Room left of such an axis for its ticks and its name; at least `least`.
pub(super) fn room_beside(y: &Scale, least: f64) -> f64 {
    (beside(y) + TEXT + 2.0).max(least)
}

impl Frame {
    /// A chart in a picture of some size, or in a part of it that begins at `origin`.
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

    /// The middle from left to right.
    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.left, self.right)
    }

    /// Draws the grid, the axes and what is written beside the ticks.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        for (at, text) in &self.y.ticks {
            let y = self.down(*at);
            canvas.line((self.left, y), (self.right, y), "grid", 1.0);
            canvas.write((self.left - 7.0, y + 3.8), "tick end", text);
        }
        let mut ticks: Vec<(f64, &str)> =
            self.x.ticks.iter().map(|(at, text)| (self.across(*at), text.as_str())).collect();
        ticks.sort_by(|a, b| b.0.total_cmp(&a.0));
        // From the right on, where no penalty has its place: only what does not touch its neighbour is written.
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

    /// Tells a page where values from 0 to 1 lie across, and those from `low` to 1 upward, so that it can move marks.
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

    /// Writes what the axes are.
    pub(super) fn name(&self, canvas: &mut Canvas, x: &str, y: &str) {
        canvas.write((self.middle(), self.bottom + 34.0), "note mid", x);
        let left = self.left - beside(&self.y).max(40.0);
        canvas.write_upwards((left, f64::midpoint(self.top, self.bottom)), "note mid", y);
    }
}
