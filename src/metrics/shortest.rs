//! Shortest decimal thresholds that decide the same.

/// The shortest decimal above `low` and at most `high`; `None` if there is no float64 between.
///
/// For two neighbouring probabilities, it is the shortest threshold that decides as `high` does.
pub fn shortest_between(low: f64, high: f64) -> Option<f64> {
    for digits in 0..17 {
        let text = format!("{high:.digits$e}");
        let value: f64 = text.parse().ok()?;
        let value = if value <= high {
            value
        } else {
            // The text was rounded up: subtract one from its last digit.
            let (mantissa, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            let last: f64 = mantissa.parse::<f64>().ok()? - 10f64.powi(-(digits as i32));
            format!("{last:.digits$}e{exponent}").parse().ok()?
        };
        if low < value && value <= high && value > 0.0 {
            return Some(value);
        }
    }
    (low < high && high > 0.0).then_some(high)
}

/// Rounds `value`, which lies above `low` and at most at `high`, to four digits, or to as many more as keep
/// it there.
pub fn rounded_between(value: f64, low: f64, high: f64) -> f64 {
    let rounded = (3..17).filter_map(|digits| format!("{value:.digits$e}").parse::<f64>().ok());
    rounded.into_iter().find(|&rounded| low < rounded && rounded <= high).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_decimal_lies_between_its_neighbours() {
        for (low, high, shortest) in [
            (0.2, 0.5, 0.5),
            (0.21, 0.29, 0.29),
            (0.0, 0.37, 0.3),
            (0.123_45, 0.123_46, 0.123_46),
            (0.0, 3.2e-9, 3e-9),
            (0.999_999, 1.0, 1.0),
        ] {
            assert_eq!(shortest_between(low, high), Some(shortest), "{low} {high}");
        }
        assert_eq!(shortest_between(0.3, 0.3), None);
        let (low, high) = (0.1 + 0.2, f64::from_bits((0.1_f64 + 0.2).to_bits() + 1));
        let between = shortest_between(low, high).unwrap();
        assert!(low < between && between <= high);
    }

    #[test]
    fn a_rounded_value_stays_between_its_neighbours() {
        for (value, low, high, rounded) in [
            (0.287_332_430_246_410_25, 0.2, 0.3, 0.2873),
            (0.287_332_430_246_410_25, 0.287_31, 0.287_34, 0.287_33),
            (0.287_332_430_246_410_25, 0.2, 0.287_332_430_246_410_25, 0.2873),
            (0.5, 0.1, 0.9, 0.5),
            (0.29, 0.1, 0.9, 0.29),
        ] {
            assert_eq!(rounded_between(value, low, high), rounded, "{value} {low} {high}");
        }
        let (low, value) = (0.1 + 0.2, f64::from_bits((0.1_f64 + 0.2).to_bits() + 1));
        assert_eq!(rounded_between(value, low, value), value);
    }
}
