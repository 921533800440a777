//! Compares with results of Stata and R that the test suite of statsmodels stores
//! (`tests/fixtures/stored.json`).

use logodds::config::{Device, TrainConfig};
use logodds::inference::{CoefficientInference, InferenceOptions, ModelInference, Robust, infer};
use logodds::observer::Silent;
use logodds::train::train;
use serde_json::Value;

use crate::cli::support::{json, repository};
use crate::support::assert_close;

/// Relative tolerance of estimates and likelihoods. Stata stops when a step changes estimates by less than
/// 1e-6, so seven of its digits are those of the optimum. R prints eight decimals.
const CLOSE: f64 = 1e-6;

/// Relative tolerance of R's standard errors, which R computes at the estimates before its last step.
const CLOSE_ERRORS_OF_R: f64 = 2e-5;

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(Into::into)
}

/// Checks the numbers found against the value of `key` in the case, if it has one.
#[track_caller]
fn check(case: &Value, key: &str, found: &[Option<f64>], rtol: f64, atol: f64) {
    let expected = match &case[key] {
        Value::Null => return,
        Value::Array(list) => list.iter().map(|v| v.as_f64().unwrap()).collect(),
        number => vec![number.as_f64().unwrap()],
    };
    let found: Vec<f64> = found.iter().map(|value| value.expect(key)).collect();
    assert_close(&found, &expected, rtol, atol);
}

fn check_model(case: &Value, found: &ModelInference, robust: &ModelInference, rows: usize) {
    let of = |model: &ModelInference, value: &dyn Fn(&CoefficientInference) -> Option<f64>| -> Vec<_> {
        let one = |name: &String| model.coefficients.iter().find(|c| c.feature == *name).and_then(value);
        strings(&case["features"]).iter().map(one).collect()
    };
    let close_errors = if case["program"] == "R" { CLOSE_ERRORS_OF_R } else { CLOSE };
    check(case, "estimate", &of(found, &|c| Some(c.estimate)), CLOSE, 0.0);
    check(case, "standard_error", &of(found, &|c| c.standard_error), close_errors, 0.0);
    // Stata's sandwich of a maximum-likelihood fit is n / (n - 1) times White's, for any number of
    // parameters.
    let n = rows as f64;
    let error = |c: &CoefficientInference| c.standard_error.map(|error| error * (n / (n - 1.0)).sqrt());
    check(case, "robust", &of(robust, &error), CLOSE, 0.0);
    if case["robust"].is_null() {
        check(case, "z", &of(found, &|c| c.z), CLOSE, 0.0);
        check(case, "p_value", &of(found, &|c| c.p_value), 10.0 * CLOSE, 0.0);
        check(case, "low", &of(found, &|c| c.low), CLOSE, CLOSE);
        check(case, "high", &of(found, &|c| c.high), CLOSE, CLOSE);
    }
    let test = found.likelihood_ratio;
    for (key, value) in [
        ("log_likelihood", found.log_likelihood),
        ("null_log_likelihood", Some(found.null_log_likelihood)),
        ("chi2", test.map(|test| test.chi2)),
        ("chi2_p_value", test.map(|test| test.p_value)),
        ("mcfadden_r2", found.mcfadden_r2),
        ("aic", found.aic),
        ("bic", found.bic),
    ] {
        check(case, key, &[value], CLOSE, 0.0);
    }
}

#[test]
fn what_stata_and_r_printed_is_found() {
    for case in json(&repository("tests/fixtures/stored.json"))["unpenalised"].as_array().unwrap() {
        eprintln!("{}, {}", case["command"], case["source"]);
        let table =
            repository("tests/fixtures/stored").join(format!("{}.parquet", case["table"].as_str().unwrap()));
        let data = vec![table.display().to_string()];
        // A feature `column=level` stands for its whole column.
        let column = |name: &String| name.split('=').next().unwrap().to_owned();
        let mut features: Vec<String> = strings(&case["features"]).iter().map(column).collect();
        features.retain(|name| name != "(intercept)");
        features.dedup();
        let config = TrainConfig {
            data: data.clone(),
            target: text(&case["target"]),
            positive: text(&case["positive"]),
            weight: text(&case["weight"]),
            features,
            l1: Some(0.0),
            l2: Some(0.0),
            tolerance: Some(1e-11),
            device: Some(Device::Cpu),
            ..TrainConfig::default()
        };
        let model = train(&config.check().unwrap(), &Silent).unwrap().model;
        let options = InferenceOptions {
            weight: text(&case["weight"]),
            references: text(&case["reference"]).into_iter().collect(),
            ..InferenceOptions::default()
        };
        let found = infer(&model, &data, &options, &Silent).unwrap();
        let options = InferenceOptions { robust: Some(Robust::Hc0), ..options };
        let robust = infer(&model, &data, &options, &Silent).unwrap();
        check_model(case, &found.models[0], &robust.models[0], found.rows);
    }
}
