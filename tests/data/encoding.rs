//! Features, statistics and rows of tables that are small enough to check by hand.

use super::table::{booleans, floats, integers, target, texts, write};
use super::{in_row_order, options, read, slots_by, source};
use crate::support::assert_close;
use arrow::array::{
    ArrayRef, Date32Array, DurationMillisecondArray, DurationNanosecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use logodds::data::{Missing, read_training_in_spans};
use std::sync::Arc;

/// float32 has 24 bits of precision, and standardised values are small.
const FLOAT32: f64 = 1e-6;

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let origin = values[0];
    let mean = values.iter().map(|v| v - origin).sum::<f64>() / n;
    let m2: f64 = values.iter().map(|v| (v - origin - mean).powi(2)).sum();
    (origin + mean, (m2 / n).sqrt())
}

#[test]
fn numeric_columns_are_filled_and_standardised() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 2500;
    let x = |i: usize| (i % 7 != 3).then_some((i as f64 * 0.37).sin() * 5.0 + 2.0);
    let columns = vec![
        ("row", integers((0..n as i64).collect::<Vec<_>>())),
        ("x", floats((0..n).map(x))),
        ("y", target(n)),
    ];
    let path = write(&directory.path().join("t.parquet"), columns, 700);
    for span_rows in [1, 800, 131_072] {
        let dataset =
            read_training_in_spans(&source(&path), &options(), &(), span_rows).expect("a usable table");
        let known: Vec<f64> = (0..n).filter_map(x).collect();
        let (mean, _) = mean_and_deviation(&known);
        let filled: Vec<f64> = (0..n).map(|i| x(i).unwrap_or(mean)).collect();
        let (_, deviation) = mean_and_deviation(&filled);
        let column = &dataset.encoding.columns[1];
        assert_close(
            &[column.mean.expect("a mean"), column.scale.expect("a scale"), column.missing.expect("a fill")],
            &[mean, deviation, mean],
            1e-12,
            0.0,
        );
        let expected: Vec<f64> = filled.iter().map(|v| (v - mean) / deviation).collect();
        assert_close(&in_row_order(&dataset, 1), &expected, FLOAT32, FLOAT32);
        let classes: Vec<u32> =
            slots_by(&dataset, 0).into_iter().map(|slot| dataset.rows.class(slot)).collect();
        assert!(classes.iter().enumerate().all(|(row, &class)| class as usize == row % 2));
    }
}

#[test]
fn large_offsets_keep_their_digits() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 20_000;
    let noise = |i: usize| ((i * 7919) % 1000) as f64 / 1000.0;
    // The first batches give a misleading centre: small values come before the large offset.
    let misleading: Vec<f64> = (0..n).map(|i| if i < 9000 { 0.5 } else { 1e9 + noise(i) }).collect();
    let offset: Vec<f64> = (0..n).map(|i| 1e9 + noise(i)).collect();
    let seconds: Vec<f64> = (0..n).map(|i| 1.6e9 + i as f64).collect();
    let jump: Vec<f64> = (0..n).map(|i| if i == 0 { 0.0 } else { 1e7 + noise(i) }).collect();
    let all = [&seconds, &offset, &misleading, &jump];
    let mut columns = vec![("row", integers((0..n as i64).collect::<Vec<_>>()))];
    for (name, values) in ["seconds", "offset", "misleading", "jump"].into_iter().zip(all) {
        columns.push((name, floats(values.iter().copied().map(Some))));
    }
    columns.push(("y", target(n)));
    let path = write(&directory.path().join("t.parquet"), columns, 5000);
    let dataset = read_training_in_spans(&source(&path), &options(), &(), 1).expect("a usable table");
    for (at, values) in all.into_iter().enumerate() {
        let (mean, deviation) = mean_and_deviation(values);
        let column = &dataset.encoding.columns[at + 1];
        assert_close(&[column.mean.expect("a mean")], &[mean], 1e-15, 0.0);
        // Values of 1e9 have an absolute error of about 1e-7 in float64.
        assert_close(&[column.scale.expect("a scale")], &[deviation], 1e-6, 0.0);
        let expected: Vec<f64> = values.iter().map(|v| (v - mean) / deviation).collect();
        assert_close(&in_row_order(&dataset, at + 1), &expected, 1e-5, 1e-5);
    }
}

