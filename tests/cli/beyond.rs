//! Scores are finite, however large the values of a table.

use std::path::Path;

use serde_json::json;
use tempfile::tempdir;

use super::support::{
    assert_says, fail, float_column, floats, json, read_parquet, succeed, text_column, write_parquet,
};

/// Writes `name.parquet`, where row 5 has an unusual `x`.
fn table(folder: &Path, name: &str, odd: f64) {
    let x = (0..300).map(|i| if i == 5 { odd } else { f64::from(i * 37 % 101) / 10.0 });
    let y = (0..300).map(|i| if (i * 37 % 101) + (i * 29 % 61) > 75 { "yes" } else { "no" });
    let z = (0..300).map(|i| f64::from(i * 53 % 17));
    let columns = vec![("x", float_column(x)), ("z", float_column(z)), ("y", text_column(y))];
    write_parquet(&folder.join(format!("{name}.parquet")), columns);
}

#[test]
fn values_that_a_model_takes_beyond_float32_are_refused_by_every_command() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    table(at, "t", 1.0);
    table(at, "far", 1e300);
    table(at, "huge", 1e37);
    succeed(at, "train t.parquet --target y --device cpu -o m.json");
    for line in [
        "predict m.json far.parquet -o p.parquet",
        "evaluate m.json far.parquet",
        "threshold m.json far.parquet --by f1 -o o.json",
        "report m.json far.parquet -o r.html",
        "train t.parquet --target y --device cpu --solver sgd --validation far.parquet -o o.json",
    ] {
        let message = fail(at, line, 1);
        assert_says(&message, &["far.parquet", "column \"x\" is 1e300 in row 5 of row group 0", "float32"]);
    }
    // A huge score within the range of float32 gives a probability of 0 or 1.
    succeed(at, "predict m.json huge.parquet -o p.parquet");
    let p = floats(&read_parquet(&at.join("p.parquet")), "probability");
    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)) && p[5] == 1.0, "{}", p[5]);
}

#[test]
fn coefficients_whose_scores_overflow_are_refused() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    table(at, "t", 1.0);
    succeed(at, "train t.parquet --target y --device cpu -o m.json");
    let mut model = json(&at.join("m.json"));
    model["models"][0]["coefficients"] = json!([1e280, -1e280]);
    model["models"][0].as_object_mut().unwrap().remove("centred_intercept");
    std::fs::write(at.join("m.json"), model.to_string()).unwrap();
    assert_says(&fail(at, "predict m.json t.parquet -o p.parquet", 1), &["m.json", "overflow", "\"yes\""]);
}
