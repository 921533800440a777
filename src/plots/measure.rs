//! Measures text in the bundled fonts.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{Node, Options, Tree, fontdb::Database};

use super::canvas::{escape, short};

/// The bundled fonts.
pub(super) static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(include_bytes!("fonts/Inter-Regular.ttf").to_vec());
    fonts.load_font_data(include_bytes!("fonts/Inter-SemiBold.ttf").to_vec());
    Arc::new(fonts)
});

/// The options for parsing SVG with text.
pub(super) fn options(fonts: &Arc<Database>) -> Options<'static> {
    Options { fontdb: Arc::clone(fonts), font_family: "Inter".into(), ..Options::default() }
}

/// Font sizes in a stand-alone style sheet, in pixels.
pub(super) const TEXT: f64 = 12.0;
pub(super) const TICK: f64 = 11.0;
pub(super) const SMALL: f64 = 10.5;
pub(super) const TITLE: f64 = 15.0;

/// Browsers without these fonts use others, which may be wider by this factor.
const WIDER: f64 = 1.12;

/// Width of a line of text of some font size, in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let weight = if size == TITLE { 600 } else { 400 };
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text font-size=\"{size}\" font-weight=\"{weight}\">{}</text></svg>",
        escape(text)
    );
    // A character of another script is at most as wide as it is high.
    let others = text.chars().filter(|&c| !is_bundled(c)).count() as f64 * size;
    let Ok(tree) = Tree::from_str(&svg, &options(&FONTS)) else { return others };
    let drawn = tree.root().children().iter().map(|node| match node {
        Node::Text(text) => f64::from(text.bounding_box().width()),
        _ => 0.0,
    });
    WIDER * drawn.fold(0.0, f64::max) + others
}

/// Width of the widest line.
pub(super) fn widest<'a>(lines: impl IntoIterator<Item = &'a str>, size: f64) -> f64 {
    lines.into_iter().map(|line| width(line, size)).fold(0.0, f64::max)
}

/// Shortens a name to at most `n` characters that fit into `room`.
pub(super) fn fit(name: &str, n: usize, size: f64, room: f64) -> String {
    let mut names = (2..=n).rev().map(|n| short(name, n));
    names.find(|name| width(name, size) <= room).unwrap_or_else(|| short(name, 1))
}

/// Breaks text into lines no wider than `room`, except for single longer words.
pub(super) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (longer.filter(|line| width(line, size) <= room), lines.last_mut()) {
            (Some(longer), Some(line)) => *line = longer,
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Whether the bundled fonts have the character, or it needs no glyph.
pub(super) fn is_bundled(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ' '..='~' | '\u{a0}'..='\u{17f}' | 'Ͱ'..='џ' | '‐'..='₵' | '←'..='≥' | '■'..='●' | '\u{fffd}')
}
