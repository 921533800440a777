//! Runs the README's Python code.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, DurationMicrosecondArray, DurationNanosecondArray, Float32Array,
    Int64Array, StringArray, Time32MillisecondArray, Time64NanosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::datatypes::DataType;
use tempfile::{TempDir, tempdir};

use super::support::python;
use crate::cli::support::{succeed, write_parquet};

const TEST: &str = "data/breast_cancer/test.parquet";

/// Runs the README's Python code on `table`, and compares the results with `predict`.
#[track_caller]
fn check(folder: &Path, python: &Path, table: &str) {
    succeed(folder, "export model.json -o model.onnx");
    succeed(folder, &format!("predict model.json {table} -o predicted.parquet"));
    let readme = include_str!("../../README.md");
    let (_, code) = readme.split_once("```python\n").expect("a block of Python");
    let (code, _) = code.split_once("```").unwrap();
    let check = "predicted = pyarrow.parquet.read_table(\"predicted.parquet\")\n\
                 assert predicted[\"prediction\"].to_pylist() == list(label)\n\
                 assert abs(predicted[\"probability\"].to_numpy() - probabilities[:, 1]).max() < 1e-6\n";
    std::fs::write(folder.join("readme.py"), format!("{}{check}", code.replace(TEST, table))).unwrap();
    let output = Command::new(python).current_dir(folder).arg("readme.py").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A column of each temporal type. Only the first one separates the classes.
fn times(folder: &Path) {
    const DAY: i64 = 86_400;
    let at = |i: i64| (i % 11 != 3).then_some(1_700_000_000 + i * 37 % 101 * DAY / 24);
    let all = |per_second: i64| (0..200).map(at).map(move |time| time.map(|time| time * per_second));
    let of_day =
        |per_second: i64| all(per_second).map(move |time| time.map(|time| time % (DAY * per_second)));
    let class = |i: i64| if i * 37 % 101 + i % 7 > 52 { "late" } else { "early" };
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "us",
            Arc::new(all(1_000_000).collect::<TimestampMicrosecondArray>().with_timezone("Europe/Berlin")),
        ),
        ("s", Arc::new(all(1).collect::<TimestampSecondArray>())),
        ("ms", Arc::new(all(1_000).collect::<TimestampMillisecondArray>())),
        ("ns", Arc::new(all(1_000_000_000).collect::<TimestampNanosecondArray>())),
        ("long us", Arc::new(of_day(1_000_000).collect::<DurationMicrosecondArray>())),
        ("long ns", Arc::new(of_day(1_000_000_000).collect::<DurationNanosecondArray>())),
        ("time ns", Arc::new(of_day(1_000_000_000).collect::<Time64NanosecondArray>())),
        (
            "time ms",
            Arc::new(
                of_day(1_000).map(|time| time.map(|time| time as i32)).collect::<Time32MillisecondArray>(),
            ),
        ),
        ("day", Arc::new((0..200).map(|i| at(i).map(|time| (time / DAY) as i32)).collect::<Date32Array>())),
        (
            "text",
            Arc::new((0..200).map(|i| (i % 5 > 0).then_some(["a", "b"][i % 2])).collect::<StringArray>()),
        ),
        ("level", Arc::new((0..200).map(|i| (i % 9 > 0).then_some(i % 4)).collect::<Int64Array>())),
        ("truth", Arc::new((0..200).map(|i| (i % 6 > 0).then_some(i % 8 > 3)).collect::<BooleanArray>())),
        (
            "short",
            Arc::new((0..200).map(|i| (i % 6 > 1).then_some(i as f32 / 7.0)).collect::<Float32Array>()),
        ),
        ("y", Arc::new((0..200).map(|i| Some(class(i))).collect::<StringArray>())),
    ];
    write_parquet(&folder.join("times.parquet"), columns);
}

fn trained(line: &str, make: impl FnOnce(&Path)) -> TempDir {
    let folder = tempdir().unwrap();
    make(folder.path());
    succeed(folder.path(), &format!("train {line} -o model.json --device cpu --quiet"));
    folder
}

#[test]
fn the_python_of_the_readme_finds_what_predict_finds() {
    let Some(python) = python() else { return };
    let folder = trained("{data}/breast_cancer/train.parquet --target diagnosis", |_| ());
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join(TEST);
    check(folder.path(), &python, table.to_str().unwrap());
    let folder = trained("times.parquet --target y --categorical level", times);
    check(folder.path(), &python, "times.parquet");
}

