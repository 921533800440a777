//! Values whose panel value exceeds the range of float32 are refused, even in rows that do not count.

use super::table::{floats, integers, target, write};
use super::{options, read, read_error, source};
use arrow::array::ArrayRef;
use logodds::data::{BlocksOptions, Encoded, ReadOptions, Room, blocks, read_encoded};
use std::path::{Path, PathBuf};

const N: usize = 600;

/// A table where rows 350 and 351, in row group 1, have an unusual value of `x`.
fn table(folder: &Path, odd: Option<f64>) -> PathBuf {
    let x = (0..N).map(|i| match odd {
        Some(value) if i == 350 || i == 351 => Some(value),
        _ => Some((i % 17) as f64),
    });
    let w = (0..N).map(|i| Some(if i == 350 || i == 351 { 0.0 } else { 1.0 }));
    let z = integers((0..N as i64).map(|i| i * 7 % 23));
    let columns: Vec<(&str, ArrayRef)> = vec![("z", z), ("x", floats(x)), ("w", floats(w)), ("y", target(N))];
    write(&folder.join(format!("{odd:?}.parquet")), columns, 200)
}

fn features() -> ReadOptions {
    ReadOptions { features: Some(vec!["z".into(), "x".into()]), ..options() }
}

fn says_where(message: &str) {
    for part in ["column \"x\"", "row 150 of row group 1", "range of float32"] {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}

#[test]
fn in_a_table_to_predict() {
    let folder = tempfile::tempdir().expect("a directory");
    let trained = read(&table(folder.path(), None), &features());
    let encoding = &trained.encoding;
    let error = |value: f64, exact: bool| {
        let path = table(folder.path(), Some(value));
        let table = source(&path);
        let options =
            BlocksOptions { exact: vec![vec![exact; 2]], rows_per_block: 128, ..BlocksOptions::default() };
        let blocks = blocks(&table, encoding, options).expect("the columns of training");
        blocks.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())
    };
    for exact in [false, true] {
        for value in [1e300, -1e300, f64::MAX, 1e40] {
            let message = error(value, exact).expect_err("a value beyond float32");
            says_where(&message);
            assert!(message.contains("fix the value"), "{message}");
        }
        // A huge value within the range is accepted, and stays finite.
        let blocks = error(1e38, exact).expect("float32 holds it");
        assert!(blocks.iter().all(|block| block.panels.values().iter().all(|value| value.is_finite())));
    }
}

#[test]
fn in_a_table_for_validation() {
    let folder = tempfile::tempdir().expect("a directory");
    let trained = read(&table(folder.path(), None), &features());
    let validate = |odd| -> Result<Encoded, String> {
        let table = source(&table(folder.path(), odd));
        read_encoded(&table, &trained.encoding, &trained.target, None, Room::default(), &())
            .map_err(|error| error.to_string())
    };
    says_where(&validate(Some(1e40)).expect_err("a value beyond float32"));
    says_where(&validate(Some(-f64::MAX)).expect_err("a value beyond float32"));
    assert!(validate(Some(1e30)).is_ok());
}

#[test]
fn in_rows_that_count_for_nothing() {
    let folder = tempfile::tempdir().expect("a directory");
    for standardize in [true, false] {
        let options = ReadOptions { weight: Some("w".into()), standardize, ..features() };
        for value in [1e40, 1e200, -f64::MAX] {
            says_where(&read_error(&table(folder.path(), Some(value)), &options));
        }
        let dataset = read(&table(folder.path(), Some(1e37)), &options);
        assert!(dataset.panels.values().iter().all(|value| value.is_finite()));
    }
}

#[test]
fn in_rows_that_are_held_out() {
    let folder = tempfile::tempdir().expect("a directory");
    let n = 400_usize;
    // One row is far off. With some seeds it is held out.
    let x = floats((0..n).map(|i| Some(if i == 250 { 1e60 } else { (i % 13) as f64 })));
    let path = write(&folder.path().join("t.parquet"), vec![("x", x), ("y", target(n))], 200);
    let outcome = |seed| {
        let options = ReadOptions { validation_fraction: 0.3, seed, ..options() };
        logodds::data::read_training(&source(&path), &options, &()).map_err(|error| error.to_string())
    };
    let mut refused = 0;
    for seed in 0..20 {
        match outcome(seed) {
            Ok(dataset) => {
                let (held_out, _) = dataset.validation.as_ref().expect("a share");
                for panels in [&dataset.panels, held_out] {
                    assert!(panels.values().iter().all(|value| value.is_finite()), "seed {seed}");
                }
            }
            Err(message) => {
                refused += 1;
                for part in ["column \"x\" is 1e60", "row 50 of row group 1", "range of float32"] {
                    assert!(message.contains(part), "no {part:?} in {message:?}");
                }
            }
        }
    }
    assert!((1..20).contains(&refused), "held out {refused} times of 20");
}
