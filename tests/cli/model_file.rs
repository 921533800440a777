use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::support::{assert_says, fail, succeed, succeed_json};

/// The model file of a small model.
fn model() -> Value {
    json!({
        "format": "logodds", "version": 1, "task": "binary", "target": "bought", "target_type": "boolean",
        "classes": ["false", "true"], "positive": "true", "standardize": true, "intercept": true,
        "penalty": {"l1": 0.0, "l2": 0.01, "c": 1.0, "l1_ratio": 0.0, "lambda": 0.01, "alpha": 0.0},
        "training": {
            "rows": 100, "rows_dropped": 2, "weight_sum": 100.0, "solver": "sgd", "tolerance": 1e-6, "device": "cpu",
            "passes": 12.0, "seed": 0, "seconds": {"read": 0.1, "train": 0.2, "total": 0.3}, "logodds_version": "0.1.0",
        },
        "columns": [
            {"name": "age", "kind": "numeric", "mean": 40.0, "scale": 10.0, "missing": 40.0, "levels": null},
            {"name": "city", "kind": "categorical", "mean": null, "scale": null, "missing": null, "levels": ["Rome", null]},
        ],
        "features": ["age", "city=Rome", "city=null"],
        "models": [{
            "class": "true", "intercept": -1.5, "coefficients": [0.125, 0.5, 0.0], "nonzero": 2,
            "objective": 0.25, "kkt_residual": 1e-7, "duality_gap": 3e-9, "converged": true, "iterations": 6,
        }],
    })
}

fn write(folder: &Path, model: &Value) {
    fs::write(folder.join("m.json"), model.to_string()).unwrap();
}

#[test]
fn inspect_shows_the_penalty_on_every_scale_and_the_largest_coefficients() {
    let folder = tempdir().unwrap();
    write(folder.path(), &model());
    let text = succeed(folder.path(), "inspect m.json");
    assert_says(
        &text,
        &["bought", "false, true", "l2 0.01", "C 1,", "lambda 0.01", "city=Rome", "converged"],
    );
    let age = text.lines().position(|line| line.starts_with("age"));
    let rome = text.lines().position(|line| line.starts_with("city=Rome"));
    assert!(age < rome, "age weighs 1.25 per standard deviation, Rome 0.5:\n{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");

    let json = succeed_json(folder.path(), "inspect m.json --top 1");
    assert_eq!(json["models"][0]["top"].as_array().unwrap().len(), 1);
    assert_eq!(json["models"][0]["top"][0]["standardised"], 1.25);
}

#[test]
fn a_model_survives_being_read_and_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.json");
    let mut odd = model();
    odd["models"][0]["nonzero"] = json!(3);
    odd["models"][0]["coefficients"] = json!([0.1 + 0.2, f64::MIN_POSITIVE, -1.0 / 3.0]);
    write(folder.path(), &odd);
    let first = logodds::model::Model::load(&path).unwrap();
    first.save(&path).unwrap();
    assert_eq!(logodds::model::Model::load(&path).unwrap(), first);
    assert_eq!(super::support::json(&path)["models"], odd["models"]);
    assert_eq!(super::support::files(folder.path()), ["m.json"]);
}

#[test]
fn another_version_is_refused_with_both_versions() {
    let folder = tempdir().unwrap();
    let mut other = model();
    other["version"] = json!(2);
    other["models"] = json!("in some new form");
    write(folder.path(), &other);
    let stderr = fail(folder.path(), "inspect m.json", 1);
    assert_says(&stderr, &["m.json", "version 2", "version 1"]);
}

#[test]
fn files_that_are_no_models_are_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.json");
    assert_says(&fail(folder.path(), "inspect m.json", 1), &["cannot read", "m.json", "caused by:"]);
    fs::write(&path, "{\"a\": 1}").unwrap();
    assert_says(&fail(folder.path(), "inspect m.json", 1), &["m.json", "not a logodds model"]);
    let mut no_text = b"{".to_vec();
    no_text.extend([0xff, 0x00, 0x50]);
    fs::write(&path, no_text).unwrap();
    assert_says(&fail(folder.path(), "inspect m.json", 1), &["m.json", "damaged", "line 1"]);
    for (bytes, found) in
        [(&b""[..], "empty"), (&[0xff, 0x00, 0x50], "not a JSON object"), (b"[1]", "not a JSON object")]
    {
        fs::write(&path, bytes).unwrap();
        assert_says(
            &fail(folder.path(), "inspect m.json", 1),
            &["m.json", "not a logodds model file", found],
        );
    }
    let stderr = fail(folder.path(), "inspect {data}/iris/test.parquet", 1);
    assert_says(&stderr, &["test.parquet", "not a logodds model file", "a Parquet file"]);
}

