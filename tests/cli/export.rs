//! The command `export`. The results of the exported models are checked in `tests/peers`.

use logodds::model::Model;
use tempfile::{TempDir, tempdir};

use super::support::{
    assert_says, fail, files, float_column, succeed, succeed_json, text_column, write_parquet,
};

fn trained(arguments: &str) -> TempDir {
    let folder = tempdir().unwrap();
    succeed(folder.path(), &format!("train --device cpu --quiet -o m.json {arguments}"));
    folder
}

fn iris() -> TempDir {
    trained("{data}/iris/train.parquet --target species")
}

#[test]
fn the_extension_says_the_format_and_a_flag_wins_over_it() {
    let folder = iris();
    for (output, flags, format) in [
        ("m.onnx", "", "onnx"),
        ("m.SQL", "", "sql"),
        ("copy.json", "", "json"),
        ("x.txt", "--format sql", "sql"),
    ] {
        let report = succeed_json(folder.path(), &format!("export m.json -o {output} {flags}"));
        let bytes = std::fs::metadata(folder.path().join(output)).unwrap().len();
        assert_eq!((&report["format"], report["bytes"].as_u64()), (&format.into(), Some(bytes)));
    }
    let model = |name: &str| Model::load(&folder.path().join(name)).unwrap();
    assert_eq!(model("copy.json"), model("m.json"));
    assert_says(&fail(folder.path(), "export m.json -o m.bin", 2), &["--format", ".onnx, .sql, .json"]);
}

#[test]
fn a_report_names_what_goes_in_and_what_comes_out() {
    let folder = iris();
    let report = succeed_json(folder.path(), "export m.json -o m.onnx");
    assert_eq!(report["inputs"][0]["name"], "sepal_length_cm");
    assert_eq!(
        (&report["inputs"][0]["type"], &report["inputs"][0]["null"]),
        (&"float64".into(), &"NaN".into())
    );
    assert_eq!(report["outputs"], serde_json::json!(["label", "probabilities"]));
    let report = succeed_json(folder.path(), "export m.json -o m.sql --dialect sqlite --keep species");
    assert_eq!((&report["dialect"], &report["outputs"][0]), (&"sqlite".into(), &"species".into()));
    assert_eq!(report["outputs"][1], "prediction");
    let text = succeed(folder.path(), "export m.json -o m.onnx");
    assert_says(&text, &["4 columns", "null: NaN", "label, probabilities"]);
}

#[test]
fn columns_without_a_coefficient_are_not_asked_for() {
    let sparse = "{data}/breast_cancer/train.parquet --target diagnosis --l1 0.1 --l2 0";
    let folder = trained(sparse);
    let report = succeed_json(folder.path(), "export m.json -o m.onnx");
    let model = Model::load(&folder.path().join("m.json")).unwrap();
    let inputs = report["inputs"].as_array().unwrap().len();
    assert_eq!(inputs, model.models[0].nonzero);
    assert_eq!(report["columns_left_out"], 30 - inputs);
    // A null in any column takes the prediction away here, so every column counts.
    let folder = trained(&format!("{sparse} --missing drop"));
    assert_eq!(succeed_json(folder.path(), "export m.json -o m.onnx")["columns_left_out"], 0);
}

#[test]
fn sql_goes_to_stdout_for_the_next_program() {
    let folder = iris();
    let sql = succeed(folder.path(), "export m.json --format sql -o - --table flowers.\"May.2\" --keep id");
    assert_says(&sql, &["FROM \"flowers\".\"May.2\"", "  \"id\",\n", "AS prediction", "'setosa'"]);
    assert_eq!(files(folder.path()), ["m.json"]);
    assert_says(&fail(folder.path(), "export m.json --format sql -o - --json", 2), &["--json"]);
}

