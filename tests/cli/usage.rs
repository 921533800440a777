use tempfile::tempdir;

use super::support::{assert_says, fail, files, run, succeed, succeed_json};

#[test]
fn help_fits_a_screen() {
    let folder = tempdir().unwrap();
    for (command, lines) in [
        ("-h", 24),
        ("train -h", 60),
        ("predict -h", 24),
        // With groups, blank lines between them, and examples.
        ("evaluate -h", 30),
        ("threshold -h", 40),
        ("inspect -h", 60),
        ("export -h", 45),
    ] {
        let help = succeed(folder.path(), command);
        assert!(help.lines().count() <= lines, "{} lines:\n{help}", help.lines().count());
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = tempdir().unwrap();
    for line in [
        "frobnicate",
        "train t.parquet --target y -o m.json --no-such-flag",
        "train t.parquet --target y -o m.json --epochs many",
        "train t.parquet --target y -o m.json --device tpu",
        "train t.parquet --target y -o m.json --l1 1 --c 1",
        "train t.parquet --target y -o m.json --features a --exclude b",
        "train t.parquet -o m.json",
        "train t.parquet --target y",
        "train --target y -o m.json",
        "predict m.json t.parquet",
        "evaluate m.json",
    ] {
        fail(folder.path(), line, 2);
    }
    assert_eq!(run(folder.path(), "").status.code(), Some(2));
}

#[test]
fn values_out_of_range_exit_with_1_and_name_the_flag() {
    let folder = tempdir().unwrap();
    for (flag, value) in [
        ("--l1", "-1"),
        ("--l2", "-0.5"),
        ("--l2", "nan"),
        ("--c", "0"),
        ("--c", "-2"),
        ("--l1-ratio", "1.5"),
        ("--tolerance", "-1e-3"),
        ("--learning-rate", "0"),
        ("--momentum", "1"),
        ("--batch-size", "0"),
        ("--epochs", "0"),
        ("--max-iterations", "0"),
        ("--validation-fraction", "1"),
        ("--threads", "0"),
        ("--threads", "5000"),
    ] {
        let stderr = fail(folder.path(), &format!("train t.parquet --target y -o m.json {flag} {value}"), 1);
        assert_says(&stderr, &[&format!("error: {flag} is "), "expected"]);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_found_before_anything_is_read() {
    let folder = tempdir().unwrap();
    std::fs::create_dir(folder.path().join("taken")).unwrap();
    for output in ["nowhere/m.json", "taken"] {
        let stderr = fail(folder.path(), &format!("train absent.parquet --target y -o {output}"), 1);
        assert_says(&stderr, &["cannot write", output, "--output"]);
    }
    let stderr =
        fail(folder.path(), "train absent.parquet --target y -o m.json --metrics nowhere/m.jsonl", 1);
    assert_says(&stderr, &["nowhere/m.jsonl", "--metrics"]);
    assert_eq!(files(folder.path()), ["taken"]);
}

#[test]
fn a_table_that_does_not_exist_is_named() {
    let folder = tempdir().unwrap();
    let stderr = fail(folder.path(), "train absent.parquet --target y -o m.json", 1);
    assert_says(&stderr, &["absent.parquet"]);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn devices_says_what_auto_takes_and_why() {
    let folder = tempdir().unwrap();
    assert_says(&succeed(folder.path(), "devices"), &["auto", "takes"]);
    let report = succeed_json(folder.path(), "devices");
    assert!(report["adapters"].is_array());
    assert!(report["auto"]["device"].is_string() && report["auto"]["reason"].is_string());
}
