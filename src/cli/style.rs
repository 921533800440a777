//! Styles and escapes for terminals. Names are data: they may contain characters that move a cursor, set a
//! title or change the direction of text. Such characters are shown as escapes.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use logodds::output::{escape_unless, is_shown};

/// The style of a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    /// A name: of a fact, or of a table's column.
    Name,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

const NAME: Style = Style::new().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// The styles of `--help` and of usage errors.
pub(super) const HELP: Styles = Styles::styled()
    .header(NAME)
    .usage(NAME)
    .literal(AnsiColor::Cyan.on_default())
    .error(ERROR)
    .invalid(WARNING);

/// Marks of styles in text that is not rendered yet: code points that Unicode reserves as noncharacters.
const MARKS: [(char, Style); 3] = [('\u{fdd0}', NAME), ('\u{fdd1}', WARNING), ('\u{fdd2}', ERROR)];
const END: char = '\u{fdd3}';

/// `text` in a style; [`render`] turns it into terminal codes.
pub(super) fn paint(paint: Paint, text: &str) -> String {
    format!("{}{}{END}", MARKS[paint as usize].0, escape(text))
}

/// `text` for a terminal: styled, with line ends kept and all other unprintable characters escaped.
pub(super) fn render(text: &str) -> String {
    let mut rendered = String::with_capacity(text.len());
    let mut style = Style::new();
    for character in text.chars() {
        if let Some((_, begun)) = MARKS.iter().find(|(mark, _)| *mark == character) {
            style = *begun;
            let _ = write!(rendered, "{style}");
        } else if character == END {
            let _ = write!(rendered, "{style:#}");
        } else if is_shown(character) || matches!(character, '\n' | '\t') {
            rendered.push(character);
        } else {
            rendered.extend(character.escape_default());
        }
    }
    rendered
}

/// A name, or other text of one line, with unprintable characters as escapes such as `\u{1b}`.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    escape_unless(text, is_shown, |character, escaped| escaped.extend(character.escape_default()))
}

/// JSON with unprintable characters as JSON escapes.
pub(super) fn escape_json(json: &str) -> Cow<'_, str> {
    escape_unless(json, is_shown, |character, escaped| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_own_styles_controls_a_terminal() {
        let evil = "a\u{1b}]0;t\u{7}\u{9b}31m\u{202e}b\u{fdd2}\n";
        let escaped = "a\\u{1b}]0;t\\u{7}\\u{9b}31m\\u{202e}b\\u{fdd2}\\n";
        assert_eq!(escape(evil), escaped);
        assert_eq!(render(&paint(Paint::Name, evil)), format!("{NAME}{escaped}{NAME:#}"));
        assert_eq!(render("x\u{1b}[31m\ny"), "x\\u{1b}[31m\ny");
    }

    #[test]
    fn what_is_shown_stays_as_it_is() {
        for text in ["prix (€) \\ \"x\"", "東京都", "क्‍ष 👩‍🔬", "שלום"] {
            assert_eq!(escape(text), text);
            assert_eq!(escape_json(text), text);
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let texts = ["\u{7f}\u{9b}", "\u{202e}", "\u{e0041}", "a\nb"];
        let json = serde_json::to_string(&texts).unwrap();
        let escaped = escape_json(&json);
        assert!(escaped.chars().all(is_shown), "{escaped}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).unwrap(), texts);
    }
}