#[test]
fn a_damaged_model_is_refused_by_every_command_that_takes_one() {
    let folder = tempdir().unwrap();
    let text = model().to_string();
    fs::write(folder.path().join("m.json"), &text[..text.len() / 2]).unwrap();
    for line in ["inspect m.json", "predict m.json t.parquet -o p.parquet", "evaluate m.json t.parquet"] {
        assert_says(&fail(folder.path(), line, 1), &["m.json", "damaged", "line 1 column"]);
    }
    assert_eq!(super::support::files(folder.path()), ["m.json"]);
}

#[test]
fn a_model_that_contradicts_itself_is_refused() {
    let folder = tempdir().unwrap();
    type Damage = fn(&mut Value);
    let damages: [(Damage, &str); 13] = [
        (|m| m["models"][0]["coefficients"] = json!([1.0]), "1 coefficients for 3 features"),
        (|m| m["models"] = json!([]), "0 models, expected 1"),
        (|m| m["features"] = json!(["age"]), "features"),
        (|m| m["classes"] = json!(["true"]), "1 classes"),
        (|m| m["positive"] = json!("maybe"), "positive class"),
        (|m| m["columns"][0]["scale"] = json!(0.0), "\"age\""),
        (|m| m["columns"][0]["scale"] = json!(-1.0), "\"age\""),
        (|m| m["columns"][0]["scale"] = json!(1e-310), "\"age\""),
        (|m| m["classes"] = json!(["true", "true"]), "\"true\" comes twice"),
        (|m| m["models"][0]["nonzero"] = json!(3), "3 of its coefficients are not zero, but 2"),
        (|m| m["columns"] = json!([]), "no columns"),
        (|m| m["columns"][1]["levels"] = Value::Null, "\"city\""),
        (|m| m["models"][0]["intercept"] = Value::Null, "null"),
    ];
    for (damage, says) in damages {
        let mut damaged = model();
        damage(&mut damaged);
        write(folder.path(), &damaged);
        assert_says(&fail(folder.path(), "inspect m.json", 1), &["m.json", says]);
    }
    let beyond = model().to_string().replace("-1.5", "1e999");
    fs::write(folder.path().join("m.json"), beyond).unwrap();
    assert_says(&fail(folder.path(), "inspect m.json", 1), &["m.json", "number out of range"]);
}

#[test]
fn a_threshold_needs_a_binary_model_and_a_probability() {
    let folder = tempdir().unwrap();
    write(folder.path(), &model());
    let stderr = fail(folder.path(), "predict m.json t.parquet -o p.parquet --threshold 1.5", 2);
    assert_says(&stderr, &["--threshold is 1.5"]);
}

#[test]
fn what_comes_twice_is_refused() {
    let folder = tempdir().unwrap();
    for (place, value, says) in [
        ("/columns/1/levels", json!(["Rome", "Rome"]), "column \"city\" has the level \"Rome\" twice"),
        ("/columns/1/levels", json!([null, null]), "column \"city\" has the level of nulls twice"),
        ("/columns/1/name", json!("age"), "its column \"age\" comes twice"),
        ("/classes", json!(["true", "true"]), "its class \"true\" comes twice"),
    ] {
        let mut twice = model();
        *twice.pointer_mut(place).unwrap() = value;
        let features = |column: &Value| match column["levels"].as_array() {
            None => vec![column["name"].as_str().unwrap().to_owned()],
            Some(levels) => levels
                .iter()
                .map(|level| {
                    format!("{}={}", column["name"].as_str().unwrap(), level.as_str().unwrap_or("null"))
                })
                .collect(),
        };
        let names: Vec<String> = twice["columns"].as_array().unwrap().iter().flat_map(features).collect();
        twice["features"] = json!(names);
        write(folder.path(), &twice);
        assert_says(&fail(folder.path(), "inspect m.json", 1), &["m.json is not a usable model", says]);
    }
}
