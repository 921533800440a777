//! The elements of pictures: lines, marks and text as SVG, with colours as CSS classes.

use std::fmt::{Display, Write};

/// The marks of a picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Default)]
pub(super) struct Canvas {
    text: String,
}

impl Canvas {
    /// The marks as SVG elements.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// An element without content.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.open(name, attributes);
        self.text.insert(self.text.len() - 1, '/');
    }

    /// The opening tag of an element; see [`Canvas::close`].
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        let _ = write!(self.text, "<{name}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"{}\"", escape(&value.to_string()));
        }
        self.text.push('>');
    }

    pub(super) fn close(&mut self, name: &str) {
        let _ = write!(self.text, "</{name}>");
    }

    pub(super) fn write(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        self.open("text", &[("x", &px(x)), ("y", &px(y)), ("class", &class)]);
        self.text.push_str(&escape(text));
        self.close("text");
    }

    /// Text that runs upwards, centred at its position.
    pub(super) fn write_upwards(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        let turn = format!("translate({} {}) rotate(-90)", px(x), px(y));
        self.open("text", &[("transform", &turn), ("class", &class)]);
        self.text.push_str(&escape(text));
        self.close("text");
    }

    /// Marks in a named group, which a page can find and move.
    pub(super) fn group(&mut self, class: &str, draw: impl FnOnce(&mut Self)) {
        self.open("g", &[("class", &class)]);
        draw(self);
        self.close("g");
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str, width: f64) {
        let (x1, y1, x2, y2) = (px(from.0), px(from.1), px(to.0), px(to.1));
        let attributes: [(&str, &dyn Display); 6] =
            [("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2), ("class", &class), ("stroke-width", &width)];
        self.element("line", &attributes);
    }

    pub(super) fn polyline(&mut self, points: &[(f64, f64)], pen: &Pen, width: f64) {
        let points: Vec<String> = points.iter().map(|&(x, y)| format!("{},{}", px(x), px(y))).collect();
        let (class, style) = (pen.stroke_class(), pen.stroke_style());
        let mut attributes: Vec<(&str, &dyn Display)> = Vec::new();
        let points = points.join(" ");
        attributes.extend([("points", &points as &dyn Display), ("class", &class), ("stroke-width", &width)]);
        if !style.is_empty() {
            attributes.push(("style", &style));
        }
        if pen.opacity < 1.0 {
            attributes.push(("opacity", &pen.opacity));
        }
        self.element("polyline", &attributes);
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, pen: &Pen) {
        let (x, y, class, style) = (px(x), px(y), pen.fill_class(), pen.fill_style());
        let mut attributes: Vec<(&str, &dyn Display)> =
            vec![("cx", &x), ("cy", &y), ("r", &radius), ("class", &class)];
        if !style.is_empty() {
            attributes.push(("style", &style));
        }
        if pen.opacity < 1.0 {
            attributes.push(("opacity", &pen.opacity));
        }
        self.element("circle", &attributes);
    }

    pub(super) fn ring(&mut self, (x, y): (f64, f64), radius: f64, pen: &Pen) {
        let (x, y, class, style) = (px(x), px(y), pen.stroke_class(), pen.stroke_style());
        let mut attributes: Vec<(&str, &dyn Display)> =
            vec![("cx", &x), ("cy", &y), ("r", &radius), ("class", &class), ("stroke-width", &1.8)];
        if !style.is_empty() {
            attributes.push(("style", &style));
        }
        self.element("circle", &attributes);
    }
}

/// The pen of a mark: a class of the style sheet, or a colour of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pen {
    colour: Colour,
    dashed: bool,
    opacity: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Colour {
    /// One of the named colours `c0` to `c6`.
    Named(usize),
    Ink,
    Faint,
    /// A CSS colour.
    Own(String),
}

/// Number of named colours.
pub(super) const NAMED: usize = 7;

impl Pen {
    pub(super) const INK: Self = Self { colour: Colour::Ink, dashed: false, opacity: 1.0 };
    pub(super) const FAINT: Self = Self { colour: Colour::Faint, dashed: false, opacity: 1.0 };

    /// One of the [`NAMED`] colours.
    pub(super) fn named(index: usize) -> Self {
        Self { colour: Colour::Named(index % NAMED), dashed: false, opacity: 1.0 }
    }

    pub(super) fn own(colour: String) -> Self {
        Self { colour: Colour::Own(colour), dashed: false, opacity: 1.0 }
    }

    pub(super) fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }

    pub(super) fn faded(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }

    fn stroke_class(&self) -> String {
        let colour = match &self.colour {
            Colour::Named(index) => format!("s{index}"),
            Colour::Faint => "faint".to_owned(),
            Colour::Ink | Colour::Own(_) => "ink".to_owned(),
        };
        if self.dashed { colour + " dash" } else { colour }
    }

    fn fill_class(&self) -> String {
        match &self.colour {
            Colour::Named(index) => format!("f{index}"),
            Colour::Faint => "ffaint".to_owned(),
            Colour::Ink | Colour::Own(_) => "fink".to_owned(),
        }
    }

    fn stroke_style(&self) -> String {
        if let Colour::Own(colour) = &self.colour { format!("stroke:{colour}") } else { String::new() }
    }

    fn fill_style(&self) -> String {
        if let Colour::Own(colour) = &self.colour { format!("fill:{colour}") } else { String::new() }
    }
}

/// A number of pixels, rounded to a tenth.
pub(super) fn px(pixels: f64) -> String {
    let text = format!("{pixels:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// A name that is safe in a picture or on a page: at most `n` characters, and none that XML refuses or that
/// changes the direction of the text around it.
pub(crate) fn short(name: &str, n: usize) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_refused = |c: char| c.is_control() || turns(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
    let allowed = |c: char| if is_refused(c) { '\u{fffd}' } else { c };
    let mut text: String = name.chars().take(n).map(allowed).collect();
    if name.chars().nth(n).is_some() {
        text.pop();
        text.push('…');
    }
    text
}

/// Escapes text for XML and HTML, in content and in attributes.
pub(super) fn escape(text: &str) -> String {
    let text = short(text, usize::MAX);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
