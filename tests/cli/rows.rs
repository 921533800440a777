//! The effect of a row: weights, class weights, held-out rows, and rows on another engine.

use std::fs;
use std::path::Path;

use serde_json::{Value, json as value};
use tempfile::tempdir;

use super::support::{
    assert_says, fail, float_column, json, succeed, succeed_json, text_column, write_parquet,
};
use crate::gpu::software;
use crate::support::assert_close;

/// One batch of all rows. The optimisation path, and up to rounding its end, do not depend on the order of
/// rows. It stops before full precision is reached.
const TRAIN: &str = "--target y --l2 0.1 --tolerance 1e-7 --batch-size 1000 --device cpu --quiet -o m.json";

/// Writes a small noisy table, where row i occurs `times(i)` times and has the given weight.
fn write_table(path: &Path, times: impl Fn(usize) -> usize, weight: impl Fn(usize, &str) -> f64) {
    let noise = |i: usize, k: usize| ((i * (31 + 17 * k) + 7 * k) % 101) as f64 / 50.0 - 1.0;
    let rows: Vec<usize> = (0..300).flat_map(|i| std::iter::repeat_n(i, times(i))).collect();
    let label = |i: usize| if noise(i, 0) + noise(i, 1) + 0.8 * noise(i, 4) > 0.6 { "yes" } else { "no" };
    let feature = |k: usize| float_column(rows.iter().map(|&i| 10.0 * noise(i, k) + 3.0));
    write_parquet(
        path,
        vec![
            ("a", feature(0)),
            ("b", feature(1)),
            ("c", feature(2)),
            ("w", float_column(rows.iter().map(|&i| weight(i, label(i))))),
            ("y", text_column(rows.iter().map(|&i| label(i)))),
        ],
    );
}

/// Intercept and coefficients of the only model.
fn coefficients(model: &Value) -> Vec<f64> {
    let model = &model["models"][0];
    let features = model["coefficients"].as_array().unwrap();
    std::iter::once(&model["intercept"]).chain(features).map(|w| w.as_f64().unwrap()).collect()
}

fn trained(folder: &Path, arguments: &str) -> Vec<f64> {
    succeed(folder, &format!("train {arguments} {TRAIN}"));
    coefficients(&json(&folder.join("m.json")))
}

#[test]
fn weight_two_is_the_row_twice_and_weight_zero_is_no_row() {
    let folder = tempdir().unwrap();
    write_table(&folder.path().join("weighted.parquet"), |_| 1, |i, _| (i % 3) as f64);
    write_table(&folder.path().join("repeated.parquet"), |i| i % 3, |_, _| 1.0);
    let weighted = trained(folder.path(), "weighted.parquet --weight w");
    let repeated = trained(folder.path(), "repeated.parquet --exclude w");
    assert_close(&weighted, &repeated, 1e-5, 1e-5);
    let plain = trained(folder.path(), "weighted.parquet --exclude w");
    assert!((weighted[0] - plain[0]).abs() > 1e-4, "weights count: {weighted:?}, {plain:?}");
}

#[test]
fn balanced_classes_are_the_weights_that_even_them_out() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    write_table(&path, |_| 1, |_, _| 1.0);
    // Neither centred nor scaled, since weights would also change the statistics of columns.
    let plain = "--no-standardize --no-intercept";
    let balanced = trained(folder.path(), &format!("t.parquet --exclude w --class-weight balanced {plain}"));
    let report = succeed_json(folder.path(), "evaluate m.json t.parquet");
    let rows = |class: usize| report["classes"][class]["support"].as_f64().unwrap();
    let (no, yes) = (rows(0), rows(1));
    assert!(no > 1.2 * yes, "the table is uneven: {no} and {yes}");
    write_table(&path, |_| 1, |_, class| 150.0 / if class == "yes" { yes } else { no });
    let weighted = trained(folder.path(), &format!("t.parquet --weight w {plain}"));
    assert_close(&balanced, &weighted, 1e-5, 1e-5);
    let uneven = trained(folder.path(), &format!("t.parquet --exclude w {plain}"));
    assert!((balanced[1] - uneven[1]).abs() > 1e-4, "class weights count: {balanced:?}, {uneven:?}");
}

#[test]
fn patience_ends_a_run_whose_validation_loss_no_longer_falls() {
    let folder = tempdir().unwrap();
    write_table(&folder.path().join("t.parquet"), |i| usize::from(i < 200), |_, _| 1.0);
    write_table(&folder.path().join("v.parquet"), |i| usize::from(i >= 200), |_, _| 1.0);
    let line = "train t.parquet --target y --exclude w --l2 1e-9 --tolerance 1e-12 --device cpu --quiet \
                -o m.json --validation v.parquet --patience 3 --metrics m.jsonl";
    let report = succeed_json(folder.path(), line);
    assert_says(report["stopped"].as_str().unwrap(), &["validation loss"]);
    let text = fs::read_to_string(folder.path().join("m.jsonl")).unwrap();
    let losses: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["validation_loss"].as_f64().unwrap())
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    // The model is from the best epoch.
    let found = succeed_json(folder.path(), "evaluate m.json v.parquet")["log_loss"].as_f64().unwrap();
    // Passes are in float32, evaluate in float64.
    assert_close(&[found], &[best], 1e-5, 0.0);
    fail(folder.path(), "train t.parquet --target y --patience 3 -o m.json", 2);
}

