//! Sweeps that are killed, stopped and resumed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use super::table::write_wide;

fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("logodds"));
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/train.parquet");
    command.current_dir(folder).arg("tune").arg(data);
    command.args("--target digit --device cpu --l1-ratios 0,1 --lambdas 8 --quiet".split_whitespace());
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a sweep wrote, without what differs between two runs of the same.
fn result(folder: &Path, name: &str) -> Value {
    let mut model: Value = serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    model["training"]["seconds"] = Value::Null;
    model["training"]["curve"]["seconds"] = Value::Null;
    model
}

fn wait(mut child: Child) -> (Option<i32>, String) {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(300), "no end within five minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn ten_kills_at_any_moment_change_nothing() {
    let folder = tempdir().unwrap();
    let started = Instant::now();
    let (code, stderr) = wait(command(folder.path(), "-o whole.json").spawn().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    let whole = started.elapsed();

    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut journal = 0;
    for kill in 0..10 {
        let mut child = command(folder.path(), "-o m.json --checkpoint kept --resume").spawn().unwrap();
        // Moments without a pattern, over the length of a whole run: a later attempt gets further, for it
        // replays what is done.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (seed >> 40) as f64 / f64::from(1 << 24);
        std::thread::sleep(whole.mul_f64(share * 0.6));
        child.kill().unwrap();
        child.wait().unwrap();
        let len = std::fs::metadata(folder.path().join("kept/sweep.journal")).map_or(0, |m| m.len());
        // A torn record may be cut off, and is written again; nothing else is ever lost.
        assert!(len > 0 || kill < 9, "ten attempts left nothing");
        journal = journal.max(len);
    }
    let (code, stderr) =
        wait(command(folder.path(), "-o m.json --checkpoint kept --resume").spawn().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    let now = std::fs::metadata(folder.path().join("kept/sweep.journal")).unwrap().len();
    assert!(now >= journal);
    let (resumed, whole) = (result(folder.path(), "m.json"), result(folder.path(), "whole.json"));
    assert_eq!(resumed, whole, "the resumed sweep is the uninterrupted one, to the last digit");

    // Once more: everything is remembered, and the same.
    let (code, stderr) =
        wait(command(folder.path(), "-o m.json --checkpoint kept --resume").spawn().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(result(folder.path(), "m.json"), whole);

    let (code, stderr) = wait(command(folder.path(), "-o n.json --checkpoint kept").spawn().unwrap());
    assert_eq!(code, Some(1));
    assert!(stderr.contains("--resume"), "{stderr}");
    let (code, stderr) =
        wait(command(folder.path(), "-o n.json --checkpoint kept --resume --folds 3").spawn().unwrap());
    assert_eq!(code, Some(1));
    assert!(stderr.contains("another sweep"), "{stderr}");
    assert!(!folder.path().join("n.json").exists());
}

#[test]
fn a_wide_sweep_that_was_killed_goes_on_where_it_was() {
    let folder = tempdir().unwrap();
    write_wide(&folder.path().join("wide.parquet"), 150, 2000);
    for l1_ratio in ["0", "1"] {
        let command = |arguments: &str| {
            let mut command = Command::new(assert_cmd::cargo::cargo_bin("logodds"));
            let line = "tune wide.parquet --target y --device cpu --lambdas 6 --quiet --l1-ratios";
            command.current_dir(folder.path()).args(line.split_whitespace()).arg(l1_ratio);
            command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let started = Instant::now();
        let (code, stderr) = wait(command("-o whole.json"));
        assert_eq!(code, Some(0), "{stderr}");
        let whole = started.elapsed();
        let line = format!("-o m.json --checkpoint kept{l1_ratio} --resume");
        for kill in 1..5 {
            let mut child = command(&line);
            std::thread::sleep(whole.mul_f64(0.2 * f64::from(kill)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let (code, stderr) = wait(command(&line));
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(result(folder.path(), "m.json"), result(folder.path(), "whole.json"), "{l1_ratio}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_after_the_pass_and_says_how_to_go_on() {
    let folder = tempdir().unwrap();
    let child = command(folder.path(), "-o m.json --checkpoint kept --metrics m.jsonl --tolerance 1e-12")
        .spawn()
        .unwrap();
    let start = Instant::now();
    let metrics = folder.path().join("m.jsonl");
    while std::fs::read_to_string(&metrics).map_or(true, |text| text.lines().count() < 2) {
        assert!(start.elapsed() < Duration::from_secs(60), "no pass within a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    let progress: Value =
        serde_json::from_str(std::fs::read_to_string(&metrics).unwrap().lines().next().unwrap()).unwrap();
    assert_eq!(progress["models"], 2 * 8 * 5 * 10 + 10);
    assert!(progress["passes"].as_f64().unwrap() > 0.0);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let (code, stderr) = wait(child);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("--checkpoint kept --resume"), "{stderr}");
    assert!(!folder.path().join("m.json").exists());
}
