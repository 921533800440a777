//! The fold of each row, and the tables that are refused.

use super::table::{booleans, floats, integers, target, texts, write};
use super::{options, read, read_error, slots_by};
use arrow::array::{
    ArrayRef, Date32Array, Date64Array, Int32Array, Time32MillisecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use logodds::data::{Dataset, FoldName, Folding, Missing, Nan, ReadOptions};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Columns<'a> = Vec<(&'a str, ArrayRef)>;

/// Values are not transformed, so that the column "id" can be read back.
fn folding(folds: Folding) -> ReadOptions {
    ReadOptions { standardize: false, intercept: false, folds: Some(folds), ..options() }
}

fn stratified(folds: usize) -> ReadOptions {
    folding(Folding::Stratified { folds })
}

fn group(folds: usize) -> ReadOptions {
    folding(Folding::Group { column: "g".into(), folds })
}

fn column() -> ReadOptions {
    folding(Folding::Column { column: "f".into() })
}

fn time(folds: usize) -> ReadOptions {
    folding(Folding::Time { column: "t".into(), folds })
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn ids(n: usize) -> ArrayRef {
    integers((0..).take(n))
}

fn dates(values: &[i32]) -> ArrayRef {
    Arc::new(Date32Array::from(values.to_vec()))
}

/// Reads a table.
fn dealt(columns: Columns<'_>, rows_per_group: usize, options: &ReadOptions) -> Dataset {
    read(&write(&directory().path().join("t.parquet"), columns, rows_per_group), options)
}

/// Id and fold of every row, in ascending order. Feature 0 is the id.
fn folds(dataset: &Dataset) -> Vec<(usize, u32)> {
    let id = |slot| dataset.panels.value(slot, 0).round() as usize;
    let folds: Vec<_> =
        slots_by(dataset, 0).into_iter().map(|slot| (id(slot), dataset.rows.fold(slot))).collect();
    assert!(folds.windows(2).all(|pair| pair[0].0 < pair[1].0), "no row twice");
    let n_folds = dataset.folds.as_ref().expect("folds").n_folds;
    assert!(folds.iter().all(|&(_, fold)| (fold as usize) < n_folds));
    folds
}

/// The fold of every row, in a table where all rows are kept.
fn numbers(dataset: &Dataset) -> Vec<u32> {
    let folds = folds(dataset);
    assert!(folds.iter().enumerate().all(|(row, &(id, _))| row == id));
    folds.into_iter().map(|(_, fold)| fold).collect()
}

/// Number of rows of each fold and class.
fn counts(dataset: &Dataset) -> Vec<Vec<usize>> {
    let n_folds = dataset.folds.as_ref().expect("folds").n_folds;
    let mut counts = vec![vec![0; dataset.target.classes.len()]; n_folds];
    for slot in 0..dataset.panels.n_rows() {
        counts[dataset.rows.fold(slot) as usize][dataset.rows.class(slot) as usize] += 1;
    }
    counts
}

fn assert_numbered(dataset: &Dataset, n: u32) {
    let folds = dataset.folds.as_ref().expect("folds");
    let scored: Vec<_> = (0..n).map(|fold| (fold, FoldName::Number(i64::from(fold) + 1))).collect();
    assert_eq!((&folds.scored, folds.forward, folds.n_folds), (&scored, false, n as usize));
}

fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
    counts.clone().max().expect("folds") - counts.min().expect("folds")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn stratified_folds_have_equal_shares_of_each_class(
        classes in prop::collection::vec((0_i64..8).prop_map(|class| class.min(5)), 20..900),
        n_folds in 2_usize..12, rows_per_group in 50_usize..400, seed: u64,
    ) {
        let mut classes = classes;
        (classes[0], classes[1]) = (0, 1);
        let columns = vec![("id", ids(classes.len())), ("y", integers(classes.iter().copied()))];
        let dataset = dealt(columns, rows_per_group, &ReadOptions { seed, ..stratified(n_folds) });
        assert_numbered(&dataset, n_folds as u32);
        prop_assert_eq!(numbers(&dataset).len(), classes.len());
        let counts = counts(&dataset);
        for class in 0..dataset.target.classes.len() {
            prop_assert!(spread(counts.iter().map(|fold| fold[class])) <= 1);
        }
        prop_assert!(spread(counts.iter().map(|fold| fold.iter().sum())) <= 1);
    }
}

