//! Formats numbers for people, in the same way as `page.js`.

/// `x` in `digits` significant digits, without trailing zeros.
pub(super) fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 {
        return "0".into();
    }
    if !x.is_finite() {
        return if x > 0.0 { "∞".into() } else { "–".into() };
    }
    if !(1e-4..1e7).contains(&x.abs()) {
        let text = format!("{x:.*e}", digits - 2);
        return text.parse::<f64>().map_or(text, |value| format!("{value:e}"));
    }
    let rounded = format!("{x:.*e}", digits - 1);
    rounded.parse::<f64>().map_or(rounded, |value| format!("{value}"))
}

/// Four significant digits, with a typographic minus sign.
pub(super) fn number(x: f64) -> String {
    significant(x, 4).replace('-', "\u{2212}")
}

/// An odds ratio; close to 1, with enough digits to differ from 1.
pub(super) fn ratio(x: f64) -> String {
    let off = (x - 1.0).abs();
    if !(1e-9..0.01).contains(&off) {
        return number(x);
    }
    let decimals = (2.0 - off.log10().floor()) as usize;
    format!("{x:.decimals$}")
}

/// The same, or a dash.
pub(super) fn or_dash(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), number)
}

/// A share or a score, with four decimals.
pub(super) fn score(x: f64) -> String {
    format!("{x:.4}")
}

/// The same, or a dash.
pub(super) fn score_or_dash(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), score)
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

/// A count or a sum of weights, with thousands separators and at most two decimals.
pub(super) fn count(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, rest) = text.split_once('.').map_or((text, ""), |(whole, rest)| (whole, rest));
    let mut parted = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && digit.is_ascii_digit() && !parted.ends_with('-') {
            parted.push(',');
        }
        parted.push(digit);
    }
    if rest.is_empty() { parted } else { format!("{parted}.{rest}") }
}

/// `1 row`, `2 rows`.
pub(super) fn plural(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n as f64), if n == 1 { "" } else { "s" })
}

pub(super) fn seconds(seconds: f64) -> String {
    match seconds * 1e3 {
        ms if ms >= 99.5 => format!("{seconds:.2} s"),
        ms if ms >= 9.95 => format!("{ms:.0} ms"),
        ms => format!("{} ms", significant(ms, 2)),
    }
}

/// A residual or a gap, with digits that suit its size.
pub(super) fn size(x: f64) -> String {
    format!("{x:.1e}").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_thousands_parted() {
        for (x, text) in
            [(0.0, "0"), (1.0, "1"), (0.123_456, "0.1235"), (12_345.678, "12350"), (1.5e-9, "1.5e−9")]
        {
            assert_eq!(number(x), text);
        }
        for (x, text) in
            [(0.0, "0"), (999.0, "999"), (1e6, "1,000,000"), (1234.5, "1,234.5"), (-1234.0, "-1,234")]
        {
            assert_eq!(count(x), text);
        }
    }

    #[test]
    fn what_took_little_time_took_some() {
        for (x, text) in [
            (0.000_34, "0.34 ms"),
            (0.0042, "4.2 ms"),
            (0.0994, "99 ms"),
            (0.0996, "0.10 s"),
            (3.0, "3.00 s"),
        ] {
            assert_eq!(seconds(x), text);
        }
        assert_eq!(size(3.9e-8), "3.9e\u{2212}8");
    }

    #[test]
    fn ratios_close_to_one_show_by_how_much() {
        for (x, text) in [(1.000_312_7, "1.000313"), (0.998, "0.99800"), (1.0, "1"), (2.5, "2.5")] {
            assert_eq!(ratio(x), text);
        }
    }
}
