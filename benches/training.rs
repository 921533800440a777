//! Whole fits to a float64 residual of 1e-6, reading not included: how time grows with rows and with models.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, measurement::WallTime};
use logodds::engine::cpu::CpuEngine;
use logodds::objective::{Coefficients, Gaps, HeldOut, ModelSpec, Penalty};
use logodds::panels::{Panels, Rows};
use logodds::solver::{FullBatch, Method, Problem, WorkingSet};
use logodds::train::HostTable;

use crate::data;

fn problem<'a>(models: &'a [ModelSpec], panels: &Panels, offsets: &'a [f64]) -> Problem<'a> {
    Problem {
        models,
        n_rows: panels.n_rows(),
        intercept: true,
        offsets,
        smoothness: &[],
        start: Coefficients::zeros(panels.n_features(), models.len()),
        is_warm: false,
        gaps: Gaps::With,
    }
}

fn fit(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
) {
    let offsets = vec![0.0; panels.n_features()];
    let solver = FullBatch { method: Method::Auto, max_iterations: 100, tolerance: 1e-6 };
    group.throughput(Throughput::Bytes(size_of_val(panels.values()) as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            let (mut engine, host) = (CpuEngine::new(panels, rows), HostTable::new(panels, rows));
            let problem = problem(models, panels, &offsets);
            solver.run(&mut engine, &host, &problem, None, &mut |_| true).expect("a fit")
        });
    });
}

fn model(class: u32, l1: f64, l2: f64) -> ModelSpec {
    ModelSpec {
        class,
        penalty: Penalty { l1, l2 },
        positive_weight: 1.0,
        negative_weight: 1.0,
        held_out: HeldOut::NONE,
    }
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10);
    for n_rows in [1_000_000, 3_000_000, 10_000_000] {
        let (panels, rows) = data::learnable(n_rows, 32, 2);
        fit(&mut group, &format!("{n_rows}x32"), &panels, &rows, &[model(1, 0.0, 1e-4)]);
    }
    let (panels, rows) = data::learnable(1_000_000, 64, 2);
    fit(&mut group, "1Mx64_elastic_net", &panels, &rows, &[model(1, 1e-3, 1e-3)]);
    for n_models in [1, 4, 16, 64] {
        // A path of penalties: what a sweep trains together.
        let models: Vec<_> = (0..n_models).map(|m| model(1, 0.0, 1e-5 * 1.2f64.powi(m))).collect();
        fit(&mut group, &format!("1Mx64_models_{n_models}"), &panels, &rows, &models);
    }
    let (panels, rows) = data::learnable(200_000, 256, 10);
    let models: Vec<_> = (0..10).map(|class| model(class, 0.0, 1e-4)).collect();
    fit(&mut group, "200kx256_10_classes", &panels, &rows, &models);

    let (panels, rows) = data::learnable(2000, 20_000, 2);
    let (models, offsets) = ([model(1, 0.02, 0.0)], vec![0.0; 20_000]);
    let solver = WorkingSet { max_iterations: 100, tolerance: 1e-6 };
    group.bench_function("2000x20000_l1", |b| {
        b.iter(|| {
            let (mut engine, host) = (CpuEngine::new(&panels, &rows), HostTable::new(&panels, &rows));
            solver
                .run(&mut engine, &host, &problem(&models, &panels, &offsets), &mut |_| true)
                .expect("a fit")
        });
    });
    group.finish();
}

criterion_group!(benches, fits);
