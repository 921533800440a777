//! Escapes text that a terminal would act on.

use std::borrow::Cow;

/// Whether a character is shown as it is. Not shown: control characters, line separators, characters that
/// change the direction of text, and characters without width that could make two names look alike. Joiners,
/// which scripts and emoji need, are shown.
pub fn is_shown(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The content of a file for a terminal: line ends are kept, and every other character that is not shown
/// becomes an escape such as `\u{1b}`.
pub fn for_terminal(content: &str) -> Cow<'_, str> {
    let is_kept = |character| is_shown(character) || matches!(character, '\n' | '\t');
    escape_unless(content, is_kept, |character, escaped| escaped.extend(character.escape_default()))
}

/// The text, with each character that `is_kept` rejects replaced by the output of `escape`.
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
