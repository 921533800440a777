//! Axes: the positions of values, and the ticks.

use std::ops::Range;

/// Larger values are not drawn, because their differences may not be finite.
const LARGEST: f64 = 1e300;

/// Whether a value can be drawn.
pub(super) fn drawable(value: f64) -> bool {
    value.abs() < LARGEST
}

/// The range of positions of an axis, and its ticks.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// From left to right, or from bottom to top.
    pub(crate) range: Range<f64>,
    /// Positions of the ticks, and their labels.
    pub(crate) ticks: Vec<(f64, String)>,
}

/// The axis of penalties, on a logarithmic scale from the largest to the smallest. The penalty 0 has its own
/// place at the right end.
#[derive(Debug)]
pub(super) struct PenaltyAxis {
    pub(super) scale: Scale,
    zero: f64,
}

impl PenaltyAxis {
    /// An axis for all `penalties`.
    pub(super) fn new(penalties: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high, mut zero) = (f64::INFINITY, f64::NEG_INFINITY, false);
        for penalty in penalties.into_iter().filter(|&penalty| drawable(penalty)) {
            if penalty > 0.0 {
                (low, high) = (low.min(penalty.log10()), high.max(penalty.log10()));
            } else {
                zero = true;
            }
        }
        if low > high {
            // Only the penalty 0, or none: one place in the middle.
            let ticks = if zero { vec![(0.0, "0".to_owned())] } else { Vec::new() };
            return Self { scale: Scale { range: -0.5..0.5, ticks }, zero: 0.0 };
        }
        let span = high - low;
        let beyond = -low + (0.08 * span).max(0.3);
        let mut ticks: Vec<_> = penalty_ticks(low, high);
        let mut last = -low;
        if zero {
            ticks.push((beyond, "0".to_owned()));
            last = beyond;
        }
        let margin = if last == -high { 0.5 } else { 0.03 * (last + high) };
        Self { scale: Scale { range: -high - margin..last + margin, ticks }, zero: beyond }
    }

    /// The position of a penalty.
    pub(super) fn place(&self, penalty: f64) -> Option<f64> {
        if !drawable(penalty) {
            None
        } else if penalty > 0.0 {
            Some(-penalty.log10())
        } else {
            Some(self.zero)
        }
    }
}

/// Powers of ten between `10^low` and `10^high`; steps of 1, 2 and 5 if these are too few.
fn penalty_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    const SLACK: f64 = 1e-9;
    let (first, last) = ((low - SLACK).ceil() as i32, (high + SLACK).floor() as i32);
    let stride = (last - first) / 9 + 1;
    if last - first >= 2 {
        let powers = (first..=last).filter(|power| power % stride == 0);
        return powers.map(|power| (-f64::from(power), power_of_ten(power))).collect();
    }
    let mut ticks = Vec::new();
    for power in first - 1..=last {
        for step in [1.0, 2.0, 5.0_f64] {
            let at = f64::from(power) + step.log10();
            if (low - SLACK..=high + SLACK).contains(&at) {
                ticks.push((-at, number(10f64.powf(at))));
            }
        }
    }
    if ticks.len() < 2 {
        ticks = vec![(-low, number(10f64.powf(low)))];
        // Two labels need some distance.
        if high - low > 0.05 {
            ticks.push((-high, number(10f64.powf(high))));
        }
    }
    ticks
}

/// An axis of scores or coefficients for all `values`, with about `n` ticks.
pub(super) fn value_axis(values: impl IntoIterator<Item = f64>, n: usize) -> Scale {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().filter(|&value| drawable(value)) {
        (low, high) = (low.min(value), high.max(value));
    }
    if low > high {
        return Scale { range: 0.0..1.0, ticks: Vec::new() };
    }
    // Equal values lie on one line in the middle, and so do values that differ by less than ticks could show.
    let size = low.abs().max(high.abs());
    if high - low <= 1e-9 * size || size == 0.0 {
        let margin = if size > 0.0 { 0.1 * size } else { 1.0 };
        (low, high) = (low - margin, high + margin);
    }
    let margin = 0.05 * (high - low);
    let range = low - margin..high + margin;
    let ticks = value_ticks(&range, n);
    Scale { range, ticks }
}

/// The axis of shares and probabilities, from 0 to 1.
pub(super) fn unit_axis() -> Scale {
    let ticks = (0..=5).map(|k| f64::from(k) / 5.0).map(|at| (at, format!("{at}"))).collect();
    Scale { range: 0.0..1.0, ticks }
}

