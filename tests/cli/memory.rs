//! Runs stay within `--memory` and the limits of the system, or are refused with the sizes before anything
//! is read.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use logodds::config::{Device, TrainConfig};
use logodds::observer::{EpochReport, Observer};
use logodds::solver::Stop;
use logodds::train::train;

use super::support::{
    assert_says, fail, float_column, logodds, read_parquet, succeed, succeed_json, write_parquet,
};

/// A table of many features with few distinct values.
fn wide(path: &Path, rows: usize, features: usize) {
    let value = |i: usize, j: usize| ((i * 31 + j * 17 + i * j) % 13) as f64;
    let names: Vec<String> = (0..features).map(|j| format!("x{j}")).collect();
    let mut columns: Vec<_> =
        (0..features).map(|j| (names[j].as_str(), float_column((0..rows).map(|i| value(i, j))))).collect();
    columns.push(("y", float_column((0..rows).map(|i| (value(i, 1) > 5.0) as u8 as f64))));
    write_parquet(path, columns);
}

#[test]
fn what_training_takes_beside_the_panels_counts() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 600, 1000);
    // The panels alone would fit.
    let line = "train t.parquet --target y -o m.json --device cpu --solver newton --threads 2 --memory 8MiB";
    let said = fail(folder.path(), line, 1);
    assert_says(&said, &["600 rows x 1000 features", "8388608 may be used", "--memory"]);
    assert!(!folder.path().join("m.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_the_address_space_is_an_error_and_no_abort() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 3000, 3000);
    let program = logodds(folder.path()).get_program().to_owned();
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 450000; exec \"$0\" \"$@\""])
        .arg(program)
        .args("train t.parquet --target y -o m.json --device cpu --threads 2".split(' '))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_says(&said, &["error: ", "3000 rows x 3000 features", "may be used"]);
}

#[test]
fn blocks_are_made_smaller_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 20, 3000);
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    for line in
        ["predict m.json t.parquet -o p.parquet --memory 16MiB", "evaluate m.json t.parquet --memory 16MiB"]
    {
        let said = fail(folder.path(), line, 1);
        assert_says(&said, &["256 rows x 3000 features", "16777216 may be used", "--memory"]);
    }
    let predictions = |memory: &str| {
        succeed(folder.path(), &format!("predict m.json t.parquet -o p.parquet {memory}"));
        read_parquet(&folder.path().join("p.parquet"))
    };
    assert_eq!(predictions("--memory 200MiB"), predictions(""));
}

#[test]
fn what_a_sweep_takes_counts() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 600, 1000);
    let line = "tune t.parquet --target y -o m.json --device cpu --threads 2 --lambdas 3 --folds 3";
    // The panels alone would fit.
    let said = fail(folder.path(), &format!("{line} --memory 8MiB"), 1);
    assert_says(&said, &["600 rows x 1000 features", "8388608 may be used", "--memory"]);
    let chosen = |memory: &str| {
        let said = succeed_json(folder.path(), &format!("{line} {memory}"));
        said["chosen"].clone()
    };
    assert_eq!(chosen("--memory 200MiB"), chosen(""), "smaller waves lead to the same penalty");
}

#[test]
fn working_sets_count() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 300, 2500);
    let line = "train t.parquet --target y -o m.json --device cpu --threads 2 --l1 0.05";
    let said = fail(folder.path(), &format!("{line} --memory 24MiB"), 1);
    assert_says(&said, &["300 rows x 2500 features", "25165824 may be used", "--memory"]);
    succeed(folder.path(), &format!("{line} --memory 400MiB --quiet"));
}

#[test]
fn a_validation_table_counts_with_the_training_table() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 600, 100);
    wide(&folder.path().join("v.parquet"), 40_000, 100);
    let line =
        "train t.parquet --target y -o m.json --device cpu --threads 2 --solver sgd --memory 16MiB --quiet";
    succeed(folder.path(), line);
    let said = fail(folder.path(), &format!("{line} --validation v.parquet"), 1);
    assert_says(&said, &["v.parquet: 40000 rows x 100 features", "16777216 may be used"]);
    succeed(folder.path(), &format!("{} --validation v.parquet", line.replace("16MiB", "64MiB")));
}

