//! Odds ratios as a forest plot.

use super::axis::{Scale, number};
use super::canvas::{Canvas, Pen, px, short};
use super::frame::{Frame, Room};
use super::measure::{TEXT, fit};
use super::picture::Picture;

const ROW: f64 = 22.0;
const NAME: f64 = 210.0;
const WIDTH: f64 = 640.0;

/// A coefficient in the plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Name of the feature.
    pub feature: String,
    /// Change of the log-odds for one standard deviation of a numeric column, or for having a level.
    pub standardised: f64,
    /// Ends of its interval, if there is one.
    pub interval: Option<[f64; 2]>,
}

/// Draws the odds ratio of each effect on a logarithmic axis that ends at `reach` log-odds; bars right of 1
/// raise the odds of `class`. `n_features` is the number of all features, `intervals` describes the
/// intervals, if any.
pub fn odds_ratios(
    effects: &[Effect],
    reach: f64,
    n_features: usize,
    class: &str,
    intervals: Option<&str>,
) -> Picture {
    let words = [
        format!("Odds ratios of {}", short(class, 40)),
        format!(
            "the {} largest of {n_features} features, per standard deviation or level{}",
            effects.len(),
            intervals.map_or(String::new(), |what| format!("; {what}"))
        ),
        "Odds ratios of the largest coefficients, for one standard deviation of a numeric column or for having a level, \
         on a logarithmic axis. The values are in the table of coefficients."
            .to_owned(),
    ];
    let height = 48.0 + ROW * effects.len().max(1) as f64;
    let room = Room { left: NAME, right: 70.0, top: 6.0, bottom: 42.0 };
    let x = ratio_axis(reach);
    let y = Scale { range: 0.0..effects.len().max(1) as f64, ticks: Vec::new() };
    let mut canvas = Canvas::default();
    let frame = Frame::new((0.0, 0.0), (WIDTH, height), room, x, y);
    frame.draw(&mut canvas);
    canvas.write((frame.middle(), frame.bottom + 34.0), "note mid", "odds ratio");
    canvas.line((frame.across(0.0), frame.top), (frame.across(0.0), frame.bottom), "ink", 1.0);
    for (row, effect) in effects.iter().enumerate() {
        let y = frame.top + ROW * (row as f64 + 0.5);
        canvas.write((NAME - 10.0, y + 4.0), "end", &fit(&effect.feature, 30, TEXT, NAME - 16.0));
        let at = frame.across(effect.standardised);
        let pen = Pen::named(if effect.standardised >= 0.0 { 1 } else { 0 });
        match effect.interval {
            // Ends beyond the axis are cut off and get no cap.
            Some([low, high]) => {
                canvas.polyline(&[(frame.across(low), y), (frame.across(high), y)], &pen, 1.5);
                for end in [low, high].into_iter().filter(|end| frame.x.range.contains(end)) {
                    let end = frame.across(end);
                    canvas.polyline(&[(end, y - 4.0), (end, y + 4.0)], &pen, 1.5);
                }
            }
            None => canvas.polyline(&[(frame.across(0.0), y), (at, y)], &pen.clone().faded(0.45), 2.0),
        }
        canvas.dot((at, y), 4.5, &pen);
        canvas.write((frame.right + 10.0, y + 4.0), "note", &number(effect.standardised.exp()));
    }
    if effects.is_empty() {
        let middle = (frame.middle(), f64::midpoint(frame.top, frame.bottom));
        canvas.write(middle, "note mid", "every coefficient is zero");
    }
    Picture::new((WIDTH, px(height).parse().unwrap_or(height)), words, canvas)
}

/// Ticks at odds ratios on both sides of 1, up to `reach`; positions are log-odds.
pub(crate) fn ratio_axis(reach: f64) -> Scale {
    let reach = reach.clamp(0.05, 690.0) * 1.04;
    let steps: &[f64] = match reach {
        r if r < 0.25 => &[1.05, 1.1, 1.2],
        r if r < 0.75 => &[1.2, 1.5, 2.0],
        r if r < 2.5 => &[2.0, 5.0, 10.0],
        _ => &[],
    };
    let mut ticks = vec![(0.0, "1".to_owned())];
    let powers = (reach / std::f64::consts::LN_10).floor();
    let stride = (powers / 3.0).ceil().max(1.0);
    let coarse: Vec<f64> = (1..=3).map(|k| (f64::from(k) * stride * std::f64::consts::LN_10).exp()).collect();
    for &ratio in if steps.is_empty() { &coarse[..] } else { steps } {
        if ratio.ln() <= reach {
            ticks.push((ratio.ln(), number(ratio)));
            ticks.push((-ratio.ln(), number(1.0 / ratio)));
        }
    }
    Scale { range: -reach..reach, ticks }
}
