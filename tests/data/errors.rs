//! Invalid input is refused with a message of what was found, where, and how to fix it.

use super::table::{booleans, floats, integers, properties, target, texts, write, write_with};
use super::{options, read_error, source};
use arrow::array::{ArrayRef, Date32Array, Float64Array, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Float64Type};
use logodds::data::{Missing, Nan, ReadOptions, ReadProgress, Room, open, read_encoded, read_training};
use parquet::basic::Compression;
use std::path::Path;
use std::sync::Arc;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open_error(path: &str) -> String {
    open(&[path.to_owned()]).expect_err("nothing to open").to_string()
}

fn contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}

/// The message for a table of these columns.
fn refused(columns: Vec<(&str, ArrayRef)>) -> String {
    let directory = directory();
    read_error(&write(&directory.path().join("t.parquet"), columns, 4), &options())
}

#[test]
fn paths_that_are_no_table() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name).display().to_string();
    contains(&open_error(&at("absent.parquet")), &["absent.parquet", "no such file"]);
    contains(&open_error(directory.path().to_str().expect("text")), &["no *.parquet file"]);
    contains(&open_error(&at("*.parquet")), &["no file matches"]);
    contains(&open_error("s3://bucket/x.parquet"), &["URLs are not supported"]);
    std::fs::write(at("text.parquet"), "a,b\n1,2\n").expect("a writable directory");
    contains(&open_error(&at("text.parquet")), &["not a Parquet file"]);
    let whole = write(Path::new(&at("t.parquet")), vec![("x", target(9)), ("y", target(9))], 4);
    let bytes = std::fs::read(&whole).expect("the file just written");
    std::fs::write(at("cut.parquet"), &bytes[..bytes.len() / 2]).expect("a writable directory");
    contains(&open_error(&at("cut.parquet")), &["cut.parquet", "truncated"]);
    let empty = write(Path::new(&at("empty.parquet")), vec![("x", target(0)), ("y", target(0))], 4);
    contains(&open_error(empty.to_str().expect("text")), &["has no rows"]);
}

#[test]
fn directories_and_globs_are_one_table() {
    let directory = directory();
    std::fs::create_dir(directory.path().join("b")).expect("a writable directory");
    for name in ["b/2.parquet", "a.parquet"] {
        write(&directory.path().join(name), vec![("x", target(5)), ("y", target(5))], 3);
    }
    let source = source(directory.path());
    assert_eq!((source.n_rows(), source.files().len()), (10, 2));
    assert!(source.files()[0].ends_with("a.parquet"));
    let glob = directory.path().join("**/*.parquet").display().to_string();
    assert_eq!(open(&[glob]).expect("two files").n_rows(), 10);
}

#[test]
fn a_corrupt_page_names_its_place() {
    let directory = directory();
    // Compressible, so that flipped bytes hit the codec's own structure. These pages have no checksum.
    let x = floats((0..4000).map(|i| Some(f64::from((i * i) % 977) / 8.0)));
    let columns = vec![("a", x.clone()), ("b", x), ("y", target(4000))];
    let properties = properties(1000)
        .set_compression(Compression::ZSTD(Default::default()))
        .set_dictionary_enabled(false)
        .build();
    let path = write_with(&directory.path().join("t.parquet"), columns, properties);
    let bytes = std::fs::read(&path).expect("the file just written");
    let mut refused = 0;
    for start in (bytes.len() / 10..bytes.len() * 9 / 10).step_by(bytes.len() / 20) {
        let mut damaged = bytes.clone();
        damaged[start..start + 64].iter_mut().for_each(|b| *b ^= 0xff);
        std::fs::write(&path, damaged).expect("a writable directory");
        if let Err(error) = read_training(&source(&path), &options(), &()) {
            contains(&error.to_string(), &["t.parquet", "row group", "column \""]);
            refused += usize::from(error.to_string().contains("cannot be decoded in row group"));
        }
    }
    // Literal bytes have no check, so not all damage can be detected.
    assert!(refused >= 3, "damaged pages were refused {refused} times");
}

