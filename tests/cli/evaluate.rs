//! `evaluate`: equal to scikit-learn's numbers in a fixture, several models on one table, and intervals.

use std::fs;
use std::path::Path;

use arrow::array::ArrayRef;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::support::{
    assert_says, fail, float_column, json as read_json, repository, succeed, succeed_json, text_column,
    write_parquet,
};

/// A model of numeric columns that are neither centred nor scaled.
fn plain_model(columns: &[String], classes: &[&str], coefficients: &[Vec<f64>]) -> Value {
    let column = |name: &String| json!({"name": name, "kind": "numeric", "mean": 0.0, "scale": 1.0, "missing": 0.0, "levels": null});
    let is_binary = coefficients.len() == 1;
    let of = |m: usize| if is_binary { classes[1] } else { classes[m] };
    let model = |(m, w): (usize, &Vec<f64>)| {
        json!({
            "class": of(m), "intercept": 0.0, "coefficients": w, "nonzero": w.iter().filter(|&&w| w != 0.0).count(),
            "objective": 0.5, "kkt_residual": 0.0, "duality_gap": null, "converged": true, "iterations": 1,
        })
    };
    let mut file = json!({
        "format": "logodds", "version": 1, "task": if is_binary { "binary" } else { "one-vs-rest" }, "target": "y",
        "target_type": "string", "classes": classes, "positive": classes[1], "standardize": false, "intercept": true,
        "penalty": {"l1": 0.0, "l2": 0.0, "c": null, "l1_ratio": null, "lambda": 0.0, "alpha": null},
        "training": {
            "rows": 9, "rows_dropped": 0, "weight_sum": 9.0, "solver": "none", "tolerance": 1e-6, "device": "none",
            "passes": 0.0, "seed": 0, "seconds": {"read": 0.0, "train": 0.0, "total": 0.0}, "logodds_version": "0.1.0",
        },
        "columns": columns.iter().map(column).collect::<Vec<_>>(), "features": columns,
        "models": coefficients.iter().enumerate().map(model).collect::<Vec<_>>(),
    });
    if !is_binary {
        file.as_object_mut().unwrap().remove("positive");
    }
    file
}

fn write_model(path: &Path, model: &Value) {
    fs::write(path, model.to_string()).unwrap();
}

/// A folder with the table `t.parquet` of a fixture, and a model `m.json` that reproduces its linear
/// predictors. The columns hold 1,000 times the predictors: whole numbers, which float32 holds exactly.
fn fixture(case: &Value) -> TempDir {
    let folder = tempdir().unwrap();
    let rows: Vec<Vec<f64>> = case["z"]
        .as_array()
        .unwrap()
        .iter()
        .map(|z| {
            z.as_array().map_or_else(
                || vec![z.as_f64().unwrap()],
                |z| z.iter().map(|z| z.as_f64().unwrap()).collect(),
            )
        })
        .collect();
    let width = rows[0].len();
    let names: Vec<String> = (0..width).map(|k| format!("z{k}")).collect();
    let classes: Vec<String> = (0..width.max(2)).map(|k| format!("class {k}")).collect();
    let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
    let y = case["y"].as_array().unwrap().iter().map(|y| classes[y.as_u64().unwrap() as usize]);
    let weight = case["weight"].as_array().unwrap().iter().map(|w| w.as_f64().unwrap());
    let mut columns: Vec<(&str, ArrayRef)> = vec![("y", text_column(y)), ("w", float_column(weight))];
    for (k, name) in names.iter().enumerate() {
        columns.push((name, float_column(rows.iter().map(|z| (z[k] * 1000.0).round()))));
    }
    write_parquet(&folder.path().join("t.parquet"), columns);
    let unit = |m: usize| (0..width).map(|k| if k == m { 1e-3 } else { 0.0 }).collect();
    let coefficients: Vec<Vec<f64>> = (0..width).map(unit).collect();
    write_model(&folder.path().join("m.json"), &plain_model(&names, &classes, &coefficients));
    folder
}

