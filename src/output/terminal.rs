//! What may reach a terminal of a text that is data.

use std::borrow::Cow;

/// Whether a character stands for itself: no control character, no separator of lines, none that changes the direction
/// of others, none without any width that could make two names look alike. Joiners, which scripts and emoji need, do.
pub fn is_shown(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// A file's content for a terminal: its lines kept, every other character that would not be shown as an escape such as
/// `\u{1b}`.
pub fn for_terminal(content: &str) -> Cow<'_, str> {
    let is_kept = |character| is_shown(character) || matches!(character, '\n' | '\t');
    escape_unless(content, is_kept, |character, escaped| escaped.extend(character.escape_default()))
}

/// The text, with what `escape` writes for every character that is not to be kept.
pub fn escape_unless(
    text: &str,
    is_kept: impl Fn(char) -> bool,
    escape: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if text.chars().all(&is_kept) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_kept(character) {
            escaped.push(character);
        } else {
            escape(character, &mut escaped);
        }
    }
    Cow::Owned(escaped)
}