#[test]
fn columns_without_values() {
    let x = || floats((0..8).map(|i| Some(f64::from(i))));
    let none = || floats((0..8).map(|_| None));
    contains(&refused(vec![("x", none()), ("y", target(8))]), &["column \"x\" is null", "--exclude"]);
    contains(&refused(vec![("x", x()), ("y", none())]), &["target \"y\" is null or NaN in every row"]);
    contains(&refused(vec![("x", x()), ("y", integers([1; 8]))]), &["is \"1\" in every row"]);
    contains(&refused(vec![("x", x()), ("why", target(8))]), &["no column \"y\" (target)", "\"why\""]);
    contains(&refused(vec![("y", target(8))]), &["no feature column"]);
    let ids = integers(0..5000);
    let message = refused(vec![("x", ids.clone()), ("y", ids)]);
    contains(&message, &["more than 1000 distinct values", "identifier"]);
}

#[test]
fn values_that_are_not_finite() {
    for (value, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let x = |nulls: bool| {
            floats((0..8).map(|i| if i == 6 { Some(value) } else { (i != 1 || !nulls).then_some(1.5) }))
        };
        let mut options = options();
        options.nan = if value.is_nan() { Nan::Error } else { Nan::Null };
        let refused = |columns| {
            let directory = directory();
            read_error(&write(&directory.path().join("t.parquet"), columns, 4), &options)
        };
        for nulls in [true, false] {
            let message = refused(vec![("x", x(nulls)), ("y", target(8))]);
            contains(&message, &["t.parquet", "column \"x\"", name, "row 2 of row group 1", "--exclude"]);
        }
        let message = refused(vec![("x", target(8)), ("y", x(false))]);
        contains(&message, &["target \"y\"", name, "row 2 (row group 1)"]);
    }
}

#[test]
fn types_without_an_encoding() {
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>((0..8).map(|_| Some([Some(1.0)])));
    let message = refused(vec![("x", target(8)), ("l", Arc::new(lists)), ("y", target(8))]);
    contains(&message, &["column \"l\" is a list", "--exclude"]);
}

#[test]
fn nested_columns() {
    let field = |name: &str| Arc::new(Field::new(name, DataType::Float64, true));
    let parts = StructArray::from(vec![(field("inner"), floats((0..8).map(|i| Some(f64::from(i)))))]);
    let message = refused(vec![("x", target(8)), ("s", Arc::new(parts)), ("y", target(8))]);
    contains(&message, &["column \"s\" is", "--exclude"]);
}

#[test]
fn rows_that_are_all_incomplete() {
    let directory = directory();
    let odd = |at: i32| floats((0..8).map(move |i| (i % 2 == at).then_some(f64::from(i))));
    let columns = vec![("a", odd(0)), ("b", odd(1)), ("y", target(8))];
    let path = write(&directory.path().join("t.parquet"), columns, 4);
    let mut options = options();
    options.missing = Missing::Drop;
    contains(&read_error(&path, &options), &["every row has a null", "--missing mean"]);
}

#[test]
fn weights_that_are_no_weights() {
    let directory = directory();
    for (weight, says) in [
        (Some(f64::NAN), "weight \"w\" is NaN in row 2 of row group 1"),
        (Some(f64::INFINITY), "weight \"w\" is inf in row 2 of row group 1"),
        (Some(-0.5), "weight \"w\" is -0.5 in row 2 of row group 1"),
        (None, "weight \"w\" is null in row 2 of row group 1"),
    ] {
        let w = floats((0..8).map(|i| if i == 6 { weight } else { Some(1.0) }));
        let columns = vec![("x", floats((0..8).map(|i| Some(f64::from(i))))), ("w", w), ("y", target(8))];
        let mut options = options();
        options.weight = Some("w".into());
        let path = write(&directory.path().join("t.parquet"), columns, 4);
        contains(&read_error(&path, &options), &["t.parquet", says, "expected 0 or numbers"]);
    }
    for (w, says) in [(floats([Some(0.0); 8]), "is 0 in every row"), (texts([Some("much"); 8]), "is text")] {
        let columns = vec![("x", target(8)), ("w", w), ("y", target(8))];
        let mut options = options();
        options.weight = Some("w".into());
        let path = write(&directory.path().join("t.parquet"), columns, 4);
        contains(&read_error(&path, &options), &["weight \"w\"", says]);
    }
}

