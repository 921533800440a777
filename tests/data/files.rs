//! Folders and files are read with the conventions of the programs that write them.

use super::table::{floats, integers, properties, target, texts, write, write_with};
use super::{options, read, source};
use arrow::array::ArrayRef;
use logodds::data::{BlocksOptions, Dataset, ReadOptions, ReadProgress, blocks, open, read_training};
use parquet::file::metadata::KeyValue;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn table(path: &Path, n: usize) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable directory");
    write(path, vec![("x", integers((0..n as i64).map(|i| i * i % 7))), ("y", target(n))], 8);
}

fn features(dataset: &Dataset) -> Vec<String> {
    dataset.encoding.feature_names()
}

#[test]
fn uncommitted_and_hidden_files_are_passed_over() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = |name: &str| folder.path().join(name);
    table(&at("spark/part-0.parquet"), 10);
    for hidden in ["_temporary/0/part-0", "_spark_metadata/1", ".staging/2", "_copy", ".part-0"] {
        table(&at(&format!("spark/{hidden}.parquet")), 10);
    }
    assert_eq!(source(&at("spark")).n_rows(), 10);
    assert_eq!(source(&at("spark/**/*.parquet")).n_rows(), 10, "a glob means the same files");
    assert_eq!(source(&at("spark/_temporary/0/part-0.parquet")).n_rows(), 10, "what is spelled out is meant");
    assert_eq!(source(&at("spark/_temporary/*/*.parquet")).n_rows(), 10);
    assert_eq!(source(&at("spark/_*.parquet")).n_rows(), 10, "a pattern for hidden names is meant, too");
    table(&at("keyed/_k=1/a.parquet"), 10);
    assert_eq!(source(&at("keyed")).n_rows(), 10, "a folder _key=value is data");
}

#[test]
fn tables_with_old_versions_beside_them_are_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    for (name, within, file) in [
        ("Delta Lake", "_delta_log", "0.json"),
        ("Apache Hudi", ".hoodie", "hoodie.properties"),
        ("Apache Iceberg", "metadata", "v1.metadata.json"),
    ] {
        let table_folder = folder.path().join(name);
        table(&table_folder.join("part-0.parquet"), 10);
        std::fs::create_dir(table_folder.join(within)).expect("a writable directory");
        std::fs::write(table_folder.join(within).join(file), "{}").expect("a writable directory");
        let error = open(&[table_folder.display().to_string()]).expect_err("a refusal").to_string();
        assert!(error.contains(name) && error.contains("older versions"), "{error}");
        assert_eq!(source(&table_folder.join("*.parquet")).n_rows(), 10, "named files are read");
    }
}

#[test]
fn folders_named_key_and_value_are_columns() {
    let folder = tempfile::tempdir().expect("a directory");
    for (region, year, n) in
        [("n", "2023", 10), ("s%20w", "2023", 12), ("__HIVE_DEFAULT_PARTITION__", "2024", 14)]
    {
        table(&folder.path().join(format!("region={region}/year={year}/part.parquet")), n);
    }
    let dataset = read(folder.path(), &options());
    assert_eq!(features(&dataset), ["x", "region=n", "region=s w", "region=null", "year"]);
    let sum =
        |feature: usize| -> f64 { (0..36).map(|slot| f64::from(dataset.panels.value(slot, feature))).sum() };
    assert_eq!([sum(1), sum(2), sum(3)], [10.0, 12.0, 14.0]);
    let mean = dataset.encoding.columns[2].mean.expect("a number");
    assert!((mean - (2023.0 * 22.0 + 2024.0 * 14.0) / 36.0).abs() < 1e-9, "{mean}");

    // The same encoding, applied to one of the folders.
    let one = source(&folder.path().join("region=n"));
    let options =
        BlocksOptions { rows_per_block: 4, keep: vec!["region".into()], ..BlocksOptions::default() };
    let rows: Vec<_> = blocks(&one, &dataset.encoding, options).expect("the same columns").collect();
    assert_eq!(rows.len(), 3, "row groups of 8 and 2 rows");
    for block in rows {
        let block = block.expect("a block");
        assert!((0..block.rows).all(|slot| block.panels.value(slot, 1) == 1.0));
    }

    let only = ReadOptions { features: Some(vec!["region".into()]), ..ReadOptions::new("y") };
    assert_eq!(features(&read(folder.path(), &only)), ["region=n", "region=s w", "region=null"]);
    let by_folder = ReadOptions { exclude: vec!["y".into()], ..ReadOptions::new("year") };
    assert_eq!(read(folder.path(), &by_folder).target.classes, ["2023", "2024"]);
}