/// Equality up to the rounding of sums of some dozens of float64 terms.
#[track_caller]
fn assert_same(found: &Value, expected: &Value, what: &str) {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => {
            assert!(
                (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{what}: {found}, not {expected}"
            );
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

#[test]
fn the_numbers_are_those_of_scikit_learn() {
    let fixtures = read_json(&repository("tests/fixtures/metrics.json"));
    let cases = ["binary", "multiclass"].map(|kind| fixtures[kind].as_array().unwrap().clone());
    for case in cases.iter().flatten() {
        let folder = fixture(case);
        let found = succeed_json(folder.path(), "evaluate m.json t.parquet --weight w");
        for key in [
            "log_loss",
            "accuracy",
            "balanced_accuracy",
            "mcc",
            "auc",
            "average_precision",
            "brier",
            "confusion_matrix",
        ] {
            assert_same(&found[key], &case[key], key);
        }
        for (name, means) in case["averages"].as_object().unwrap() {
            for (k, key) in ["precision", "recall", "f1"].into_iter().enumerate() {
                assert_same(&found[name][key], &means[k], &format!("{name} {key}"));
            }
        }
        for (k, class) in found["classes"].as_array().unwrap().iter().enumerate() {
            for key in ["precision", "recall", "f1"] {
                assert_same(&class[key], &case[key][k], key);
            }
        }
        if let Some(calibration) = case.get("calibration") {
            assert_same(&found["calibration"]["ece"], &calibration["ece"], "ece");
            for (bin, expected) in found["calibration"]["bins"]
                .as_array()
                .unwrap()
                .iter()
                .zip(calibration["bins"].as_array().unwrap())
            {
                for (at, key) in ["weight", "mean_probability", "observed"].into_iter().enumerate() {
                    assert_same(&bin[key], &expected[at], key);
                }
            }
            for (part, expected) in
                found["lift"].as_array().unwrap().iter().zip(case["deciles"].as_array().unwrap())
            {
                assert_same(&part["gain"], &expected[0], "gain");
            }
        }
        let weighted = case["weight"].as_array().unwrap().iter().any(|w| *w != 1.0);
        if !weighted {
            let mut counted = succeed_json(folder.path(), "evaluate m.json t.parquet");
            assert_eq!(counted["weights"].take(), json!({ "column": null }));
            counted["weights"] = found["weights"].clone();
            assert_eq!(counted, found);
        }
        let text = succeed(folder.path(), "evaluate m.json t.parquet --weight w --intervals --bootstrap 20");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

/// 3,000 rows with two noisy copies of a signal, and models `a.json` and `b.json`, each of one copy.
fn noisy() -> TempDir {
    let folder = tempdir().unwrap();
    let hash = |i: u64| {
        let mut z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let n = 3000;
    let signal: Vec<f64> = (0..n).map(|i| hash(i) * 6.0 - 3.0).collect();
    let y =
        (0..n).map(|i| if hash(i + n) < 1.0 / (1.0 + (-signal[i as usize]).exp()) { "yes" } else { "no" });
    let noise = |from: u64, size: f64| {
        float_column((0..n).map(|i| signal[i as usize] + size * (hash(i + from * n) - 0.5)))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", text_column(y)),
        ("a", noise(2, 1.0)),
        ("b", noise(3, 4.0)),
        ("two", float_column((0..n).map(|_| 2.0))),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    for name in ["a", "b"] {
        let model = plain_model(&[name.to_owned()], &["no", "yes"], &[vec![1.0]]);
        write_model(&folder.path().join(format!("{name}.json")), &model);
    }
    folder
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn models_side_by_side_get_what_they_get_alone() {
    let folder = noisy();
    let both = succeed_json(folder.path(), "evaluate a.json b.json t.parquet");
    assert_eq!(both["rows"], 3000);
    for (k, name) in ["a.json", "b.json"].into_iter().enumerate() {
        let mut found = both["models"][k].clone();
        assert_eq!(found.as_object_mut().unwrap().remove("model"), Some(json!(name)));
        // Reported once for both models.
        found["weights"] = both["weights"].clone();
        assert_eq!(found, succeed_json(folder.path(), &format!("evaluate {name} t.parquet")));
    }
    assert_eq!(both["differences"], json!([]));
    let text = succeed(folder.path(), "evaluate a.json b.json t.parquet --intervals --bootstrap 50");
    assert_says(&text, &["a.json", "b.json", "b.json against a.json", "balanced accuracy"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn bootstrap_and_asymptotic_errors_agree() {
    let folder = noisy();
    let line = "evaluate a.json b.json t.parquet --intervals";
    let drawn = succeed_json(folder.path(), &format!("{line}=bootstrap --seed 4"));
    let delong = succeed_json(folder.path(), &format!("{line}=delong"));
    // A standard error from 1,000 resamples itself has a relative standard error of 2 %. Allow three of
    // these, and terms of order 1/n.
    let close =
        |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.08, "{found}, {expected}");
    for k in 0..2 {
        let (drawn, delong) = (&drawn["models"][k]["intervals"], &delong["models"][k]["intervals"]);
        close(number(&drawn["auc"]["standard_error"]), number(&delong["auc"]["standard_error"]));
        assert!(delong["accuracy"].is_null() && delong["method"] == "delong", "{delong}");
    }
    let (drawn_auc, delong_auc) = (&drawn["differences"][0]["auc"], &delong["differences"][0]["auc"]);
    close(number(&drawn_auc["standard_error"]), number(&delong_auc["standard_error"]));
    assert_eq!(drawn_auc["difference"], delong_auc["difference"]);
    // b's copy of the signal has four times the noise.
    assert!(number(&delong_auc["upper"]) < 0.0 && number(&delong_auc["p_value"]) < 1e-3, "{delong_auc}");
    let accuracy = number(&drawn["models"][0]["accuracy"]);
    let expected = (accuracy * (1.0 - accuracy) / 3000.0).sqrt();
    close(number(&drawn["models"][0]["intervals"]["accuracy"]["standard_error"]), expected);
    let interval = &drawn["models"][0]["intervals"]["log_loss"];
    let log_loss = number(&drawn["models"][0]["log_loss"]);
    assert!(number(&interval["lower"]) < log_loss && log_loss < number(&interval["upper"]), "{interval}");
}

#[test]
fn draws_depend_on_the_seed_alone_and_not_on_the_scale_of_weights() {
    let folder = noisy();
    let line = "evaluate a.json t.parquet --intervals --bootstrap 100";
    let one = succeed_json(folder.path(), line);
    assert_eq!(succeed_json(folder.path(), line), one);
    let other = succeed_json(folder.path(), &format!("{line} --seed 1"));
    assert_ne!(other["intervals"]["auc"], one["intervals"]["auc"]);
    let doubled = succeed_json(folder.path(), &format!("{line} --weight two"));
    for key in ["log_loss", "accuracy", "auc", "average_precision", "mcc"] {
        // Sums of 3,000 terms in another order.
        let (found, expected) =
            (number(&doubled["intervals"][key]["upper"]), number(&one["intervals"][key]["upper"]));
        assert!((found - expected).abs() < 1e-11, "{key}: {found}, {expected}");
    }
}

#[test]
fn a_model_beside_itself_does_not_differ() {
    let folder = noisy();
    let found = succeed_json(folder.path(), "evaluate a.json a.json t.parquet --intervals=delong");
    let auc = &found["differences"][0]["auc"];
    assert_eq!(
        (number(&auc["difference"]), number(&auc["standard_error"]), number(&auc["p_value"])),
        (0.0, 0.0, 1.0)
    );
}

#[test]
fn little_memory_means_more_readings_and_the_same_numbers() {
    let folder = tempdir().unwrap();
    succeed(folder.path(), "train {data}/digits/train.parquet --target digit --device cpu --quiet -o m.json");
    for flags in ["", "--intervals=delong", "--intervals --bootstrap 20"] {
        let line = format!("evaluate m.json {{data}}/digits/test.parquet {flags}");
        let whole = succeed_json(folder.path(), &line);
        // The scores of a class take 359 x 8 bytes, so three classes of ten fit at a time; with intervals,
        // one.
        assert_eq!(succeed_json(folder.path(), &format!("{line} --memory 9000")), whole);
    }
}

#[test]
fn rows_that_one_model_cannot_use_are_left_out_for_all() {
    let folder = tempdir().unwrap();
    let a: ArrayRef = std::sync::Arc::new(arrow::array::Float64Array::from(vec![
        Some(1.0),
        None,
        Some(-1.0),
        Some(2.0),
        Some(-2.0),
    ]));
    let b = float_column([1.0, 2.0, -1.0, -3.0, 0.5]);
    write_parquet(
        &folder.path().join("t.parquet"),
        vec![("a", a), ("b", b), ("y", text_column(["p", "p", "n", "p", "n"]))],
    );
    let mut model = plain_model(&["a".to_owned()], &["n", "p"], &[vec![1.0]]);
    model["columns"][0]["missing"] = Value::Null;
    write_model(&folder.path().join("a.json"), &model);
    write_model(&folder.path().join("b.json"), &plain_model(&["b".to_owned()], &["n", "p"], &[vec![1.0]]));
    let both = succeed_json(folder.path(), "evaluate b.json a.json t.parquet");
    assert_eq!((&both["rows"], &both["rows_dropped"]), (&json!(4), &json!(1)));
    assert_eq!(both["models"][0]["classes"][1]["support"], 2);
    assert_eq!(succeed_json(folder.path(), "evaluate b.json t.parquet")["rows"], 5);
}

#[test]
fn what_cannot_be_compared_or_drawn_is_refused() {
    let folder = noisy();
    write_model(
        &folder.path().join("c.json"),
        &plain_model(&["a".to_owned()], &["no", "maybe"], &[vec![1.0]]),
    );
    let refused = |line: &str, says: &[&str]| assert_says(&fail(folder.path(), line, 1), says);
    refused("evaluate a.json c.json t.parquet", &["different questions", "\"yes\"", "\"maybe\""]);
    let wrong = |line: &str, says: &[&str]| assert_says(&fail(folder.path(), line, 2), says);
    wrong(
        "evaluate a.json t.parquet --intervals=delong --weight two",
        &["--intervals=delong", "--weight", "bootstrap"],
    );
    wrong(
        "evaluate a.json t.parquet --intervals delong",
        &["--intervals", "equals sign", "--intervals=delong"],
    );
    wrong("evaluate a.json t.parquet --intervals --confidence 95", &["--confidence is 95", "0.95"]);
    wrong("evaluate a.json t.parquet --intervals --bootstrap 1", &["--bootstrap is 1"]);
    refused("evaluate t.parquet a.json t.parquet", &["t.parquet", "Parquet file"]);
    fail(folder.path(), "evaluate a.json b.json", 2);
    fail(folder.path(), "evaluate a.json t.parquet --bootstrap 100", 2);
}

#[test]
fn a_path_behind_intervals_is_a_path() {
    let folder = noisy();
    let found = succeed_json(folder.path(), "evaluate a.json --bootstrap 20 --intervals t.parquet");
    assert_eq!(found["intervals"]["method"], "bootstrap");
}

/// Four rows, which `good.json` ranks perfectly, `even.json` not at all, and `bad.json` in reverse.
fn separated() -> TempDir {
    let folder = tempdir().unwrap();
    let columns =
        vec![("y", text_column(["no", "no", "yes", "yes"])), ("x", float_column([-2.0, -1.0, 1.0, 2.0]))];
    write_parquet(&folder.path().join("t.parquet"), columns);
    for (name, w) in [("good", 1.0), ("even", 0.0), ("bad", -1.0)] {
        let model = plain_model(&["x".to_owned()], &["no", "yes"], &[vec![w]]);
        write_model(&folder.path().join(format!("{name}.json")), &model);
    }
    folder
}

#[test]
fn without_a_standard_error_a_difference_is_not_tested() {
    let folder = separated();
    let line = "evaluate good.json even.json bad.json good.json t.parquet --intervals=delong";
    let found = succeed_json(folder.path(), line);
    for (k, difference) in [(0, -0.5), (1, -1.0)] {
        let auc = &found["differences"][k]["auc"];
        assert_eq!((number(&auc["difference"]), number(&auc["standard_error"])), (difference, 0.0));
        assert!(auc["p_value"].is_null(), "{auc}");
        assert_says(auc["note"].as_str().unwrap(), &["standard error is 0", "more rows"]);
    }
    assert_eq!(found["differences"][2]["auc"]["p_value"], 1.0);
    assert!(found["differences"][2]["auc"].get("note").is_none());
    assert_says(&succeed(folder.path(), line), &["standard error is 0"]);
    // An interval without width does not mean that the area is certain: resamples are ranked perfectly, too.
    for line in ["--intervals=delong", "--intervals --bootstrap 50"] {
        let line = format!("evaluate good.json t.parquet {line}");
        let intervals = &succeed_json(folder.path(), &line)["intervals"];
        assert_eq!((number(&intervals["auc"]["lower"]), number(&intervals["auc"]["upper"])), (1.0, 1.0));
        assert_says(intervals["note"].as_str().unwrap(), &["without width", "more rows"]);
        assert_says(&succeed(folder.path(), &line).replace("\n         ", ""), &["without width"]);
    }
}

#[test]
fn tables_drawn_without_a_row_of_it_say_nothing_of_a_number() {
    let folder = tempdir().unwrap();
    let columns = vec![("y", text_column(["yes"])), ("x", float_column([1.0]))];
    write_parquet(&folder.path().join("one.parquet"), columns);
    let y = (0..40).map(|i| if i == 0 { "yes" } else { "no" });
    let x = (0..40).map(|i| if i == 0 { 1.0 } else { -1.0 });
    write_parquet(&folder.path().join("rare.parquet"), vec![("y", text_column(y)), ("x", float_column(x))]);
    write_model(&folder.path().join("m.json"), &plain_model(&["x".to_owned()], &["no", "yes"], &[vec![1.0]]));
    // More than a third of the resamples have no row, or no positive.
    let lower = |value: &Value| number(&value["lower"]);
    let one = succeed_json(folder.path(), "evaluate m.json one.parquet --intervals --bootstrap 200");
    for key in ["accuracy", "balanced_accuracy"] {
        assert_eq!((number(&one[key]), lower(&one["intervals"][key])), (1.0, 1.0), "{key}");
    }
    let rare = succeed_json(folder.path(), "evaluate m.json rare.parquet --intervals --bootstrap 200");
    for key in ["precision", "recall", "f1"] {
        assert_eq!(lower(&rare["intervals"]["classes"][1][key]), 1.0, "{key}: {rare}");
    }
}

#[test]
fn drawing_tells_how_far_it_is_and_can_be_stopped() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use logodds::error::DataError;
    use logodds::evaluate::{EvaluateOptions, IntervalOptions, evaluate};
    use logodds::model::Model;
    use logodds::observer::Observer;

    /// Stops after some resamples.
    struct Stop {
        after: usize,
        drawn: AtomicUsize,
        total: AtomicUsize,
    }
    impl Observer for Stop {
        fn drawing(&self, tables_done: usize, tables_total: usize) {
            self.drawn.fetch_max(tables_done, Ordering::Relaxed);
            self.total.store(tables_total, Ordering::Relaxed);
        }
        fn is_interrupted(&self) -> bool {
            self.drawn.load(Ordering::Relaxed) >= self.after
        }
    }
    let folder = noisy();
    let model = Model::load(&folder.path().join("a.json")).unwrap();
    let data = [folder.path().join("t.parquet").display().to_string()];
    let run = |after: usize| {
        let observer = Stop { after, drawn: AtomicUsize::new(0), total: AtomicUsize::new(0) };
        let intervals = Some(IntervalOptions { replicates: 1000, ..IntervalOptions::default() });
        let options = EvaluateOptions { intervals, ..EvaluateOptions::default() };
        let done = evaluate(&model, &data, &options, &observer);
        (done, observer.drawn.into_inner(), observer.total.into_inner())
    };
    let (done, drawn, total) = run(usize::MAX);
    assert!(done.is_ok() && drawn == 1000 && total == 1000, "{drawn} of {total}");
    let (stopped, ..) = run(1);
    assert!(matches!(stopped, Err(logodds::Error::Data(DataError::Interrupted))), "{stopped:?}");
}

#[test]
fn warnings_of_several_models_name_the_model() {
    let folder = tempdir().unwrap();
    let write = |name: &str, levels: [&str; 4]| {
        let y = text_column(["n", "p", "n", "p"]);
        let x = float_column([1.0, 2.0, 3.0, 4.0]);
        write_parquet(&folder.path().join(name), vec![("c", text_column(levels)), ("x", x), ("y", y)]);
    };
    write("train.parquet", ["u", "v", "u", "v"]);
    write("new.parquet", ["u", "v", "w", "w"]);
    for (flag, name) in [("", "both"), (" --features x", "x"), (" --features c", "c")] {
        let line = format!("train train.parquet --target y --device cpu --quiet -o {name}.json{flag}");
        succeed(folder.path(), &line);
    }
    let text = succeed(folder.path(), "evaluate both.json x.json new.parquet");
    assert_says(&text, &["both.json: 2 rows with a value of \"c\""]);
    assert!(!text.contains("x.json: "), "{text}");
    // What all models have in common is reported once.
    let text = succeed(folder.path(), "evaluate both.json c.json new.parquet");
    assert_eq!(text.matches("2 rows with a value of \"c\"").count(), 1, "{text}");
}

#[test]
fn text_names_what_it_counts_and_leaves_out_what_there_is_not() {
    let folder = noisy();
    let text = succeed(folder.path(), "evaluate a.json t.parquet --weight two");
    let head = |text: &str, name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert_says(&head(&text, "mean probability"), &["weight"]);
    assert_says(&head(&text, "cumulative lift"), &["weight"]);
    let text = succeed(folder.path(), "evaluate a.json t.parquet");
    assert_says(&head(&text, "mean probability"), &["rows"]);
    let columns = vec![("y", text_column(["no", "no"])), ("a", float_column([1.0, 2.0]))];
    write_parquet(&folder.path().join("negative.parquet"), columns);
    let text = succeed(folder.path(), "evaluate a.json negative.parquet");
    assert!(!text.contains("lift"), "{text}");
}

#[test]
fn classes_whose_short_names_are_one_have_numbers_and_a_legend() {
    let folder = tempdir().unwrap();
    let shown = |classes: &[&str]| {
        let names: Vec<String> = (0..classes.len()).map(|k| format!("z{k}")).collect();
        let mut columns: Vec<(&str, ArrayRef)> = vec![("y", text_column(classes.iter().copied()))];
        for (k, name) in names.iter().enumerate() {
            columns.push((name, float_column((0..classes.len()).map(|i| if i == k { 1.0 } else { 0.0 }))));
        }
        write_parquet(&folder.path().join("t.parquet"), columns);
        let unit = |m: usize| (0..classes.len()).map(|k| if k == m { 1.0 } else { 0.0 }).collect();
        let coefficients: Vec<Vec<f64>> = (0..classes.len()).map(unit).collect();
        write_model(&folder.path().join("m.json"), &plain_model(&names, classes, &coefficients));
        let text = succeed(folder.path(), "evaluate m.json t.parquet");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let from = text.lines().position(|line| line.starts_with("true \\ predicted")).unwrap();
        text.lines().skip(from).map(str::to_owned).collect::<Vec<_>>()
    };
    let told = shown(&["adelie", "chinstrap", "gentoo"]);
    assert_says(&told[0], &["adelie", "chinstrap", "gentoo"]);
    assert_eq!(told.len(), 4, "{told:?}");
    for classes in [
        &["class of the first kind", "class of the second kind", "class of the third kind"][..],
        &["income of 10 a year", "income of 20 a year", "income of 30 a year", "income of 40 a year"],
    ] {
        let told = shown(classes);
        let head: Vec<&str> = told[0].split_whitespace().skip(3).collect();
        assert_eq!(head[0], "1", "{told:?}");
        for (k, class) in classes.iter().enumerate() {
            assert!(told[1 + k].starts_with(&(k + 1).to_string()), "{told:?}");
            assert!(told.contains(&format!("{}  {class}", k + 1)), "{told:?}");
        }
    }
}
