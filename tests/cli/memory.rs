//! `--memory` and the limits of the system are held, or the run is refused with the sizes before anything is read.

use std::path::Path;
use std::process::Command;

use super::support::{assert_says, fail, float_column, logodds, read_parquet, succeed, write_parquet};

/// A table of many features, of few values each.
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
