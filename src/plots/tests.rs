//! Every picture is well-formed, and its text is inside and legible, whatever its data.

use resvg::usvg::{Group, Node, Rect, Tree};

use super::measure::{FONTS, options};
use super::*;
use crate::config::{Rule, Scoring};
use crate::metrics::{Calibration, Curve, Point, ScoreBins};
use crate::model::{ChosenPenalty, ClassPath, CurvePoint, FeaturePath, SweepTable, TrainingCurve};

/// Every text of a picture, with its bounding box.
fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => {
                let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
                found.push((words, text.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

/// No text is cut off at an edge, and no two texts overlap.
#[track_caller]
fn check_text(svg: &str) {
    let tree = Tree::from_str(svg, &options(&FONTS)).expect("SVG");
    let mut found = Vec::new();
    texts(tree.root(), &mut found);
    assert!(!found.is_empty(), "{svg}");
    let size = tree.size();
    for (i, (text, at)) in found.iter().enumerate() {
        let inside = at.left() > -0.5
            && at.top() > -0.5
            && at.right() < size.width() + 0.5
            && at.bottom() < size.height() + 0.5;
        assert!(inside, "{text:?} is cut off: {at:?} in {size:?}");
        for (other, there) in &found[..i] {
            let across = at.right().min(there.right()) - at.left().max(there.left());
            let down = at.bottom().min(there.bottom()) - at.top().max(there.top());
            // Boxes have the height of a line; the letters of neighbouring lines are further apart.
            let upright = |at: &Rect| at.height() > at.width();
            let (along, between) =
                if upright(at) && upright(there) { (down, across) } else { (across, down) };
            assert!(along < 1.0 || between < 3.0, "{text:?} lies upon {other:?}: {at:?}, {there:?}");
        }
    }
}

/// Checks a stand-alone picture: every position is a number inside the picture, and so is its text.
#[track_caller]
fn check(picture: &Picture) -> String {
    check_text(&picture.svg());
    // In a page, parts outside may be cut off or overlap other elements.
    let (width, height) = (picture.width, picture.height);
    let open = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" ");
    let style = format!("<style>{}</style></svg>", colours::plain_style());
    check_text(&picture.inline("id").replace("<svg ", &open).replace("</svg>", &style));
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
fn an_objective_that_hardly_changes_is_drawn_as_what_is_left() {
    for change in [1e-3, 1e-6, 1e-9, 1e-13] {
        let objective: Vec<f64> = (0..5).map(|k| 0.470_726_716 + change * 0.1f64.powi(k)).collect();
        let curve = TrainingCurve {
            passes: vec![1.0, 2.0, 3.0, 4.0, 5.0],
            seconds: vec![0.1; 5],
            objective,
            kkt_residual: vec![1e-2, 1e-3, 1e-5, 1e-7, 1e-9],
            converged: vec![0, 0, 0, 0, 1],
        };
        let text = check(&training_curve(&curve, 1e-6, 1e-9));
        assert!(text.contains("mean objective minus the last (0.470727)"), "{change}: {text}");
    }
}

/// A sweep over `n_classes` classes; `by_class` gives each class its own curve, choice and path.
fn swept(n_classes: usize, by_class: bool, size: f64) -> SweepTable {
    let lambdas: Vec<f64> = (0..9).map(|k| 10f64.powf(0.5 - f64::from(k) * 0.75)).chain([0.0]).collect();
    let name = |class: usize| (n_classes > 1).then(|| format!("class {class} of many"));
    let of_curve = if by_class { n_classes } else { 1 };
    let mut curve = Vec::new();
    for class in 0..of_curve {
        curve.extend(lambdas.iter().enumerate().map(|(k, &l2)| CurvePoint {
            l1: 0.0,
            l2,
            c: None,
            l1_ratio: Some(0.0).filter(|_| l2 > 0.0),
            class: if by_class { name(class) } else { None },
            mean: Some(0.9 + size * (k as f64 + class as f64)),
            standard_error: Some(0.3 * size),
            nonzero: Some(1234.0),
            best: k == 8,
            chosen: k == 5,
        }));
    }
    let chosen = |class| ChosenPenalty { l1: 0.0, l2: lambdas[5], c: None, l1_ratio: Some(0.0), class };
    let path = |class| ClassPath {
        class: name(class),
        l1_ratio: 0.0,
        lambda: lambdas.clone(),
        n_features: 20,
        features: (0..20)
            .map(|j| FeaturePath {
                feature: format!("a long name of a feature {j}"),
                coefficients: (0..lambdas.len())
                    .map(|k| size * (k * j) as f64 * if j % 2 == 0 { 1.0 } else { -1.0 })
                    .collect(),
                scale: 1.0,
            })
            .collect(),
    };
    SweepTable {
        scoring: Scoring::Auc,
        greater_is_better: true,
        rule: Rule::OneStandardError,
        chosen: (0..of_curve).map(|class| chosen(if by_class { name(class) } else { None })).collect(),
        curve,
        results: Vec::new(),
        skipped: 0,
        warnings: Vec::new(),
        paths: (0..n_classes.min(12)).map(path).collect(),
    }
}

#[test]
fn sweeps_of_any_number_of_classes_have_labels_that_do_not_touch() {
    for n_classes in [1, 2, 3, 4, 7, 8, 30] {
        for by_class in [false, n_classes > 1] {
            for size in [1e-2, 1e-5, 1e-7] {
                let table = swept(n_classes, by_class, size);
                check(&sweep_curve(&table));
                check(&sweep_path(&table, &table.paths, n_classes));
            }
        }
    }
}

#[test]
fn precision_goes_in_steps() {
    // All rows have one probability: there is no point between none and all of them.
    let points = vec![point(f64::INFINITY, 0.0, 0.0), point(0.3, 3.0, 7.0)];
    let constant = Curve { positive: 3.0, negative: 7.0, points };
    let svg = precision_recall_curve(&constant, None, None, "a").svg();
    let line = svg.split("<g class=\"curve\"><polyline points=\"").nth(1).unwrap().split('"').next().unwrap();
    let points: Vec<Vec<f64>> =
        line.split(' ').map(|point| point.split(',').map(|x| x.parse().unwrap()).collect()).collect();
    assert_eq!(points.len(), 3, "{line}");
    assert_eq!(points[0][0], points[1][0], "first down, at recall 0: {line}");
    assert_eq!(points[1][1], points[2][1], "then along the share of positives: {line}");
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
