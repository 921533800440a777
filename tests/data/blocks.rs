//! Blocks come in file order, and predictions are written from them.

use std::path::PathBuf;

use logodds::data::{
    Block, BlocksOptions, Dataset, Missing, PredictionWriter, ReadOptions, Source, block_rows, blocks,
};
use logodds::error::Result;
use tempfile::TempDir;

use super::table::{floats, integers, target, texts, write};
use super::{options, read, source};

/// A folder with a table of 1,000 rows and what a training on its complete twin learned.
struct Case {
    folder: TempDir,
    table: Source,
    dataset: Dataset,
}

/// The twin has no gaps. The table has an unseen category in row 5, no class in row 9 and no number in row 777.
fn case() -> Case {
    let folder = tempfile::tempdir().expect("a directory");
    let n = 1000_i64;
    let category = |i: i64| Some(["a", "b"][(i % 2) as usize]);
    let label = |i: i64| Some(["no", "yes"][(i / 3 % 2) as usize]);
    let columns = vec![
        ("x", floats((0..n).map(|i| Some(i as f64)))),
        ("c", texts((0..n).map(category))),
        ("y", texts((0..n).map(label))),
    ];
    let options = ReadOptions { missing: Missing::Error, ..options() };
    let dataset = read(&write(&folder.path().join("t.parquet"), columns, 400), &options);
    let columns = vec![
        ("id", integers(0..n)),
        ("x", floats((0..n).map(|i| (i != 777).then_some(i as f64)))),
        ("c", texts((0..n).map(|i| if i == 5 { Some("new") } else { category(i) }))),
        ("y", texts((0..n).map(|i| if i == 9 { None } else { label(i) }))),
        ("w", floats((0..n).map(|i| Some(i as f64 / 2.0)))),
    ];
    let table = source(&write(&folder.path().join("p.parquet"), columns, 450));
    Case { folder, table, dataset }
}

impl Case {
    /// The table in blocks of 300 rows, which are not those of its row groups.
    fn blocks(&self) -> Vec<Block> {
        let options = BlocksOptions {
            target: Some(&self.dataset.target),
            weight: Some("w".into()),
            keep: vec!["id".to_owned()],
            exact: Vec::new(),
            rows_per_block: 300,
        };
        let blocks = blocks(&self.table, &self.dataset.encoding, options).expect("the columns of training");
        blocks.map(|block| block.expect("a readable block")).collect()
    }

    /// Runs `check` on every slot of every block, with the number of its row in the file.
    fn each_row(&self, check: impl Fn(&Block, usize, usize)) {
        let mut row = 0;
        for block in self.blocks() {
            for slot in 0..block.rows {
                check(&block, slot, row);
                row += 1;
            }
        }
        assert_eq!(row, 1000);
    }

    fn prediction_writer(&self, table: &Source, keep: &str) -> Result<PredictionWriter> {
        let names = ["probability".to_owned()];
        PredictionWriter::create(&self.out(), table, &[keep.to_owned()], &self.dataset.target, &names)
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out.parquet")
    }
}

#[test]
fn blocks_come_in_file_order() {
    let mut row = 0;
    for block in case().blocks() {
        assert_eq!(block.first_row, row);
        row += block.rows;
    }
    assert_eq!(row, 1000);
}

#[test]
fn blocks_hold_the_features_as_training_encoded_them() {
    let case = case();
    let column = &case.dataset.encoding.columns[0];
    let (mean, scale) = (column.mean.expect("a mean"), column.scale.expect("a scale"));
    case.each_row(|block, slot, i| {
        if i != 777 {
            let x = f64::from(block.panels.value(slot, 0)) * scale + mean;
            assert!((x - i as f64).abs() < 1e-3);
        }
        assert_eq!(block.panels.value(slot, 1) == 1.0, i % 2 == 0);
    });
}

#[test]
fn blocks_hold_the_class_of_every_row_that_has_one_and_its_weight() {
    case().each_row(|block, slot, i| {
        let class = block.class.as_ref().expect("classes");
        assert_eq!(class.len(), block.rows);
        assert_eq!(class[slot], (i != 9).then_some((i / 3 % 2) as u32));
        assert_eq!(block.weight.as_ref().expect("weights")[slot], i as f64 / 2.0);
    });
}

#[test]
fn blocks_count_unseen_categories_and_name_incomplete_rows() {
    let blocks = case().blocks();
    assert_eq!(blocks.iter().map(|block| block.unseen[1]).sum::<usize>(), 1);
    let incomplete: Vec<_> =
        blocks.iter().flat_map(|block| block.incomplete.iter().map(|at| at + block.first_row)).collect();
    assert_eq!(incomplete, [777]);
}

#[test]
fn predictions_stand_under_their_name_once_they_are_complete() {
    let case = case();
    let mut writer = case.prediction_writer(&case.table, "id").expect("a writable directory");
    for block in case.blocks() {
        let prediction: Vec<Option<u32>> =
            (0..block.rows).map(|at| (!block.incomplete.contains(&at)).then_some(1)).collect();
        writer.write(&block.keep, &prediction, &[vec![0.75; block.rows]]).expect("space");
    }
    assert!(!case.out().exists(), "nothing under its name before it is complete");
    writer.finish().expect("a complete file");
    let written = source(&case.out());
    assert_eq!(written.column_names(), ["id", "prediction", "probability"]);
    assert_eq!(written.n_rows(), 1000);
    let files = std::fs::read_dir(case.folder.path()).expect("a directory").count();
    assert_eq!(files, 3, "no temporary file is left");
}

#[test]
fn a_kept_column_that_is_named_like_a_prediction_is_an_error() {
    let case = case();
    let columns = vec![("prediction", integers(0..4))];
    let table = source(&write(&case.folder.path().join("clash.parquet"), columns, 4));
    let clash = case.prediction_writer(&table, "prediction");
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