#[test]
fn a_reading_that_is_interrupted() {
    struct Stop;
    impl ReadProgress for Stop {
        fn is_interrupted(&self) -> bool {
            true
        }
    }
    let directory = directory();
    let columns = vec![("x", target(8)), ("y", target(8))];
    let path = write(&directory.path().join("t.parquet"), columns, 4);
    let error = read_training(&source(&path), &options(), &Stop).expect_err("an interruption");
    contains(&error.to_string(), &["interrupted"]);
}

#[test]
fn two_columns_of_one_name() {
    let directory = directory();
    let path = write(&directory.path().join("t.parquet"), vec![("y", target(3)), ("y", target(3))], 9);
    contains(&read_error(&path, &options()), &["two columns are named \"y\""]);
}

#[test]
fn files_that_differ() {
    let directory = directory();
    let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 4.0]));
    let write = |name: &str, columns| write(&directory.path().join(name), columns, 9).display().to_string();
    let first = write("1.parquet", vec![("x", x.clone()), ("y", target(3))]);
    let text = write("2.parquet", vec![("x", texts([Some("a"); 3])), ("y", target(3))]);
    let other = write("3.parquet", vec![("z", x.clone()), ("y", target(3))]);
    let swapped = write("4.parquet", vec![("y", target(3)), ("x", integers([1, 2, 3]))]);
    let error = |path: &str| {
        let source = open(&[first.clone(), path.to_owned()]).expect("two tables");
        read_training(&source, &options(), &()).expect_err("a mismatch").to_string()
    };
    contains(&error(&text), &["1.parquet", "2.parquet", "column \"x\" is text"]);
    let labels = write("5.parquet", vec![("x", x.clone()), ("y", texts([Some("0"); 3]))]);
    contains(&error(&labels), &["1.parquet", "5.parquet", "column \"y\" is text"]);
    contains(&error(&other), &["1.parquet", "3.parquet", "no column \"x\""]);
    let source = open(&[first, swapped]).expect("the same columns, in another order");
    let dataset = read_training(&source, &options(), &()).expect("a usable table");
    assert!((dataset.encoding.columns[0].mean.expect("a mean") - 13.0 / 6.0).abs() < 1e-15);
}

#[test]
fn options_that_do_not_fit() {
    let directory = directory();
    let columns =
        vec![("x", floats([Some(1.0), None, Some(3.0)])), ("w", integers([1, -1, 2])), ("y", target(3))];
    let path = write(&directory.path().join("t.parquet"), columns, 9);
    let mut changed = options();
    changed.features = Some(vec!["x".into(), "y".into()]);
    contains(&read_error(&path, &changed), &["\"y\" is the target", "--features"]);
    let mut changed = options();
    changed.weight = Some("w".into());
    contains(&read_error(&path, &changed), &["weight \"w\" is -1 in row 1 of row group 0"]);
    changed.weight = Some("ww".into());
    contains(&read_error(&path, &changed), &["no column \"ww\" (weight)", "nearest: \"w\""]);
    let mut changed = options();
    changed.missing = Missing::Error;
    contains(&read_error(&path, &changed), &["column \"x\" is null in row 1 of row group 0", "--missing"]);
    let mut changed = options();
    changed.categorical = vec!["x".into()];
    contains(&read_error(&path, &changed), &["\"x\"", "cannot be categorical"]);
    let mut changed = options();
    changed.memory = Some(1000);
    contains(&read_error(&path, &changed), &["3 rows x 2 features", "1000 may be used", "\"x\" (1)"]);
}

