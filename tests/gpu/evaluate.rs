//! Loss and gradient of one pass over X agree with float64.

use logodds::engine::Engine;
use logodds::engine::gpu::{GpuDevice, GpuEngine, Limits};
use logodds::objective::Evaluation;

use super::{noop, software};
use crate::support::assert_close;
use crate::support::problems::{Problem, problem};
use crate::support::twins::{assert_same, check_pass};

fn check(device: &GpuDevice, problem: &Problem, limits: Limits) -> usize {
    let mut engine = GpuEngine::with_limits(device, &problem.panels, &problem.rows, limits).unwrap();
    check_pass(&mut engine, problem);
    engine.n_buffers()
}

fn check_sizes(n_models: &[usize], rows_by_features: &[(usize, usize)]) {
    let Some(device) = software() else { return };
    for &(n_rows, n_features) in rows_by_features {
        for &n_models in n_models {
            eprintln!("{n_rows} rows, {n_features} features, {n_models} models");
            check(device, &problem(n_rows, n_features, n_models), Limits::default());
        }
    }
}

const SIZES: &[(usize, usize)] =
    &[(1, 3), (255, 1), (256, 31), (257, 64), (257, 0), (1000, 65), (1000, 3), (600, 300), (5000, 31)];

#[test]
fn fused_pass_of_one_model_matches_float64() {
    check_sizes(&[1], SIZES);
}

#[test]
fn fused_pass_of_several_models_matches_float64() {
    check_sizes(&[3, 8], SIZES);
}

#[test]
fn tiled_pass_matches_float64() {
    check_sizes(&[9, 33], SIZES);
    check_sizes(&[130], &[(1, 1), (300, 0), (1000, 65)]);
}

#[test]
fn more_models_than_a_reading_serves_match_float64() {
    check_sizes(&[530], &[(300, 5)]);
}

#[test]
fn a_reading_serves_as_many_models_as_have_their_sums_in_a_buffer() {
    let served = |max_storage_buffer_binding_size, n_features| {
        let device = noop(wgpu::Limits { max_storage_buffer_binding_size, ..wgpu::Limits::default() });
        let problem = problem(10, n_features, 1);
        GpuEngine::new(&device, &problem.panels, &problem.rows).unwrap().models_per_reading()
    };
    assert_eq!(served(128 << 20, 20), 512);
    // 2 MiB hold a panel of 2,000 features; half of them 261 columns of 1,001 words, 131 of 2,001.
    assert_eq!(served(2 << 20, 1_000), 256);
    assert_eq!(served(2 << 20, 2_000), 128);
}

#[test]
fn one_model_too_wide_for_the_fused_pass_matches_float64() {
    check_sizes(&[1], &[(300, 700)]);
}

#[test]
fn more_row_blocks_than_a_chain_match_float64() {
    let Some(device) = software() else { return };
    // A panel a buffer makes every panel a row block; the chain is 256 of them.
    let problem = problem(270 * 256 + 7, 1, 9);
    assert_eq!(check(device, &problem, Limits { max_buffer_bytes: 1024 }), 271);
}

#[test]
fn table_in_several_buffers_matches_float64() {
    let Some(device) = software() else { return };
    for n_models in [1, 6, 20] {
        let problem = problem(2000, 33, n_models);
        // Three panels a buffer; the last buffer holds two.
        let n_buffers = check(device, &problem, Limits { max_buffer_bytes: 3 * 33 * 1024 + 100 });
        assert_eq!(n_buffers, 3);
    }
}

#[test]
fn weight_zero_counts_for_nothing_even_where_the_predictor_overflows() {
    let Some(device) = software() else { return };
    for n_models in [1, 4, 16] {
        let mut problem = problem(300, 2, n_models);
        for slot in (0..300).filter(|slot| slot % 7 == 3) {
            problem.panels.values_mut()[(slot / 256 * 2) * 256 + slot % 256] = 3e38;
        }
        problem.coefficients.values_mut().iter_mut().for_each(|w| *w *= 100.0);
        let mut engine = GpuEngine::new(device, &problem.panels, &problem.rows).unwrap();
        let found = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
        assert!(found.loss.iter().chain(found.gradient.values()).all(|v| v.is_finite()), "{found:?}");
        // The same table without those rows.
        problem.panels.values_mut().iter_mut().filter(|x| **x > 2.0).for_each(|x| *x = 0.0);
        let mut engine = GpuEngine::new(device, &problem.panels, &problem.rows).unwrap();
        let expected = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
        assert_close(found.gradient.values(), expected.gradient.values(), 0.0, 0.0);
        assert_close(&found.loss, &expected.loss, 0.0, 0.0);
    }
}

#[test]
fn extreme_predictors_keep_their_digits() {
    let Some(device) = software() else { return };
    for n_models in [2, 12] {
        for scale in [0.0, 30.0, 1e4] {
            let mut problem = problem(700, 5, n_models);
            problem.coefficients.values_mut().iter_mut().for_each(|w| *w = f64::from((*w * scale) as f32));
            check(device, &problem, Limits::default());
        }
    }
}

#[test]
fn tiny_losses_are_not_rounded_to_zero() {
    let Some(device) = software() else { return };
    // Every row is positive with z = 30: the loss is exp(-30), far below float32's step at 1.
    for n_models in [1, 10] {
        let mut problem = problem(256, 0, n_models);
        problem.rows = logodds::panels::Rows::new(vec![0; 256], &vec![1.0; 256], 5);
        problem.models.iter_mut().for_each(|m| m.class = 0);
        problem.coefficients.values_mut().fill(30.0);
        let mut engine = GpuEngine::new(device, &problem.panels, &problem.rows).unwrap();
        let found = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
        // exp(-30) to some units of exp's allowed 3 + 2 |x| ULP.
        assert_close(&found.loss, &vec![(-30.0f64).exp(); n_models], 1e-5, 0.0);
        assert_close(found.gradient.values(), &vec![-(-30.0f64).exp(); n_models], 1e-5, 0.0);
    }
}

#[test]
fn same_input_gives_the_same_bits() {
    let Some(device) = software() else { return };
    for n_models in [1, 7, 40] {
        let problem = problem(3000, 40, n_models);
        let mut engine = GpuEngine::new(device, &problem.panels, &problem.rows).unwrap();
        let first = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
        let again = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
        assert_eq!(first, again);
    }
}

#[test]
fn a_model_in_a_stack_gives_what_it_gives_alone() {
    let Some(device) = software() else { return };
    let problem = problem(1500, 40, 20);
    let mut engine = GpuEngine::new(device, &problem.panels, &problem.rows).unwrap();
    let stacked = engine.evaluate(&problem.models, &problem.coefficients).unwrap();
    for m in [0, 7, 19] {
        let alone = engine.evaluate(&problem.models[m..=m], &problem.coefficients.select(&[m])).unwrap();
        let picked = Evaluation { loss: vec![stacked.loss[m]], gradient: stacked.gradient.select(&[m]) };
        assert_same(&alone, &picked);
    }
    // Within the tiled path, not even the rounding depends on the stack.
    let twelve: Vec<_> = (3..15).collect();
    let part = engine.evaluate(&problem.models[3..15], &problem.coefficients.select(&twelve)).unwrap();
    assert_eq!(part.loss, stacked.loss[3..15]);
    assert_eq!(part.gradient, stacked.gradient.select(&twelve));
}
