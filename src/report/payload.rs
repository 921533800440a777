//! The numbers in a page for its script, in the fewest bytes that keep them exact.

use serde::Serialize;
use serde_json::{Number, Value};

use super::Report;
use super::decisions::bin_rows;
use super::effects::{Largest, ShownCoefficient};
use super::scores::ClassScores;
use super::text::significant;
use crate::model::Task;
use crate::plots::{HISTOGRAM_ENDS, MATRIX_CLASSES, short};

/// Most characters of a name.
const NAME: usize = 80;

#[derive(Serialize)]
struct Payload {
    classes: Vec<Class>,
    /// The possible ends of the histogram's axis.
    ends: [f64; 6],
    features: Vec<String>,
    coefficients: Vec<Coefficients>,
    /// Log-odds at the right end of the axis of odds ratios.
    reach: f64,
    /// Several classes. For each true class: the predicted classes, each followed by its number of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<Vec<Vec<u64>>>,
    names: Vec<String>,
}

#[derive(Serialize)]
struct Class {
    name: String,
    short: String,
    /// Weight of the positives, and below of the negatives.
    p: Value,
    n: Value,
    /// For each stop: threshold, true positives, false positives.
    t: Vec<Value>,
    tp: Vec<Value>,
    fp: Vec<Value>,
    own: usize,
    auc: Option<f64>,
    ap: Option<f64>,
    ece: f64,
    /// Histogram: positives, negatives.
    pos: Vec<Value>,
    neg: Vec<Value>,
    /// Calibration: mean probability, share of the positives, share of the rows.
    cal: Vec<[Value; 3]>,
    bins: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct Coefficients {
    nonzero: usize,
    intercept: f64,
    /// Indices into `features`; coefficients in original units; coefficients times the scale of the feature.
    f: Vec<usize>,
    b: Vec<Value>,
    s: Vec<Value>,
    /// With inference: lower and upper ends of the intervals of `s`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lo: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hi: Vec<Value>,
}

/// The numbers as JSON that is safe inside a script element.
pub(super) fn payload(report: &Report<'_>, largest: &[Largest], reach: f64) -> String {
    let model = report.model;
    let mut used: Vec<usize> = largest.iter().flat_map(|l| l.kept.iter().map(|kept| kept.feature)).collect();
    used.sort_unstable();
    used.dedup();
    let ends = |largest: &Largest, end: usize| {
        let is_known = report.inference.is_some();
        let of = |kept: &ShownCoefficient| kept.interval.map_or(Value::Null, |ends| exact(ends[end]));
        if is_known { largest.kept.iter().map(of).collect() } else { Vec::new() }
    };
    let coefficients = largest.iter().map(|largest| Coefficients {
        nonzero: largest.nonzero,
        intercept: largest.intercept,
        f: largest.kept.iter().map(|kept| used.binary_search(&kept.feature).unwrap_or(0)).collect(),
        b: largest.kept.iter().map(|kept| exact(kept.coefficient)).collect(),
        s: largest.kept.iter().map(|kept| exact(kept.standardised)).collect(),
        lo: ends(largest, 0),
        hi: ends(largest, 1),
    });
    let several = model.task == Task::OneVsRest;
    let matrix = several.then(|| {
        let shown = model.classes.len().min(MATRIX_CLASSES);
        let sparse = |row: &Vec<u64>| {
            let cells = row.iter().take(shown).enumerate().filter(|(_, rows)| **rows > 0);
            cells.flat_map(|(j, &rows)| [j as u64, rows]).collect()
        };
        report.evaluation.confusion_matrix.iter().take(shown).map(sparse).collect()
    });
    let named = if several { model.classes.len().min(MATRIX_CLASSES) } else { 0 };
    let payload = Payload {
        classes: report.classes.iter().map(|scores| class(report, scores)).collect(),
        ends: HISTOGRAM_ENDS,
        features: used.iter().map(|&j| short(&model.features[j], NAME)).collect(),
        coefficients: coefficients.collect(),
        reach,
        matrix,
        names: model.classes[..named].iter().map(|name| short(name, NAME)).collect(),
    };
    let json = serde_json::to_string(&payload).expect("text keys and plain values always serialise");
    inside_script(&json)
}

fn class(report: &Report<'_>, scores: &ClassScores) -> Class {
    let total: f64 = scores.calibration.bins.iter().map(|bin| bin.weight).sum();
    let (negative, positive) = scores.bins.histogram();
    let name = &report.model.classes[scores.class];
    Class {
        name: short(name, NAME),
        short: short(name, 28),
        p: exact(scores.curve.positive),
        n: exact(scores.curve.negative),
        t: scores.stops.iter().map(|stop| exact(stop.point().threshold)).collect(),
        tp: scores.stops.iter().map(|stop| exact(stop.true_positives)).collect(),
        fp: scores.stops.iter().map(|stop| exact(stop.false_positives)).collect(),
        own: scores.own,
        auc: scores.ranking.map(|ranking| ranking.auc),
        ap: scores.ranking.map(|ranking| ranking.average_precision),
        ece: scores.calibration.ece,
        pos: positive.iter().copied().map(rounded).collect(),
        neg: negative.iter().copied().map(rounded).collect(),
        cal: scores
            .calibration
            .bins
            .iter()
            .filter_map(|bin| {
                Some([rounded(bin.mean_probability?), rounded(bin.observed?), rounded(bin.weight / total)])
            })
            .collect(),
        bins: bin_rows(scores),
    }
}

/// A number with all its digits; integers without a fraction.
fn exact(x: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    if x.fract() == 0.0 && x.abs() < 9e15 {
        return Value::from(x as i64);
    }
    Number::from_f64(x).map_or(Value::Null, Value::Number)
}

/// A number with the digits that a picture or a table shows.
fn rounded(x: f64) -> Value {
    exact(significant_value(x))
}

fn significant_value(x: f64) -> f64 {
    significant(x, 6).parse().unwrap_or(x)
}

/// Escapes JSON so that nothing in it can end a script element or begin another.
fn inside_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_script_that_carries_it() {
        let names = ["</script><script>alert(1)</script>", "<!--", "a\u{2028}b & \"c\" \\"];
        let json = inside_script(&serde_json::to_string(&names).unwrap());
        assert!(!json.contains('<') && !json.contains('&') && !json.contains('\u{2028}'), "{json}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), names);
    }

    #[test]
    fn whole_numbers_stay_whole() {
        assert_eq!(exact(12.0).to_string(), "12");
        assert_eq!(exact(0.1 + 0.2).to_string(), "0.30000000000000004");
        assert_eq!(rounded(0.1 + 0.2).to_string(), "0.3");
    }
}