#[test]
fn levels_beyond_the_memory_are_not_collected() {
    let names: Vec<String> = (0..5000).map(|i| format!("id{i}")).collect();
    let columns = vec![("id", texts(names.iter().map(|n| Some(n.as_str())))), ("y", target(5000))];
    let directory = directory();
    let path = write(&directory.path().join("t.parquet"), columns, 5000);
    let mut options = options();
    options.memory = Some(10 << 20);
    contains(&read_error(&path, &options), &["\"id\" (at least ", "--exclude", "--memory"]);
}

#[test]
fn tables_unlike_the_training_table() {
    let directory = directory();
    let write = |name: &str, columns| write(&directory.path().join(name), columns, 9);
    let x = || floats([Some(1.0), Some(2.0), Some(4.0)]);
    let c = || texts([Some("a"), Some("b"), None]);
    let trained = write("t.parquet", vec![("x", x()), ("c", c()), ("y", target(3))]);
    let dataset = super::read(&trained, &options());
    let encoded = |name: &str, columns| {
        read_encoded(
            &source(&write(name, columns)),
            &dataset.encoding,
            &dataset.target,
            None,
            Room::default(),
            &(),
        )
    };
    let error = |name: &str, columns| encoded(name, columns).expect_err("a mismatch").to_string();
    contains(
        &error("1.parquet", vec![("xx", x()), ("c", c()), ("y", target(3))]),
        &["no column \"x\"", "\"xx\""],
    );
    contains(&error("2.parquet", vec![("x", c()), ("c", c()), ("y", target(3))]), &["\"x\" is text"]);
    let message = error("3.parquet", vec![("x", x()), ("c", target(3)), ("y", target(3))]);
    contains(&message, &["\"c\" is an integer", "trained on text"]);
    let message = error("4.parquet", vec![("x", x()), ("c", c()), ("y", booleans([Some(true); 3]))]);
    contains(&message, &["\"y\" is boolean"]);
    let found = encoded(
        "5.parquet",
        vec![
            ("y", floats([Some(1.0), Some(0.0), Some(7.0)])),
            ("c", texts([Some("new"), Some("b"), Some("a")])),
            ("x", floats([None, Some(2.0), Some(4.0)])),
        ],
    )
    .expect("the same columns");
    assert_eq!((found.unseen, found.rows_of_unknown_class, found.rows.n_rows()), (vec![0, 1], 1, 2));
    assert!((0..2).any(|slot| (1..4).all(|feature| found.panels.value(slot, feature) == 0.0)));
}

