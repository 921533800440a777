//! Compares with statsmodels (`tests/fixtures/inference.json`), on the tables of the repository and, with
//! `LOGODDS_SHARED`, on larger ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use logodds::config::{Device, TrainConfig};
use logodds::inference::{InferenceOptions, ModelInference, Robust, Status, infer};
use logodds::observer::Silent;
use logodds::train::train;
use serde_json::Value;

use crate::cli::support::{float_column, text_column, write_parquet};
use crate::support::assert_close;

/// Relative tolerance of estimates, standard errors and statistics.
const CLOSE: f64 = 1e-6;

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/inference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The table of a case. None if it is a shared table, and these are not available.
fn table(case: &Value) -> Option<PathBuf> {
    let root = if case["shared"].as_bool() == Some(true) {
        PathBuf::from(std::env::var_os("LOGODDS_SHARED")?)
    } else {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    };
    Some(root.join("data").join(case["table"].as_str().unwrap()).join("train.parquet"))
}

fn check(case: &Value, table: &Path) {
    let data = vec![table.display().to_string()];
    let classes = strings(&case["classes"]);
    let config = TrainConfig {
        data: data.clone(),
        target: case["target"].as_str().map(Into::into),
        features: strings(&case["features"]),
        categorical: strings(&case["categorical"]),
        weight: case["weight"].as_str().map(Into::into),
        l1: Some(0.0),
        l2: Some(0.0),
        // Estimates are compared, too.
        tolerance: Some(1e-11),
        device: Some(Device::Cpu),
        ..TrainConfig::default()
    };
    let model = train(&config.check().unwrap(), &Silent).unwrap().model;
    let references = case["reference"].as_object().into_iter().flatten();
    let options = InferenceOptions {
        weight: case["weight"].as_str().map(Into::into),
        references: references
            .map(|(column, level)| format!("{column}={}", level.as_str().unwrap()))
            .collect(),
        classes,
        ..InferenceOptions::default()
    };
    let found = infer(&model, &data, &options, &Silent).unwrap();
    assert_eq!(found.rows as u64, case["rows"].as_u64().unwrap());
    let robust = |kind| {
        let options = InferenceOptions { robust: Some(kind), ..options.clone() };
        infer(&model, &data, &options, &Silent).unwrap()
    };
    let (hc0, hc1) = (robust(Robust::Hc0), robust(Robust::Hc1));
    for (m, expected) in case["models"].as_array().unwrap().iter().enumerate() {
        check_model(&found.models[m], expected, &strings(&case["aliased"]));
        for (key, robust) in [("hc0", &hc0), ("hc1", &hc1)] {
            assert_close(
                &of(&robust.models[m], expected, |c| c.standard_error),
                &numbers(&expected[key]),
                CLOSE,
                0.0,
            );
        }
    }
}

/// A value of each coefficient that statsmodels reports, in its order.
fn of(
    model: &ModelInference,
    expected: &Value,
    value: impl Fn(&logodds::inference::CoefficientInference) -> Option<f64>,
) -> Vec<f64> {
    let named = |name: &String| {
        let found = model.coefficients.iter().find(|c| c.feature == *name);
        value(found.unwrap_or_else(|| panic!("no coefficient {name}"))).unwrap_or(f64::NAN)
    };
    strings(&expected["features"]).iter().map(named).collect()
}

fn check_model(found: &ModelInference, expected: &Value, aliased: &[String]) {
    assert_eq!(found.class, expected["class"].as_str().unwrap());
    assert_eq!(found.warnings, [] as [&str; 0]);
    assert_eq!(found.aliased, aliased);
    let names = strings(&expected["features"]);
    let estimated = found.coefficients.iter().filter(|c| c.status == Status::Estimated).count();
    assert_eq!((estimated, found.parameters), (names.len(), names.len()));
    let errors = numbers(&expected["standard_error"]);
    // The error of an estimate near 0 is relative to its standard error.
    for (key, value) in [
        ("estimate", of(found, expected, |c| Some(c.estimate))),
        ("low", of(found, expected, |c| c.low)),
        ("high", of(found, expected, |c| c.high)),
    ] {
        for ((found, expected), error) in value.iter().zip(numbers(&expected[key])).zip(&errors) {
            assert_close(&[*found], &[expected], CLOSE, CLOSE * error);
        }
    }
    assert_close(&of(found, expected, |c| c.standard_error), &errors, CLOSE, 0.0);
    assert_close(&of(found, expected, |c| c.z), &numbers(&expected["z"]), CLOSE, CLOSE);
    // ln p is about -z^2 / 2, so its relative error is twice the relative error of z.
    let (p, log10) = (of(found, expected, |c| c.p_value), of(found, expected, |c| c.log10_p_value));
    let p_expected = numbers(&expected["p_value"]);
    assert_close(&p, &p_expected, 1e-3, 0.0);
    for (log10, expected) in log10.iter().zip(&p_expected).filter(|(_, p)| **p > 1e-300) {
        assert_close(&[*log10], &[expected.log10()], 3.0 * CLOSE, CLOSE);
    }
    assert_close(&of(found, expected, |c| c.vif)[1..], &numbers(&expected["vif"]), CLOSE, 0.0);
    let test = found.likelihood_ratio.unwrap();
    let number = |key: &str| expected[key].as_f64().unwrap();
    assert_eq!(test.df, names.len() - 1);
    assert_close(
        &[
            found.log_likelihood.unwrap(),
            found.null_log_likelihood,
            test.chi2,
            found.mcfadden_r2.unwrap(),
            found.aic.unwrap(),
            found.bic.unwrap(),
            found.condition_number.unwrap(),
        ],
        &[
            number("log_likelihood"),
            number("null_log_likelihood"),
            2.0 * (number("log_likelihood") - number("null_log_likelihood")),
            1.0 - number("log_likelihood") / number("null_log_likelihood"),
            number("aic"),
            number("bic"),
            number("condition_number"),
        ],
        CLOSE,
        0.0,
    );
}

