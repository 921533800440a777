use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use serde_json::Value;
use tempfile::tempdir;

use super::support::{
    assert_says, fail, files, float_column, json, run, succeed, succeed_json, text_column, write_parquet,
};
use crate::support::assert_close;

const CANCER: &str =
    "train {data}/breast_cancer/train.parquet --target diagnosis --device cpu --quiet -o m.json";
const DIGITS: &str =
    "train {data}/digits/train.parquet --target digit --device cpu --quiet --l2 0.01 -o m.json";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn assert_has(value: &Value, expected: &[&str]) {
    for key in expected {
        assert!(keys(value).contains(key), "{key} is missing among {:?}", keys(value));
    }
}

#[test]
fn the_model_file_has_every_field_of_its_contract() {
    let folder = tempdir().unwrap();
    succeed(folder.path(), &format!("{CANCER} --positive benign --seed 7"));
    let model = json(&folder.path().join("m.json"));
    assert_eq!((&model["format"], &model["version"]), (&"logodds".into(), &1.into()));
    assert_has(
        &model,
        &["task", "target", "classes", "positive", "columns", "models", "features", "penalty", "training"],
    );
    assert_has(&model["columns"][0], &["name", "kind", "mean", "scale", "missing", "levels"]);
    assert_has(
        &model["models"][0],
        &[
            "class",
            "intercept",
            "coefficients",
            "nonzero",
            "objective",
            "kkt_residual",
            "converged",
            "iterations",
        ],
    );
    assert_has(&model["penalty"], &["l1", "l2", "c", "l1_ratio", "lambda", "alpha"]);
    let training = &model["training"];
    let expected = [
        "rows",
        "rows_dropped",
        "weight_sum",
        "solver",
        "device",
        "passes",
        "seed",
        "seconds",
        "logodds_version",
    ];
    assert_has(training, &expected);
    assert_has(&training["seconds"], &["read", "train", "total"]);
    assert_eq!((&training["rows"], &training["seed"]), (&427.into(), &7.into()));
    assert_eq!((&model["positive"], &model["models"][0]["class"]), (&"benign".into(), &"benign".into()));
    // C = 1 as in scikit-learn: l2 = 1 / (C n).
    assert_eq!(model["penalty"]["l2"].as_f64().unwrap(), 1.0 / 427.0);
    assert_eq!(files(folder.path()), ["m.json"]);
}

#[test]
fn the_file_is_for_people_too() {
    let folder = tempdir().unwrap();
    succeed(folder.path(), &format!("{DIGITS} --epochs 2"));
    let text = fs::read_to_string(folder.path().join("m.json")).unwrap();
    let coefficients = text.lines().filter(|line| line.contains("\"coefficients\"")).count();
    assert_eq!(coefficients, 10, "one line of coefficients for each class");
    assert!(text.lines().count() < 300, "{} lines", text.lines().count());
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let folder = tempdir().unwrap();
    let mut models = Vec::new();
    for _ in 0..2 {
        succeed(folder.path(), &format!("{DIGITS} --seed 3 --epochs 5"));
        models.push(json(&folder.path().join("m.json"))["models"].clone());
    }
    assert_eq!(models[0], models[1]);
}

#[test]
fn not_converging_is_no_failure_and_names_the_flag_to_raise() {
    let folder = tempdir().unwrap();
    let unwrapped = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = unwrapped(succeed(folder.path(), &format!("{CANCER} --epochs 1 --tolerance 1e-12")));
    assert_says(&text, &["not converged", "--epochs"]);
    assert!(!text.contains("failed"), "{text}");
    let text = unwrapped(succeed(folder.path(), &format!("{CANCER} --max-iterations 1 --tolerance 1e-12")));
    assert_says(&text, &["not converged", "--max-iterations"]);
    let text = unwrapped(succeed(folder.path(), &format!("{CANCER} --solver sgd --tolerance 1e-25")));
    assert_says(&text, &["progress ended", "ended at residual", "raise --tolerance; a smaller one"]);
    let text = unwrapped(succeed(
        folder.path(),
        &format!("{CANCER} --c 1e6 --validation-fraction 0.3 --patience 1 --tolerance 1e-12"),
    ));
    assert_says(
        &text,
        &["stopped improving", "stopped early; the epoch that was best on the validation rows is kept"],
    );
    assert_says(&text, &[" rows: best log loss 0.", " after epoch "]);
    assert!(!text.contains("warning") && !text.contains("converged") && !text.contains("minimum"), "{text}");
    let text = unwrapped(succeed(folder.path(), "inspect m.json"));
    assert_says(&text, &[": stopped early", "best log loss 0.", " after epoch "]);
    assert!(!text.contains("raise"), "{text}");
    assert_eq!(json(&folder.path().join("m.json"))["models"][0]["converged"], false);
}