#[test]
fn a_pipe_is_refused_and_hidden_files_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".left-behind.parquet"), "half a table").unwrap();
    let error = open(&[folder.path().to_string_lossy().into_owned()]).unwrap_err();
    assert!(error.to_string().contains("parquet"), "{error}");
    #[cfg(unix)]
    {
        let error = open(&["/dev/null".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
}

#[test]
fn large_numbers_close_together_and_tiny_ones_are_no_constants() {
    let folder = directory();
    let path = folder.path().join("t.parquet");
    let n = 600;
    let identifiers = integers((0..n).map(|i| (1 << 62) + (i * 7919) % 100_000));
    let tiny = floats((0..n).map(|i| Some(1e-13 * ((i * 31) % 17) as f64)));
    let constant = floats((0..n).map(|_| Some(0.1)));
    let columns = vec![("id", identifiers), ("tiny", tiny), ("same", constant), ("y", target(600))];
    write(&path, columns, 256);
    let table = open(&[path.to_string_lossy().into_owned()]).unwrap();
    let dataset = read_training(&table, &options(), &()).unwrap();
    assert_eq!(dataset.constant_columns, ["same"]);
    for (feature, expected) in [(0, 1.0), (1, 1.0), (2, 0.0)] {
        let squares: f64 = (0..600).map(|slot| f64::from(dataset.panels.value(slot, feature)).powi(2)).sum();
        // Identifiers near 2^62 are rounded to multiples of 512 in float64, about 0.5 % of their spread.
        assert!((squares / 600.0 - expected).abs() < 0.02, "feature {feature}: {}", squares / 600.0);
    }
}

#[test]
fn a_spread_beyond_float64_is_refused() {
    let wide = floats((0..300).map(|i| Some(if i > 200 { 1.7e308 } else { -1.7e308 })));
    let message = refused(vec![("wide", wide), ("y", target(300))]);
    contains(&message, &["wide", "span too wide a range"]);
}

#[test]
fn values_that_float32_cannot_hold_as_they_are_need_scaling() {
    for scale in [1e300, 1e-200] {
        let x = floats((0..300).map(|i| (i != 0).then(|| f64::from(i * i % 37) * scale)));
        let directory = directory();
        let path = write(&directory.path().join("t.parquet"), vec![("x", x), ("y", target(300))], 100);
        let dataset = super::read(&path, &options());
        assert!(dataset.constant_columns.is_empty());
        let mean: f64 = (0..300).map(|slot| f64::from(dataset.panels.value(slot, 0))).sum::<f64>() / 300.0;
        let square = |slot| f64::from(dataset.panels.value(slot, 0)).powi(2);
        let squares: f64 = (0..300).map(square).sum::<f64>() / 300.0;
        assert!(mean.abs() < 1e-6 && (squares - 1.0).abs() < 1e-6, "{mean} {squares}");
        let mut as_they_are = options();
        as_they_are.standardize = false;
        let message = read_error(&path, &as_they_are);
        contains(
            &message,
            &["column \"x\"", "in row 1 of row group 0", "range of float32", "standardise it"],
        );
    }
}

/// The footer is readable, and ends like the footer of a file without encryption.
#[test]
fn an_encrypted_column_is_told_from_the_others() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encrypted/column.parquet");
    let message = read_error(&path, &options());
    contains(
        &message,
        &["column.parquet", "column \"s\" cannot be decoded in row group 0: it is encrypted, which"],
    );
    assert!(!message.contains("\"x\""), "{message}");
    let without = ReadOptions { exclude: vec!["s".into()], ..options() };
    assert_eq!(super::read(&path, &without).panels.n_rows(), 300);
}

#[test]
fn times_are_not_taken_for_numbers_nor_numbers_for_times() {
    let directory = directory();
    let write =
        |name: &str, x: ArrayRef| write(&directory.path().join(name), vec![("x", x), ("y", target(3))], 9);
    let times =
        || Arc::new(TimestampMicrosecondArray::from(vec![1_000_000, 5_000_000, 9_000_000])) as ArrayRef;
    let days = || Arc::new(Date32Array::from(vec![1, 5, 9])) as ArrayRef;
    let numbers = || integers([1, 5, 9]);
    for (trained, others) in [(times(), [days(), numbers()]), (numbers(), [days(), times()])] {
        let dataset = super::read(&write("t.parquet", trained), &options());
        for other in others {
            let path = write("other.parquet", other);
            let error =
                read_encoded(&source(&path), &dataset.encoding, &dataset.target, None, Room::default(), &());
            contains(
                &error.expect_err("a mismatch").to_string(),
                &["other.parquet", "\"x\" is", "trained on"],
            );
        }
    }
}

#[test]
fn errors_of_a_whole_table_name_it() {
    contains(
        &refused(vec![("x", floats([Some(1.0); 4])), ("y", integers([1; 4]))]),
        &["t.parquet", "\"y\" is \"1\""],
    );
    contains(&refused(vec![("x", floats([None; 4])), ("y", target(4))]), &["t.parquet", "\"x\" is null"]);
}
