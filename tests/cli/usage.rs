use std::collections::BTreeSet;
use std::process::Command as Process;

use tempfile::tempdir;

use super::setup::COMMANDS;
use super::support::{assert_says, fail, files, logodds, run, succeed, succeed_json};

#[test]
fn help_fits_a_screen() {
    let folder = tempdir().unwrap();
    let help = |arguments: &str| {
        let output = logodds(folder.path()).env("COLUMNS", "80").args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{arguments}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(help("-h").lines().count() <= 30);
    for name in COMMANDS.iter().chain(&["man"]) {
        let short = help(&format!("{name} -h"));
        assert!(short.lines().count() <= 40, "{} lines:\n{short}", short.lines().count());
        assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
        let flags = |text: &str| {
            // Only flags that are described, not flags mentioned in a description.
            let lines = text.lines().map(str::trim).filter(|line| line.starts_with('-'));
            let words = lines.flat_map(|line| line.split_whitespace().take(2));
            let words = words.map(|word| word.split(['[', '=']).next().unwrap());
            words.filter(|word| word.starts_with("--")).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let long = help(&format!("{name} --help"));
        assert!(flags(&long).is_superset(&flags(&short)), "{long}");
        if flags(&long) != flags(&short) {
            assert_eq!(short.lines().last(), Some("--help shows all settings"), "{short}");
        }
    }
    for (name, flag) in [("train", "--batch-size"), ("tune", "--halving"), ("inspect", "--reference")] {
        assert!(help(&format!("{name} --help")).contains(flag), "{flag}");
    }
    assert_says(&help("predict -h"), &["default: the model's, or 0.5", "Examples:"]);
    assert_says(&help("inspect -h"), &["Examples:"]);
}

/// The usage shows the name by which the program was called.
#[cfg(unix)]
#[test]
fn usage_names_the_program_as_it_was_called() {
    let folder = tempdir().unwrap();
    let link = folder.path().join("lo");
    std::os::unix::fs::symlink(assert_cmd::cargo::cargo_bin("logodds"), &link).unwrap();
    for name in COMMANDS {
        let output = Process::new(&link).args([name, "-h"]).output().unwrap();
        let usage = format!("Usage: lo {name} ");
        assert!(String::from_utf8(output.stdout).unwrap().contains(usage.trim_end()), "{name}");
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
fn values_out_of_range_are_wrong_usage_and_name_the_flag() {
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
        let stderr = fail(folder.path(), &format!("train t.parquet --target y -o m.json {flag} {value}"), 2);
        assert_says(&stderr, &[&format!("error: {flag} is "), "expected"]);
    }
    for (flag, value) in [("--lambdas", "0"), ("--folds", "1"), ("--tolerance", "0")] {
        let stderr = fail(folder.path(), &format!("tune t.parquet --target y -o m.json {flag} {value}"), 2);
        assert_says(&stderr, &[flag, "expected"]);
    }
    // An invalid config file is a failure (exit code 1), not a usage error.
    std::fs::write(folder.path().join("c.toml"), "no-such-key = 1\n").unwrap();
    fail(folder.path(), "train t.parquet --target y -o m.json --config c.toml", 1);
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
    assert_says(&succeed(folder.path(), "devices"), &["auto", "chooses"]);
    let report = succeed_json(folder.path(), "devices");
    assert!(report["adapters"].is_array());
    assert!(report["auto"]["device"].is_string() && report["auto"]["reason"].is_string());
}