#[test]
fn flags_that_do_not_apply_and_names_that_collide_are_refused() {
    let folder = iris();
    assert_says(&fail(folder.path(), "export m.json -o m.onnx --table t", 1), &["--table", "SQL", "onnx"]);
    assert_says(&fail(folder.path(), "export m.json -o m.json", 1), &["m.json", "model file"]);
    let stderr = fail(folder.path(), "export m.json -o m.sql --keep Prediction", 1);
    assert_says(&stderr, &["Prediction", "--keep"]);
    let stderr = fail(folder.path(), "export m.json -o m.sql --keep id,id", 2);
    assert_says(&stderr, &["--keep", "\"id\"", "twice"]);
    assert_says(&fail(folder.path(), "export m.json -o m.sql --table a..b", 2), &["--table", "a..b"]);
    fail(folder.path(), "export m.json -o nowhere/m.sql", 1);
    assert_eq!(files(folder.path()), ["m.json"]);
}

#[test]
fn what_a_dialect_cannot_say_is_refused_with_the_way_out() {
    let folder = tempdir().unwrap();
    let labels = || text_column(["no", "no", "yes", "yes"]);
    let columns = vec![
        ("a", float_column([1.0, 3.0, 2.0, 4.0])),
        ("A", float_column([1.0, 2.0, 3.0, 3.0])),
        ("y", labels()),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    let stderr = fail(folder.path(), "export m.json -o m.sql --dialect duckdb", 1);
    assert_says(&stderr, &["\"a\" and \"A\"", "DuckDB", "rename"]);
    succeed(folder.path(), "export m.json -o m.sql --dialect postgresql");

    let days = arrow::array::Date32Array::from(vec![1, 3, 2, 4]);
    let columns = vec![("day", std::sync::Arc::new(days) as _), ("y", labels())];
    write_parquet(&folder.path().join("t.parquet"), columns);
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    let stderr = fail(folder.path(), "export m.json -o m.sql --dialect ansi", 1);
    assert_says(&stderr, &["\"day\"", "dates", "dialect"]);

    write_parquet(
        &folder.path().join("t.parquet"),
        vec![("", float_column([1.0, 3.0, 2.0, 4.0])), ("y", labels())],
    );
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    for output in ["m.onnx", "m.sql"] {
        assert_says(&fail(folder.path(), &format!("export m.json -o {output}"), 1), &["name", "train again"]);
    }
}

#[test]
fn durations_keep_the_unit_of_the_file_for_databases_that_see_numbers() {
    let folder = tempdir().unwrap();
    let long = arrow::array::DurationMillisecondArray::from(vec![1_000, 3_000, 2_000, 4_000]);
    let y = arrow::array::Float32Array::from(vec![0.1, 0.1, 0.3, 0.3]);
    let columns = vec![("d", std::sync::Arc::new(long) as _), ("y", std::sync::Arc::new(y) as _)];
    write_parquet(&folder.path().join("t.parquet"), columns);
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    assert_eq!(super::support::json(&folder.path().join("m.json"))["columns"][0]["unit"], "ms");
    let sql = succeed(folder.path(), "export m.json --format sql -o - --dialect duckdb");
    assert_says(&sql, &["'INTERVAL'", "/ 1000e0", "CAST(0.10000000149011612e0 AS REAL)"]);
}

#[test]
fn bigquery_gets_its_own_quotes_types_and_names() {
    let folder = tempdir().unwrap();
    let columns = vec![
        ("it's", float_column([1.0, 3.0, 2.0, 4.0, 2.5, 0.5])),
        ("text", text_column(["a\\", "b'", "a\\", "b'", "c\n", "c\n"])),
        ("y", text_column(["<1", ">1", "<1", ">1", "2", "2"])),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    let sql = succeed(folder.path(), "export m.json --format sql -o - --dialect bigquery --table p-1.d.t");
    assert_says(
        &sql,
        &[
            "FROM `p-1`.`d`.`t`",
            "CAST(`it's` AS FLOAT64)",
            "COLLATE(CAST(`text` AS STRING), '')",
            "WHEN 'a\\\\' THEN",
            "WHEN 'b\\'' THEN",
            "WHEN 'c\\n' THEN",
            "AS `probability__1`",
            "AS `probability__1_1`",
            "AS `probability_2`",
            "THEN '<1'",
        ],
    );
    assert!(!sql.contains("::") && !sql.contains("OFFSET") && !sql.contains("MATERIALIZED"), "{sql}");
}
