//! One gradient pass over X beside the machine's limits: a plain read of the same memory, and the
//! fastest multiply-adds that stay in registers.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group};
use logodds::engine::cpu::CpuEngine;
use logodds::engine::exact::evaluate as evaluate_exactly;
use logodds::engine::gpu::{AdapterChoice, GpuDevice, GpuEngine, Selection, select};
use logodds::engine::{Engine, Epoch, MiniBatch, SgdState};
use logodds::objective::{Coefficients, Coordinates, Gaps, ModelSpec};
use logodds::panels::{Panels, Rows, Sample};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::data;

const ROWS: usize = 1_000_000;
const FEATURES: usize = 64;

/// As many as a table of images has, so that arithmetic matters.
const MODELS_FEATURES: usize = 256;

fn passes(c: &mut Criterion) {
    let (panels, rows) = data::table(ROWS, FEATURES, 16);
    let bytes = (panels.values().len() * 4) as u64;
    let mut group = c.benchmark_group("pass_1Mx64");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("read", |b| b.iter(|| read(panels.values())));
    for n_models in [1, 2, 4, 8, 16, 64] {
        let models = data::models(n_models, 16);
        let mut w = Coefficients::zeros(FEATURES, n_models);
        w.values_mut().iter_mut().enumerate().for_each(|(i, w)| *w = (i % 7) as f64 * 0.01);
        let mut engine = CpuEngine::new(&panels, &rows);
        group.bench_function(format!("cpu_{n_models}"), |b| {
            b.iter(|| engine.evaluate(&models, &w).expect("a pass"))
        });
    }
    match select(AdapterChoice::Software) {
        Ok(Selection::Device(device, _)) => gpu(&mut group, "software", &device, &panels, &rows),
        _ => eprintln!("no software adapter: its passes are left out"),
    }
    match select(AdapterChoice::Auto) {
        Ok(Selection::Device(device, _)) => gpu(&mut group, "gpu", &device, &panels, &rows),
        _ => eprintln!("no hardware GPU: its passes are left out"),
    }
    group.finish();

    let mut group = c.benchmark_group("multiply_add");
    let per_thread = 1 << 22;
    group.throughput(Throughput::Elements(2 * (rayon::current_num_threads() * per_thread) as u64));
    group.bench_function("peak", |b| {
        b.iter(|| {
            rayon::broadcast(|_| pulp::Arch::new().dispatch(MultiplyAdds(per_thread)));
        });
    });
}

fn evaluate(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, engine: &mut dyn Engine, n_models: usize) {
    let models = data::models(n_models, 16);
    let mut w = Coefficients::zeros(FEATURES, n_models);
    w.values_mut().iter_mut().enumerate().for_each(|(i, w)| *w = (i % 7) as f64 * 0.01);
    group.bench_function(format!("{name}_{n_models}"), |b| {
        b.iter(|| engine.evaluate(&models, &w).expect("a pass"));
    });
}

fn gpu(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    device: &GpuDevice,
    panels: &Panels,
    rows: &Rows,
) {
    let mut engine = GpuEngine::new(device, panels, rows).expect("room for the table");
    for n_models in [1, 4, 16, 64] {
        evaluate(group, name, &mut engine, n_models);
    }
}

/// Models in one pass, from 1 to 1,024: where memory ends to rule and arithmetic begins. The time is that of the two
/// matrix products, `X W` and `X' R`, and everything between them. `benches/models.py` draws it.
fn models(c: &mut Criterion) {
    // A software adapter takes some hundred times as long.
    for (name, n_rows, choice) in [
        ("cpu", 200_000, None),
        ("software", 20_000, Some(AdapterChoice::Software)),
        ("gpu", 1_000_000, Some(AdapterChoice::Auto)),
    ] {
        let (panels, rows) = data::table(n_rows, MODELS_FEATURES, 16);
        let mut group = c.benchmark_group(format!("models_{name}_{n_rows}x{MODELS_FEATURES}"));
        group.sample_size(10);
        let mut each = |engine: &mut dyn Engine| {
            for n_models in (0..=10).map(|k| 1_usize << k) {
                let work = 4 * n_rows * MODELS_FEATURES * n_models;
                group.throughput(Throughput::Elements(work as u64));
                let models = data::models(n_models, 16);
                let mut w = Coefficients::zeros(MODELS_FEATURES, n_models);
                w.values_mut().iter_mut().enumerate().for_each(|(i, w)| *w = (i % 7) as f64 * 0.01);
                group.bench_function(n_models.to_string(), |b| {
                    b.iter(|| engine.evaluate(&models, &w).expect("a pass"));
                });
            }
        };
        match choice.map(select) {
            None => each(&mut CpuEngine::new(&panels, &rows)),
            Some(Ok(Selection::Device(device, _))) => {
                each(&mut GpuEngine::new(&device, &panels, &rows).expect("room for the table"));
            }
            Some(_) => eprintln!("no {name} adapter: its models are left out"),
        }
        group.finish();
    }
}

