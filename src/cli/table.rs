//! Text reports within 80 columns, with numbers in as many digits as matter.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Paint, escape, paint};

/// Width of a report in terminal columns; wide characters, such as Chinese, take two.
pub(crate) const WIDTH: usize = 80;
/// Most rows of a table.
const MAX_ROWS: usize = 20;

/// Lines of `name` and `value`. Values are aligned, long values continue below their start, and words longer
/// than a line are broken.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let name_width = facts.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in facts {
        let mut line = format!("{} ", pad(name, name_width));
        let start = text.len();
        let width = WIDTH.saturating_sub(name_width + 2).max(1);
        for word in escape(value).split(' ').flat_map(|word| pieces(word, width)) {
            if line.width() + 1 + word.width() > WIDTH && line.trim_end().len() > name.len() {
                text.push_str(line.trim_end());
                text.push('\n');
                line = " ".repeat(name_width + 1);
            }
            line.push(' ');
            line.push_str(&word);
        }
        text.push_str(line.trim_end());
        text.push('\n');
        let style = if *name == "warning" { Paint::Warning } else { Paint::Name };
        text.replace_range(start..start + name.len(), &paint(style, name));
    }
    text
}

/// `word` in pieces of at most `width` columns; one piece if it fits or is empty.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for character in word.chars() {
        let last = pieces.last_mut().expect("there is one");
        if !last.is_empty() && last.width() + columns(character) > width {
            pieces.push(character.to_string());
        } else {
            last.push(character);
        }
    }
    pieces
}

/// Width of a character in columns.
fn columns(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// `text` padded with spaces to `width` columns.
fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The longest start of `text` within `width` columns.
fn start(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|&character| {
            used += columns(character);
            used <= width
        })
        .collect()
}

/// The longest end of `text` within `width` columns.
fn end(text: &str, width: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    start(&reversed, width).chars().rev().collect()
}

/// A text table: the first column is left-aligned, the others right-aligned. It has at most [`MAX_ROWS`] rows
/// and [`WIDTH`] columns.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    table_up_to(MAX_ROWS, head, rows)
}

/// The same, with at most `max_rows` rows.
pub(crate) fn table_up_to(max_rows: usize, head: &[&str], rows: &[Vec<String>]) -> String {
    let escaped = |row: &[String]| row.iter().map(|cell| escape(cell).into_owned()).collect();
    let shown: Vec<Vec<String>> = rows.iter().take(max_rows).map(|row| escaped(row)).collect();
    let longest = |c: usize| shown.iter().map(|row| row[c].width()).max().unwrap_or(0);
    let head: Vec<String> = head.iter().map(|name| escape(name).into_owned()).collect();
    let mut widths: Vec<usize> = (0..head.len()).map(|c| longest(c).max(head[c].width())).collect();
    let others: usize = widths.iter().skip(1).map(|width| width + 2).sum();
    widths[0] = widths[0].min(WIDTH.saturating_sub(others).max(8));
    let mut text = String::new();
    for (i, row) in std::iter::once(&head).chain(&shown).enumerate() {
        let mut line = pad(&abridge(&row[0], widths[0]), widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            line.push_str(&" ".repeat(2 + width.saturating_sub(cell.width())));
            line.push_str(cell);
        }
        let line = line.trim_end();
        text.push_str(&if i == 0 { paint(Paint::Name, line) } else { line.to_owned() });
        text.push('\n');
    }
    if rows.len() > shown.len() {
        text.push_str(&format!("... and {} more (all with --json)\n", rows.len() - shown.len()));
    }
    text
}

/// `text` within `width` columns, with dots for a missing end.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    let text = escape(text);
    if text.width() <= width { text.into_owned() } else { start(&text, width.saturating_sub(3)) + "..." }
}

/// `text` within `width` columns, with dots for a missing start.
pub(crate) fn shorten_start(text: &str, width: usize) -> String {
    let text = escape(text);
    if text.width() <= width {
        text.into_owned()
    } else {
        format!("...{}", end(&text, width.saturating_sub(3)))
    }
}

/// `text` within `width` columns, with dots for a missing middle: the name of a feature begins with its
/// column and ends with its level.
pub(crate) fn abridge(text: &str, width: usize) -> String {
    let text = escape(text);
    if text.width() <= width {
        return text.into_owned();
    }
    let shown = width.saturating_sub(2);
    format!("{}..{}", start(&text, shown / 2), end(&text, shown.div_ceil(2)))
}

/// Four significant digits.
pub(crate) fn brief(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    if !(1e-3..1e5).contains(&size) {
        return format!("{x:.2e}");
    }
    format!("{x:.*}", (3 - size.log10().floor() as i32).max(0) as usize)
}

/// Six significant digits, or five below 1, without trailing zeros.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{x:.3e}");
    }
    // Six digits in all; below 1, five after the leading zeros.
    let exponent = size.log10().floor();
    let decimals = if exponent < 0.0 { 4.0 - exponent } else { (5.0 - exponent).max(1.0) };
    let text = format!("{x:.*}", decimals as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number with thousands separators.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration.
pub(crate) fn seconds(secs: f64) -> String {
    if secs < 0.0995 { format!("{:.0} ms", secs * 1e3) } else { format!("{secs:.2} s") }
}

/// `1 row`, `2 rows`.
pub(crate) fn plural(n: usize, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(n))
}

#[cfg(test)]
mod tests {
    use super::super::style::render;
    use super::*;

    /// The visible part of a text.
    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(&render(text)).to_string()
    }

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.123_456_789, "0.12346"),
            (0.000_720_451_9, "0.00072045"),
            (12_345.678, "12345.7"),
            (1.5e-9, "1.500e-9"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(number(x), text);
        }
        for (x, text) in [(0.0, "0"), (0.012_345_6, "0.01235"), (-123.456, "-123.5"), (2e-7, "2.00e-7")] {
            assert_eq!(brief(x), text);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "row"), "1 row");
        assert_eq!(seconds(0.012), "12 ms");
    }

    #[test]
    fn a_table_stays_within_80_columns() {
        let rows = vec![vec!["a very long class name ".repeat(9), "1".repeat(20), "2".repeat(20)]; 30];
        let text = plain(&table(&["class", "x", "y"], &rows));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.lines().count(), 1 + MAX_ROWS + 1);
        assert_eq!(abridge("marital_status=Married", 12), "marit..rried");
        let text = plain(&facts(&[("device", "word ".repeat(60)), ("x", "y".into())]));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("        word"), "{text}");
        let wide = "東京都と大阪府の比較".repeat(9);
        for text in [facts(&[("class", wide.clone())]), table(&["class", "行"], &[vec![wide, "数".into()]])]
        {
            let text = plain(&text);
            assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
        }
        let text = plain(&table(
            &["class", "n"],
            &[vec!["東京".into(), "1".into()], vec!["york".into(), "22".into()]],
        ));
        assert_eq!(text, "class   n\n東京    1\nyork   22\n");
        let path = "a/long/path".repeat(30);
        let text = plain(&facts(&[("model", format!("at {path} now"))]));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.replace("\n       ", "").contains(&path), "{text}");
    }
}