#[test]
fn a_folder_that_tells_nothing_apart_is_no_feature() {
    let folder = tempfile::tempdir().expect("a directory");
    table(&folder.path().join("home=me/t.parquet"), 10);
    assert_eq!(features(&read(folder.path(), &options())), ["x"]);
    // A column in the files takes precedence.
    let file = folder.path().join("x=9/t.parquet");
    table(&file, 10);
    assert_eq!(read(&file, &options()).encoding.columns.len(), 1);
    // Only some files are in such folders.
    table(&folder.path().join("t.parquet"), 10);
    table(&folder.path().join("home=you/t.parquet"), 10);
    let error = read_training(&source(folder.path()), &options(), &()).expect_err("a refusal").to_string();
    assert!(error.contains("no column \"home\"") && error.contains("--exclude"), "{error}");
}

#[test]
fn the_index_of_a_pandas_frame_is_no_feature() {
    let folder = tempfile::tempdir().expect("a directory");
    let pandas = r#"{"index_columns": ["__index_level_0__"], "columns": []}"#;
    let properties = properties(9)
        .set_key_value_metadata(Some(vec![KeyValue::new("pandas".to_owned(), pandas.to_owned())]))
        .build();
    let columns = vec![("x", integers(0..10)), ("y", target(10)), ("__index_level_0__", integers(0..10))];
    let path = write_with(&folder.path().join("t.parquet"), columns, properties);
    let dataset = read(&path, &options());
    assert_eq!(features(&dataset), ["x"]);
    assert_eq!(dataset.index_columns, ["__index_level_0__"]);
    let listed =
        ReadOptions { features: Some(vec!["x".into(), "__index_level_0__".into()]), ..ReadOptions::new("y") };
    assert_eq!(features(&read(&path, &listed)), ["x", "__index_level_0__"]);
}

#[test]
fn files_may_differ_in_what_is_not_used() {
    let folder = tempfile::tempdir().expect("a directory");
    let x = || floats((0..10).map(|i| Some(f64::from(i))));
    let id = || -> ArrayRef { texts((0..10).map(|_| Some("a"))) };
    write(&folder.path().join("1.parquet"), vec![("x", x()), ("id", id()), ("y", target(10))], 9);
    write(&folder.path().join("2.parquet"), vec![("id", x()), ("y", target(10)), ("x", x())], 9);
    write(&folder.path().join("3.parquet"), vec![("y", target(10)), ("x", x()), ("more", x())], 9);
    write(
        &folder.path().join("4.parquet"),
        vec![("y", target(10)), ("x", x()), ("id", x()), ("id", id())],
        9,
    );
    let without = |names: &[&str]| ReadOptions {
        exclude: names.iter().map(|&name| name.to_owned()).collect(),
        ..ReadOptions::new("y")
    };
    let dataset = read(folder.path(), &without(&["id", "more"]));
    assert_eq!((features(&dataset), dataset.panels.n_rows()), (vec!["x".to_owned()], 40));
    let rows: usize = blocks(
        &source(folder.path()),
        &dataset.encoding,
        BlocksOptions { rows_per_block: 99, ..BlocksOptions::default() },
    )
    .expect("the columns of training")
    .map(|block| block.expect("a block").rows)
    .sum();
    assert_eq!(rows, 40);
    let error = |names: &[&str]| {
        read_training(&source(folder.path()), &without(names), &()).expect_err("a refusal").to_string()
    };
    assert!(error(&["more"]).contains("column \"id\""), "{}", error(&["more"]));
    assert!(error(&["id"]).contains("no column \"more\", which"), "{}", error(&["id"]));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("t.parquet");
    table(&path, 100);
    /// Replaces the table after a part of it was read.
    struct Replace<'a>(&'a Path, AtomicBool);
    impl ReadProgress for Replace<'_> {
        fn is_interrupted(&self) -> bool {
            if !self.1.swap(true, Ordering::Relaxed) {
                let beside = self.0.with_extension("next");
                table(&beside, 100);
                std::fs::rename(&beside, self.0).expect("a writable directory");
            }
            false
        }
    }
    let replace = Replace(&path, AtomicBool::new(false));
    let error = read_training(&source(&path), &options(), &replace).expect_err("a refusal").to_string();
    assert!(error.contains("t.parquet: the file changed while it was read"), "{error}");
}
