//! What may reach a terminal: text, and our own colours. Names are data, and may hold what moves a cursor, sets a
//! title or turns the direction of the text around; such characters are shown as escapes.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use logodds::output::{escape_unless, is_shown};

/// What a text is painted as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    /// What names something: a fact, the columns of a table.
    Name,
    /// What deserves attention.
    Warning,
    /// What failed.
    Error,
}

const NAME: Style = Style::new().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Those of `--help` and of wrong usage.
pub(super) const HELP: Styles = Styles::styled()
    .header(NAME)
    .usage(NAME)
    .literal(AnsiColor::Cyan.on_default())
    .error(ERROR)
    .invalid(WARNING);

/// The marks of the paints in a text that is not rendered yet: no characters of any text, by Unicode.
const MARKS: [(char, Style); 3] = [('\u{fdd0}', NAME), ('\u{fdd1}', WARNING), ('\u{fdd2}', ERROR)];
const END: char = '\u{fdd3}';

/// `text` in a style; [`render`] turns it into what a terminal understands.
pub(super) fn paint(paint: Paint, text: &str) -> String {
    format!("{}{}{END}", MARKS[paint as usize].0, escape(text))
}

/// `text` as a terminal gets it: painted, its lines kept, every other character that would not be shown escaped.
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

/// A name, or any other text of one line, with everything that would not be shown as escapes such as `\u{1b}`.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    escape_unless(text, is_shown, |character, escaped| escaped.extend(character.escape_default()))
}

/// JSON with the escapes that it has itself for everything that would not be shown.
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
