//! Colours of the terminal. Everything is printed through streams that leave them out where nobody looks, or
//! where `NO_COLOR` or `TERM=dumb` asks for it.

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

/// What names something: a fact, the columns of a table.
pub(super) const NAME: Style = Style::new().bold();
/// What deserves attention.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What failed.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Those of `--help` and of wrong usage.
pub(super) const HELP: Styles = Styles::styled()
    .header(NAME)
    .usage(NAME)
    .literal(AnsiColor::Cyan.on_default())
    .error(ERROR)
    .invalid(WARNING);

/// `text` in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
