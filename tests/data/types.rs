//! Every type with an encoding, every codec and every page version give the same numbers.

use super::table::{codecs, properties, target, texts, write, write_with};
use super::{in_row_order, options, read};
use crate::support::assert_close;
use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use parquet::basic::Encoding;
use parquet::file::properties::WriterVersion;
use std::sync::Arc;

fn counts(n: i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter((0..n).map(|i| (i % 11 != 5).then_some(i % 90))))
}

#[test]
fn every_numeric_type_gives_its_value() {
    let second = TimeUnit::Second;
    let types = [
        (DataType::Int8, 1.0),
        (DataType::Int16, 1.0),
        (DataType::Int32, 1.0),
        (DataType::UInt8, 1.0),
        (DataType::UInt16, 1.0),
        (DataType::UInt32, 1.0),
        (DataType::UInt64, 1.0),
        (DataType::Float16, 1.0),
        (DataType::Float32, 1.0),
        (DataType::Float64, 1.0),
        (DataType::Decimal32(7, 2), 1.0),
        (DataType::Decimal64(12, 3), 1.0),
        (DataType::Decimal128(20, 2), 1.0),
        (DataType::Decimal256(50, 4), 1.0),
        (DataType::Timestamp(second, None), 1.0),
        (DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), 1e-3),
        (DataType::Timestamp(TimeUnit::Nanosecond, None), 1e-9),
        (DataType::Duration(TimeUnit::Microsecond), 1e-6),
        (DataType::Time64(TimeUnit::Microsecond), 1e-6),
        (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Int64)), 1.0),
    ];
    let directory = tempfile::tempdir().expect("a directory");
    let plain = counts(200);
    for (data_type, unit) in types {
        let array = cast(&plain, &data_type).expect("a cast");
        let columns = vec![("x", array), ("y", target(200))];
        let path = write(&directory.path().join("t.parquet"), columns, 64);
        let dataset = read(&path, &options());
        let expected = (0..200).filter(|i| i % 11 != 5).map(|i| f64::from(i % 90));
        let n = expected.clone().count() as f64;
        let mean = unit * expected.sum::<f64>() / n;
        let found = dataset.encoding.columns[0].mean.expect("a mean");
        assert!((found / mean - 1.0).abs() < 1e-12, "{data_type}: {found} is not {mean}");
    }
    let days = cast(&cast(&plain, &DataType::Int32).expect("a cast"), &DataType::Date32).expect("a cast");
    for array in [days.clone(), cast(&days, &DataType::Date64).expect("a cast")] {
        let path = write(&directory.path().join("t.parquet"), vec![("x", array), ("y", target(200))], 64);
        assert!(
            read(&path, &options()).encoding.columns[0].mean.expect("a mean") > 30.0,
            "days, not seconds"
        );
    }
}

#[test]
fn every_text_type_gives_its_levels() {
    let directory = tempfile::tempdir().expect("a directory");
    let plain = texts((0..60).map(|i| ["b", "a", "c"].get(i % 4).copied()));
    let dictionary = |k| DataType::Dictionary(Box::new(k), Box::new(DataType::Utf8));
    for data_type in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary(DataType::Int8),
        dictionary(DataType::Int32),
    ] {
        let array = cast(&plain, &data_type).expect("a cast");
        let path = write(&directory.path().join("t.parquet"), vec![("c", array), ("y", target(60))], 25);
        assert_eq!(read(&path, &options()).encoding.feature_names(), ["c=a", "c=b", "c=c", "c=null"]);
    }
}

#[test]
fn every_codec_and_page_gives_the_same_panels() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 3000;
    let row: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n));
    let x = cast(&counts(n), &DataType::Float32).expect("a cast");
    let columns = || vec![("row", row.clone()), ("x", x.clone()), ("y", target(3000))];
    let reference = read(&write(&directory.path().join("r.parquet"), columns(), 1000), &options());
    let versions = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0];
    for codec in codecs() {
        for version in versions {
            for encoding in [None, Some(Encoding::PLAIN), Some(Encoding::BYTE_STREAM_SPLIT)] {
                let mut properties = properties(1000)
                    .set_compression(codec)
                    .set_writer_version(version)
                    .set_data_page_row_count_limit(300)
                    .set_write_batch_size(100);
                if let Some(encoding) = encoding {
                    properties =
                        properties.set_dictionary_enabled(false).set_column_encoding("x".into(), encoding);
                }
                let path = write_with(&directory.path().join("t.parquet"), columns(), properties.build());
                let dataset = read(&path, &options());
                assert_eq!(dataset.panels, reference.panels, "{codec:?} {version:?} {encoding:?}");
            }
        }
    }
}

#[test]
fn delta_encodings_give_the_same_panels() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 3000;
    let levels: ArrayRef =
        Arc::new(arrow::array::StringArray::from_iter_values((0..n).map(|i| format!("level {}", i * i % 7))));
    let columns = || {
        vec![
            ("row", Arc::new(Int64Array::from_iter_values(0..n)) as ArrayRef),
            ("level", levels.clone()),
            ("y", target(3000)),
        ]
    };
    let reference = read(&write(&directory.path().join("r.parquet"), columns(), 1000), &options());
    for text in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        let properties = properties(1000)
            .set_dictionary_enabled(false)
            .set_column_encoding("row".into(), Encoding::DELTA_BINARY_PACKED)
            .set_column_encoding("y".into(), Encoding::DELTA_BINARY_PACKED)
            .set_column_encoding("level".into(), text);
        let path = write_with(&directory.path().join("t.parquet"), columns(), properties.build());
        let dataset = read(&path, &options());
        assert_eq!(
            (dataset.panels, dataset.rows),
            (reference.panels.clone(), reference.rows.clone()),
            "{text:?}"
        );
    }
}

#[test]
fn classes_ascend_in_the_order_of_their_type() {
    let directory = tempfile::tempdir().expect("a directory");
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![10, 9, 2, 10]));
    let tenths: ArrayRef = Arc::new(arrow::array::Float32Array::from(vec![0.1, 3.0, -2.0, 0.1]));
    let cases = [
        (numbers.clone(), vec!["2", "9", "10"]),
        (tenths, vec!["-2", "0.1", "3"]),
        (cast(&numbers, &DataType::Utf8).expect("a cast"), vec!["10", "2", "9"]),
        (cast(&numbers, &DataType::Decimal128(9, 1)).expect("a cast"), vec!["2", "9", "10"]),
    ];
    for (y, classes) in cases {
        let columns = vec![("x", target(4)), ("y", y)];
        let dataset = read(&write(&directory.path().join("t.parquet"), columns, 2), &options());
        assert_eq!(dataset.target.classes, classes);
        assert_eq!(
            dataset.rows.class_rows(),
            if classes[1] == "2" { [2, 1, 1] } else { dataset.rows.class_rows().try_into().expect("three") }
        );
    }
    assert_close(
        &in_row_order(&read(&directory.path().join("t.parquet"), &options()), 0),
        &[-1.0, -1.0, 1.0, 1.0],
        0.0,
        0.0,
    );
}