#[test]
fn every_statistic_is_that_of_statsmodels() {
    let fixture = fixture();
    let cases = fixture["cases"].as_array().unwrap();
    let mut checked = 0;
    for case in cases {
        if let Some(table) = table(case) {
            check(case, &table);
            checked += 1;
        }
    }
    if checked < cases.len() {
        eprintln!("skipped: {} tables, LOGODDS_SHARED is not set", cases.len() - checked);
    }
    assert!(checked >= 4, "the shipped tables are always here");
}

#[test]
fn what_separation_leaves_finite_is_that_of_statsmodels_whatever_the_tolerance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    // As in `separated` of the fixture's generator: one level, and false, occur in one class only.
    let number = |i: usize| (i * 37 % 101) as f64 / 25.0 - 2.0;
    let level = |i: usize| match i {
        i if i % 40 == 0 => "rare",
        i if i % 3 == 0 => "u",
        _ => "v",
    };
    let flag = |i: usize| i % 25 != 7;
    let score = |i: usize| {
        number(i) + if i.is_multiple_of(3) { 0.5 } else { -0.3 } + (i * 53 % 97) as f64 / 20.0 - 2.4
    };
    let label = |i: usize| if score(i) > 0.0 || i.is_multiple_of(40) || !flag(i) { "yes" } else { "no" };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("number", float_column((0..400).map(number))),
        ("level", text_column((0..400).map(level))),
        ("flag", Arc::new(BooleanArray::from_iter((0..400).map(|i| Some(flag(i)))))),
        ("y", text_column((0..400).map(label))),
    ];
    write_parquet(&path, columns);
    let data = vec![path.display().to_string()];
    for tolerance in [1e-5, 1e-9, 1e-12] {
        let config = TrainConfig {
            data: data.clone(),
            target: Some("y".into()),
            l1: Some(0.0),
            l2: Some(0.0),
            tolerance: Some(tolerance),
            device: Some(Device::Cpu),
            ..TrainConfig::default()
        };
        let model = train(&config.check().unwrap(), &Silent).unwrap().model;
        for expected in fixture()["separated"].as_array().unwrap() {
            let reference = expected["reference"].as_str().unwrap().to_owned();
            let options =
                InferenceOptions { references: vec![reference.clone()], ..InferenceOptions::default() };
            let found = infer(&model, &data, &options, &Silent).unwrap().models.remove(0);
            let estimated = found.coefficients.iter().filter(|c| c.status == Status::Estimated);
            let names: Vec<&str> = estimated.map(|c| c.feature.as_str()).collect();
            assert_eq!(names, strings(&expected["features"]), "{tolerance}");
            assert!(found.aliased.is_empty() && found.separation.suspected.is_empty(), "{:?}", found.aliased);
            assert_eq!(found.separation.features, ["level=rare", "flag"]);
            assert_eq!(
                found.warnings.iter().any(|text| text.contains("--reference")),
                reference == "level=rare"
            );
            assert_eq!(found.likelihood_ratio.unwrap().df as u64, expected["df"].as_u64().unwrap());
            let number = |key: &str| expected[key].as_f64().unwrap();
            // Both likelihoods still rise slightly towards infinity, within the tolerances.
            assert_close(
                &[found.log_likelihood.unwrap(), found.aic.unwrap(), found.bic.unwrap()],
                &[number("log_likelihood"), number("aic"), number("bic")],
                CLOSE + 10.0 * tolerance,
                0.0,
            );
            let close = CLOSE + 100.0 * tolerance;
            assert_close(
                &of(&found, expected, |c| Some(c.estimate)),
                &numbers(&expected["estimate"]),
                close,
                0.0,
            );
            assert_close(
                &of(&found, expected, |c| c.standard_error),
                &numbers(&expected["standard_error"]),
                close,
                0.0,
            );
        }
    }
}
