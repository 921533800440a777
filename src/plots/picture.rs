//! A finished picture: inside a page, alone as SVG, or as PNG.

use std::sync::Arc;

use resvg::usvg::fontdb::Database;
use resvg::{tiny_skia, usvg};

use super::canvas::{Canvas, escape, px};
use super::colours::plain_style;

/// Pixels of a PNG for each of the picture.
const SCALE: f32 = 2.0;
/// Room for the title and the line below it, where a picture stands alone.
const HEADING: f64 = 60.0;
const MARGIN: f64 = 12.0;

/// A picture with its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// What it shows.
    pub title: String,
    /// What should be known of it, in a line.
    pub below: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    /// Its marks.
    marks: String,
}

impl Picture {
    pub(super) fn new((width, height): (f64, f64), words: [String; 3], canvas: Canvas) -> Self {
        let [title, below, description] = words;
        Self { width, height, title, below, description, marks: canvas.finish() }
    }

    /// The picture for a page, which gives it heading and colours. Its `id` is also the beginning of those of its
    /// title and description.
    pub fn inline(&self, id: &str) -> String {
        format!(
            "<svg class=\"plot\" id=\"{id}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{}</svg>",
            px(self.width),
            px(self.height),
            escape(&self.title),
            escape(&self.description),
            self.marks,
        )
    }

    /// The picture as a file of its own, on white paper.
    pub fn svg(&self) -> String {
        let (width, height) = (self.width + 2.0 * MARGIN, self.height + HEADING + MARGIN);
        let mut heading = Canvas::default();
        heading.write((MARGIN + 4.0, 26.0), "title strong", &self.title);
        heading.write((MARGIN + 4.0, 46.0), "note", &self.below);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n\
             <style>{}.plot .title{{font-size:15px}}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             {}\n<g transform=\"translate({MARGIN} {HEADING})\">{}</g>\n</svg>\n",
            escape(&self.title),
            escape(&self.description),
            plain_style(),
            heading.finish(),
            self.marks,
        )
    }

    /// The picture as PNG, two pixels for each of the SVG. Text is drawn with the font that comes with the program, and
    /// that of scripts which it lacks with what the system has.
    ///
    /// # Panics
    /// Never, but for a defect: what is drawn here is always an SVG of a sensible size.
    pub fn png(&self) -> Vec<u8> {
        let mut fonts = Database::new();
        fonts.load_font_data(include_bytes!("fonts/Inter-Regular.ttf").to_vec());
        fonts.load_font_data(include_bytes!("fonts/Inter-SemiBold.ttf").to_vec());
        if !self.svg().chars().all(is_bundled) {
            fonts.load_system_fonts();
        }
        let options = usvg::Options {
            fontdb: Arc::new(fonts),
            font_family: "Inter".into(),
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&self.svg(), &options).expect("pictures are well-formed SVG");
        let size = tree.size().to_int_size().scale_by(SCALE).expect("pictures are not empty");
        let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).expect("pictures are not empty");
        resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().expect("memory takes what is written")
    }
}

/// Whether the fonts that come with the program have a letter, or it is drawn without one.
fn is_bundled(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ' '..='~' | '\u{a0}'..='\u{17f}' | 'Ͱ'..='џ' | '‐'..='₵' | '←'..='≥' | '■'..='●' | '\u{fffd}')
}
