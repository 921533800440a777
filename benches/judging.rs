//! A model on a table, beside the reading of that table alone.

use criterion::{Criterion, Throughput, criterion_group};
use logodds::config::TrainConfig;
use logodds::data::{BlocksOptions, blocks, open};
use logodds::evaluate::{EvaluateOptions, evaluate};
use logodds::observer::Silent;
use logodds::predict::{PredictOptions, predict};
use logodds::train::train;

use crate::reading::write;

fn judging(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.parquet");
    let rows = write(&path);
    let data = [path.to_string_lossy().into_owned()];
    let config = TrainConfig {
        data: data.to_vec(),
        target: Some("y".into()),
        output: Some(folder.path().join("m.json")),
        ..TrainConfig::default()
    };
    let model = train(&config.check().expect("a config"), &Silent).expect("a model").model;
    let source = open(&data).expect("a table");
    let target = model.target();
    let mut group = c.benchmark_group("judge_1Mx64");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rows as u64));
    group.bench_function("read_alone", |b| {
        b.iter(|| {
            let options =
                BlocksOptions { target: Some(&target), rows_per_block: 1 << 17, ..BlocksOptions::default() };
            let blocks = blocks(&source, &model.encoding(), options).expect("the columns of training");
            blocks.map(|block| block.expect("a readable block").rows).sum::<usize>()
        });
    });
    group.bench_function("evaluate", |b| {
        b.iter(|| evaluate(&model, &data, &EvaluateOptions::default(), &Silent).expect("labels"));
    });
    group.bench_function("predict", |b| {
        let output = folder.path().join("p.parquet");
        b.iter(|| predict(&model, &data, &output, &PredictOptions::default(), &Silent).expect("features"));
    });
}

criterion_group!(benches, judging);