#[test]
fn separation_without_a_penalty_is_named_with_the_way_out() {
    let folder = tempdir().unwrap();
    let text = succeed(folder.path(), &format!("{CANCER} --l1 0 --l2 0"));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&text, &["classes are separated", "no finite optimum", "--l2", "not converged"]);
    assert_eq!(json(&folder.path().join("m.json"))["models"][0]["converged"], false);
}

#[test]
fn columns_in_their_own_units_are_trained_to_the_same_optimum_by_every_solver() {
    let folder = tempdir().unwrap();
    let mut objectives = Vec::new();
    for solver in ["newton", "lbfgs", "auto"] {
        let flags = format!("{CANCER} --no-standardize --l2 0.01 --l1 0 --tolerance 1e-5 --solver {solver}");
        let report = succeed_json(folder.path(), &flags);
        let model = &report["models"][0];
        assert_eq!(model["converged"], true, "{solver}: {model}");
        objectives.push(model["objective"].as_f64().unwrap());
    }
    // Columns have scales from 1e-3 to 1e3, so the residual bounds the objective less tightly than if
    // standardised.
    assert!(objectives.iter().all(|o| (o - objectives[0]).abs() < 1e-6), "{objectives:?}");
}

#[test]
fn every_solver_says_its_name_and_finds_the_same_optimum() {
    let folder = tempdir().unwrap();
    let mut objectives = Vec::new();
    for solver in ["newton", "lbfgs", "auto"] {
        let report =
            succeed_json(folder.path(), &format!("{CANCER} --solver {solver} --l1 0.001 --l2 0.001"));
        let name = report["solver"].as_str().unwrap();
        assert!(solver == "auto" || name == solver, "{name}");
        let model = &report["models"][0];
        assert!(model["kkt_residual"].as_f64().unwrap() <= 1e-6 && model["converged"] == true, "{model}");
        assert!(model["duality_gap"].as_f64().unwrap() <= 1e-5, "{model}");
        objectives.push(model["objective"].as_f64().unwrap());
    }
    // Both residuals are below 1e-6, so objectives differ by about its square over the curvature.
    assert!(objectives.iter().all(|o| (o - objectives[0]).abs() < 1e-8), "{objectives:?}");
}

#[test]
fn without_a_penalty_levels_are_centred_whatever_the_solver() {
    let folder = tempdir().unwrap();
    // A number and two categorical columns, one of them with nulls. The classes overlap everywhere.
    let number = |i: usize| ((i * 37) % 101) as f64 / 25.0 - 2.0;
    let score = |i: usize| {
        number(i) + [0.5, -0.7, 0.1][i % 3] + [1.0, -0.4][i % 2] + ((i * 53) % 97) as f64 / 20.0 - 2.4
    };
    let level = |i: usize| ["a", "b", "c"][i % 3];
    let other: Vec<Option<&str>> = (0..400).map(|i| (i % 2 == 0).then_some("yes")).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("number", float_column((0..400).map(number))),
        ("level", text_column((0..400).map(level))),
        ("other", Arc::new(StringArray::from(other))),
        ("y", text_column((0..400).map(|i| if score(i) > 0.0 { "up" } else { "down" }))),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    let train = "train t.parquet --target y --device cpu --tolerance 1e-11 --quiet -o m.json";
    for intercept in [true, false] {
        let train = if intercept { train.to_owned() } else { format!("{train} --no-intercept") };
        let mut found: Vec<Vec<f64>> = Vec::new();
        // The last is close to the limit of small penalties. It is off by the penalty over the curvature,
        // 1e-5 / 0.05.
        for flags in ["--solver newton --l2 0", "--solver lbfgs --l2 0", "--solver newton --l2 1e-5"] {
            succeed(folder.path(), &format!("{train} {flags}"));
            let model = &json(&folder.path().join("m.json"))["models"][0];
            assert_eq!(model["converged"], true, "{flags}: {model}");
            let coefficients = model["coefficients"].as_array().unwrap().iter().map(|w| w.as_f64().unwrap());
            found.push(coefficients.chain([model["intercept"].as_f64().unwrap()]).collect());
        }
        for column in &found {
            // Sums over levels: 0 with an intercept. Without one, shifting one column's levels against the
            // other's is free, and the least norm makes both sums equal.
            let sums = [column[1..4].iter().sum::<f64>(), column[4] + column[5]];
            let expected = if intercept { [0.0; 2] } else { [sums[1]; 2] };
            assert_close(&sums, &expected, 0.0, 1e-5);
        }
        assert_close(&found[1], &found[0], 1e-6, 1e-6);
        assert_close(&found[2], &found[0], 1e-3, 1e-3);
    }
}