#[test]
fn a_constant_is_only_centred() {
    let directory = tempfile::tempdir().expect("a directory");
    let columns = vec![
        ("row", integers(0..10)),
        ("x", floats((0..10).map(|_| Some(0.1)))),
        ("big", floats((0..10).map(|_| Some(1.7e9 + 0.1)))),
        ("y", target(10)),
    ];
    let dataset = read(&write(&directory.path().join("t.parquet"), columns, 3), &options());
    assert_eq!(dataset.constant_columns, ["x", "big"]);
    for at in [1, 2] {
        assert_eq!(dataset.encoding.columns[at].scale, Some(1.0));
        assert!(in_row_order(&dataset, at).iter().all(|v| v.abs() < 1e-6));
    }
}

#[test]
fn columns_of_one_value_are_named_whatever_they_are_and_close_values_are_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let close = (0..10).map(|i| 1_700_000_000_000_000_000 + 512 * i);
    let columns = vec![
        ("row", integers(0..10)),
        ("truth", booleans([Some(true); 10])),
        ("text", texts([Some("a"); 10])),
        ("wide", integers((0..10).map(|i| i64::MAX - 4096 * i))),
        ("ns", Arc::new(TimestampNanosecondArray::from_iter_values(close)) as ArrayRef),
        ("tiny", floats((0..10).map(|i| Some(f64::from(i % 3) * 1e-200)))),
        // The first values give no hint of the later ones.
        ("late", floats((0..10).map(|i| Some(if i < 8 { 0.0 } else { 1e-180 })))),
        ("y", target(10)),
    ];
    let dataset = read(&write(&directory.path().join("t.parquet"), columns, 3), &options());
    assert_eq!(dataset.constant_columns, ["truth", "text"]);
    for feature in [3, 4, 5, 6] {
        let values = in_row_order(&dataset, feature);
        // As float64, these timestamps are rounded to about 0.2 microseconds, and so is their mean.
        let (_, deviation) = mean_and_deviation(&values);
        assert!((deviation - 1.0).abs() < 1e-4, "feature {feature}: {values:?}");
    }
}

#[test]
fn whole_numbers_and_times_a_tick_apart_are_not_constant_and_those_of_one_value_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let tick = |i: i64| i % 3;
    let late = 1 << 50;
    let close: [(&str, ArrayRef); 6] = [
        ("long ns", Arc::new(DurationNanosecondArray::from_iter_values((0..10).map(tick)))),
        ("long ms", Arc::new(DurationMillisecondArray::from_iter_values((0..10).map(|i| late + tick(i))))),
        ("day", Arc::new(Date32Array::from_iter_values((0..10).map(|i| 20_000 + i % 3)))),
        ("us", Arc::new(TimestampMicrosecondArray::from_iter_values((0..10).map(|i| late + tick(i))))),
        (
            "time",
            Arc::new(Time64NanosecondArray::from_iter_values(
                (0..10).map(|i| 86_399 * 1_000_000_000 + tick(i)),
            )),
        ),
        ("wide", Arc::new(UInt64Array::from_iter_values((0..10).map(|i| (1 << 63) + 2048 * (i % 3))))),
    ];
    let one: [(&str, ArrayRef); 4] = [
        ("one long", Arc::new(DurationNanosecondArray::from(vec![7; 10]))),
        ("one day", Arc::new(Date32Array::from(vec![20_000; 10]))),
        ("one time", Arc::new(TimestampMicrosecondArray::from(vec![late; 10]))),
        ("true or null", booleans((0..10).map(|i| (i > 3).then_some(true)))),
    ];
    let names = one.each_ref().map(|(name, _)| *name);
    let columns = [("row", integers(0..10))].into_iter().chain(close).chain(one).chain([("y", target(10))]);
    let dataset = read(&write(&directory.path().join("t.parquet"), columns.collect(), 3), &options());
    assert_eq!(dataset.constant_columns, names);
    for feature in 1..=6 {
        let values = in_row_order(&dataset, feature);
        let (_, deviation) = mean_and_deviation(&values);
        assert!((deviation - 1.0).abs() < 1e-3, "feature {feature}: {values:?}");
    }
}

