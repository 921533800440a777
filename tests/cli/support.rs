use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// The path of a file in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The program in `folder`, without the user's logging.
pub(crate) fn logodds(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("logodds").expect("the binary is built with the tests");
    // Without a desktop session, as on a server: drivers must not add lines to stderr there either.
    command.current_dir(folder).env_remove("RUST_LOG").env_remove("XDG_RUNTIME_DIR");
    command
}

/// Runs a command line, split at spaces; `{data}` stands for the repository's `data` folder.
pub(crate) fn run(folder: &Path, line: &str) -> Output {
    let data = repository("data");
    let arguments = line.split_whitespace().map(|word| word.replace("{data}", data.to_str().unwrap()));
    logodds(folder).args(arguments).output().unwrap()
}

/// Runs a command line that must succeed, and returns its stdout.
#[track_caller]
pub(crate) fn succeed(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Like [`succeed`], with the one JSON object that it prints.
#[track_caller]
pub(crate) fn succeed_json(folder: &Path, line: &str) -> Value {
    let text = succeed(folder, &format!("{line} --json"));
    assert_eq!(text.lines().count(), 1, "one JSON object on one line: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Runs a command line that must fail with `code`, nothing on stdout and one `error:` line (or object);
/// returns its stderr.
#[track_caller]
pub(crate) fn fail(folder: &Path, line: &str, code: i32) -> String {
    let output = run(folder, line);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}\n{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{line}");
    assert_eq!(
        stderr.lines().filter(|l| l.starts_with("error:") || l.starts_with("{\"error\":")).count(),
        1,
        "{line}\n{stderr}"
    );
    stderr
}

/// Asserts that the text contains every expected part.
#[track_caller]
pub(crate) fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// Names of the files in `folder`.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub(crate) fn read_parquet(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let batches: Vec<RecordBatch> =
        reader.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// A column as float64.
pub(crate) fn floats(batch: &RecordBatch, name: &str) -> Vec<f64> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Float64).unwrap();
    arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(&column).values().to_vec()
}

/// A column as text.
pub(crate) fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap();
    let column: &arrow::array::StringArray = arrow::array::AsArray::as_string(&column);
    column.iter().map(|text| text.unwrap_or("null").to_owned()).collect()
}

/// A column of float64.
pub(crate) fn float_column(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(arrow::array::Float64Array::from_iter_values(values))
}

/// A column of text.
pub(crate) fn text_column<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(arrow::array::StringArray::from_iter_values(values))
}
