//! Every command treats NaN as null.

use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use super::support::{assert_says, fail, float_column, json, succeed, succeed_json, write_parquet};

const ROWS: i32 = 400;

/// Writes `null.parquet` and `nan.parquet`, which differ only in how missing values are stored.
fn tables(folder: &Path) {
    let every = |n: i32, gap: Option<f64>, value: fn(i32) -> f64| {
        (0..ROWS).map(move |i| if i % n == 2 { gap } else { Some(value(i)) })
    };
    for (name, gap) in [("null", None), ("nan", Some(f64::NAN))] {
        let x = every(7, gap, |i| f64::from((i * 37) % 101) / 9.0);
        let z = every(11, gap, |i| f64::from((i * 53) % 17));
        let y = every(13, gap, |i| f64::from(u8::from((i * 37) % 101 + (i * 29) % 61 > 75)));
        let columns = vec![
            ("x", nullable(x)),
            ("z", nullable(z)),
            ("w", float_column((0..ROWS).map(|i| f64::from(1 + i % 3)))),
            ("y", nullable(y)),
        ];
        write_parquet(&folder.join(format!("{name}.parquet")), columns);
    }
}

fn nullable(values: impl Iterator<Item = Option<f64>>) -> arrow::array::ArrayRef {
    std::sync::Arc::new(values.collect::<arrow::array::Float64Array>())
}

/// Equality up to rounding, ignoring times and how the fit went.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-6 * (1.0 + a.abs())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(key, value)| {
            ["seconds", "passes", "iterations", "kkt_residual", "duality_gap", "curve", "stopped"]
                .contains(&key.as_str())
                || b.get(key).is_some_and(|other| same(value, other))
        }),
        (a, b) => a == b,
    }
}

#[test]
fn a_table_with_nan_gives_what_the_table_with_nulls_gives() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    tables(at);
    for flags in
        ["--missing mean", "--missing drop", "--missing mean --weight w", "--missing mean --solver sgd"]
    {
        let train = format!("--target y --device cpu --quiet --tolerance 1e-9 {flags}");
        for name in ["null", "nan"] {
            let flags = if flags.contains("--weight") { "" } else { " --exclude w" };
            succeed(at, &format!("train {name}.parquet {train}{flags} -o {name}.json"));
        }
        let [null, nan] = ["null.json", "nan.json"].map(|name| json(&at.join(name)));
        let dropped = null["training"]["rows_dropped"].as_u64().unwrap();
        assert!(dropped >= 30 && (dropped > 31) == flags.contains("drop"), "{flags}: {dropped}");
        assert!(same(&null, &nan), "{flags}:\n{null}\n{nan}");
        let [null, nan] =
            ["null", "nan"].map(|name| succeed_json(at, &format!("evaluate null.json {name}.parquet")));
        assert!(null["rows"].as_u64().unwrap() > 250 && same(&null, &nan), "{flags}:\n{null}\n{nan}");
        let [null, nan] = ["null", "nan"]
            .map(|name| succeed_json(at, &format!("predict null.json {name}.parquet -o {name}-p.parquet")));
        let incomplete = null["rows_incomplete"].as_u64().unwrap();
        assert!(same(&null, &nan) && (incomplete > 0) == flags.contains("drop"), "{flags}: {null} {nan}");
    }
}

#[test]
fn sweeps_reports_and_inferences_take_nan_for_null() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    tables(at);
    let plain = "--target y --device cpu --quiet --exclude w --l1 0 --l2 0 --tolerance 1e-10";
    succeed(at, &format!("train null.parquet {plain} -o m.json"));
    let both = |line: &str| ["null", "nan"].map(|name| succeed_json(at, &line.replace("TABLE", name)));
    for line in [
        "inspect m.json TABLE.parquet --inference",
        "threshold m.json TABLE.parquet --by f1 --dry-run",
        "tune TABLE.parquet --target y --exclude w --device cpu --quiet --folds 3 --lambdas 5 -o t.json",
    ] {
        let [null, nan] = both(line);
        assert!(same(&null, &nan), "{line}:\n{null}\n{nan}");
    }
    let [null, nan] = both("report m.json TABLE.parquet --inference TABLE.parquet -o TABLE.html");
    assert!(same(&null["evaluation"], &nan["evaluation"]), "{null} {nan}");
}

#[test]
fn nan_is_refused_where_that_is_asked_for() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    tables(at);
    let place = ["nan.parquet", "column \"x\" is NaN in row 2 of row group 0", "--nan null"];
    let line = "train nan.parquet --target y --device cpu --features x,z";
    assert_says(
        &fail(at, &format!("{line} --nan error -o m.json"), 1),
        &["\"y\" is NaN in row 2", "--nan null"],
    );
    assert_says(&fail(at, &format!("{line} --nan errors -o m.json"), 2), &["expected null or error"]);
    std::fs::write(at.join("c.toml"), "target = \"y\"\nfeatures = \"x\"\nnan = \"error\"\n").unwrap();
    // The model remembers --nan error, and refuses to predict such a table.
    succeed(at, "train null.parquet --config c.toml --device cpu --quiet -o strict.json");
    assert_eq!(json(&at.join("strict.json"))["nan"], "error");
    assert_says(&fail(at, "predict strict.json nan.parquet -o p.parquet", 1), &place);
    succeed(at, "train nan.parquet --target y --features x --device cpu --quiet -o m.json");
    assert!(json(&at.join("m.json")).get("nan").is_none());
    // A NaN is never a valid weight.
    assert_says(&fail(at, "evaluate m.json nan.parquet --weight z", 1), &["weight \"z\" is NaN", "row"]);
}