#[test]
fn scores_count_with_the_blocks_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    wide(&folder.path().join("t.parquet"), 60_000, 2);
    succeed(folder.path(), "train t.parquet --target y -o m.json --device cpu --quiet");
    // Scores take 8 bytes for each row and model: 19 MB.
    let models: Vec<String> = (0..40).map(|k| format!("m{k}.json")).collect();
    for model in &models {
        std::fs::copy(folder.path().join("m.json"), folder.path().join(model)).unwrap();
    }
    let line = format!("evaluate {} t.parquet --quiet --memory", models.join(" "));
    assert_says(&fail(folder.path(), &format!("{line} 16MiB"), 1), &["16777216 may be used", "--memory"]);
    succeed(folder.path(), &format!("{line} 64MiB"));
}

/// Two timestamps over ten years, at most a minute apart, in a table too large to be stored exactly from
/// the start.
#[test]
fn a_fit_is_kept_where_what_would_prove_it_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let n: usize = 2_200_000;
    let part = |i: usize, step: f64| (i as f64 * step).fract();
    let lag = |i: usize| (3600.0 * part(i, 0.569_840_290_998_053)).round() / 60.0;
    let start = |i: usize| (3e8 * part(i, 0.618_033_988_749_895)).round();
    let chance = |i: usize| 1.0 / (1.0 + (3.0 - lag(i) / 10.0).exp());
    let y = (0..n).map(|i| f64::from(u8::from(part(i, 0.754_877_666_246_692_7) < chance(i))));
    let columns = vec![
        ("start", float_column((0..n).map(start))),
        ("end", float_column((0..n).map(|i| start(i) + lag(i)))),
        ("y", float_column(y)),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    let line = "train t.parquet --target y --l1 0 --l2 0 -o m.json --device cpu --threads 2 --memory";
    let refused = fail(folder.path(), &format!("{line} 100MiB"), 1);
    let sizes = refused.split_once(" need ").expect("sizes").1;
    let needed: u64 = sizes.split_once(" bytes").unwrap().0.parse().unwrap();
    let second_words = 2 * 4 * n as u64;
    for (memory, is_proved, said) in [
        (needed, false, "the table was not read again, exactly"),
        (needed + second_words, false, "a copy of the table, and this table is too large"),
        (needed + 6 * second_words, true, ""),
    ] {
        let trained = succeed_json(folder.path(), &format!("{line} {memory}"));
        assert_eq!(trained["models"][0]["converged"], is_proved, "{trained}");
        let warnings = trained["warnings"].as_array().unwrap();
        let is_said = |warning: &serde_json::Value| warning.as_str().unwrap().contains(said);
        assert_eq!(warnings.iter().any(is_said), !is_proved, "{memory}: {trained}");
    }
    // If the user stops the fit, the current model is written without another reading of the table.
    let config = TrainConfig {
        data: vec![folder.path().join("t.parquet").display().to_string()],
        target: Some("y".into()),
        l1: Some(0.0),
        l2: Some(0.0),
        device: Some(Device::Cpu),
        ..TrainConfig::default()
    };
    let impatient = Impatient::default();
    let trained = train(&config.check().unwrap(), &impatient).unwrap();
    assert_eq!(trained.report.stops, [Stop::Interrupted]);
    assert!(!trained.model.models[0].converged, "{:?}", trained.model.models[0]);
    let said = impatient.said.into_inner().unwrap();
    assert!(!said.iter().any(|text| text.contains("again")), "{said:?}");
}

/// Stops at the first iteration.
#[derive(Default)]
struct Impatient {
    has_begun: AtomicBool,
    said: Mutex<Vec<String>>,
}

impl Observer for Impatient {
    fn epoch(&self, _: &EpochReport) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    fn message(&self, text: &str) {
        self.said.lock().unwrap().push(text.to_owned());
    }

    fn is_interrupted(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }
}
