//! How wide text is, in the fonts that come with the program.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{Node, Options, Tree, fontdb::Database};

use super::canvas::{escape, short};

/// The fonts that come with the program.
pub(super) static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(include_bytes!("fonts/Inter-Regular.ttf").to_vec());
    fonts.load_font_data(include_bytes!("fonts/Inter-SemiBold.ttf").to_vec());
    Arc::new(fonts)
});

/// What SVG with text is read with.
pub(super) fn options(fonts: &Arc<Database>) -> Options<'static> {
    Options { fontdb: Arc::clone(fonts), font_family: "Inter".into(), ..Options::default() }
}

/// Sizes of text in a style sheet that stands alone, in pixels.
pub(super) const TEXT: f64 = 12.0;
pub(super) const TICK: f64 = 11.0;
pub(super) const SMALL: f64 = 10.5;
pub(super) const TITLE: f64 = 15.0;

/// A browser without these fonts takes others, which may be wider by so much.
const WIDER: f64 = 1.12;

/// The room that a line of text of some size takes, in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let weight = if size == TITLE { 600 } else { 400 };
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text font-size=\"{size}\" font-weight=\"{weight}\">{}</text></svg>",
        escape(text)
    );
    // A letter of another script is as wide as it is high, at most.
    let others = text.chars().filter(|&c| !is_bundled(c)).count() as f64 * size;
    let Ok(tree) = Tree::from_str(&svg, &options(&FONTS)) else { return others };
    let drawn = tree.root().children().iter().map(|node| match node {
        Node::Text(text) => f64::from(text.bounding_box().width()),
        _ => 0.0,
    });
    WIDER * drawn.fold(0.0, f64::max) + others
}

/// The widest of some lines.
pub(super) fn widest<'a>(lines: impl IntoIterator<Item = &'a str>, size: f64) -> f64 {
    lines.into_iter().map(|line| width(line, size)).fold(0.0, f64::max)
}

/// A name in at most `n` letters, and in fewer where these have no room.
pub(super) fn fit(name: &str, n: usize, size: f64, room: f64) -> String {
    let mut names = (2..=n).rev().map(|n| short(name, n));
    names.find(|name| width(name, size) <= room).unwrap_or_else(|| short(name, 1))
}

/// Text in lines no wider than `room`, but for words that are.
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

/// Whether the fonts that come with the program have a letter, or it is drawn without one.
pub(super) fn is_bundled(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ' '..='~' | '\u{a0}'..='\u{17f}' | 'Ͱ'..='џ' | '‐'..='₵' | '←'..='≥' | '■'..='●' | '\u{fffd}')
}
