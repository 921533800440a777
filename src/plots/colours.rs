//! The colours of pictures and pages, named once: what the style sheets call `var(--name)`.

/// Name, on white paper, on dark.
///
/// `c0` to `c6` are after the colours of Okabe and Ito, Color universal design, 2008, which the colour-blind can
/// tell apart, less the yellow, which white drowns; on dark paper lighter ones of the same hues.
const COLOURS: [(&str, &str, &str); 13] = [
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
];

/// Families for text that is drawn or read: the first is the one that comes with the program.
const FONT: &str = "Inter,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/// The rules that pictures in a page need; the page sets the variables.
pub(crate) const STYLE: &str = include_str!("plots.css");

/// The rules with the colours of white paper in them, for a picture that stands alone.
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

/// The `i`-th of `n` colours from violet to light green, where the named ones are too few.
pub(super) fn scale(i: usize, n: usize) -> String {
    // viridis, less its darkest and its yellow.
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
