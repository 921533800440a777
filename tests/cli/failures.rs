//! How commands fail, in text and in JSON.

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

#[test]
fn files_of_other_formats_are_named_as_what_they_are() {
    let folder = tempdir().unwrap();
    for (name, content, says) in [
        (
            "t.csv",
            b"a,b,y\n1,2,no\n".as_slice(),
            "t.csv: CSV text, not a Parquet file; convert it with DuckDB",
        ),
        ("t.arrow", b"ARROW1\0\0\xff\xff\xff\xff", "an Arrow IPC (Feather) file, not a Parquet file"),
        ("t.orc", b"ORC\x0a\x0b", "an ORC file, not a Parquet file"),
        ("t.gz", b"\x1f\x8b\x08\0", "a gzip file, not a Parquet file; decompress it first"),
        ("t.parquet", b"", "t.parquet: an empty file"),
        ("e.parquet", b"PARE\x01\x02\x03\x04\x05\x06\x07\x08\x04\0\0\0PARE", "an encrypted Parquet file"),
        (
            "c.parquet",
            b"PAR1\x01\x02\x03\x04\x05\x06\x07\x08\x04\0\0\0XXXX",
            "truncated Parquet file of 20 bytes",
        ),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
        assert_says(&fail(folder.path(), &format!("train {name} --target y -o m.json"), 1), &[says]);
    }
}

/// Two bytes of a data page at which the decoder panics.
#[test]
fn a_decoder_that_panics_is_a_plain_error() {
    let folder = tempdir().unwrap();
    let mut bytes = fs::read(repository("data/iris/train.parquet")).unwrap();
    (bytes[798], bytes[1555]) = (236, 229);
    fs::write(folder.path().join("t.parquet"), bytes).unwrap();
    let stderr = fail(folder.path(), "train t.parquet --target species --device cpu --quiet -o m.json", 1);
    assert_says(&stderr, &["t.parquet: column \"sepal_width_cm\" cannot be decoded in row group 0"]);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

/// The table has one file more than the process may have open.
#[cfg(target_os = "linux")]
#[test]
fn too_many_open_files_are_named() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    let folder = tempdir().unwrap();
    write_parquet(
        &folder.path().join("t.parquet"),
        vec![("x", float_column([1.0, 2.0])), ("y", text_column(["a", "b"]))],
    );
    let mut refused = Vec::new();
    // Start with few open files, and allow one more at a time until the command succeeds.
    for limit in 3..40 {
        let line = format!(
            "ulimit -n {limit}; exec \"$0\" train t.parquet --target y --device cpu --quiet -o m.json"
        );
        let mut command = Command::new("sh");
        command.current_dir(folder.path()).env("XDG_RUNTIME_DIR", "/").arg("-c").arg(line);
        let output = command.arg(assert_cmd::cargo::cargo_bin("logodds")).output().unwrap();
        if output.status.success() {
            break;
        }
        assert_eq!(output.status.signal(), None);
        refused.push(String::from_utf8(output.stderr).unwrap());
    }
    assert!(
        refused.iter().any(|text| text.contains("raise the number of files that may be open (ulimit -n)")),
        "{refused:?}"
    );
    assert!(!refused.iter().any(|text| text.contains("check the permissions")), "{refused:?}");
}
