//! The confusion matrix as a heat map.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::canvas::{Canvas, px, short};
use super::colours::ink_over;
use super::measure::{TICK, widest};
use super::picture::Picture;

/// Most classes with counts in the cells; below, most classes with names.
const COUNTED: usize = 12;
const NAMED: usize = 40;
/// Most classes in a matrix: the first ones are shown.
pub const MATRIX_CLASSES: usize = 120;
/// Number of shades.
const SHADES: f64 = 10.0;

/// The shade of a cell with `count` of the `total` rows of its class, by the square root, so that rare
/// mistakes are visible.
fn shade(count: u64, total: u64) -> u8 {
    ((count as f64 / total as f64).sqrt() * SHADES).ceil().clamp(1.0, SHADES) as u8
}

fn opacity(shade: u8) -> f64 {
    f64::from(shade) / SHADES
}

/// Draws rows by true class (down) and predicted class (across). Shades are shares of each row, correct
/// predictions in one colour and mistakes in another. Shows at most [`MATRIX_CLASSES`] classes.
pub fn confusion_matrix(matrix: &[Vec<u64>], classes: &[String]) -> Picture {
    let n = classes.len().min(matrix.len()).min(MATRIX_CLASSES);
    let names: Vec<String> = classes.iter().take(n).map(|class| short(class, 14)).collect();
    let longest = if n <= NAMED { widest(names.iter().map(String::as_str), TICK) } else { 0.0 };
    let label = if n <= NAMED { 14.0 + longest } else { 26.0 };
    let side = if n <= 4 { 240.0 } else { 420.0 };
    let cell = side / n.max(1) as f64;
    // Column names are upright if they are wider than the columns.
    let is_flat = n <= COUNTED && longest + 6.0 <= cell;
    let (left, top) = (label + 22.0, if is_flat { 40.0 } else { label + 22.0 });
    let size = (left + side + 8.0, top + side + 8.0);
    let of = if n < classes.len() { format!(", {n} of {} classes", classes.len()) } else { String::new() };
    let words = [
        format!("Confusion matrix{of}"),
        "rows: true class; columns: predicted class; shades: shares of each row".to_owned(),
        "Heat map of rows by true and predicted class. The numbers are in the table of all cells.".to_owned(),
    ];
    let mut canvas = Canvas::default();
    canvas.write((left + side / 2.0, 12.0), "note mid", "predicted");
    canvas.write_upwards((12.0, top + side / 2.0), "note mid", "true");
    // One path for each shade keeps the picture small.
    let mut shades: BTreeMap<(bool, u8), String> = BTreeMap::new();
    for (i, row) in matrix.iter().take(n).enumerate() {
        let total: u64 = row.iter().sum();
        for (j, &count) in row.iter().take(n).enumerate().filter(|(_, count)| **count > 0) {
            let path = shades.entry((i == j, shade(count, total))).or_default();
            let (x, y) = (left + cell * j as f64, top + cell * i as f64);
            let _ = write!(path, "M{} {}h{}v{}h-{}z", px(x), px(y), px(cell), px(cell), px(cell));
        }
    }
    for ((hit, shade), path) in shades {
        let class = if hit { "f0" } else { "f1" };
        canvas.element("path", &[("class", &class), ("fill-opacity", &opacity(shade)), ("d", &path)]);
    }
    canvas.element(
        "rect",
        &[
            ("class", &"axis heat"),
            ("x", &left),
            ("y", &top),
            ("width", &side),
            ("height", &side),
            ("data-n", &n),
        ],
    );
    if n <= NAMED {
        for (k, class) in names.iter().enumerate() {
            let middle = cell * (k as f64 + 0.5);
            let text = if n > 24 { "tick small end" } else { "tick end" };
            canvas.write((left - 7.0, top + middle + 4.0), text, class);
            if is_flat {
                canvas.write((left + middle, top - 7.0), "tick mid", class);
                continue;
            }
            let turn = format!("translate({} {}) rotate(-90)", px(left + middle + 4.0), px(top - 7.0));
            canvas.open("g", &[("transform", &turn)]);
            canvas.write((0.0, 0.0), text.trim_end_matches(" end"), class);
            canvas.close("g");
        }
    }
    if n <= COUNTED {
        for (i, row) in matrix.iter().take(n).enumerate() {
            let total: u64 = row.iter().sum();
            for (j, &count) in row.iter().take(n).enumerate() {
                let tint = if i == j { "c0" } else { "c1" };
                let class = match count {
                    0 => "mid none".to_owned(),
                    _ => format!("mid {}", ink_over(tint, opacity(shade(count, total)))),
                };
                let at = (left + cell * (j as f64 + 0.5), top + cell * (i as f64 + 0.5) + 4.0);
                canvas.write(at, &class, &count.to_string());
            }
        }
    }
    Picture::new(size, words, canvas)
}