#[test]
fn without_an_intercept_columns_are_scaled_and_not_centred() {
    let directory = tempfile::tempdir().expect("a directory");
    let columns = vec![("x", floats((0..10).map(|i| Some(20.0 + f64::from(i))))), ("y", target(10))];
    let mut options = options();
    options.intercept = false;
    let dataset = read(&write(&directory.path().join("t.parquet"), columns, 3), &options);
    let deviation = 8.25_f64.sqrt();
    let mut values: Vec<f64> = (0..10).map(|slot| f64::from(dataset.panels.value(slot, 0))).collect();
    values.sort_by(f64::total_cmp);
    for (i, value) in values.iter().enumerate() {
        assert!((value - (20.0 + i as f64) / deviation).abs() < 1e-5, "{value}");
    }
}

#[test]
fn weight_two_counts_as_the_row_twice() {
    let directory = tempfile::tempdir().expect("a directory");
    let x = [1.0, 4.0, -2.0, 8.0, 100.0];
    let weights = [2, 1, 3, 1, 0];
    let weighted = vec![
        ("x", floats(x.map(Some))),
        ("b", booleans([true, false, true, true, false].map(Some))),
        ("w", integers(weights)),
        ("y", target(5)),
    ];
    let repeat = |i: usize| std::iter::repeat_n(i, usize::try_from(weights[i]).expect("a count"));
    let rows: Vec<usize> = (0..5).flat_map(repeat).collect();
    let repeated = vec![
        ("x", floats(rows.iter().map(|&i| Some(x[i])))),
        ("b", booleans(rows.iter().map(|&i| Some([true, false, true, true, false][i])))),
        ("y", integers(rows.iter().map(|&i| i64::from(i % 2 == 1)))),
    ];
    let mut with_weight = options();
    with_weight.weight = Some("w".into());
    let weighted = read(&write(&directory.path().join("w.parquet"), weighted, 2), &with_weight);
    let repeated = read(&write(&directory.path().join("r.parquet"), repeated, 2), &options());
    assert_eq!(weighted.panels.n_rows(), 5, "a row of weight 0 is kept");
    for (a, b) in weighted.encoding.columns.iter().zip(&repeated.encoding.columns) {
        let both = |c: &logodds::data::Column| [c.mean.expect("a mean"), c.scale.expect("a scale")];
        assert_close(&both(a), &both(b), 1e-14, 0.0);
    }
    assert_close(weighted.rows.class_weight(), repeated.rows.class_weight(), 0.0, 0.0);
}

#[test]
fn text_becomes_levels_in_order_with_null_last() {
    let directory = tempfile::tempdir().expect("a directory");
    let columns = vec![
        ("row", integers(0..5)),
        ("c", texts([Some("b"), None, Some("a"), Some("b"), Some("only without target")])),
        ("k", integers([10, 9, 10, 2, 7])),
        ("flag", booleans([Some(true), None, Some(false), Some(true), None])),
        ("y", booleans([Some(true), Some(false), Some(true), Some(true), None])),
    ];
    let path = write(&directory.path().join("t.parquet"), columns, 2);
    let mut options = options();
    options.categorical = vec!["k".into()];
    let dataset = read(&path, &options);
    assert_eq!(
        dataset.encoding.feature_names(),
        ["row", "c=a", "c=b", "c=null", "k=2", "k=9", "k=10", "flag"]
    );
    assert_eq!((dataset.rows_dropped, dataset.rows_without_target), (1, 1));
    assert_eq!(dataset.target.classes, ["false", "true"]);
    let expected = [
        [0.0, 0.0, 1.0, 0.0],
        [1.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0],
        [1.0, 0.0, 1.0, 0.0],
        [1.0, 2.0 / 3.0, 0.0, 1.0],
    ];
    for (at, column) in expected.iter().enumerate() {
        assert_close(&in_row_order(&dataset, at + 1), column, 1e-7, 0.0);
    }
}

