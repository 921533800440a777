//! Runs every file in `configs/`.

use std::fs;

use logodds::config::{TrainConfig, TuneConfig};
use tempfile::tempdir;

use super::support::{
    fail, float_column, json, logodds, repository, succeed_json, text_column, write_parquet,
};

/// Runs a config from the root of the repository, as its comments say, and returns the model.
fn train(config: &str) -> serde_json::Value {
    let folder = tempdir().unwrap();
    let model = folder.path().join("model.json");
    let config = repository("configs").join(config);
    let mut command = logodds(&repository(""));
    command.args(["train", "--device", "cpu", "--config"]).arg(config).arg("-o").arg(&model);
    command.assert().success();
    json(&model)
}

#[test]
fn each_config_is_named_in_a_test_here() {
    let mut names: Vec<String> = super::support::files(&repository("configs"));
    names.retain(|name| name.ends_with(".toml"));
    assert_eq!(names, ["breast-cancer-l1.toml", "large.toml", "tune.toml", "wine.toml"]);
    TuneConfig::load(&repository("configs/tune.toml")).unwrap().check().unwrap();
    for name in names.iter().filter(|name| *name != "tune.toml") {
        TrainConfig::load(&repository("configs").join(name)).unwrap().check().unwrap();
    }
}

#[test]
fn wine_trains_a_model_for_each_class() {
    let model = train("wine.toml");
    assert_eq!(model["task"], "one-vs-rest");
    assert_eq!(model["models"].as_array().unwrap().len(), 3);
}

#[test]
fn breast_cancer_l1_leaves_few_coefficients() {
    let model = train("breast-cancer-l1.toml");
    assert_eq!(model["positive"], "malignant");
    let nonzero = model["models"][0]["nonzero"].as_u64().unwrap();
    // the optimum at this penalty has 11 of 30.
    assert!((8..=14).contains(&nonzero), "{nonzero}");
}

#[test]
fn large_trains_within_its_memory_on_several_files() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("events")).unwrap();
    for part in 0..4 {
        // A linear congruential sequence is random enough for a table that only needs to be large.
        let n = 25_000u64;
        let random = move |i: u64, k: u64| {
            let x = (part * n + i + 1).wrapping_mul(6_364_136_223_846_793_005).wrapping_mul(2 * k + 3);
            (x >> 40) as f64 / f64::from(1 << 24)
        };
        let mut columns: Vec<(String, _)> =
            (0..20).map(|k| (format!("x{k}"), float_column((0..n).map(move |i| random(i, k))))).collect();
        let weight = float_column((0..n).map(move |i| 0.5 + random(i, 30)));
        let clicked = (0..n).map(move |i| if random(i, 0) + random(i, 1) > 1.0 { "yes" } else { "no" });
        columns.push(("weight".into(), weight));
        columns.push(("clicked".into(), text_column(clicked)));
        let columns = columns.iter().map(|(name, column)| (name.as_str(), column.clone())).collect();
        write_parquet(&folder.path().join(format!("events/part-{part}.parquet")), columns);
    }
    let config = repository("configs/large.toml");
    let line = format!("train --config {} --device cpu -o model.json", config.display());
    let report = succeed_json(folder.path(), &line);
    assert!(report["rows"].as_u64().unwrap() > 80_000, "the rest is held back: {report}");
    assert_eq!(report["n_features"], 20);
    let metrics = fs::read_to_string(folder.path().join("metrics.jsonl")).unwrap();
    for line in metrics.lines() {
        let epoch: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(epoch["validation_loss"].is_number(), "{line}");
    }
    assert!(!metrics.is_empty());
}

#[test]
fn tune_chooses_a_simple_model() {
    let folder = tempdir().unwrap();
    let model = folder.path().join("model.json");
    let mut command = logodds(&repository(""));
    command.args(["tune", "--device", "cpu", "--config", "configs/tune.toml", "-o"]).arg(&model);
    command.assert().success();
    let sweep = &json(&model)["sweep"];
    assert_eq!(sweep["rule"], "one-standard-error");
    assert_eq!(sweep["results"].as_array().unwrap().len(), 12 * 3 * 5 + 1);
    let points = sweep["curve"].as_array().unwrap();
    assert!(points.iter().any(|point| point["chosen"] == true && point["best"] == false));
}

#[test]
fn keys_of_a_sweep_are_refused_by_name_and_line() {
    let folder = tempdir().unwrap();
    let write = |text: &str| fs::write(folder.path().join("t.toml"), text).unwrap();
    for (text, says) in [
        ("data = \"d\"\ntarget = \"y\"\nlambdas = \"ten\"\n", "line 3, column 11"),
        ("data = \"d\"\nfolds = 5\nlamdas = 3\n", "line 3, column 1: unknown field `lamdas`"),
        ("data = \"d\"\nfolds = 5\nlamdas = 3\n", "`metrics`, `lambdas`"),
        ("data = \"d\"\ntarget = \"y\"\nlambdas = []\n", "--lambdas is empty"),
        ("data = \"d\"\ntarget = \"y\"\nl1-ratios = 2.0\n", "--l1-ratios is 2"),
    ] {
        write(text);
        let stderr = fail(folder.path(), "tune --config t.toml -o m.json", 1);
        assert!(stderr.contains(says), "{says:?} is not in {stderr}");
    }
    write("data = \"d\"\ntarget = \"y\"\nfolds = 3\nfold-column = \"f\"\n");
    assert!(fail(folder.path(), "tune --config t.toml -o m.json", 2).contains("--fold-column"));
}

#[test]
fn an_unknown_key_in_a_copy_of_a_config_is_refused() {
    let folder = tempdir().unwrap();
    let text = fs::read_to_string(repository("configs/wine.toml")).unwrap();
    fs::write(folder.path().join("wine.toml"), text + "\nlambda = 1\n").unwrap();
    assert!(fail(folder.path(), "train --config wine.toml", 1).contains("lambda"));
}
