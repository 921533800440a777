//! Exported models, run by other programs, give the same results as `predict`.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::support::{found, python, run_script_with};

/// A model, and the raw rows (`<name>.parquet` in the folder) for which its exports are tested.
struct Case {
    name: &'static str,
    /// The training table.
    train: String,
    target: &'static str,
    flags: &'static [&'static str],
    /// Whether it has dates or times, which standard SQL cannot convert to numbers.
    has_times: bool,
    /// Thresholds that are written into the model file.
    thresholds: &'static [f64],
}

fn case(name: &'static str, target: &'static str, train: String, flags: &'static [&'static str]) -> Case {
    Case { name, train, target, flags, has_times: false, thresholds: &[] }
}

fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

#[track_caller]
fn logodds(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("logodds").expect("the binary is built with the tests");
    let output = command.current_dir(folder).env_remove("RUST_LOG").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Where PostgreSQL keeps its programs.
fn postgres() -> Option<PathBuf> {
    let pattern = "/usr/lib/postgresql/*/bin";
    let folder = glob::glob(pattern).unwrap().flatten().find(|bin| bin.join("initdb").exists());
    found("PostgreSQL under /usr/lib/postgresql", folder)
}

/// Trains, predicts and exports every case.
fn make(folder: &Path, cases: &[Case]) {
    for case in cases {
        let model = format!("{}.json", case.name);
        let train =
            ["train", &case.train, "--target", case.target, "-o", &model, "--device", "cpu", "--quiet"];
        logodds(folder, &[&train, case.flags].concat());
        set_thresholds(&folder.join(&model), case.thresholds);
        let (raw, predicted) = (format!("{}.parquet", case.name), format!("{}.predicted.parquet", case.name));
        logodds(folder, &["predict", &model, &raw, "-o", &predicted, "--quiet"]);
        let report = logodds(folder, &["export", &model, "-o", &format!("{}.onnx", case.name), "--json"]);
        std::fs::write(folder.join(format!("{model}.report")), report).unwrap();
        for dialect in ["postgresql", "duckdb", "sqlite", "ansi"] {
            if dialect != "ansi" || !case.has_times {
                let sql = format!("{}.{dialect}.sql", case.name);
                logodds(folder, &["export", &model, "-o", &sql, "--dialect", dialect, "--keep", "row id"]);
            }
        }
    }
}

/// Writes thresholds into a model file: one at its top, or one for each class.
fn set_thresholds(path: &Path, thresholds: &[f64]) {
    let mut model: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    match thresholds {
        [] => return,
        [one] => model["threshold"] = (*one).into(),
        many => {
            let models = model["models"].as_array_mut().unwrap();
            assert_eq!(models.len(), many.len());
            for (model, &threshold) in models.iter_mut().zip(many) {
                model["threshold"] = threshold.into();
            }
        }
    }
    std::fs::write(path, model.to_string()).unwrap();
}

/// Checks each line of the programs' results: case, program, rows, largest difference.
fn check(folder: &Path, python: &Path, cases: &[Case]) -> String {
    make(folder, cases);
    let postgres = postgres();
    let environment: Vec<(&str, &Path)> = postgres.iter().map(|bin| ("POSTGRES", bin.as_path())).collect();
    let names = cases.iter().map(|case| Path::new(case.name));
    let arguments: Vec<&Path> = std::iter::once(folder).chain(names).collect();
    let said = run_script_with(python, "exports.py", &arguments, &environment);
    for case in cases {
        let mut programs = vec!["onnx", "duckdb", "sqlite"];
        if postgres.is_some() {
            programs.push("postgresql");
        }
        if postgres.is_some() && !case.has_times {
            programs.push("ansi");
        }
        for program in programs {
            assert!(
                said.contains(&format!("{} {program} rows", case.name)),
                "{} in {program}:\n{said}",
                case.name
            );
        }
    }
    said
}

/// A folder with raw rows for each case, and the tables made up.
fn raw_tables(python: &Path, cases: &[Case]) -> TempDir {
    let folder = tempdir().unwrap();
    let sources: Vec<String> =
        cases.iter().map(|case| format!("{}={}={}", case.name, case.target, case.train)).collect();
    let arguments = std::iter::once(folder.path()).chain(sources.iter().map(Path::new)).collect::<Vec<_>>();
    run_script_with(python, "raw_tables.py", &arguments, &[]);
    folder
}

#[test]
fn exports_of_small_tables_predict_what_predict_does() {
    let Some(python) = python() else { return };
    let table = |name: &str| repository(&format!("data/{name}/train.parquet"));
    let cases = [
        case("breast_cancer", "diagnosis", table("breast_cancer"), &["--positive", "benign"]),
        case("digits", "digit", table("digits"), &[]),
        case("iris", "species", table("iris"), &["--no-standardize", "--no-intercept"]),
        case("wine", "cultivar", table("wine"), &["--l1", "0.05", "--l2", "0"]),
    ];
    let folder = raw_tables(&python, &cases);
    check(folder.path(), &python, &cases);
}

#[test]
fn exports_survive_every_type_and_names_that_need_quotes() {
    let Some(python) = python() else { return };
    const LEVELS: &[&str] = &["--categorical", "integer level,boolean level"];
    const DROP: &[&str] = &["--categorical", "integer level,boolean level", "--missing", "drop"];
    const SPARSE: &[&str] = &["--missing", "drop", "--l1", "0.02", "--l2", "0"];
    let awkward = |name: &'static str, flags, thresholds| Case {
        name,
        train: format!("{name}-train.parquet"),
        target: "the target",
        flags,
        has_times: true,
        thresholds,
    };
    let cases = [
        awkward("awkward-binary", LEVELS, &[0.3]),
        awkward("awkward-classes", LEVELS, &[0.2, 0.5, 0.6, 0.1]),
        awkward("awkward-numbers", SPARSE, &[]),
        awkward("awkward-floats", DROP, &[]),
        awkward("awkward-truth", &["--no-standardize", "--l2", "1"], &[]),
    ];
    let folder = raw_tables(&python, &[]);
    check(folder.path(), &python, &cases);
}

#[test]
fn exports_of_the_shared_tables_predict_what_predict_does() {
    let Some(python) = python() else { return };
    let Ok(shared) = std::env::var("LOGODDS_SHARED") else {
        eprintln!("skipped: LOGODDS_SHARED names no folder of tables");
        return;
    };
    let table = |name: &str| format!("{shared}/data/{name}/test.parquet");
    const FEW: &[&str] = &["--max-iterations", "20"];
    let cases = [
        case("adult", "income", table("adult"), FEW),
        case("breast_cancer", "diagnosis", table("breast_cancer"), FEW),
        case("covertype", "Cover_Type", table("covertype"), FEW),
        case("digits", "digit", table("digits"), FEW),
        case("fashion_mnist", "label", table("fashion_mnist"), &["--max-iterations", "3"]),
        case("higgs_small", "signal", table("higgs_small"), FEW),
        case("iris", "species", table("iris"), FEW),
        // More columns than SQLite and PostgreSQL allow in a table. Columns without a coefficient are not
        // read.
        case("leukemia", "type", table("leukemia"), &["--l1", "0.05", "--l2", "0"]),
        Case {
            has_times: true,
            ..case(
                "nycflights13",
                "late",
                table("nycflights13"),
                &["--exclude", "dep_time,dep_delay,arr_time,arr_delay,air_time", "--max-iterations", "20"],
            )
        },
        case("spam", "type", table("spam"), FEW),
        case("wine", "cultivar", table("wine"), FEW),
    ];
    let folder = raw_tables(&python, &cases);
    check(folder.path(), &python, &cases);
}