#[test]
fn the_seed_alone_decides_where_chance_does() {
    let n = 2000;
    let directory = directory();
    let groups = integers((0..n as i64).map(|i| i * i % 311));
    let columns = vec![("id", ids(n)), ("g", groups), ("y", target(n))];
    let path = write(&directory.path().join("t.parquet"), columns, 300);
    for options in [stratified(5), group(5)] {
        let with = |seed, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            numbers(&pool.install(|| read(&path, &ReadOptions { seed, ..options.clone() })))
        };
        let once = with(1, 1);
        assert_eq!(once, with(1, 1));
        assert_eq!(once, with(1, 7), "whatever the threads do");
        assert_ne!(once, with(2, 1));
    }
}

#[test]
fn without_folds_rows_are_as_before() {
    let n = 700;
    let columns = || vec![("id", ids(n)), ("y", target(n))];
    let plain = dealt(columns(), 100, &ReadOptions { folds: None, ..stratified(2) });
    let folded = dealt(columns(), 100, &stratified(2));
    assert!(plain.folds.is_none());
    assert_eq!((&plain.panels, &plain.encoding), (&folded.panels, &folded.encoding));
    for slot in 0..n {
        assert_eq!((plain.rows.fold(slot), plain.rows.class(slot)), (0, folded.rows.class(slot)));
    }
}

#[test]
fn dropped_rows_are_in_no_fold_and_do_not_count() {
    let n = 400_usize;
    let is_dropped = |i: usize| i % 4 == 1 || i.is_multiple_of(10);
    let columns = || -> Columns<'static> {
        let groups = (0..n).map(|i| if is_dropped(i) { 1000.0 + i as f64 } else { (i % 7) as f64 });
        let times = (0..n).map(|i| if is_dropped(i) { f64::NAN } else { i as f64 });
        vec![
            ("id", ids(n)),
            ("g", floats(groups.clone().map(Some))),
            // Invalid folds, groups and times do no harm in dropped rows.
            ("f", floats((0..n).map(|i| (!is_dropped(i)).then_some((i % 3) as f64).or(Some(f64::NAN))))),
            ("t", floats(times.map(Some))),
            ("x", floats((0..n).map(|i| (i % 10 != 0).then_some(i as f64)))),
            ("y", booleans((0..n).map(|i| (i % 4 != 1).then_some(i % 8 < 4)))),
        ]
    };
    let kept = (0..n).filter(|&i| !is_dropped(i));
    for (options, n_folds, apart) in
        [(stratified(3), 3, 1), (group(7), 7, 2), (column(), 3, 2), (time(2), 3, 1)]
    {
        let features = Some(vec!["id".into(), "x".into()]);
        let dataset =
            dealt(columns(), 60, &ReadOptions { missing: Missing::Drop, features, ..options.clone() });
        let found = folds(&dataset);
        assert!(found.iter().map(|&(id, _)| id).eq(kept.clone()));
        let counts = counts(&dataset);
        assert_eq!(counts.len(), n_folds);
        assert!(spread(counts.iter().map(|fold| fold.iter().sum())) <= apart, "{options:?} {counts:?}");
    }
}

/// Maps a row to the name of its group.
type Name<'a> = &'a dyn Fn(usize) -> String;