#[test]
fn the_report_says_what_ran_on_what_and_how_it_ended() {
    let folder = tempdir().unwrap();
    let text = succeed(folder.path(), DIGITS);
    assert_says(
        &text,
        &[
            "device",
            "cpu",
            "1,438 rows x 64 features",
            "10",
            "newton",
            "objective",
            "residual",
            "above",
            "GB/s",
        ],
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let report = succeed_json(folder.path(), DIGITS);
    assert_has(&report, &["device", "device_reason", "rows", "epochs", "stopped", "seconds", "models"]);
    assert_eq!(report["models"].as_array().unwrap().len(), 10);
}

#[test]
fn quiet_leaves_stderr_empty() {
    let folder = tempdir().unwrap();
    let output = run(folder.path(), CANCER);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn metrics_has_a_line_for_each_epoch() {
    let folder = tempdir().unwrap();
    let report = succeed_json(folder.path(), &format!("{DIGITS} --epochs 4 --metrics m.jsonl"));
    let text = fs::read_to_string(folder.path().join("m.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len() as u64, report["epochs"].as_u64().unwrap());
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line["epoch"], i + 1);
        assert!(line["objective"].is_number() && line["rows_per_second"].is_number(), "{line}");
    }
}

#[test]
fn tables_that_cannot_be_trained_on_are_refused_and_nothing_is_left_behind() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text.parquet"), "not parquet at all").unwrap();
    let x = || float_column([1.0, 2.0, 3.0]);
    write_parquet(&path("one.parquet"), vec![("x", x()), ("y", text_column(["a", "a", "a"]))]);
    write_parquet(
        &path("odd.parquet"),
        vec![("x", float_column([1.0, f64::INFINITY, 2.0])), ("y", text_column(["a", "b", "a"]))],
    );
    let y = || text_column(["a", "b", "a"]);
    let none = || float_column([]);
    write_parquet(&path("empty.parquet"), vec![("x", none()), ("y", none())]);
    write_parquet(&path("twice.parquet"), vec![("x", x()), ("x", x()), ("y", y())]);
    write_parquet(&path("other.parquet"), vec![("z", x()), ("y", y())]);
    write_parquet(&path("words.parquet"), vec![("x", y()), ("y", y())]);
    write_parquet(&path("good.parquet"), vec![("x", x()), ("y", y())]);
    let ids = || float_column((0..2000).map(f64::from));
    write_parquet(&path("ids.parquet"), vec![("x", ids()), ("y", ids())]);
    let good = fs::read(path("good.parquet")).unwrap();
    fs::write(path("cut.parquet"), &good[..good.len() - 9]).unwrap();
    let before = files(folder.path());
    for (line, says) in [
        ("train text.parquet --target y", vec!["text.parquet", "not a Parquet file"]),
        ("train cut.parquet --target y", vec!["cut.parquet", "truncated"]),
        ("train empty.parquet --target y", vec!["empty.parquet", "no rows"]),
        ("train twice.parquet --target y", vec!["twice.parquet", "two columns", "\"x\""]),
        ("train good.parquet other.parquet --target y", vec!["good.parquet", "other.parquet", "\"x\""]),
        ("train good.parquet words.parquet --target y", vec!["good.parquet", "words.parquet", "\"x\""]),
        ("train ids.parquet --target y", vec!["\"y\"", "1000 distinct"]),
        ("train good.parquet --target y --validation other.parquet", vec!["\"x\""]),
        ("train one.parquet --target y", vec!["\"y\"", "\"a\""]),
        ("train one.parquet --target z", vec!["\"z\""]),
        ("train one.parquet --target y --features q", vec!["\"q\""]),
        ("train one.parquet --target y --weight q", vec!["\"q\""]),
        ("train odd.parquet --target y", vec!["odd.parquet", "\"x\"", "row group"]),
        ("train odd.parquet --target y --exclude x --positive c", vec![]),
    ] {
        let stderr = fail(folder.path(), &format!("{line} --device cpu -o m.json"), 1);
        assert_says(&stderr, &says);
    }
    let stderr = fail(folder.path(), "train good.parquet --target y --weight y --device cpu -o m.json", 2);
    assert_says(&stderr, &["\"y\"", "weight"]);
    assert_eq!(files(folder.path()), before);
}

/// Ctrl-C in mid-training: the epoch ends, the model is written. Another one stops at once.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_after_the_epoch_and_still_writes_the_model() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = tempdir().unwrap();
    let data = super::support::repository("data/digits/train.parquet");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("logodds"))
        .current_dir(folder.path())
        .args(["train", "--target", "digit", "--device", "cpu", "--l1", "0", "--l2", "0", "-o", "m.json"])
        .args(["--epochs", "100000000", "--tolerance", "1e-300", "--metrics", "m.jsonl"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let metrics = folder.path().join("m.jsonl");
    let start = Instant::now();
    while fs::read_to_string(&metrics).map_or(true, |text| text.is_empty()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before an epoch");
        assert!(start.elapsed() < Duration::from_secs(60), "no epoch within a minute");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(json(&folder.path().join("m.json"))["models"].as_array().unwrap().len(), 10);
}

#[test]
fn a_class_without_weight_and_a_validation_set_without_rows_are_refused() {
    let folder = tempdir().unwrap();
    let n = 40;
    let x: ArrayRef = Arc::new(Float64Array::from_iter_values((0..n).map(|i| f64::from(i % 7))));
    let y: ArrayRef = Arc::new(Int64Array::from_iter_values((0..n).map(|i| i64::from(i % 2))));
    let w: ArrayRef = Arc::new(Float64Array::from_iter_values((0..n).map(|i| f64::from(1 - i % 2))));
    write_parquet(&folder.path().join("t.parquet"), vec![("x", x), ("y", y), ("w", w)]);
    let error = fail(folder.path(), "train t.parquet --target y --weight w -o m.json --device cpu", 1);
    assert_says(&error, &["--weight", "weight 0", "\"1\""]);
    for fraction in ["1e-9", "0.99999", "0.97"] {
        let line =
            format!("train t.parquet --target y --validation-fraction {fraction} -o m.json --device cpu");
        assert_says(&fail(folder.path(), &line, 1), &["--validation-fraction", "40 rows"]);
    }
    assert!(!folder.path().join("m.json").exists());
}

/// Without a penalty, scaling a column changes nothing; centring it without an intercept would.
#[test]
fn no_intercept_is_a_model_through_the_origin() {
    let folder = tempdir().unwrap();
    let line = "train {data}/breast_cancer/train.parquet --target diagnosis --l1 0 --l2 0 --tolerance 1e-9 \
                --features mean_radius,mean_texture --no-intercept --device cpu -o";
    let model = |name: &str, flag: &str| {
        succeed(folder.path(), &format!("{line} {name} {flag}"));
        json(&folder.path().join(name))["models"][0].clone()
    };
    let (scaled, plain) = (model("a.json", ""), model("b.json", "--no-standardize"));
    assert_eq!(scaled["intercept"], 0.0);
    for (a, b) in
        scaled["coefficients"].as_array().unwrap().iter().zip(plain["coefficients"].as_array().unwrap())
    {
        let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
        assert!((a - b).abs() < 1e-5 * b.abs(), "{a} {b}");
    }
}

/// Unscaled values that float32 rounds by up to a thousandth of their spread. The reported reason for
/// stopping must agree with whether the model converged.
#[test]
fn what_ended_a_run_and_whether_it_converged_agree() {
    let folder = tempdir().unwrap();
    let g = |i: usize, step: f64| 3.0 * ((i as f64 * step).fract() - 0.5);
    let (a, b, c) =
        (|i| g(i, 0.618_033_988_749_895), |i| g(i, 0.754_877_666_246_692_7), |i| g(i, 0.569_840_290_998_053));
    let noise = |i| 0.5 * g(i, 0.819_172_513_396_164_4);
    let y = (0..200).map(|i| f64::from(u8::from(a(i) + 2.0 * b(i) - c(i) + noise(i) > 0.0)));
    let columns = vec![
        ("a", float_column((0..200).map(a))),
        ("b", float_column((0..200).map(|i| 1e6 + 1e3 * b(i)))),
        ("c", float_column((0..200).map(|i| 1e9 + 1e6 * c(i)))),
        ("y", float_column(y)),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    let trained = |flags: &str| {
        let line = format!("train t.parquet --target y --no-standardize --device cpu -o m.json {flags}");
        (succeed_json(folder.path(), &line), succeed(folder.path(), &line))
    };
    // Undoes line wrapping.
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for flags in ["", "--solver lbfgs", "--l1 0.01 --l2 0", "--max-iterations 2"] {
        let (report, text) = trained(flags);
        let model = &report["models"][0];
        let (converged, residual) =
            (model["converged"].as_bool().unwrap(), model["kkt_residual"].as_f64().unwrap());
        assert_eq!(report["stopped"] == "converged", converged, "{flags}: {report}");
        assert_eq!(plain(&text).contains("not converged"), !converged, "{flags}: {text}");
        assert!(!converged || residual <= 1e-6, "{flags}: {report}");
        assert!(
            plain(&text).contains(&format!("residual {residual:.1e}")),
            "{flags}: {residual} is not in {text}"
        );
    }
    let (report, _) = trained("");
    assert_eq!(report["models"][0]["converged"], true, "{report}");
}
