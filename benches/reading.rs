//! From a Parquet file to standardised panels.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int8Array, RecordBatch};
use criterion::{Criterion, Throughput, criterion_group};
use logodds::data::{ReadOptions, open, read_training};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const ROWS: usize = 1_000_000;
const FEATURES: usize = 64;
const GROUP_ROWS: usize = 131_072;

fn reading(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.parquet");
    write(&path);
    let source = open(&[path.to_string_lossy().into_owned()]).expect("a table");
    let mut group = c.benchmark_group("read_1Mx64");
    group.sample_size(10);
    group.throughput(Throughput::Bytes((ROWS * FEATURES * 4) as u64));
    group.bench_function("to_panels", |b| {
        b.iter(|| read_training(&source, &ReadOptions::new("y"), &()).expect("a dataset"));
    });
}

/// float32 features and an int8 target, zstd, without dictionary pages. Returns the rows.
pub(crate) fn write(path: &Path) -> usize {
    let mut rng = StdRng::seed_from_u64(1);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let mut writer = None;
    for first in (0..ROWS).step_by(GROUP_ROWS) {
        let n = GROUP_ROWS.min(ROWS - first);
        let mut columns: Vec<(String, ArrayRef)> = (0..FEATURES)
            .map(|j| {
                let values: Vec<f32> = (0..n).map(|_| rng.random::<f32>() - 0.5).collect();
                (format!("x{j}"), Arc::new(Float32Array::from(values)) as ArrayRef)
            })
            .collect();
        let labels: Vec<i8> = (0..n).map(|_| i8::from(rng.random::<bool>())).collect();
        columns.push(("y".into(), Arc::new(Int8Array::from(labels))));
        let batch = RecordBatch::try_from_iter(columns).expect("equal lengths");
        let writer = writer.get_or_insert_with(|| {
            let file = File::create(path).expect("a file");
            ArrowWriter::try_new(file, batch.schema(), Some(properties.clone())).expect("a writer")
        });
        writer.write(&batch).expect("room on the disk");
    }
    writer.expect("a batch").close().expect("room on the disk");
    ROWS
}

criterion_group!(benches, reading);