#[test]
fn groups_are_never_split() {
    // Groups vary in size and classes. The rows of a group are far apart, in two files of several row groups.
    let n = 6000_usize;
    let of_row = |i: usize| ((i * 7919 % n) as f64).sqrt() as i64;
    let class = |i: usize| i64::from(of_row(i) % 3 == 0) + i64::from(i.is_multiple_of(11));
    let text = |i: usize| (of_row(i) > 3).then(|| format!("group {}", of_row(i)));
    let names: Vec<Option<String>> = (0..n).map(text).collect();
    let kinds: [(&str, ArrayRef, Name<'_>); 4] = [
        ("integers", integers((0..n).map(of_row)), &|i| of_row(i).to_string()),
        ("text with nulls", texts(names.iter().map(Option::as_deref)), &|i| format!("{:?}", text(i))),
        (
            "floats with nulls",
            floats((0..n).map(|i| (of_row(i) > 3).then(|| of_row(i) as f64 - 9.0))),
            &|i| format!("{:?}", text(i)),
        ),
        (
            "wide integers",
            Arc::new(UInt64Array::from_iter_values((0..n).map(|i| u64::MAX - of_row(i) as u64))),
            &|i| of_row(i).to_string(),
        ),
    ];
    for (kind, groups, name) in kinds {
        let directory = directory();
        for (file, begin, len) in [("a.parquet", 0, 2500), ("b.parquet", 2500, n - 2500)] {
            let columns: Columns<'_> = vec![
                ("id", ids(n).slice(begin, len)),
                ("g", groups.slice(begin, len)),
                ("y", integers((0..n).map(class)).slice(begin, len)),
            ];
            write(&directory.path().join(file), columns, 700);
        }
        let dataset = read(directory.path(), &group(4));
        assert_numbered(&dataset, 4);
        assert_eq!(dataset.encoding.feature_names(), ["id"], "groups are not learned from");
        let mut fold_of: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (row, fold) in numbers(&dataset).into_iter().enumerate() {
            fold_of.entry(name(row)).or_default().insert(fold);
        }
        assert!(fold_of.values().all(|folds| folds.len() == 1), "{kind}: a group in two folds");
        let counts = counts(&dataset);
        for class in 0..3 {
            let total: usize = counts.iter().map(|fold| fold[class]).sum();
            assert!(spread(counts.iter().map(|fold| fold[class])) * 20 <= total, "{kind}: {counts:?}");
        }
    }
}

#[test]
fn as_many_groups_as_folds_are_one_each() {
    let columns = vec![
        ("id", ids(9)),
        ("g", booleans([Some(true), None, Some(false)].into_iter().cycle().take(9))),
        ("y", target(9)),
    ];
    let dataset = dealt(columns, 4, &group(3));
    assert_eq!(dataset.folds.as_ref().unwrap().null_rows, 3);
    let found = numbers(&dataset);
    assert_eq!(found[..3].iter().collect::<BTreeSet<_>>().len(), 3);
    assert!((3..9).all(|row| found[row] == found[row % 3]));
}

#[test]
fn a_column_may_say_the_folds() {
    use FoldName::{Number, Text};
    let text = |name: &str| Text(name.into());
    let cases: [(ArrayRef, Vec<FoldName>, [u32; 6]); 6] = [
        (integers([10, -3, 9, 10, 9, -3]), vec![Number(-3), Number(9), Number(10)], [2, 0, 1, 2, 1, 0]),
        (
            floats([Some(2.0), None, Some(1.0), Some(-0.0), Some(0.0), None]),
            vec![Number(0), Number(1), Number(2)],
            [2, 3, 1, 0, 0, 3],
        ),
        (
            texts([Some("test"), None, Some("b10"), Some("b9"), Some("test"), None]),
            vec![text("b10"), text("b9"), text("test")],
            [2, 3, 0, 1, 2, 3],
        ),
        (
            booleans([true, false, false, true, true, true].map(Some)),
            vec![text("false"), text("true")],
            [1, 0, 0, 1, 1, 1],
        ),
        (texts([None, Some("held out"), None, None, None, None]), vec![text("held out")], [1, 0, 1, 1, 1, 1]),
        (
            Arc::new(UInt64Array::from(vec![u64::MAX, 1, u64::MAX, 1, 1, 1])),
            vec![Number(1), text("18446744073709551615")],
            [1, 0, 1, 0, 0, 0],
        ),
    ];
    for (values, names, expected) in cases {
        for rows_per_group in [2, 6] {
            let columns = vec![("id", ids(6)), ("f", values.clone()), ("y", target(6))];
            let dataset = dealt(columns, rows_per_group, &column());
            assert_eq!(numbers(&dataset), expected);
            assert_eq!(dataset.encoding.feature_names(), ["id"]);
            let folds = dataset.folds.expect("folds");
            assert_eq!(folds.scored, (0..).zip(names.clone()).collect::<Vec<_>>());
            assert_eq!(
                (folds.forward, folds.n_folds),
                (false, expected.iter().max().map_or(0, |&n| n as usize + 1))
            );
        }
    }
}

