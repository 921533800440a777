//! The report in a browser: its numbers, its behaviour and its size.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use tempfile::tempdir;

use super::support::{found, python, run_script};

/// The size limit of the report of a typical model.
const USUAL: u64 = 1 << 20;

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(path)
}

fn logodds(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("logodds"));
    let output = command.current_dir(folder).args(arguments).arg("--quiet").output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Trains on one table, reports on another, and opens the report in Chromium, if available.
#[track_caller]
fn check(folder: &Path, train: &[&str], tables: [&Path; 2], target: &str, class: &str) {
    check_page(folder, train, tables, (target, class), false);
}

/// The same, with intervals if requested.
#[track_caller]
fn check_page(
    folder: &Path,
    train: &[&str],
    [table, test]: [&Path; 2],
    (target, class): (&str, &str),
    with_inference: bool,
) {
    let (table, test) = (table.to_str().unwrap(), test.to_str().unwrap());
    let flags = ["--target", target, "--device", "cpu", "-o", "m.json"];
    logodds(folder, &[&[train[0], table], &flags[..], &train[1..]].concat());
    let mut report = vec!["report", "m.json", test, "-o", "report.html"];
    if with_inference {
        let inferred = logodds(folder, &["inspect", "m.json", "--inference", table, "--json"]);
        std::fs::write(folder.join("inference.json"), inferred).unwrap();
        report.extend(["--inference", table]);
    }
    logodds(folder, &report);
    logodds(folder, &["predict", "m.json", test, "-o", "p.parquet", "--keep", target]);
    let size = folder.join("report.html").metadata().unwrap().len();
    assert!(size < USUAL, "the report takes {size} bytes");
    let Some(python) = python() else { return };
    let chromium = PathBuf::from("/usr/bin/chromium");
    if found("Chromium", chromium.exists().then_some(chromium)).is_none() {
        return;
    }
    let screenshots = folder.join("screenshots");
    let arguments =
        [folder.join("report.html"), folder.join("p.parquet"), target.into(), class.into(), screenshots];
    let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
    assert_eq!(run_script(&python, "report.py", &arguments), "ok\n");
}

#[test]
fn a_binary_report_shows_the_right_numbers_and_keeps_to_itself() {
    let folder = tempdir().unwrap();
    let tables = [data("breast_cancer/train.parquet"), data("breast_cancer/test.parquet")];
    let tables = tables.each_ref().map(PathBuf::as_path);
    check(folder.path(), &["train"], tables, "diagnosis", "malignant");
}

#[test]
fn a_report_after_a_sweep_shows_it_too() {
    let folder = tempdir().unwrap();
    let tables = [data("breast_cancer/train.parquet"), data("breast_cancer/test.parquet")];
    let tables = tables.each_ref().map(PathBuf::as_path);
    let sweep = ["tune", "--l1-ratios", "0.5,1", "--lambdas", "8"];
    check(folder.path(), &sweep, tables, "diagnosis", "malignant");
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("id=\"cv\"") && page.contains("id=\"path\"") && page.contains("id=\"course\""));
}

#[test]
fn each_class_of_a_report_with_inference_has_its_own_intervals() {
    let folder = tempdir().unwrap();
    let tables = [data("iris/train.parquet"), data("iris/test.parquet")];
    let tables = tables.each_ref().map(PathBuf::as_path);
    let train = ["train", "--l1", "0", "--l2", "0.01"];
    check_page(folder.path(), &train, tables, ("species", "virginica"), true);
}

#[test]
fn a_report_of_ten_classes_shows_each_against_the_rest() {
    let folder = tempdir().unwrap();
    let tables = [data("digits/train.parquet"), data("digits/test.parquet")];
    let tables = tables.each_ref().map(PathBuf::as_path);
    check(folder.path(), &["train"], tables, "digit", "8");
}

/// Names that would be markup or scripts if a page did not escape them.
const HOSTILE: [&str; 3] =
    ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "\"' onload='alert(3) & <!--"];

const PATTERN: &str = "$& of $` class 42";

/// A table with this number of classes. Some columns and classes have hostile names.
fn table(path: &Path, n_rows: usize, n_classes: usize, seed: u64) {
    let mut state = seed;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let classes: Vec<usize> = (0..n_rows).map(|i| i % n_classes).collect();
    let name =
        |class: usize| HOSTILE.get(class).map_or_else(|| format!("class {class}"), ToString::to_string);
    // A pattern of a replacement, if a script takes it as such.
    let name = |class: usize| if class == 42 { PATTERN.to_owned() } else { name(class) };
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for j in 0..12 {
        // Classes lie on corners that overlap.
        let values = classes.iter().map(|class| f64::from((class >> (j % 7) & 1) as u32) + 0.9 * random());
        let values: Vec<f64> = values.collect();
        columns.push((format!("x{j} {}", HOSTILE[j % 3]), Arc::new(Float64Array::from(values))));
    }
    let levels = classes.iter().map(|class| HOSTILE[class % 3]);
    columns.push((HOSTILE[1].to_owned(), Arc::new(StringArray::from_iter_values(levels))));
    let names = StringArray::from_iter_values(classes.iter().map(|&class| name(class)));
    columns.push(("y".to_owned(), Arc::new(names)));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_search_says_that_not_all_coefficients_are_searched() {
    let folder = tempdir().unwrap();
    let table = folder.path().join("wide.parquet");
    let classes = |i: usize| if (i * 7919) % 97 < 48 { "no" } else { "yes" };
    let mut columns: Vec<(String, ArrayRef)> = (0..1050)
        .map(|j| {
            let shift = |i: usize| if classes(i) == "yes" { 0.02 * (j % 9) as f64 } else { 0.0 };
            let values = (0..120).map(|i| ((i * (j + 3) * 31 + j * j) % 101) as f64 / 101.0 + shift(i));
            let values: ArrayRef = Arc::new(Float64Array::from_iter_values(values));
            (format!("feature {j}"), values)
        })
        .collect();
    columns.push(("y".to_owned(), Arc::new(StringArray::from_iter_values((0..120).map(classes)))));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&table).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    check(folder.path(), &["train", "--l1", "0", "--l2", "1"], [&table, &table], "y", "yes");
}

#[test]
fn a_hundred_classes_with_hostile_names_fit_a_page_that_runs_none_of_them() {
    let folder = tempdir().unwrap();
    let (train, test) = (folder.path().join("train.parquet"), folder.path().join("test.parquet"));
    table(&train, 4000, 100, 1);
    table(&test, 2000, 100, 2);
    check(folder.path(), &["train", "--l2", "1e-4", "--l1", "0"], [&train, &test], "y", PATTERN);
}
