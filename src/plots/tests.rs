//! Every picture is well-formed and inside its frame, whatever it is drawn from.

use super::*;
use crate::metrics::{Calibration, Curve, Point, ScoreBins};
use crate::model::TrainingCurve;

/// Parses a picture as it stands alone, in which every place must be a number, and inside.
#[track_caller]
fn check(picture: &Picture) -> String {
    let svg = picture.svg();
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let limit = (picture.width.max(picture.height) + 100.0).max(0.0);
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        for name in ["x", "x1", "x2", "cx", "y", "y1", "y2", "cy", "r", "points", "d"] {
            let Some(value) = node.attribute(name) else { continue };
            let numbers = value.split(|c: char| !(c.is_ascii_digit() || ".-eNan".contains(c)));
            for number in numbers.filter(|number| !number.is_empty()) {
                let number: f64 = number.parse().unwrap_or_else(|_| panic!("{value}"));
                assert!(number.abs() <= limit, "{name}: {value}");
            }
        }
    }
    let inline = picture.inline("id");
    roxmltree::Document::parse(&inline).expect("XML");
    document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

fn point(threshold: f64, true_positives: f64, false_positives: f64) -> Point {
    Point { threshold, true_positives, false_positives }
}

#[test]
fn curves_are_drawn_of_both_sides_of_one_and_of_none() {
    let points = vec![point(f64::INFINITY, 0.0, 0.0), point(0.7, 3.0, 1.0), point(0.1, 4.0, 6.0)];
    let both = Curve { positive: 4.0, negative: 6.0, points: points.clone() };
    let text = check(&roc_curve(&both, None, Some(points[1]), "a<b> & \"c\"\u{1}"));
    assert!(text.contains("a<b> & \"c\"\u{fffd}"), "{text}");
    check(&precision_recall_curve(&both, None, Some(points[1]), "a"));
    for (positive, negative) in [(4.0, 0.0), (0.0, 6.0), (0.0, 0.0)] {
        let one = Curve { positive, negative, points: points.clone() };
        assert!(check(&roc_curve(&one, None, None, "a")).contains("one side only"));
        assert!(check(&precision_recall_curve(&one, None, None, "a")).contains("one side only"));
    }
}

#[test]
fn bins_without_rows_leave_room() {
    let mut bins = ScoreBins::new(10);
    check(&calibration_plot(&bins.calibration(), "a"));
    check(&score_histogram(bins.histogram(), ("a", "b"), None));
    for p in [0.0, 0.05, 0.95, 1.0] {
        bins.add(p, 2.5, p > 0.5);
    }
    check(&calibration_plot(&bins.calibration(), "a"));
    let text = check(&score_histogram(bins.histogram(), ("the rest", "b"), Some(0.999)));
    assert!(text.contains("the rest") && text.contains("100%"), "{text}");
    check(&calibration_plot(&Calibration { ece: 0.0, bins: Vec::new() }, "a"));
}

#[test]
fn odds_ratios_of_any_size_have_an_axis() {
    let effect = |standardised: f64| Effect {
        feature: "x\u{0}<".repeat(40),
        standardised,
        interval: Some([standardised - 1.0, standardised + 1e3]).filter(|_| standardised > 0.0),
    };
    for effects in [vec![], vec![0.0], vec![1e-9], vec![-0.2, 0.1], vec![3.0, -1.0], vec![1e5, -1e300]] {
        let effects: Vec<Effect> = effects.into_iter().map(effect).collect();
        let reach = effects.iter().fold(0.0, |reach: f64, effect| reach.max(effect.standardised.abs()));
        check(&odds_ratios(&effects, reach, 1000, "a", Some("95% confidence intervals")));
    }
    for reach in [0.0, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0, 1e9] {
        let axis = ratio_axis(reach);
        assert!(axis.ticks.len() >= 3, "{reach}: {axis:?}");
        assert!(axis.ticks.iter().all(|tick| axis.range.start <= tick.0 && tick.0 <= axis.range.end));
    }
}

#[test]
fn matrices_of_many_classes_stay_small() {
    for n in [2, 5, 12, 13, 40, 41, 300] {
        let matrix: Vec<Vec<u64>> = (0..n)
            .map(|i| (0..n).map(|j| if i == j { 90 } else { (i * 7 + j) as u64 % 3 }).collect())
            .collect();
        let classes: Vec<String> = (0..n).map(|class| format!("class <{class}>")).collect();
        let picture = confusion_matrix(&matrix, &classes);
        let text = check(&picture);
        assert_eq!(text.contains("class <1>"), n <= 40, "{n}");
        assert_eq!(text.contains("120 of 300 classes"), n == 300, "{n}: {text}");
        assert!(picture.svg().len() < 400_000, "{n}: {}", picture.svg().len());
    }
    check(&confusion_matrix(&vec![vec![0; 3]; 3], &["a".into(), "b".into(), "c".into()]));
}

#[test]
fn training_is_drawn_with_and_without_an_objective() {
    let curve = TrainingCurve {
        passes: vec![1.0, 2.0, 3.0],
        seconds: vec![0.1, 0.2, 0.3],
        objective: vec![0.6, 0.5, 0.5],
        kkt_residual: vec![0.1, 1e-3, 0.0],
        converged: vec![0, 0, 1],
    };
    assert!(check(&training_curve(&curve, 1e-6, 1e-8)).contains("mean objective"));
    let sweep = TrainingCurve { objective: Vec::new(), ..curve.clone() };
    assert!(!check(&training_curve(&sweep, 1e-6, 0.0)).contains("mean objective"));
    let one = TrainingCurve {
        passes: vec![0.0],
        seconds: vec![0.0],
        objective: vec![0.5],
        kkt_residual: vec![0.0],
        converged: vec![1],
    };
    check(&training_curve(&one, 1e-6, 0.0));
}

#[test]
fn a_png_has_twice_the_pixels_and_its_text_without_the_fonts_of_the_system() {
    let picture = score_histogram((&[1.0, 2.0], &[3.0, 1.0]), ("no", "yes"), Some(0.5));
    let png = picture.png();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let wanted = |pixels: f64| (2.0 * pixels).round() as u32;
    assert_eq!((size(16), size(20)), (wanted(picture.width + 24.0), wanted(picture.height + 72.0)));
    // The same words elsewhere would be other bytes; without a font there would be no difference.
    let other = score_histogram((&[1.0, 2.0], &[3.0, 1.0]), ("No", "Yes"), Some(0.5));
    assert_ne!(png, other.png());
}
