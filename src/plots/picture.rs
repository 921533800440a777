//! A finished picture: for a page, as a stand-alone SVG, or as PNG.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::canvas::{Canvas, escape, px};
use super::colours::plain_style;
use super::measure::{FONTS, TEXT, TITLE, is_bundled, options, wrap};

/// PNG pixels for each pixel of the picture.
const SCALE: f32 = 2.0;
const MARGIN: f64 = 12.0;

/// A picture and its texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// The title.
    pub title: String,
    /// A line of facts below the title.
    pub below: String,
    /// A description for people who cannot see the picture.
    pub description: String,
    /// The SVG elements.
    marks: String,
}

impl Picture {
    pub(super) fn new((width, height): (f64, f64), words: [String; 3], canvas: Canvas) -> Self {
        let [title, below, description] = words;
        Self { width, height, title, below, description, marks: canvas.finish() }
    }

    /// The picture for a page, which supplies heading and colours. The ids of its title and description begin
    /// with `id`.
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

    /// The picture as a stand-alone SVG file on white paper.
    pub fn svg(&self) -> String {
        let width = self.width + 2.0 * MARGIN;
        let left = MARGIN + 4.0;
        let titles = wrap(&self.title, TITLE, width - 2.0 * left);
        let below = wrap(&self.below, TEXT, width - 2.0 * left);
        let mut heading = Canvas::default();
        let mut y = 26.0;
        for title in &titles {
            heading.write((left, y), "title strong", title);
            y += 20.0;
        }
        for line in &below {
            heading.write((left, y), "note", line);
            y += 17.0;
        }
        let top = y - 3.0;
        let height = self.height + top + MARGIN;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n\
             <style>{}.plot .title{{font-size:{TITLE}px}}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             {}\n<g transform=\"translate({MARGIN} {top})\">{}</g>\n</svg>\n",
            escape(&self.title),
            escape(&self.description),
            plain_style(),
            heading.finish(),
            self.marks,
        )
    }

    /// The picture as PNG, with two pixels for each of the SVG. Text uses the bundled font, and fonts of the
    /// system for scripts that it lacks.
    ///
    /// # Panics
    /// Never, except for a bug: the SVG is always valid and of a sensible size.
    pub fn png(&self) -> Vec<u8> {
        let svg = self.svg();
        let mut fonts = Arc::clone(&FONTS);
        if !svg.chars().all(is_bundled) {
            Arc::make_mut(&mut fonts).load_system_fonts();
        }
        let tree = usvg::Tree::from_str(&svg, &options(&fonts)).expect("pictures are well-formed SVG");
        let size = tree.size().to_int_size().scale_by(SCALE).expect("pictures are not empty");
        let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).expect("pictures are not empty");
        resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().expect("memory takes what is written")
    }
}
