//! A model stores the name of its weight column, and is evaluated with these weights unless requested
//! otherwise.

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::support::{
    assert_says, fail, float_column, json, succeed, succeed_json, text_column, write_parquet,
};

/// A folder with a weighted table, the same table without weights, and a model of the weighted table.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let rows = || 0..60;
    let x = || ("x", float_column(rows().map(|i| f64::from(i * 7 % 20))));
    let y = || ("y", text_column(rows().map(|i| if i * 7 % 20 + i % 9 > 13 { "b" } else { "a" })));
    let w = ("w", float_column(rows().map(|i| 0.5 + f64::from(i % 4))));
    write_parquet(&folder.path().join("t.parquet"), vec![x(), w, y()]);
    write_parquet(&folder.path().join("bare.parquet"), vec![x(), y()]);
    succeed(folder.path(), "train t.parquet --target y --weight w --l2 0 --device cpu --quiet -o m.json");
    folder
}

#[test]
fn the_weights_of_training_are_used_where_the_table_has_them() {
    let folder = folder();
    assert_eq!(json(&folder.path().join("m.json"))["training"]["weight"], "w");
    let own = succeed_json(folder.path(), "evaluate m.json t.parquet");
    assert_eq!(own, succeed_json(folder.path(), "evaluate m.json t.parquet --weight w"));
    assert_eq!(own["weights"], serde_json::json!({"column": "w"}));
    let counted = succeed_json(folder.path(), "evaluate m.json t.parquet --no-weight");
    assert_eq!(counted["weights"]["column"], Value::Null);
    assert_ne!(counted["log_loss"], own["log_loss"]);
    assert_says(&succeed(folder.path(), "evaluate m.json t.parquet"), &["weights", "\"w\""]);
    let threshold = succeed_json(folder.path(), "threshold m.json t.parquet --by f1 --dry-run");
    assert_eq!(threshold["weights"]["column"], "w");
    fail(folder.path(), "evaluate m.json t.parquet --weight w --no-weight", 2);
}

#[test]
fn an_evaluation_without_the_weights_of_training_says_so() {
    let folder = folder();
    for (line, says) in [
        ("bare.parquet", "trained with weights of \"w\", a column that this table lacks"),
        ("t.parquet --no-weight", "trained with weights of \"w\"; this evaluation is unweighted"),
        // DeLong's method counts rows, and takes no weights.
        ("t.parquet --intervals=delong", "trained with weights of \"w\"; this evaluation is unweighted"),
    ] {
        let text = succeed(folder.path(), &format!("evaluate m.json {line}"));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_says(&text, &[says, "this evaluation is unweighted"]);
    }
    succeed(folder.path(), "train bare.parquet --target y --device cpu --quiet -o b.json");
    let text = succeed(folder.path(), "evaluate m.json b.json t.parquet");
    assert_says(&text, &["different weights"]);
    assert_eq!(succeed_json(folder.path(), "evaluate b.json t.parquet")["weights"]["note"], Value::Null);
    succeed(folder.path(), "report m.json bare.parquet -o r.html");
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert_says(&page, &["Trained with weights of", "this evaluation is unweighted"]);
}

#[test]
fn inference_takes_the_weights_of_training() {
    let folder = folder();
    let own = succeed_json(folder.path(), "inspect m.json t.parquet --inference");
    assert_eq!(own, succeed_json(folder.path(), "inspect m.json t.parquet --inference --weight w"));
    let stderr = fail(folder.path(), "inspect m.json t.parquet --inference --no-weight", 1);
    assert_says(&stderr, &["weights add up to"]);
    assert_says(&fail(folder.path(), "inspect m.json bare.parquet --inference", 1), &["\"w\""]);
    fail(folder.path(), "inspect m.json --no-weight", 2);
}
