//! Blocks come in file order, and predictions are written from them.

use super::table::{floats, integers, target, texts, write};
use super::{options, read, source};
use logodds::data::{BlocksOptions, Missing, PredictionWriter, block_rows, blocks};

#[test]
fn blocks_come_in_file_order_with_classes_and_kept_columns() {
    let directory = tempfile::tempdir().expect("a directory");
    let n = 1000_i64;
    let columns = vec![
        ("x", floats((0..n).map(|i| Some(i as f64)))),
        ("c", texts((0..n).map(|i| Some(["a", "b"][(i % 2) as usize])))),
        ("y", texts((0..n).map(|i| Some(["no", "yes"][(i / 3 % 2) as usize])))),
    ];
    let mut options = options();
    options.missing = Missing::Error;
    let dataset = read(&write(&directory.path().join("t.parquet"), columns, 400), &options);
    let columns = vec![
        ("id", integers(0..n)),
        ("x", floats((0..n).map(|i| (i != 777).then_some(i as f64)))),
        ("c", texts((0..n).map(|i| if i == 5 { Some("new") } else { Some(["a", "b"][(i % 2) as usize]) }))),
        ("y", texts((0..n).map(|i| if i == 9 { None } else { Some(["no", "yes"][(i / 3 % 2) as usize]) }))),
        ("w", floats((0..n).map(|i| Some(i as f64 / 2.0)))),
    ];
    let path = write(&directory.path().join("p.parquet"), columns, 450);
    let table = source(&path);
    let out = directory.path().join("out.parquet");
    let keep = vec!["id".to_owned()];
    let names = vec!["probability".to_owned()];
    let mut writer =
        PredictionWriter::create(&out, &table, &keep, &dataset.target, &names).expect("a writable directory");
    let chosen = BlocksOptions {
        target: Some(&dataset.target),
        weight: Some("w".into()),
        keep: keep.clone(),
        exact: Vec::new(),
        rows_per_block: 300,
    };
    let column = &dataset.encoding.columns[0];
    let (mean, scale) = (column.mean.expect("a mean"), column.scale.expect("a scale"));
    let mut row = 0;
    let (mut unseen, mut incomplete) = (0, Vec::new());
    for block in blocks(&table, &dataset.encoding, chosen).expect("the columns of training") {
        let block = block.expect("a readable block");
        assert_eq!(block.first_row, row);
        let class = block.class.as_ref().expect("classes");
        for (slot, class) in class.iter().enumerate() {
            let i = row + slot;
            if i != 777 {
                let x = f64::from(block.panels.value(slot, 0)) * scale + mean;
                assert!((x - i as f64).abs() < 1e-3);
            }
            assert_eq!(*class, (i != 9).then_some((i / 3 % 2) as u32));
            assert_eq!(block.weight.as_ref().expect("weights")[slot], i as f64 / 2.0);
            assert_eq!(block.panels.value(slot, 1) == 1.0, i % 2 == 0);
        }
        unseen += block.unseen[1];
        incomplete.extend(block.incomplete.iter().map(|at| at + row));
        let prediction: Vec<Option<u32>> =
            (0..block.rows).map(|at| (!block.incomplete.contains(&at)).then_some(1)).collect();
        writer.write(&block.keep, &prediction, &[vec![0.75; block.rows]]).expect("space");
        row += block.rows;
    }
    assert_eq!((row, unseen, incomplete), (1000, 1, vec![777]));
    assert!(!out.exists(), "nothing under its name before it is complete");
    writer.finish().expect("a complete file");
    let written = source(&out);
    assert_eq!(written.column_names(), ["id", "prediction", "probability"]);
    assert_eq!(written.n_rows(), 1000);
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("a directory").count(),
        3,
        "no temporary file is left"
    );
    let clash = PredictionWriter::create(&out, &written, &["prediction".into()], &dataset.target, &names);
    assert!(clash.err().expect("a clash").to_string().contains("\"prediction\""));
}

#[test]
fn a_class_that_training_never_saw_is_an_error_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let table = |name: &str, labels: [Option<&str>; 4]| {
        let columns = vec![("x", floats([Some(1.0), Some(2.0), Some(4.0), Some(8.0)])), ("y", texts(labels))];
        write(&directory.path().join(name), columns, 2)
    };
    let path = table("t.parquet", [Some("no"), Some("yes"), None, Some("no")]);
    let dataset = read(&path, &options());
    let path = table("p.parquet", [Some("no"), Some("yes"), None, Some("perhaps")]);
    let table = source(&path);
    let options = BlocksOptions { target: Some(&dataset.target), rows_per_block: 1, ..Default::default() };
    let found: Vec<_> =
        blocks(&table, &dataset.encoding, options).expect("the columns of training").collect();
    assert_eq!(found.len(), 4, "the error ends the blocks");
    let message = found[3].as_ref().expect_err("an unknown class").to_string();
    for part in ["p.parquet", "target \"y\" is \"perhaps\"", "row 1 of row group 1"] {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}

#[test]
fn a_block_has_as_many_rows_as_memory_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    let columns = vec![("x", integers(0..5000)), ("y", target(5000))];
    let path = write(&directory.path().join("t.parquet"), columns, 5000);
    let (table, dataset) = (source(&path), read(&path, &options()));
    let rows = |beside, memory| block_rows(&table, &[&dataset.encoding], (beside, 0), 1 << 17, Some(memory));
    assert_eq!(rows(0, 1 << 30).expect("room"), 5120);
    let few = rows(10_000, 16 << 20).expect("room");
    assert!((256..1678).contains(&few) && few.is_multiple_of(256), "{few}");
    let error = rows(1 << 20, 16 << 20).expect_err("no room").to_string();
    assert!(error.contains("256 rows x 1 features") && error.contains("16777216 may be used"), "{error}");
}
