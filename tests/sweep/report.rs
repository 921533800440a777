//! The report of a sweep: pictures that any viewer takes, tables that say what the sweep found.

use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use logodds::config::{Rule, Scoring};
use logodds::data::FoldName;
use logodds::plots::{sweep_curve, sweep_path};
use logodds::sweep::{
    ChosenPenalty, CurvePoint, PathFeature, PathLimits, PathPoint, SweepRow, SweepTable, class_paths,
    write_report,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn table(curve: Vec<CurvePoint>) -> SweepTable {
    let chosen = curve.iter().filter(|point| point.chosen).map(|point| ChosenPenalty {
        l1: point.l1,
        l2: point.l2,
        c: point.c,
        l1_ratio: point.l1_ratio,
        class: point.class.clone(),
    });
    SweepTable {
        scoring: Scoring::LogLoss,
        greater_is_better: false,
        rule: Rule::OneStandardError,
        chosen: chosen.collect(),
        curve,
        results: Vec::new(),
        skipped: 0,
        warnings: vec!["a <warning>".into()],
        paths: Vec::new(),
    }
}

fn point(lambda: f64, l1_ratio: Option<f64>, class: Option<&str>, mean: Option<f64>) -> CurvePoint {
    let ratio = l1_ratio.unwrap_or(0.0);
    CurvePoint {
        l1: lambda * ratio,
        l2: lambda * (1.0 - ratio),
        c: None,
        l1_ratio,
        class: class.map(Into::into),
        mean,
        standard_error: mean.map(|mean| mean / 10.0),
        nonzero: Some(3.0),
        best: lambda == 0.01,
        chosen: lambda == 0.1,
    }
}

fn curve_svg(table: &SweepTable) -> String {
    sweep_curve(table).svg()
}

fn path_svg(table: &SweepTable, path: &[PathPoint], features: &[PathFeature]) -> String {
    let mut classes: Vec<_> = path.iter().map(|point| &point.class).collect();
    classes.dedup();
    sweep_path(table, &class_paths(table, path, features, PathLimits::IN_PICTURE), classes.len()).svg()
}

const LAMBDAS: [f64; 4] = [1.0, 0.1, 0.01, 0.001];

/// A curve for each class and share of L1.
fn curve(ratios: &[f64], classes: &[Option<&str>]) -> Vec<CurvePoint> {
    let lines = classes.iter().flat_map(|class| ratios.iter().map(move |ratio| (class, ratio)));
    lines
        .flat_map(|(class, ratio)| {
            LAMBDAS.map(|lambda| point(lambda, Some(*ratio), *class, Some(0.5 + lambda + ratio)))
        })
        .collect()
}

fn path(classes: &[Option<&str>], n_features: usize) -> Vec<PathPoint> {
    let points = classes.iter().flat_map(|class| LAMBDAS.map(|lambda| (class, lambda)));
    points
        .map(|(class, lambda)| PathPoint {
            l1: lambda,
            l2: 0.0,
            l1_ratio: 1.0,
            class: class.map(Into::into),
            coefficients: (0..n_features).map(|j| (j as f64 - 3.0) * (1.0 - lambda)).collect(),
        })
        .collect()
}

fn names(n: usize) -> Vec<PathFeature> {
    let feature = |j| PathFeature { name: format!("a<b> & \"c\" {j}\u{1}"), scale: 1.0 + j as f64 };
    (0..n).map(feature).collect()
}

/// Parses a picture, in which every number must be one, and inside; returns all its text.
#[track_caller]
fn text_of(svg: &str) -> String {
    let document = roxmltree::Document::parse(svg).expect("XML");
    let root = document.root_element();
    let size: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
    let titles: Vec<_> = root.children().filter(|node| node.is_element()).take(2).collect();
    assert!(titles[0].has_tag_name("title") || titles[0].tag_name().name() == "title", "{titles:?}");
    assert_eq!(titles[1].tag_name().name(), "desc");
    for node in root.descendants().filter(|node| node.is_element()).skip(1) {
        for attribute in node.attributes() {
            let numbers = attribute.value().split([',', ' ']).filter(|word| !word.is_empty());
            let limit = match attribute.name() {
                "x" | "x1" | "x2" | "cx" | "y" | "y1" | "y2" | "cy" | "points" => size[2].max(size[3]),
                "r" | "opacity" | "stroke-width" | "font-size" => 1e3,
                _ => continue,
            };
            for number in numbers {
                let number: f64 = number.parse().unwrap_or(f64::NAN);
                assert!((0.0..=limit).contains(&number), "{} in {node:?}", attribute.value());
            }
        }
    }
    let texts = root.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
    texts.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn curves_say_what_they_show() {
    let text = text_of(&curve_svg(&table(curve(&[0.0, 0.5, 1.0], &[None]))));
    for said in ["log loss (smaller is better)", "10⁻²", "L1 share 0.5", "L1 share 1 (lasso)", "best mean"]
    {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert!(!text.contains("nonzero"), "one line only has numbers of coefficients: {text}");
    let text = text_of(&curve_svg(&table(curve(&[0.5], &[None]))));
    assert!(text.contains("nonzero coefficients"), "{text}");
    let text = text_of(&curve_svg(&table(curve(&[0.5], &[Some("<a>"), Some("b")]))));
    assert!(text.contains("<a>") && text.contains("by class"), "{text}");
    let scored =
        SweepTable { scoring: Scoring::Auc, greater_is_better: true, ..table(curve(&[0.5], &[None])) };
    let text = text_of(&curve_svg(&scored));
    assert!(text.contains("area under the ROC curve (larger is better)"), "{text}");
}

#[test]
fn many_curves_have_a_legend_as_long_as_fits() {
    let classes: Vec<String> = (0..60).map(|class| format!("class {class}")).collect();
    let classes: Vec<_> = classes.iter().map(|class| Some(class.as_str())).collect();
    let text = text_of(&curve_svg(&table(curve(&[0.0, 1.0], &classes))));
    assert!(text.contains("class 0\n") && text.contains("more") && !text.contains("class 59"), "{text}");
    let ratios: Vec<f64> = (0..=10).map(|i| f64::from(i) / 10.0).collect();
    text_of(&curve_svg(&table(curve(&ratios, &[None]))));
}

#[test]
fn curves_with_little_to_draw_are_pictures_too() {
    let single = |lambda, mean| vec![point(lambda, Some(0.5), None, mean)];
    let mut no_errors = curve(&[0.5], &[None]);
    no_errors.iter_mut().for_each(|point| point.standard_error = None);
    let mut equal = curve(&[0.0, 1.0], &[None]);
    equal.iter_mut().for_each(|point| (point.mean, point.standard_error) = (Some(0.7), Some(0.0)));
    let mut gap = curve(&[0.5], &[None]);
    gap[1].mean = None;
    let mut all_gaps = curve(&[0.5], &[None]);
    all_gaps.iter_mut().for_each(|point| point.mean = None);
    let mut none = curve(&[0.5], &[None]);
    none.push(point(0.0, None, None, Some(0.9)));
    let mut not_numbers = curve(&[0.5], &[None]);
    (not_numbers[0].mean, not_numbers[1].standard_error) = (Some(f64::NAN), Some(f64::INFINITY));
    (not_numbers[2].l2, not_numbers[3].nonzero) = (f64::INFINITY, Some(f64::NAN));
    let huge = vec![point(1e300, Some(0.5), None, Some(1e299)), point(1e-310, Some(0.5), None, Some(-1e299))];
    for points in [
        vec![],
        single(0.1, Some(0.3)),
        single(0.1, Some(0.0)),
        single(0.1, None),
        single(0.0, Some(0.3)),
        vec![point(0.0, None, None, None)],
        no_errors,
        equal,
        gap,
        all_gaps,
        none,
        not_numbers,
        huge,
    ] {
        text_of(&curve_svg(&table(points)));
    }
}

#[test]
fn a_missing_mean_leaves_a_gap() {
    let lines = |svg: &str| svg.matches("<polyline").count();
    let mut points = curve(&[0.5], &[None]);
    points.push(point(0.0001, Some(0.5), None, Some(0.6)));
    points
        .iter_mut()
        .for_each(|point| (point.best, point.chosen, point.standard_error) = (false, false, None));
    let whole = lines(&curve_svg(&table(points.clone())));
    points[2].mean = None;
    assert_eq!(lines(&curve_svg(&table(points))), whole + 1, "two lines instead of one");
}

#[test]
fn paths_name_the_largest_coefficients() {
    let table = table(curve(&[1.0], &[None]));
    let text = text_of(&path_svg(&table, &path(&[None], 30), &names(30)));
    assert!(text.contains("a<b> & \"c\" 29\u{fffd}") && text.contains("L1 share 1; dashed"), "{text}");
    assert_eq!(text.matches("a<b>").count(), 12, "{text}");
    let text = text_of(&path_svg(&table, &path(&[None], 300), &names(300)));
    assert!(text.contains("the 200 largest of 300 features"), "{text}");
    // Each class has a panel, up to twelve of them.
    let classes: Vec<String> = (0..20).map(|class| format!("class {class}")).collect();
    for n in [1, 2, 3, 4, 12, 20] {
        let classes: Vec<_> = classes[..n].iter().map(|class| Some(class.as_str())).collect();
        let text = text_of(&path_svg(&table, &path(&classes, 10), &names(10)));
        assert_eq!(text.matches("class ").count(), n.min(12), "{text}");
        assert_eq!(text.contains("the first 12 of 20 classes"), n == 20, "{text}");
    }
}

#[test]
fn paths_leave_other_shares_of_l1_out() {
    let table = table(curve(&[1.0], &[None]));
    let own = path(&[None], 5);
    let mut with_others = own.clone();
    with_others.extend(own.iter().cloned().map(|point| PathPoint {
        l1_ratio: 0.5,
        l1: point.l1 / 3.0,
        ..point
    }));
    assert_eq!(path_svg(&table, &own, &names(5)), path_svg(&table, &with_others, &names(5)));
}

#[test]
fn paths_with_little_to_draw_are_pictures_too() {
    let chosen = table(curve(&[1.0], &[None]));
    let unpenalised = table(vec![CurvePoint { chosen: true, ..point(0.0, None, None, Some(0.3)) }]);
    let point = |lambda: f64, coefficients: &[f64]| PathPoint {
        l1: lambda,
        l2: 0.0,
        l1_ratio: 1.0,
        class: None,
        coefficients: coefficients.to_vec(),
    };
    for table in [&chosen, &unpenalised, &table(vec![])] {
        for path in [
            vec![],
            vec![point(0.1, &[])],
            vec![point(0.1, &[0.0, 0.0])],
            vec![point(0.1, &[1.0, -1.0])],
            vec![point(0.0, &[1.0, 1.0])],
            vec![point(0.1, &[1.0, 1.0]), point(0.0, &[2.0, 2.0])],
            vec![point(0.1, &[1.0, f64::NAN]), point(0.01, &[f64::INFINITY]), point(0.001, &[1e-300, 1e299])],
        ] {
            // One name short on purpose.
            text_of(&path_svg(table, &path, &names(1)));
        }
    }
}

fn read(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn result(fold: Option<FoldName>, score: Option<f64>) -> SweepRow {
    SweepRow {
        l1: 0.5,
        l2: 0.25,
        c: Some(2.0),
        l1_ratio: Some(2.0 / 3.0),
        class: None,
        fold,
        score,
        objective: 0.1,
        kkt_residual: 1e-9,
        converged: true,
        nonzero: 3,
        iterations: 7,
    }
}

#[test]
fn reports_hold_what_the_sweep_found() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new/report");
    let mut table = table(curve(&[1.0], &[Some("a"), None]));
    table.curve[0].mean = None;
    table.results = vec![
        result(Some(FoldName::Number(2)), Some(0.4)),
        result(Some(FoldName::Text("north".into())), None),
        result(None, None),
    ];
    let path = path(&[Some("a"), None], 3);
    let names = ["x", "y", "z"].map(|name| PathFeature { name: name.to_owned(), scale: 2.5 });
    let written = write_report(&folder, &table, &path, &names).unwrap();

    let found: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    let expected =
        ["curve.svg", "path.svg", "results.parquet", "results.json", "curve.parquet", "coefficients.parquet"];
    assert_eq!(found, expected);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), expected.len(), "nothing else is left behind");
    assert_eq!(fs::read_to_string(folder.join("curve.svg")).unwrap(), curve_svg(&table));
    assert_eq!(fs::read_to_string(folder.join("path.svg")).unwrap(), path_svg(&table, &path, &names));
    let json = fs::read_to_string(folder.join("results.json")).unwrap();
    assert_eq!(serde_json::from_str::<SweepTable>(&json).unwrap(), table);

    let results = read(&folder.join("results.parquet"));
    let folds: Vec<_> = results["fold"].as_string::<i32>().iter().collect();
    assert_eq!(folds, [Some("2"), Some("north"), None]);
    let scores: Vec<_> = results["score"].as_primitive::<Float64Type>().iter().collect();
    assert_eq!(scores, [Some(0.4), None, None]);
    assert_eq!(results["iterations"].as_primitive::<Int64Type>().values(), &[7; 3]);
    assert!(results["converged"].as_boolean().value(0));
    assert_eq!(results.num_columns(), 12);

    let curve = read(&folder.join("curve.parquet"));
    let means: Vec<_> = curve["mean"].as_primitive::<Float64Type>().iter().collect();
    assert_eq!(means, table.curve.iter().map(|point| point.mean).collect::<Vec<_>>());
    let classes: Vec<_> = curve["class"].as_string::<i32>().iter().collect();
    assert_eq!((classes[3], classes[4]), (Some("a"), None));

    let coefficients = read(&folder.join("coefficients.parquet"));
    assert_eq!(coefficients.num_rows(), path.len() * 3);
    assert!(!coefficients.schema().field_with_name("coefficient").unwrap().is_nullable());
    assert!(coefficients["class"].is_null(4 * 3) && !coefficients["class"].is_null(0));
    let values = coefficients["coefficient"].as_primitive::<Float64Type>();
    assert!(coefficients["scale"].as_primitive::<Float64Type>().values().iter().all(|scale| *scale == 2.5));
    for (row, (value, name)) in
        values.values().iter().zip(coefficients["feature"].as_string::<i32>()).enumerate()
    {
        assert_eq!((*value, name), (path[row / 3].coefficients[row % 3], Some(names[row % 3].name.as_str())));
    }
}

#[test]
fn reports_without_rows_keep_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    // Twice: what is there is replaced.
    for _ in 0..2 {
        write_report(folder.path(), &table(vec![]), &[], &[]).unwrap();
    }
    for (file, columns) in [("results", 12), ("curve", 10), ("coefficients", 7)] {
        let file = File::open(folder.path().join(format!("{file}.parquet"))).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(builder.schema().fields().len(), columns);
        assert_eq!(builder.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 0);
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let error = write_report(&file, &table(vec![]), &[], &[]).unwrap_err().to_string();
    assert!(error.contains("a-file") && error.contains("cannot be written"), "{error}");
    fs::create_dir(folder.path().join("results.parquet")).unwrap();
    let error = write_report(folder.path(), &table(vec![]), &[], &[]).unwrap_err().to_string();
    assert!(error.contains("results.parquet") && error.contains("cannot be written"), "{error}");
}