#[test]
fn missing_drop_drops_incomplete_rows_before_any_statistic() {
    let directory = tempfile::tempdir().expect("a directory");
    let columns = vec![
        ("x", floats([Some(1.0), None, Some(3.0), Some(5.0)])),
        ("z", floats([Some(1.0), Some(9.0), Some(2.0), None])),
        ("y", integers([0, 1, 1, 1])),
    ];
    let path = write(&directory.path().join("t.parquet"), columns, 3);
    let mut options = options();
    options.missing = Missing::Drop;
    let dataset = read(&path, &options);
    assert_eq!((dataset.panels.n_rows(), dataset.rows_dropped, dataset.rows_without_target), (2, 2, 0));
    assert_eq!(dataset.encoding.columns[0].mean, Some(2.0));
    assert_eq!(dataset.encoding.columns[0].missing, None);
}

#[test]
fn validation_rows_are_not_learned_from() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 4000_usize;
    let columns = vec![
        ("row", integers((0..n as i64).collect::<Vec<_>>())),
        ("c", texts((0..n).map(|i| Some(["a", "b", "c"][i % 3])))),
        ("y", target(n)),
    ];
    let path = write(&directory.path().join("t.parquet"), columns, 1000);
    let mut options = options();
    options.validation_fraction = 0.25;
    let dataset = read_training_in_spans(&source(&path), &options, &(), 900).expect("a usable table");
    let (held_out, rows) = dataset.validation.as_ref().expect("a validation part");
    assert_eq!(dataset.panels.n_rows() + held_out.n_rows(), n);
    assert!((900..1100).contains(&held_out.n_rows()), "a quarter, more or less");
    let column = &dataset.encoding.columns[0];
    let (mean, scale) = (column.mean.expect("a mean"), column.scale.expect("a scale"));
    let row = |value: f32| (f64::from(value) * scale + mean).round() as usize;
    let mut seen = vec![0; n];
    for slot in 0..dataset.panels.n_rows() {
        let row = row(dataset.panels.value(slot, 0));
        seen[row] += 1;
        assert_eq!(dataset.rows.class(slot) as usize, row % 2);
        assert_eq!(dataset.panels.value(slot, 1 + row % 3), 1.0);
    }
    let trained: Vec<f64> = (0..n).filter(|&i| seen[i] == 1).map(|i| i as f64).collect();
    assert_close(&[mean, scale], &<[f64; 2]>::from(mean_and_deviation(&trained)), 1e-12, 0.0);
    for slot in 0..held_out.n_rows() {
        let row = row(held_out.value(slot, 0));
        seen[row] += 1;
        assert_eq!(rows.class(slot) as usize, row % 2);
        assert_eq!(held_out.value(slot, 1 + row % 3), 1.0);
    }
    assert!(seen.iter().all(|&times| times == 1), "every row is in one place");
}

#[test]
fn values_stay_as_they_are_without_standardising_and_intercept() {
    let directory = tempfile::tempdir().expect("a directory");
    let columns = vec![("x", floats((0..50).map(|i| Some(f64::from(i) * 0.5)))), ("y", target(50))];
    let path = write(&directory.path().join("t.parquet"), columns, 20);
    let mut options = options();
    options.standardize = false;
    options.intercept = false;
    let dataset = read(&path, &options);
    let expected: Vec<f64> = (0..50).map(|i| f64::from(i) * 0.5).collect();
    assert_close(&in_row_order(&dataset, 0), &expected, FLOAT32, FLOAT32);
    assert_eq!(dataset.encoding.columns[0].scale, Some(1.0));
}

#[test]
fn reading_twice_gives_the_same_bits() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 3000;
    let columns = vec![
        ("x", floats((0..n).map(|i| Some((i as f64).sqrt())))),
        ("z", floats((0..n).map(|i| (i % 5 > 0).then_some((i as f64).ln_1p())))),
        ("y", target(n)),
    ];
    let path = write(&directory.path().join("t.parquet"), columns, 500);
    let once = read(&path, &options());
    for _ in 0..3 {
        let again = read(&path, &options());
        assert_eq!((&once.panels, &once.rows, &once.encoding), (&again.panels, &again.rows, &again.encoding));
    }
}
