//! For every output, `-` is stdout. Then nothing else is written to stdout.

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::support::{assert_says, fail, files, json, read_parquet, run, succeed};

const TRAIN: &str = "train {data}/iris/train.parquet --target species --device cpu";
const TEST: &str = "{data}/iris/test.parquet";

fn iris() -> TempDir {
    let folder = tempdir().unwrap();
    succeed(folder.path(), &format!("{TRAIN} -o m.json"));
    folder
}

#[test]
fn a_model_may_go_to_stdout_and_its_report_to_stderr() {
    let folder = iris();
    let tune = TRAIN.replace("train ", "tune ") + " --folds 2 --lambdas 0.1,0.01";
    let tune = tune.replace("/iris/tune ", "/iris/train ");
    for line in [TRAIN.to_owned(), tune, format!("threshold m.json {TEST} --by f1 --allow-worse")] {
        let output = run(folder.path(), &format!("{line} -o -"));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{line}\n{stderr}");
        let model: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(model["format"], "logodds", "{line}");
        assert_says(&stderr, &["stdout"]);
        let quiet = run(folder.path(), &format!("{line} -o - --quiet"));
        assert_eq!(String::from_utf8(quiet.stderr).unwrap(), "", "{line}");
        assert_says(&fail(folder.path(), &format!("{line} -o - --json"), 2), &["--output -", "--json"]);
    }
    assert_eq!(files(folder.path()), ["m.json"]);
}

#[test]
fn a_file_that_is_no_text_goes_to_stdout_byte_for_byte() {
    let folder = iris();
    for (line, file) in [
        (format!("predict m.json {TEST}"), "p.parquet"),
        ("export m.json --format onnx".to_owned(), "m.onnx"),
        ("report m.json --plot coefficients --format png".to_owned(), "c.png"),
    ] {
        let output = run(folder.path(), &format!("{line} -o -"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        succeed(folder.path(), &format!("{line} -o {file}"));
        assert_eq!(output.stdout, std::fs::read(folder.path().join(file)).unwrap(), "{line}");
    }
    assert_eq!(read_parquet(&folder.path().join("p.parquet")).num_rows(), 38);
    assert_eq!(files(folder.path()), ["c.png", "m.json", "m.onnx", "p.parquet"]);
    // A failing command writes nothing.
    fail(folder.path(), "predict m.json {data}/wine/test.parquet -o -", 1);
}

#[test]
fn metrics_may_go_to_stdout_where_nothing_else_does() {
    let folder = iris();
    let lines = succeed(folder.path(), &format!("{TRAIN} -o n.json --metrics -"));
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()), "{lines}");
    assert_eq!(json(&folder.path().join("n.json"))["format"], "logodds");
    for flags in ["-o - --metrics -", "-o o.json --metrics - --json"] {
        assert_says(&fail(folder.path(), &format!("{TRAIN} {flags}"), 2), &["--metrics -", "stdout"]);
    }
}

#[test]
fn a_folder_is_not_stdout() {
    let folder = iris();
    for flag in ["--plots", "--checkpoint"] {
        let line = format!("tune {{data}}/iris/train.parquet --target species -o n.json {flag} -");
        assert_says(&fail(folder.path(), &line, 2), &[flag, "a folder"]);
    }
    assert_says(&fail(folder.path(), "man -", 2), &["a folder"]);
    // A file named `-` can be given by a path.
    succeed(folder.path(), &format!("{TRAIN} -o ./-"));
    assert_eq!(files(folder.path()), ["-", "m.json"]);
}
