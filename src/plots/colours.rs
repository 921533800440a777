//! The named colours of pictures and pages; style sheets use them as `var(--name)`.

/// Name, value on white paper, value on dark paper.
///
/// `c0` to `c6` follow the colours of Okabe and Ito, Color universal design, 2008, which colour-blind people
/// can distinguish, without the yellow, which is too faint on white; on dark paper they are lighter colours
/// of the same hues.
const COLOURS: [(&str, &str, &str); 17] = [
    ("paper", "#ffffff", "#15181d"),
    ("ink", "#1d2126", "#e9ebee"),
    ("muted", "#5b6470", "#a2abb8"),
    ("faint", "#bcc3cc", "#4b5463"),
    ("axis", "#9aa3ae", "#5f6a7a"),
    ("grid", "#e8ebef", "#272d36"),
    ("c0", "#0072b2", "#56b4e9"),
    ("c1", "#d55e00", "#f0884a"),
    ("c2", "#009e73", "#2fc79d"),
    ("c3", "#cc79a7", "#e09cc3"),
    ("c4", "#56b4e9", "#8fd0f7"),
    ("c5", "#e69f00", "#f2bc48"),
    ("c6", "#3c3c3c", "#c9ced6"),
    // Text colours on tints, for white and for dark paper; see `ink_over`.
    ("ww", "#ffffff", "#ffffff"),
    ("wb", "#ffffff", "#000000"),
    ("bw", "#000000", "#ffffff"),
    ("bb", "#000000", "#000000"),
];

/// Font families; the first one is bundled with the program.
const FONT: &str = "Inter,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/// The style sheet for pictures in a page; the page sets the variables.
pub(crate) const STYLE: &str = include_str!("plots.css");

/// The style sheet with the colours of white paper inserted, for a stand-alone picture.
pub(super) fn plain_style() -> String {
    let mut style = STYLE.replace("var(--font)", FONT);
    for (name, light, _) in COLOURS {
        style = style.replace(&format!("var(--{name})"), light);
    }
    style
}

/// Declarations of the variables, for light or dark paper.
pub(crate) fn variables(dark: bool) -> String {
    let mut text = format!("--font:{FONT};");
    for (name, on_light, on_dark) in COLOURS {
        text += &format!("--{name}:{};", if dark { on_dark } else { on_light });
    }
    text
}

/// The class of the text colour, black or white, that is most legible over a named colour of some opacity. It
/// has a contrast of at least 4.5 wherever the other has less.
pub(super) fn ink_over(name: &str, opacity: f64) -> String {
    let of = |name: &str| COLOURS.iter().find(|colour| colour.0 == name).unwrap_or(&COLOURS[0]);
    let (over, paper) = (of(name), of("paper"));
    let ink = |over: &str, paper: &str| {
        let mixed = [0, 1, 2].map(|c| opacity * channel(over, c) + (1.0 - opacity) * channel(paper, c));
        // White has contrast (1 + 0.05) / (L + 0.05), black (L + 0.05) / 0.05.
        if (luminance(mixed) + 0.05).powi(2) < 1.05 * 0.05 { 'w' } else { 'b' }
    };
    format!("{}{}", ink(over.1, paper.1), ink(over.2, paper.2))
}

/// A channel of a colour `#rrggbb`, from 0 to 1.
fn channel(colour: &str, c: usize) -> f64 {
    let digits = colour.get(1 + 2 * c..3 + 2 * c).unwrap_or("0");
    f64::from(u8::from_str_radix(digits, 16).unwrap_or(0)) / 255.0
}

/// Relative luminance, by WCAG 2.
fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = rgb.map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The `i`-th of `n` colours from violet to light green, if the named colours are too few.
pub(super) fn scale(i: usize, n: usize) -> String {
    // viridis, without its darkest colours and its yellow.
    const STOPS: [[f64; 3]; 5] = [
        [72.0, 40.0, 120.0],
        [62.0, 83.0, 147.0],
        [42.0, 120.0, 142.0],
        [34.0, 168.0, 132.0],
        [122.0, 209.0, 81.0],
    ];
    let at = i as f64 / (n.max(2) - 1) as f64 * (STOPS.len() - 1) as f64;
    let stop = (at as usize).min(STOPS.len() - 2);
    let [r, g, b] = [0, 1, 2]
        .map(|c| (STOPS[stop][c] + (at - stop as f64) * (STOPS[stop + 1][c] - STOPS[stop][c])).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_over_every_tint_is_read_on_white_and_on_dark_paper() {
        for name in ["c0", "c1"] {
            for shade in 1..=10 {
                let opacity = f64::from(shade) / 10.0;
                let inks = ink_over(name, opacity);
                let of = |name: &str| *COLOURS.iter().find(|colour| colour.0 == name).unwrap();
                let (ink, over, paper) = (of(&inks), of(name), of("paper"));
                for (ink, over, paper) in [(ink.1, over.1, paper.1), (ink.2, over.2, paper.2)] {
                    let mixed =
                        [0, 1, 2].map(|c| opacity * channel(over, c) + (1.0 - opacity) * channel(paper, c));
                    let (a, b) = (luminance(mixed), luminance([0, 1, 2].map(|c| channel(ink, c))));
                    let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                    assert!(contrast >= 4.5, "{name} {opacity}: {contrast}");
                }
            }
        }
    }
}
