//! The axes around a chart.

use super::axis::Scale;
use super::canvas::Canvas;

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
        for (at, text) in &self.x.ticks {
            let x = self.across(*at);
            canvas.line((x, self.top), (x, self.bottom), "grid", 1.0);
            canvas.write((x, self.bottom + 16.0), "tick mid", text);
        }
        canvas.line((self.left, self.bottom), (self.right, self.bottom), "axis", 1.0);
        canvas.line((self.left, self.top), (self.left, self.bottom), "axis", 1.0);
    }

    /// Tells a page where the chart lies, so that it can move marks in it.
    pub(super) fn locate(&self, canvas: &mut Canvas) {
        let attributes: [(&str, &dyn std::fmt::Display); 5] = [
            ("class", &"frame"),
            ("data-left", &self.left),
            ("data-right", &self.right),
            ("data-top", &self.top),
            ("data-bottom", &self.bottom),
        ];
        canvas.element("g", &attributes);
    }

    /// Writes what the axes are.
    pub(super) fn name(&self, canvas: &mut Canvas, x: &str, y: &str) {
        canvas.write((self.middle(), self.bottom + 34.0), "note mid", x);
        canvas.write_upwards((self.left - 40.0, f64::midpoint(self.top, self.bottom)), "note mid", y);
    }
}