#[test]
fn files_may_store_a_fold_column_differently() {
    let directory = directory();
    let write_part = |file: &str, first: i64, values: ArrayRef| {
        let columns = vec![("id", integers(first..first + 3)), ("f", values), ("y", target(3))];
        write(&directory.path().join(file), columns, 2);
    };
    write_part("a.parquet", 0, integers([3, 1, 2]));
    write_part("b.parquet", 3, floats([Some(2.0), None, Some(4.0)]));
    let dataset = read(directory.path(), &column());
    assert_eq!(numbers(&dataset), [2, 0, 1, 1, 4, 3]);
}

#[test]
fn later_blocks_hold_later_rows() {
    let n = 5000_usize;
    // In shuffled order, with ties of 1 to 90 rows.
    let tick = |i: usize| (((i * 3571) % n) as f64).powf(0.7) as i64 - 100;
    let ticks = || (0..n).map(tick);
    let kinds: [(&str, ArrayRef); 9] = [
        ("integers", integers(ticks())),
        ("floats", floats(ticks().map(|t| Some(t as f64 / 8.0)))),
        ("float32", Arc::new(ticks().map(|t| Some(t as f32 / 8.0)).collect::<arrow::array::Float32Array>())),
        ("days", dates(&ticks().map(|t| t as i32).collect::<Vec<_>>())),
        ("days in milliseconds", Arc::new(Date64Array::from_iter_values(ticks().map(|t| t * 86_400_000)))),
        ("milliseconds", Arc::new(TimestampMillisecondArray::from_iter_values(ticks()))),
        // float64 cannot distinguish neighbouring values.
        (
            "nanoseconds",
            Arc::new(TimestampNanosecondArray::from_iter_values(
                ticks().map(|t| 1_700_000_000_000_000_000 + t),
            )),
        ),
        ("time of day", Arc::new(Time32MillisecondArray::from_iter_values(ticks().map(|t| t as i32 + 100)))),
        ("unsigned", Arc::new(UInt64Array::from_iter_values(ticks().map(|t| (t + 100) as u64)))),
    ];
    let mut first = None;
    for (kind, times) in kinds {
        let columns = vec![("id", ids(n)), ("t", times), ("y", target(n))];
        let dataset = dealt(columns, 700, &time(4));
        let scored: Vec<_> = (1..5).map(|block| (block, FoldName::Number(i64::from(block)))).collect();
        let folds = dataset.folds.clone().expect("folds");
        assert_eq!((folds.scored, folds.forward, folds.n_folds), (scored, true, 5));
        assert_eq!(dataset.encoding.feature_names(), ["id"]);
        let blocks = numbers(&dataset);
        let mut spans = vec![(i64::MAX, i64::MIN, 0_usize); 5];
        for (row, &block) in blocks.iter().enumerate() {
            let (least, most, rows) = &mut spans[block as usize];
            (*least, *most, *rows) = (tick(row).min(*least), tick(row).max(*most), *rows + 1);
        }
        assert!(spans.windows(2).all(|pair| pair[0].1 < pair[1].0), "{kind}: {spans:?}");
        assert!(spans.iter().all(|span| span.2.abs_diff(n / 5) <= 90), "{kind}: {spans:?}");
        assert_eq!(&blocks, first.get_or_insert_with(|| blocks.clone()), "{kind}");
    }
}

