//! Features that are nearly combinations of others get the same statistics as with better conditioned
//! columns.

use std::path::Path;

use logodds::config::{Device, TrainConfig};
use logodds::inference::{CoefficientInference, InferenceOptions, ModelInference, Robust, infer};
use logodds::observer::Silent;
use logodds::train::train;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cli::support::{float_column, write_parquet};
use crate::support::assert_close;

const ROWS: usize = 3000;

fn statistics(path: &Path, robust: Option<Robust>) -> ModelInference {
    statistics_within(1e-9, path, robust)
}

fn statistics_within(tolerance: f64, path: &Path, robust: Option<Robust>) -> ModelInference {
    let data = vec![path.display().to_string()];
    let config = TrainConfig {
        data: data.clone(),
        target: Some("y".into()),
        l1: Some(0.0),
        l2: Some(0.0),
        device: Some(Device::Cpu),
        tolerance: Some(tolerance),
        ..TrainConfig::default()
    };
    let model = train(&config.check().unwrap(), &Silent).unwrap().model;
    assert!(model.models[0].converged, "{:?}", model.models[0]);
    let options = InferenceOptions { robust, ..InferenceOptions::default() };
    infer(&model, &data, &options, &Silent).unwrap().models.swap_remove(0)
}

fn coefficient<'a>(model: &'a ModelInference, name: &str) -> &'a CoefficientInference {
    model.coefficients.iter().find(|c| c.feature == name).unwrap()
}

/// Two times over ten years, in seconds since 1970, at most `gap` seconds apart.
#[test]
fn columns_that_differ_in_a_part_in_millions() {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut StdRng::seed_from_u64(3);
    let start: Vec<f64> = (0..ROWS).map(|_| 1.3e9 + (3e8 * rng.random::<f64>()).round()).collect();
    for gap in [60.0, 8.0] {
        let lag: Vec<f64> = (0..ROWS).map(|_| (gap * 64.0 * rng.random::<f64>()).round() / 64.0).collect();
        let x: Vec<f64> = (0..ROWS).map(|_| rng.random::<f64>()).collect();
        let y = (0..ROWS).map(|i| {
            let z = 4.0 * lag[i] / gap - 2.0 + x[i] - 0.5;
            f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-z).exp())))
        });
        let y = float_column(y);
        let end = (0..ROWS).map(|i| start[i] + lag[i]);
        let [near, clear] = ["near.parquet", "clear.parquet"].map(|name| folder.path().join(name));
        let shared = || vec![("start", float_column(start.clone())), ("x", float_column(x.clone()))];
        let with = |name, column| [shared(), vec![(name, column), ("y", y.clone())]].concat();
        write_parquet(&near, with("end", float_column(end)));
        write_parquet(&clear, with("lag", float_column(lag.iter().copied())));
        for robust in [None, Some(Robust::Hc0)] {
            let (near, clear) = (statistics(&near, robust), statistics(&clear, robust));
            assert!(near.aliased.is_empty(), "{:?}", near.aliased);
            assert!(near.warnings.is_empty(), "{:?}", near.warnings);
            // b start + c end = (b + c) start + c lag
            for (found, expected) in [("end", "lag"), ("x", "x"), ("(intercept)", "(intercept)")] {
                let of = |c: &CoefficientInference| [c.estimate, c.standard_error.unwrap(), c.z.unwrap()];
                let (found, expected) = (of(coefficient(&near, found)), of(coefficient(&clear, expected)));
                assert_close(&found, &expected, 1e-5, 0.0);
            }
            assert_close(
                &[
                    near.log_likelihood.unwrap(),
                    near.aic.unwrap(),
                    near.mcfadden_r2.unwrap(),
                    near.parameters as f64,
                ],
                &[
                    clear.log_likelihood.unwrap(),
                    clear.aic.unwrap(),
                    clear.mcfadden_r2.unwrap(),
                    clear.parameters as f64,
                ],
                1e-8,
                0.0,
            );
            let start = coefficient(&near, "start").estimate + coefficient(&near, "end").estimate;
            let error = coefficient(&clear, "start").standard_error.unwrap();
            assert_close(&[start], &[coefficient(&clear, "start").estimate], 0.0, 1e-3 * error);
            // The variance inflation factor is the inverse of the share of variance that the others leave
            // unexplained.
            let vif = coefficient(&near, "end").vif.unwrap();
            assert!(vif > 1e12 && vif < 1e17, "{vif}");
        }
    }
}

