//! The shipped tables with folds, and what is run on them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use logodds::config::{Device, TrainConfig, TuneConfig, TuneSettings};
use logodds::model::SweepRow;
use logodds::observer::Silent;
use logodds::sweep::{Sweep, Tuned};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub(super) const FOLDS: i64 = 4;

/// The fold of a row, as `tests/fixtures/cross_validation.py` has it.
pub(super) fn fold(row: usize) -> i64 {
    (row as i64 * 7919 % 101) % FOLDS
}

pub(super) fn shipped(name: &str) -> RecordBatch {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name).join("train.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let batches: Vec<RecordBatch> =
        reader.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// The rows that `keep` keeps, with columns of integers besides.
pub(super) fn write(
    path: &Path,
    batch: &RecordBatch,
    more: &[(&str, &dyn Fn(usize) -> i64)],
    keep: &dyn Fn(usize) -> bool,
) -> PathBuf {
    let n = batch.num_rows();
    let schema = batch.schema();
    let named = |i: usize| schema.field(i).name().clone();
    let mut columns: Vec<(String, ArrayRef)> =
        batch.columns().iter().enumerate().map(|(i, column)| (named(i), column.clone())).collect();
    for (name, value) in more {
        columns.push(((*name).to_owned(), Arc::new((0..n).map(value).collect::<Int64Array>())));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let kept: BooleanArray = (0..n).map(|row| Some(keep(row))).collect();
    let batch = arrow::compute::filter_record_batch(&batch, &kept).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path.to_owned()
}

/// A table of many more features than rows, some of which tell the classes of column `y` apart.
pub(super) fn write_wide(path: &Path, n_rows: usize, n_features: usize) -> PathBuf {
    let mut rng = StdRng::seed_from_u64(11);
    let columns: Vec<Vec<f64>> =
        (0..n_features).map(|_| (0..n_rows).map(|_| rng.random::<f64>() - 0.5).collect()).collect();
    let y: Int64Array =
        (0..n_rows).map(|i| i64::from(columns[0][i] + columns[1][i] + 0.3 * columns[2][i] > 0.0)).collect();
    let mut named: Vec<(String, ArrayRef)> = vec![("y".to_owned(), Arc::new(y))];
    for (j, column) in columns.into_iter().enumerate() {
        named.push((format!("x{j}"), Arc::new(Float64Array::from(column))));
    }
    write(path, &RecordBatch::try_from_iter(named).unwrap(), &[], &|_| true)
}

pub(super) fn config(path: &Path, target: &str) -> TrainConfig {
    TrainConfig {
        data: vec![path.display().to_string()],
        target: Some(target.into()),
        device: Some(Device::Cpu),
        ..TrainConfig::default()
    }
}

pub(super) fn tune(train: TrainConfig, sweep: TuneSettings) -> Tuned {
    Sweep::new(&TuneConfig { train, sweep }.check().unwrap()).run(&Silent).unwrap()
}

/// The rows of one class and penalty, in the order of their folds.
pub(super) fn rows<'a>(tuned: &'a Tuned, class: Option<&str>, c: f64, l1_ratio: f64) -> Vec<&'a SweepRow> {
    let of = |row: &&SweepRow| {
        row.fold.is_some()
            && row.class.as_deref() == class
            && row.l1_ratio == Some(l1_ratio)
            && row.c.is_some_and(|found| (found / c - 1.0).abs() < 1e-12)
    };
    tuned.table().results.iter().filter(of).collect()
}