/// A logarithmic axis for all `values` above zero, in powers of ten: positions are logarithms.
pub(super) fn log_axis(values: impl IntoIterator<Item = f64>) -> Scale {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().filter(|&value| drawable(value) && value > 0.0) {
        (low, high) = (low.min(value.log10()), high.max(value.log10()));
    }
    if low > high {
        return Scale { range: 0.0..1.0, ticks: Vec::new() };
    }
    let margin = (0.05 * (high - low)).max(0.1);
    let ticks = penalty_ticks(low - margin, high + margin);
    Scale {
        range: low - margin..high + margin,
        ticks: ticks.into_iter().map(|(at, text)| (-at, text)).collect(),
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn value_ticks(range: &Range<f64>, n: usize) -> Vec<(f64, String)> {
    let wanted = (range.end - range.start) / n.max(1) as f64;
    let power = wanted.log10().floor();
    let unit = 10f64.powf(power);
    let step =
        [1.0, 2.0, 5.0].map(|m| m * unit).into_iter().find(|step| *step >= wanted).unwrap_or(10.0 * unit);
    if !(step > 0.0 && step.is_finite()) {
        return Vec::new();
    }
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let plain = decimals <= 6 && range.start.abs().max(range.end.abs()) < 1e6;
    let (first, last) = ((range.start / step).ceil(), (range.end / step).floor());
    let count = (last - first).clamp(0.0, 4.0 * n as f64) as usize;
    (0..=count)
        .map(|i| (first + i as f64) * step)
        .filter(|value| range.contains(value))
        .map(|value| {
            // Adding zero turns a negative zero into zero.
            let value = value + 0.0;
            let text = if plain {
                format!("{value:.decimals$}")
            } else {
                let digits = ((value.abs() / step).log10().max(0.0).floor() as usize).min(12);
                if value.abs() < 0.5 * step { "0".to_owned() } else { format!("{value:.digits$e}") }
            };
            (value, text.replace('-', "\u{2212}"))
        })
        .collect()
}

/// A number in three digits, with a typographic minus sign.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return "?".into();
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let text = if (1e-4..1e6).contains(&value.abs()) { format!("{rounded}") } else { format!("{rounded:e}") };
    text.replace('-', "\u{2212}")
}

/// A number in six digits.
pub(super) fn precise(value: f64) -> String {
    format!("{value:.5e}")
        .parse::<f64>()
        .map_or_else(|_| number(value), |value| value.to_string())
        .replace('-', "\u{2212}")
}

fn power_of_ten(power: i32) -> String {
    let text = power.to_string();
    let raised = text.chars().map(|c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    });
    if power == 0 { "1".into() } else { format!("10{}", raised.collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[(f64, String)]) -> Vec<&str> {
        ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn penalties_are_marked_at_powers_of_ten() {
        assert_eq!(texts(&PenaltyAxis::new([1e-3, 2.0]).scale.ticks), ["10⁻³", "10⁻²", "10⁻¹", "1"]);
        assert_eq!(
            texts(&PenaltyAxis::new([0.0, 0.1, 10.0, 1e-2]).scale.ticks),
            ["10⁻²", "10⁻¹", "1", "10¹", "0"]
        );
        assert_eq!(texts(&PenaltyAxis::new([0.2, 0.7]).scale.ticks), ["0.2", "0.5"]);
        assert_eq!(texts(&PenaltyAxis::new([0.37]).scale.ticks), ["0.37"]);
        assert_eq!(texts(&PenaltyAxis::new([0.0]).scale.ticks), ["0"]);
    }

    #[test]
    fn values_are_marked_at_round_numbers() {
        assert_eq!(texts(&value_axis([0.0, 1.0], 5).ticks), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts(&value_axis([-20.0, 30.0], 6).ticks), ["−20", "−10", "0", "10", "20", "30"]);
        for values in [[0.3, 0.3], [0.0, 0.0], [1e-12, 3e-12], [-1e299, 1e299], [1e9, 1e9 + 1.0]] {
            let axis = value_axis(values, 5);
            assert!(axis.range.start < values[0] && values[1] < axis.range.end, "{values:?}: {axis:?}");
            assert!(!axis.ticks.is_empty(), "{values:?}: {axis:?}");
        }
    }
}
