//! Against coefficients that other programs found at given penalties: those of R's glmnet on the shipped tables
//! (`tests/fixtures/glmnet.json`), and those of glmnet and statsmodels that its suite stores (`stored.json`).

use std::path::Path;

use logodds::config::{Device, Solver, TrainConfig};
use logodds::model::Model;
use logodds::observer::Silent;
use logodds::train::train;
use serde_json::Value;

use crate::cli::support::{json, repository};
use crate::support::assert_close;

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(Into::into)
}

fn trained(config: TrainConfig, table: &Path, solver: Solver) -> Model {
    let config = TrainConfig {
        data: vec![table.display().to_string()],
        tolerance: Some(1e-10),
        solver: Some(solver),
        device: Some(Device::Cpu),
        ..config
    };
    train(&config.check().unwrap(), &Silent).unwrap().model
}

/// What the columns of these names are divided by.
fn scales(model: &Model, names: &[String]) -> Vec<f64> {
    let of = |name: &String| model.columns.iter().find(|column| column.name == *name).unwrap().scale;
    names.iter().map(|name| of(name).unwrap_or(1.0)).collect()
}

/// The intercept and the coefficients of these names, of the model of a class.
fn coefficients(model: &Model, class: &str, names: &[String]) -> (f64, Vec<f64>) {
    let found = model.models.iter().find(|m| m.class == class).unwrap();
    let of = |name: &String| found.coefficients[model.features.iter().position(|f| f == name).unwrap()];
    (found.intercept, names.iter().map(of).collect())
}

/// Relative, of objectives.
const CLOSE_OBJECTIVE: f64 = 1e-10;

/// Absolute, of intercepts and of coefficients per standard deviation: steps along flat directions gain glmnet less
/// than its threshold, 1e-14 of the null deviance, long before they end.
const CLOSE: f64 = 5e-4;

#[test]
fn every_solver_finds_the_coefficients_of_glmnet() {
    for case in json(&repository("tests/fixtures/glmnet.json"))["cases"].as_array().unwrap() {
        let table = case["table"].as_str().unwrap();
        let (class, features) = (case["class"].as_str().unwrap(), strings(&case["features"]));
        for fit in case["fits"].as_array().unwrap() {
            let number = |key: &str| fit[key].as_f64().unwrap();
            let (lambda, alpha) = (number("lambda"), number("alpha"));
            for solver in [Solver::Auto, Solver::Newton, Solver::Lbfgs] {
                let config = TrainConfig {
                    target: text(&case["target"]),
                    positive: (!table.contains("wine") && !table.contains("iris")).then(|| class.to_owned()),
                    weight: text(&case["weight"]),
                    features: features.clone(),
                    l1: Some(lambda * alpha),
                    l2: Some(lambda * (1.0 - alpha)),
                    no_standardize: Some(case["standardize"] == false),
                    no_intercept: Some(case["intercept"] == false),
                    ..TrainConfig::default()
                };
                let model = trained(config, &repository(table), solver);
                eprintln!("{table}, lambda {lambda}, alpha {alpha}, {solver}");
                let (intercept, found) = coefficients(&model, class, &features);
                let of_class = model.models.iter().find(|m| m.class == class).unwrap();
                let expected = numbers(&fit["coefficients"]);
                assert_close(&[of_class.objective], &[number("objective")], CLOSE_OBJECTIVE, 0.0);
                assert_close(&[intercept], &[number("intercept")], 0.0, CLOSE);
                let zeros = |w: &[f64]| w.iter().map(|&w| w == 0.0).collect::<Vec<_>>();
                assert_eq!(zeros(&found), zeros(&expected));
                let scales = scales(&model, &features);
                let per_sd = |w: &[f64]| w.iter().zip(&scales).map(|(w, sd)| w * sd).collect::<Vec<_>>();
                assert_close(&per_sd(&found), &per_sd(&expected), 0.0, CLOSE);
            }
        }
    }
}

/// Absolute: SLSQP, which statsmodels calls, stops that far from the optimum.
const CLOSE_TO_SLSQP: f64 = 3e-5;

/// Absolute: glmnet stopped where a step gained less than 1e-7 of the null deviance.
const CLOSE_TO_STORED: f64 = 1e-4;

#[test]
fn coefficients_that_the_suite_of_statsmodels_stores_are_found() {
    for case in json(&repository("tests/fixtures/stored.json"))["penalised"].as_array().unwrap() {
        eprintln!("{}, {}", case["command"], case["source"]);
        let name = case["table"].as_str().unwrap();
        let table = repository("tests/fixtures/stored").join(format!("{name}.parquet"));
        let mut features = strings(&case["features"]);
        let factors = numbers(&case["factors"]);
        let mut expected: Vec<f64> =
            numbers(&case["estimate"]).iter().zip(factors).map(|(w, factor)| w * factor).collect();
        let intercept = (features.last().unwrap() == "(intercept)").then(|| {
            features.pop();
            expected.pop().unwrap()
        });
        let config = TrainConfig {
            target: text(&case["target"]),
            features: features.clone(),
            l1: case["l1"].as_f64(),
            l2: case["l2"].as_f64(),
            no_standardize: Some(true),
            no_intercept: Some(intercept.is_none()),
            ..TrainConfig::default()
        };
        let model = trained(config, &table, Solver::Auto);
        let (found, w) = coefficients(&model, case["positive"].as_str().unwrap(), &features);
        let close = if case["program"] == "glmnet" { CLOSE_TO_STORED } else { CLOSE_TO_SLSQP };
        assert_close(&[found], &[intercept.unwrap_or(0.0)], 0.0, close);
        assert_close(&w, &expected, 0.0, close);
    }
}
