//! Whole fits to a float64 residual of 1e-6, reading not included: how time grows with rows and with models.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, measurement::WallTime};
use logodds::engine::cpu::CpuEngine;
use logodds::objective::{Coefficients, Coordinates, ModelSpec, Penalty};
use logodds::panels::{Panels, Rows};
use logodds::solver::{FullBatch, Method, Problem, WorkingSet};
use logodds::train::TablePasses;

use crate::data;

fn problem<'a>(
    models: &'a [ModelSpec],
    (panels, rows): (&Panels, &'a Rows),
    coordinates: &'a Coordinates,
) -> Problem<'a> {
    let start = Coefficients::zeros(panels.n_features(), models.len());
    Problem::new(models, rows, coordinates, start)
}

fn fit(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
) {
    let coordinates = Coordinates::new(panels.n_features(), true);
    let solver = FullBatch { method: Method::Auto, max_iterations: 100, tolerance: 1e-6 };
    group.throughput(Throughput::Bytes(size_of_val(panels.values()) as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            let mut engine = CpuEngine::new(panels, rows);
            let problem = problem(models, (panels, rows), &coordinates);
            let mut table = TablePasses::new(&mut engine, panels, rows);
            solver.run(&mut table, &problem, None, &mut |_| true).expect("a fit")
        });
    });
}

fn model(class: u32, l1: f64, l2: f64) -> ModelSpec {
    ModelSpec { class, penalty: Penalty { l1, l2 }, ..ModelSpec::shared() }
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
    let (models, coordinates) = ([model(1, 0.02, 0.0)], Coordinates::new(20_000, true));
    let solver = WorkingSet { max_iterations: 100, tolerance: 1e-6 };
    group.bench_function("2000x20000_l1", |b| {
        b.iter(|| {
            let mut engine = CpuEngine::new(&panels, &rows);
            let problem = problem(&models, (&panels, &rows), &coordinates);
            solver
                .run(&mut TablePasses::new(&mut engine, &panels, &rows), &problem, &mut |_| true)
                .expect("a fit")
        });
    });
    group.finish();
}

criterion_group!(benches, fits);
