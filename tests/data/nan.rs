//! NaN counts as null.

use super::table::{floats, integers, texts, write};
use super::{options, read, read_error, source};
use arrow::array::{ArrayRef, Float32Array};
use logodds::data::{
    BlocksOptions, Column, Dataset, Folding, Missing, Nan, ReadOptions, Room, blocks, read_encoded,
};
use std::path::Path;
use std::sync::Arc;

const ROWS: usize = 2000;

/// Values with a `gap` (null or NaN) in every `every`-th row.
fn values(gap: Option<f64>, every: usize) -> Vec<Option<f64>> {
    let value = |i: usize| if i % every == 3 { gap } else { Some(((i * i) % 97) as f64 / 7.0) };
    (0..ROWS).map(value).collect()
}

/// Two float columns with gaps, in whole row groups and in parts of them.
fn table(path: &Path, gap: Option<f64>) {
    let narrow: Float32Array = values(gap, 13).into_iter().map(|v| v.map(|v| v as f32)).collect();
    let late = (0..ROWS).map(|i| if i / 300 == 4 { gap } else { Some((i % 11) as f64) });
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("row", integers(0..ROWS as i64)),
        ("x", floats(values(gap, 7))),
        ("narrow", Arc::new(narrow)),
        ("late", floats(late)),
        ("w", floats((0..ROWS).map(|i| Some(1.0 + (i % 3) as f64)))),
        ("f", floats((0..ROWS).map(|i| if i % 50 == 0 { gap } else { Some((i % 4) as f64) }))),
        ("y", floats((0..ROWS).map(|i| if i % 31 == 5 { gap } else { Some((i % 2) as f64) }))),
    ];
    write(path, columns, 300);
}

fn both(options: &ReadOptions) -> [Dataset; 2] {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("t.parquet");
    [None, Some(f64::NAN)].map(|gap| {
        table(&path, gap);
        read(&path, options)
    })
}

fn assert_same(options: &ReadOptions) {
    let [null, nan] = both(options);
    let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1.0),
        (a, b) => a == b,
    };
    for (null, nan) in null.encoding.columns.iter().zip(&nan.encoding.columns) {
        let fields = |c: &Column| [c.mean, c.scale, c.missing];
        assert!(fields(null).into_iter().zip(fields(nan)).all(|(a, b)| close(a, b)), "{null:?} {nan:?}");
    }
    assert_eq!(null.rows.labels(), nan.rows.labels());
    assert_eq!(null.rows.weight(), nan.rows.weight());
    assert_eq!(
        (null.rows_dropped, null.rows_without_target, null.target.classes),
        (nan.rows_dropped, nan.rows_without_target, nan.target.classes)
    );
    let same =
        |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(same(null.panels.values(), nan.panels.values()));
    if let (Some((null, _)), Some((nan, _))) = (&null.validation, &nan.validation) {
        assert!(null.n_rows() > 0 && same(null.values(), nan.values()));
    }
}

#[test]
fn a_table_with_nan_is_that_with_nulls() {
    for missing in [Missing::Mean, Missing::Drop] {
        let plain = ReadOptions { missing, exclude: vec!["w".into(), "f".into()], ..options() };
        assert_same(&plain);
        assert_same(&ReadOptions { validation_fraction: 0.2, ..plain.clone() });
        assert_same(&ReadOptions { weight: Some("w".into()), exclude: vec!["f".into()], ..plain.clone() });
        let folds = Some(Folding::Column { column: "f".into() });
        assert_same(&ReadOptions { folds, exclude: vec!["w".into()], ..plain });
    }
}

#[test]
fn rows_with_nan_are_dropped_where_those_with_nulls_are() {
    let [null, nan] = both(&ReadOptions { missing: Missing::Drop, ..options() });
    assert!(nan.rows_dropped > nan.rows_without_target);
    assert_eq!((nan.rows_dropped, nan.panels.n_rows()), (null.rows_dropped, null.panels.n_rows()));
    assert!(nan.panels.values().iter().all(|value| value.is_finite()));
}

#[test]
fn nan_is_refused_where_nulls_are_and_where_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("t.parquet");
    table(&path, Some(f64::NAN));
    let error = |missing, nan| read_error(&path, &ReadOptions { missing, nan, ..options() });
    let message = error(Missing::Error, Nan::Null);
    assert!(message.contains("is NaN in row") && message.contains("--missing mean or drop"), "{message}");
    for missing in [Missing::Mean, Missing::Drop, Missing::Error] {
        let message = error(missing, Nan::Error);
        assert!(message.contains("\"y\" is NaN in row 5 (row group 0)"), "{message}");
        assert!(message.contains("--nan null"), "{message}");
    }
    // An infinity is refused, also in a column with NaN.
    let x = [Some(1.0), Some(f64::NAN), Some(f64::INFINITY), Some(2.0)];
    for missing in [Missing::Mean, Missing::Drop] {
        let columns = vec![("x", floats(x)), ("y", integers([0, 1, 0, 1]))];
        let path = write(&folder.path().join("inf.parquet"), columns, 4);
        let message = read_error(&path, &ReadOptions { missing, ..options() });
        assert!(message.contains("\"x\" is inf in row 2 of row group 0"), "{message}");
    }
    let columns = vec![("x", floats([Some(f64::NAN); 4])), ("y", integers([0, 1, 0, 1]))];
    let message = read_error(&write(&folder.path().join("none.parquet"), columns, 4), &options());
    assert!(message.contains("\"x\" is null or NaN in every row"), "{message}");
}

#[test]
fn a_model_takes_nan_as_training_did() {
    let folder = tempfile::tempdir().expect("a directory");
    let x = [Some(1.0), Some(f64::NAN), Some(4.0), Some(7.0)];
    let labels = [Some("a"), Some("b"), None, Some("a")];
    let path = write(&folder.path().join("t.parquet"), vec![("x", floats(x)), ("y", texts(labels))], 4);
    let table = source(&path);
    for (missing, nan) in
        [(Missing::Mean, Nan::Null), (Missing::Drop, Nan::Null), (Missing::Mean, Nan::Error)]
    {
        let clean = vec![("x", floats([Some(1.0), Some(3.0)])), ("y", texts([Some("a"), Some("b")]))];
        let clean = write(&folder.path().join("clean.parquet"), clean, 4);
        let trained = read(&clean, &ReadOptions { missing, nan, ..options() });
        let options =
            BlocksOptions { target: Some(&trained.target), rows_per_block: 9, ..Default::default() };
        let block = blocks(&table, &trained.encoding, options).expect("its columns").next().expect("rows");
        let validation = read_encoded(&table, &trained.encoding, &trained.target, None, Room::default(), &());
        match (missing, nan) {
            (_, Nan::Error) => {
                let message = block.expect_err("a NaN").to_string();
                assert!(message.contains("\"x\" is NaN in row 1"), "{message}");
            }
            (Missing::Mean, Nan::Null) => {
                let block = block.expect("nothing to refuse");
                assert_eq!(block.incomplete, [0; 0]);
                assert_eq!([0, 1].map(|slot| block.panels.value(slot, 0)), [-1.0, 0.0]);
                assert_eq!(validation.expect("nothing to refuse").rows.n_rows(), 3);
            }
            _ => {
                assert_eq!(block.expect("nothing to refuse").incomplete, [1]);
                let message = validation.expect_err("no value for nulls").to_string();
                assert!(message.contains("is NaN in row 1 of row group 0, and the model"), "{message}");
            }
        }
    }
}