#[test]
fn float32_labels_and_durations_are_what_duckdb_finds_in_the_file() {
    let Some(python) = python() else { return };
    let folder = trained("times.parquet --target y --features short", |folder| {
        let x = || (0..200).map(|i| (i * 37 % 101) as f32);
        let y: Float32Array = x().map(|x| if x > 50.0 { 0.3 } else { 0.1 }).collect::<Vec<f32>>().into();
        let long: DurationMicrosecondArray = (0..200).map(|i| Some(i * 37 % 101 * 1_500_000)).collect();
        write_parquet(&folder.join("times.parquet"), vec![("short", Arc::new(long)), ("y", Arc::new(y))]);
    });
    succeed(folder.path(), "predict model.json times.parquet -o predicted.parquet");
    succeed(folder.path(), "export model.json -o score.sql --dialect duckdb --table times.parquet --keep y");
    let code = "import duckdb, pyarrow.parquet\n\
                table = pyarrow.parquet.read_table('times.parquet')\n\
                predicted = pyarrow.parquet.read_table('predicted.parquet')\n\
                right = sum(a == b for a, b in zip(predicted['prediction'].to_pylist(), table['y'].to_pylist()))\n\
                statement = open('score.sql').read().replace('\"times\".\"parquet\"', 'raw')\n\
                assert 'raw' in statement\n\
                for make in ['FROM table', \"FROM 'times.parquet'\"]:\n\
                \x20   connection = duckdb.connect()\n\
                \x20   connection.register('table', table)\n\
                \x20   connection.execute('CREATE TABLE raw AS SELECT * ' + make.replace('table', '\"table\"'))\n\
                \x20   rows = connection.execute(f'SELECT y = prediction, probability FROM ({statement})').fetchall()\n\
                \x20   assert sum(same for same, _ in rows) == right > 150\n\
                \x20   off = [abs(p - q) for (_, p), q in zip(rows, predicted['probability'].to_pylist())]\n\
                \x20   assert max(off) < 1e-6\n";
    std::fs::write(folder.path().join("duck.py"), code).unwrap();
    let output = Command::new(python).current_dir(folder.path()).arg("duck.py").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Float16 labels, which databases read as float32, and times where the class depends on nanoseconds.
#[test]
fn float16_labels_and_nanoseconds_are_what_duckdb_finds_in_the_file() {
    let Some(python) = python() else { return };
    let folder = trained("times.parquet --target y", |folder| {
        let y: Float32Array = (0..200).map(|i| Some(if i * 37 % 101 > 50 { 0.3 } else { 0.1 })).collect();
        let y = arrow::compute::cast(&y, &DataType::Float16).unwrap();
        let after = |start: i64| (0..200).map(move |i| (i % 11 != 3).then_some(start + i * 37 % 101 * 7));
        let zoned = after(3_000).collect::<TimestampNanosecondArray>().with_timezone("UTC");
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("at", Arc::new(after(-300).collect::<TimestampNanosecondArray>())),
            ("zoned", Arc::new(zoned)),
            ("time", Arc::new(after(0).collect::<Time64NanosecondArray>())),
            ("us", Arc::new(after(1_600_000_000_123_456).collect::<TimestampMicrosecondArray>())),
            ("y", y),
        ];
        write_parquet(&folder.join("times.parquet"), columns);
    });
    succeed(folder.path(), "predict model.json times.parquet -o predicted.parquet");
    succeed(folder.path(), "export model.json -o score.sql --dialect duckdb --table times.parquet --keep y");
    let code = "import duckdb, pyarrow.parquet\n\
                table = pyarrow.parquet.read_table('times.parquet')\n\
                predicted = pyarrow.parquet.read_table('predicted.parquet')\n\
                pairs = zip(predicted['prediction'].to_pylist(), table['y'].to_pylist())\n\
                right = sum(a == b for a, b in pairs)\n\
                statement = open('score.sql').read().replace('\"times\".\"parquet\"', \"'times.parquet'\")\n\
                connection = duckdb.connect()\n\
                rows = connection.execute(f'SELECT y = prediction, probability FROM ({statement})').fetchall()\n\
                assert sum(same for same, _ in rows) == right > 150, (right, rows)\n\
                off = [abs(p - q) for (_, p), q in zip(rows, predicted['probability'].to_pylist())]\n\
                assert max(off) < 1e-6, max(off)\n";
    std::fs::write(folder.path().join("duck.py"), code).unwrap();
    let output = Command::new(python).current_dir(folder.path()).arg("duck.py").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
