//! How commands fail, for machines too.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use super::support::{assert_says, fail, float_column, repository, run, text_column, write_parquet};

#[test]
fn with_json_an_error_is_an_object_on_stderr() {
    let folder = tempdir().unwrap();
    write_parquet(
        &folder.path().join("t.parquet"),
        vec![("x", float_column([1.0, 2.0])), ("y", text_column(["a", "b"]))],
    );
    for (line, code, kind, says) in [
        ("train t.parquet --target z --device cpu -o m.json", 1, "data", "no column \"z\""),
        ("train t.parquet --target y -o m.json --l1 -1", 2, "usage", "--l1 is -1"),
        ("train t.parquet --target y -o m.json --l3 1", 2, "usage", "unexpected argument '--l3'"),
        ("frobnicate", 2, "usage", "frobnicate"),
        ("inspect absent.json", 1, "model", "cannot read the model file absent.json"),
        ("train --config absent.toml -o m.json", 1, "config", "absent.toml"),
    ] {
        let output = run(folder.path(), &format!("{line} --json"));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}\n{stderr}");
        assert!(output.stdout.is_empty(), "{line}");
        assert_eq!(stderr.lines().count(), 1, "{line}\n{stderr}");
        let error: Value = serde_json::from_str(&stderr).unwrap();
        assert_eq!(error["error"]["kind"], kind, "{line}");
        assert_says(error["error"]["message"].as_str().unwrap(), &[says]);
        let causes = error["error"]["causes"].as_array().unwrap();
        assert_eq!(causes.is_empty(), !line.contains("absent"), "{line}\n{causes:?}");
    }
    let output = run(folder.path(), "inspect absent.json --json --quiet");
    assert!(!output.stderr.is_empty(), "an error is no message that --quiet leaves out");
}

#[test]
fn damaged_tables_are_refused_in_plain_words() {
    let folder = tempdir().unwrap();
    let bytes = fs::read(repository("data/wine/train.parquet")).unwrap();
    for start in (0..bytes.len()).step_by(bytes.len() / 24) {
        let mut damaged = bytes.clone();
        for byte in damaged.iter_mut().skip(start.max(4)).take(24) {
            *byte ^= 0xff;
        }
        fs::write(folder.path().join("t.parquet"), &damaged).unwrap();
        let output = run(folder.path(), "train t.parquet --target cultivar --device cpu --quiet -o m.json");
        let stderr = String::from_utf8(output.stderr).unwrap();
        if !output.status.success() {
            assert_eq!(output.status.code(), Some(1), "{stderr}");
            assert!(stderr.starts_with("error: "), "{stderr}");
        }
        for never in ["panicked at", "thread '", ".cargo", "RUST_BACKTRACE", ".rs:"] {
            assert!(!stderr.contains(never), "{stderr}");
        }
    }
}