#[test]
fn blocks_that_ties_leave_empty_are_no_folds() {
    let times = [1, 1, 1, 1, 1, 1, 1, 2, 2, 3];
    let columns = || vec![("id", ids(10)), ("t", dates(&times)), ("y", target(10))];
    let dataset = dealt(columns(), 4, &time(4));
    assert_eq!(numbers(&dataset), [0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
    let folds = dataset.folds.expect("folds");
    assert_eq!((folds.scored, folds.n_folds), (vec![(1, FoldName::Number(1))], 2));
}

#[test]
fn files_may_store_times_in_different_units() {
    let directory = directory();
    let write_part = |file: &str, first: i64, values: ArrayRef| {
        let columns = vec![("id", integers(first..first + 3)), ("t", values), ("y", target(3))];
        write(&directory.path().join(file), columns, 2);
    };
    write_part("a.parquet", 0, Arc::new(TimestampMillisecondArray::from(vec![2000, 4000, 6000])));
    let nanoseconds = vec![1_000_000_000, 3_999_999_999, 5_000_000_000];
    write_part("b.parquet", 3, Arc::new(TimestampNanosecondArray::from(nanoseconds)));
    assert_eq!(numbers(&read(directory.path(), &time(2))), [0, 1, 2, 0, 1, 2]);
}

#[test]
fn groups_and_times_are_learned_from_where_they_are_listed() {
    let columns =
        || vec![("id", ids(8)), ("g", target(8)), ("t", ids(8)), ("f", target(8)), ("y", target(8))];
    for (options, listed) in [(group(2), "g"), (time(2), "t")] {
        let features = Some(vec!["id".into(), listed.into()]);
        let dataset = dealt(columns(), 4, &ReadOptions { features, ..options });
        assert_eq!(dataset.encoding.feature_names(), ["id", listed]);
    }
}

#[test]
fn validation_rows_are_in_no_fold() {
    let n = 1000;
    let columns = vec![("id", ids(n)), ("y", target(n))];
    let dataset = dealt(columns, 200, &ReadOptions { validation_fraction: 0.3, ..stratified(3) });
    let counts = counts(&dataset);
    assert!((0..2).all(|class| spread(counts.iter().map(|fold| fold[class])) <= 1));
    let (panels, rows) = dataset.validation.expect("a validation part");
    assert!((0..panels.n_rows()).all(|slot| rows.fold(slot) == 0));
}

#[track_caller]
fn assert_refused(columns: Columns<'_>, options: &ReadOptions, parts: &[&str]) {
    let directory = directory();
    let message = read_error(&write(&directory.path().join("t.parquet"), columns, 4), options);
    for part in parts {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}

#[test]
fn numbers_of_folds_that_make_no_sense() {
    let columns = || vec![("id", ids(8)), ("g", ids(8)), ("t", ids(8)), ("y", target(8))];
    for options in [stratified(1), stratified(1001), group(0)] {
        assert_refused(columns(), &options, &["folds; expected 2 to 1000"]);
    }
    assert_refused(columns(), &time(0), &["0 folds; expected 1 to 1000"]);
    assert_refused(columns(), &stratified(9), &["t.parquet", "9 folds", "8 are used", "fewer --folds"]);
    let message = ["t.parquet", "9 folds", "group column \"g\" has 8", "finer --group"];
    assert_refused(columns(), &group(9), &message);
}

#[test]
fn columns_that_make_no_folds() {
    let with = |name, values| vec![("id", ids(8)), (name, values), ("y", target(8))];
    let none = || floats((0..8).map(|_| None));
    for (options, name, role) in
        [(group(2), "g", "group column"), (column(), "f", "fold column"), (time(2), "t", "time column")]
    {
        assert_refused(with("x", ids(8)), &options, &[&format!("no column \"{name}\" ({role})")]);
        let own = ReadOptions { target: name.into(), ..options };
        let message = format!("column \"{name}\" is both the target and the {role}");
        assert_refused(with(name, target(8)), &own, &[&message]);
    }
    for (options, name) in [(group(2), "g"), (column(), "f")] {
        assert_refused(
            with(name, dates(&[7; 8])),
            &options,
            &["is a date", "expected integers, booleans or text"],
        );
        for (value, found) in [(2.5, "2.5"), (1e300, "1000000"), (f64::NAN, "NaN")] {
            let values = floats((0..8).map(|i| Some(if i == 6 { value } else { 1.0 })));
            let place = format!("is {found}");
            // By default NaN is null.
            let options = &ReadOptions { nan: Nan::Error, ..options.clone() };
            let message = ["t.parquet", place.as_str(), "in row 2 of row group 1", "expected whole numbers"];
            assert_refused(with(name, values), options, &message[..if found == "1000000" { 2 } else { 4 }]);
        }
    }
    assert_refused(with("g", none()), &group(2), &["2 folds", "group column \"g\" has 1"]);
    assert_refused(with("f", none()), &column(), &["fold column \"f\" is null in every row"]);
    assert_refused(with("f", integers([4; 8])), &column(), &["fold column \"f\" is \"4\" in every row"]);
    let features = Some(vec!["id".into(), "f".into()]);
    let listed = ReadOptions { features, ..column() };
    assert_refused(with("f", target(8)), &listed, &["\"f\" is the fold column", "--features"]);
    let many = vec![("id", ids(3000)), ("f", ids(3000)), ("y", target(3000))];
    assert_refused(many, &column(), &["\"f\" has more than 1000 distinct values", "--group", "--folds"]);
}

#[test]
fn too_many_folds_are_counted_over_row_groups() {
    let directory = directory();
    let n = 1002;
    let columns = |values: ArrayRef| vec![("id", ids(n)), ("f", values), ("y", target(n))];
    let path = |name: &str| directory.path().join(name);
    let refused = read_error(&write(&path("a.parquet"), columns(ids(n)), 100), &column());
    assert!(refused.contains("more than 1000"), "{refused}");
    let fits = write(&path("b.parquet"), columns(integers((0..n as i64).map(|i| i % 1000))), 100);
    assert_eq!(read(&fits, &column()).folds.expect("folds").n_folds, 1000);
}

#[test]
fn times_that_put_no_row_after_another() {
    let with = |values| vec![("id", ids(8)), ("t", values), ("y", target(8))];
    assert_refused(
        with(integers([3; 8])),
        &time(2),
        &["t.parquet", "time column \"t\" is the same in every row"],
    );
    let text = texts((0..8).map(|_| Some("2024-01-01")));
    assert_refused(with(text), &time(2), &["is text", "expected numbers, dates or timestamps"]);
    let nan = |i| Some(if i == 6 { f64::NAN } else { f64::from(i) });
    let message = ["t.parquet", "time column \"t\" is NaN in row 2 of row group 1"];
    assert_refused(with(floats((0..8).map(nan))), &time(2), &message);
    let null: ArrayRef = Arc::new((0..8).map(|i| (i != 5).then_some(i)).collect::<Int32Array>());
    assert_refused(with(null), &time(2), &["time column \"t\" is null in row 1 of row group 1"]);
}

#[test]
fn a_file_of_nulls_is_named() {
    let directory = directory();
    let nulls: ArrayRef = Arc::new(arrow::array::NullArray::new(8));
    for (file, values) in [("a.parquet", ids(8)), ("b.parquet", nulls)] {
        write(&directory.path().join(file), vec![("id", ids(8)), ("t", values), ("y", target(8))], 4);
    }
    let error = read_error(directory.path(), &time(2));
    assert!(error.contains("b.parquet: time column \"t\" is null in row "), "{error}");
}

#[test]
fn the_first_row_without_a_time_is_named_whichever_thread_meets_one_first() {
    let directory = directory();
    // The second row group fails at its first row, the first one only near its end.
    let n = 40_000;
    let t = floats((0..n).map(|i| (i < 19_990).then_some(i as f64)));
    let path =
        write(&directory.path().join("t.parquet"), vec![("id", ids(n)), ("t", t), ("y", target(n))], 20_000);
    for _ in 0..20 {
        let error = read_error(&path, &time(2));
        assert!(error.contains("is null in row 19990 of row group 0"), "{error}");
    }
}