#[test]
fn patience_may_watch_any_score_and_it_is_that_of_evaluate() {
    let folder = tempdir().unwrap();
    write_table(&folder.path().join("t.parquet"), |i| usize::from(i < 200), |_, _| 1.0);
    write_table(&folder.path().join("v.parquet"), |i| usize::from(i >= 200), |_, _| 1.0);
    let train = "train t.parquet --target y --exclude w --l2 1e-9 --tolerance 1e-12 --class-weight balanced \
                 --device cpu --quiet -o m.json --validation v.parquet --patience 2 --metrics m.jsonl --scoring";
    for (scoring, greater_is_better) in
        [("auc", true), ("brier", false), ("accuracy", true), ("log_loss", false)]
    {
        let report = succeed_json(folder.path(), &format!("{train} {scoring}"));
        let name = if scoring == "log_loss" { "validation loss" } else { scoring };
        assert_says(report["stopped"].as_str().unwrap(), &[name, "stopped improving"]);
        let text = fs::read_to_string(folder.path().join("m.jsonl")).unwrap();
        let scores: Vec<f64> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["validation_score"].as_f64().unwrap())
            .collect();
        let better = if greater_is_better { f64::max } else { f64::min };
        let best = scores.iter().copied().reduce(better).unwrap();
        let at = scores.iter().position(|&score| score == best).unwrap();
        assert_eq!(at + 2, scores.len() - 1, "two epochs without a better {scoring}: {scores:?}");
        let kept = &report["models"][0];
        assert_eq!((&kept["best"]["score"], &kept["best"]["epoch"]), (&value!(best), &value!(at + 1)));
        assert_eq!(
            (&kept["stopped_early"], &report["validation"]["scoring"]),
            (&value!(true), &value!(scoring))
        );
        let inspected = succeed_json(folder.path(), "inspect m.json");
        assert_eq!(
            (&inspected["models"][0]["best"], &inspected["models"][0]["stopped_early"]),
            (&kept["best"], &value!(true))
        );
        let found = succeed_json(folder.path(), "evaluate m.json v.parquet")[scoring].as_f64().unwrap();
        // Panels are in float32, evaluate reads the table.
        assert_close(&[found], &[best], 1e-5, 0.0);
    }
    fail(folder.path(), "train t.parquet --target y --scoring auc -o m.json", 2);
}

#[test]
fn a_ranking_of_one_side_stops_nothing_and_is_named() {
    let folder = tempdir().unwrap();
    write_table(&folder.path().join("t.parquet"), |_| 1, |_, _| 1.0);
    let columns = vec![("a", float_column([1.0, 2.0])), ("y", text_column(["yes", "yes"]))];
    write_parquet(&folder.path().join("v.parquet"), columns);
    let line = "train t.parquet --target y --features a --device cpu -o m.json --validation v.parquet \
                --patience 1 --scoring auc";
    let report = succeed_json(folder.path(), line);
    assert_says(&report["warnings"].to_string(), &["one side", "yes", "auc"]);
    assert!(!report["stopped"].as_str().unwrap().contains("improving"), "{report}");
    assert!(report["epochs"].as_u64().unwrap() > 2, "{report}");
}

#[test]
fn validation_rows_of_a_class_that_training_never_saw_are_reported() {
    let folder = tempdir().unwrap();
    let table = |name: &str, labels: [&str; 4]| {
        let columns = vec![("x", float_column([1.0, 2.0, 3.0, 4.0])), ("y", text_column(labels))];
        write_parquet(&folder.path().join(name), columns);
    };
    table("t.parquet", ["no", "yes", "no", "yes"]);
    table("v.parquet", ["no", "yes", "perhaps", "yes"]);
    let report = succeed_json(folder.path(), &format!("train t.parquet {TRAIN} --validation v.parquet"));
    assert_says(report["warnings"][0].as_str().unwrap(), &["validation rows", "never saw their class: 1"]);
}

#[test]
fn a_software_adapter_trains_what_the_cpu_engine_trains() {
    if software().is_none() {
        return;
    }
    let folder = tempdir().unwrap();
    write_table(&folder.path().join("t.parquet"), |_| 1, |_, _| 1.0);
    let cpu = trained(folder.path(), "t.parquet --exclude w");
    let line = format!("train t.parquet --exclude w {TRAIN}").replace("--device cpu", "--device software");
    succeed(folder.path(), &line);
    let model = json(&folder.path().join("m.json"));
    assert!(!model["training"]["device"].as_str().unwrap().contains("cpu ("), "{}", model["training"]);
    assert_close(&coefficients(&model), &cpu, 1e-5, 1e-5);
}