/// A Hessian: the multiply-adds of its upper triangle.
fn hessians(c: &mut Criterion) {
    let mut group = c.benchmark_group("hessian");
    group.sample_size(10);
    for (n_rows, n_features) in [(1_000_000, 64), (200_000, 256), (20_000, 784)] {
        let (panels, rows) = data::table(n_rows, n_features, 2);
        let (model, zeros) = (ModelSpec::shared(), vec![0.0; n_features + 1]);
        group.throughput(Throughput::Elements((n_rows * (n_features + 1) * (n_features + 2)) as u64));
        let mut one = |name: &str, engine: &mut dyn Engine| {
            group.bench_function(format!("{name}_{n_rows}x{n_features}"), |b| {
                b.iter(|| {
                    let mut sums = [vec![0.0; zeros.len() * zeros.len()]];
                    engine.add_curvatures(&[(model, &zeros)], Sample::ALL, &mut sums).expect("a Hessian");
                    sums
                });
            });
        };
        one("cpu", &mut CpuEngine::new(&panels, &rows));
        for (name, choice) in [("software", AdapterChoice::Software), ("gpu", AdapterChoice::Auto)] {
            match select(choice) {
                Ok(Selection::Device(device, _)) => {
                    one(name, &mut GpuEngine::new(&device, &panels, &rows).expect("room for the table"));
                }
                _ => eprintln!("no {name} adapter: its Hessian is left out"),
            }
        }
    }
    group.finish();
}

/// The host's pass in float64, which certificates are made of.
fn float64(c: &mut Criterion) {
    let (panels, rows) = data::table(ROWS, FEATURES, 16);
    let mut group = c.benchmark_group("float64_1Mx64");
    group.sample_size(10);
    group.throughput(Throughput::Bytes((panels.values().len() * 4) as u64));
    for n_models in [1, 4, 16] {
        let models = data::models(n_models, 16);
        let mut w = Coefficients::zeros(FEATURES, n_models);
        w.values_mut().iter_mut().enumerate().for_each(|(i, w)| *w = (i % 7) as f64 * 0.01);
        group.bench_function(n_models.to_string(), |b| {
            b.iter(|| evaluate_exactly(&panels, &rows, &models, &w, Gaps::With))
        });
    }
    group.finish();
}

/// An epoch of the mini-batch loop: every row once, for the coupled point and the snapshot.
fn epochs(c: &mut Criterion) {
    let (panels, rows) = data::table(ROWS, FEATURES, 16);
    let mut group = c.benchmark_group("epoch_1Mx64");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ROWS as u64));
    let panel_order: Vec<u32> = (0..panels.n_panels() as u32).collect();
    for (n_models, batch_rows) in [(1, 1024), (1, 8192), (16, 8192)] {
        let models = data::models(n_models, 16);
        let zeros = Coefficients::zeros(FEATURES, n_models);
        let batch_order: Vec<u32> = (0..ROWS.div_ceil(batch_rows) as u32).collect();
        let coordinates = Coordinates::new(FEATURES, true);
        let epoch = Epoch {
            panel_order: &panel_order,
            batch_rows,
            batch_order: &batch_order,
            coordinates: &coordinates,
            coupling: &vec![0.5; n_models],
            step: &vec![0.01; n_models],
            gradient: &zeros,
        };
        let mut engine = CpuEngine::new(&panels, &rows);
        group.bench_function(format!("cpu_{n_models}_batch_{batch_rows}"), |b| {
            b.iter(|| {
                let mut state = SgdState { snapshot: zeros.clone(), iterate: zeros.clone() };
                engine.sgd_epoch(&models, &epoch, &mut state).expect("an epoch");
            });
        });
    }
}

/// Sums all values on all cores.
fn read(values: &[f32]) -> f32 {
    struct Sum<'a>(&'a [f32]);
    impl WithSimd for Sum<'_> {
        type Output = f32;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f32 {
            let (vectors, _) = S::as_simd_f32s(self.0);
            let mut sums = [simd.splat_f32s(0.0); 8];
            for v in vectors.chunks_exact(8) {
                for (sum, &v) in sums.iter_mut().zip(v) {
                    *sum = simd.add_f32s(*sum, v);
                }
            }
            sums.into_iter().map(|s| simd.reduce_sum_f32s(s)).sum()
        }
    }
    values.par_chunks(1 << 20).map(|chunk| pulp::Arch::new().dispatch(Sum(chunk))).sum()
}

/// That many float32 multiply-adds in independent chains.
struct MultiplyAdds(usize);

impl WithSimd for MultiplyAdds {
    type Output = f32;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let x = simd.splat_f32s(std::hint::black_box(0.999));
        let mut sums = [simd.splat_f32s(1.0); 12];
        for _ in 0..self.0 / (12 * S::F32_LANES) {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, x, x);
            }
        }
        sums.into_iter().map(|s| simd.reduce_sum_f32s(s)).sum()
    }
}

criterion_group!(benches, passes, models, hessians, float64, epochs);