/// `end` is nearly `start`, and `other` is `end + x`, so both have the same remainder after `start` and `x`.
#[test]
fn columns_that_leave_the_same_remainder_are_one_remainder_and_an_alias() {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut StdRng::seed_from_u64(5);
    let start: Vec<f64> = (0..ROWS).map(|_| 1.3e9 + (3e8 * rng.random::<f64>()).round()).collect();
    let lag: Vec<f64> = (0..ROWS).map(|_| (60.0 * 64.0 * rng.random::<f64>()).round() / 64.0).collect();
    // On the scale of the times, so that the sum is exact.
    let x: Vec<f64> = (0..ROWS).map(|_| (4e8 * rng.random::<f64>()).round()).collect();
    let y = float_column((0..ROWS).map(|i| {
        let z = 4.0 * lag[i] / 60.0 - 2.0 + x[i] / 4e8 - 0.5;
        f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-z).exp())))
    }));
    let end: Vec<f64> = (0..ROWS).map(|i| start[i] + lag[i]).collect();
    let other = (0..ROWS).map(|i| end[i] + x[i]);
    let [three, four] = ["three.parquet", "four.parquet"].map(|name| folder.path().join(name));
    let shared = [
        ("start", float_column(start.clone())),
        ("x", float_column(x.clone())),
        ("end", float_column(end.clone())),
    ];
    write_parquet(&three, [shared.to_vec(), vec![("y", y.clone())]].concat());
    write_parquet(&four, [shared.to_vec(), vec![("other", float_column(other)), ("y", y)]].concat());
    let (three, four) = (statistics(&three, None), statistics(&four, None));
    assert!(three.aliased.is_empty(), "{:?}", three.aliased);
    assert_eq!(four.aliased, ["other"]);
    for name in ["end", "x", "(intercept)"] {
        let of = |c: &CoefficientInference| [c.estimate, c.standard_error.unwrap()];
        let (found, expected) = (of(coefficient(&four, name)), of(coefficient(&three, name)));
        assert_close(&found, &expected, 1e-5, 0.0);
    }
    assert_close(&[four.log_likelihood.unwrap()], &[three.log_likelihood.unwrap()], 1e-8, 0.0);
}

/// Two columns that differ by a ten-thousandth. Their coefficients have large standard errors, and can move
/// within these without moving any row's linear predictor.
#[test]
fn a_model_that_has_arrived_has_statistics_however_close_its_columns_are() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut column = || -> Vec<f64> { (0..20_000).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect() };
        let (x, own, w, u) = (column(), column(), column(), column());
        let near = (0..20_000).map(|i| x[i] + 1e-4 * own[i]);
        let y = (0..20_000).map(|i| f64::from(u8::from(u[i] < 2.0 / (1.0 + (-x[i] - w[i]).exp()) - 1.0)));
        let path = folder.path().join("t.parquet");
        let columns = vec![
            ("x", float_column(x.iter().copied())),
            ("near", float_column(near)),
            ("w", float_column(w.iter().copied())),
            ("y", float_column(y)),
        ];
        write_parquet(&path, columns);
        // A coarser tolerance leaves a larger distance along their common direction.
        let found = statistics_within(1e-6, &path, None);
        assert!(found.separation.suspected.is_empty(), "{:?}", found.separation);
        assert!(found.coefficients.iter().all(|c| c.standard_error.is_some()), "seed {seed}: {found:?}");
        assert!(found.log_likelihood.is_some());
    }
}
