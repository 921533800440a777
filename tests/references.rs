//! Compares trained objectives with float64 optima that another program found.
//!
//! `tests/fixtures/optima.json` has the optima for the tables of the repository. With `LOGODDS_SHARED`,
//! larger tables are tested, too.

use std::path::Path;

use logodds::config::{Device, Solver, TrainConfig};
use logodds::observer::Silent;
use logodds::train::train;
use serde_json::Value;

/// The relative amount by which a model's objective may exceed the reference.
const EXCESS: f64 = 1e-6;

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str()).map(Into::into).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), Into::into)
}

/// One fit of a reference: the settings, and the objective of each class.
struct Fit {
    config: TrainConfig,
    optima: Vec<(String, f64)>,
}

fn fits(table: &Path, reference: &Value) -> Vec<Fit> {
    let mut fits = Vec::new();
    let columns = &reference["columns"];
    for (list, label) in [("binary", "label"), ("one_vs_rest", "multiclass_label")] {
        let label = &reference[label];
        for fit in reference[list].as_array().into_iter().flatten() {
            let number = |key: &str| fit[key].as_f64().expect(key);
            let mut exclude = strings(&columns["unused"]);
            for other in ["label", "multiclass_label"] {
                let column = &reference[other]["column"];
                if column.is_string() && column != &label["column"] {
                    exclude.extend(column.as_str().map(Into::into));
                }
            }
            let optima = match fit["classes"].as_array() {
                None => vec![(text(&label["positive"]), number("objective"))],
                Some(classes) => classes
                    .iter()
                    .map(|c| (text(&c["class"]), c["objective"].as_f64().expect("an objective")))
                    .collect(),
            };
            let config = TrainConfig {
                data: vec![table.display().to_string()],
                target: label["column"].as_str().map(Into::into),
                positive: (!label["positive"].is_null()).then(|| text(&label["positive"])),
                exclude,
                l1: Some(number("lambda") * number("alpha")),
                l2: Some(number("lambda") * (1.0 - number("alpha"))),
                ..TrainConfig::default()
            };
            fits.push(Fit { config, optima });
        }
    }
    fits
}

fn check(table: &Path, reference: &Value, solver: Solver, device: Device) {
    let fits = fits(table, reference);
    assert!(!fits.is_empty(), "{} has no reference fit", table.display());
    for Fit { config, optima } in fits {
        let what = format!("{}, {solver}, {device}, l1 {:?}, l2 {:?}", table.display(), config.l1, config.l2);
        let config = TrainConfig { solver: Some(solver), device: Some(device), ..config };
        let trained = train(&config.check().unwrap(), &Silent).unwrap();
        for (class, optimum) in optima {
            let model = trained.model.models.iter().find(|m| m.class == class).expect("a model of the class");
            assert!(model.converged, "{what}, class {class}: residual {}", model.kkt_residual);
            let excess = (model.objective - optimum) / optimum;
            // Panels are float32, which changes the optimum itself by about 1e-8.
            assert!(
                excess.abs() <= EXCESS,
                "{what}, class {class}: {} found, {optimum} known",
                model.objective
            );
            if let Some(gap) = model.duality_gap {
                assert!(
                    model.objective - gap <= optimum * (1.0 + EXCESS),
                    "{what}, class {class}: gap {gap}"
                );
            }
        }
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a reference")).expect("JSON")
}

const SHIPPED: [&str; 4] = ["breast_cancer", "digits", "iris", "wine"];

fn check_shipped(solver: Solver, device: Device) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let optima = read(&root.join("tests/fixtures/optima.json"));
    for set in SHIPPED {
        check(&root.join("data").join(set).join("train.parquet"), &optima[set], solver, device);
    }
}

#[test]
fn every_solver_reaches_the_known_optima_of_the_shipped_tables() {
    for solver in [Solver::Auto, Solver::Newton, Solver::Lbfgs] {
        check_shipped(solver, Device::Cpu);
    }
}

#[test]
fn mini_batch_descent_converges_where_float32_objectives_differ_by_rounding_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let optima = read(&root.join("tests/fixtures/optima.json"));
    let table = root.join("data/breast_cancer/train.parquet");
    // Nearly separable with a small penalty: the objective is 0.02, and scores reach 20.
    let fit = fits(&table, &optima["breast_cancer"])
        .into_iter()
        .find(|fit| fit.config.l1 == Some(1e-4))
        .expect("the L1 fit with the smallest penalty");
    let config = TrainConfig { solver: Some(Solver::Sgd), device: Some(Device::Cpu), ..fit.config };
    let trained = train(&config.check().unwrap(), &Silent).unwrap();
    let model = &trained.model.models[0];
    assert!(model.converged, "residual {}", model.kkt_residual);
    let excess = model.objective / fit.optima[0].1 - 1.0;
    assert!(excess.abs() <= EXCESS, "excess {excess}");
}

#[test]
fn the_software_adapter_reaches_the_known_optima_of_the_shipped_tables() {
    if crate::gpu::software().is_some() {
        check_shipped(Solver::Auto, Device::Software);
    }
}

fn check_shared(sets: &[&str], device: Device) {
    let Some(shared) = std::env::var_os("LOGODDS_SHARED") else {
        eprintln!("skipped: LOGODDS_SHARED is not set");
        return;
    };
    for set in sets {
        let folder = Path::new(&shared).join("data").join(set);
        check(&folder.join("train.parquet"), &read(&folder.join("reference.json")), Solver::Auto, device);
    }
}

#[test]
fn larger_tables_reach_their_known_optima() {
    check_shared(&["adult", "covertype", "higgs_small", "leukemia", "spam"], Device::Cpu);
}

#[test]
fn larger_tables_reach_their_known_optima_on_the_software_adapter() {
    if crate::gpu::software().is_some() {
        check_shared(&["higgs_small", "leukemia", "spam"], Device::Software);
    }
}

#[test]
fn a_tiny_penalty_on_rare_levels_takes_some_dozen_iterations() {
    let Some(shared) = std::env::var_os("LOGODDS_SHARED") else {
        eprintln!("skipped: LOGODDS_SHARED is not set");
        return;
    };
    // A sample of the rows lacks some levels, and shows no curvature for their coefficients.
    let table = Path::new(&shared).join("data/adult/train.parquet");
    let config = TrainConfig {
        data: vec![table.display().to_string()],
        target: Some("income".into()),
        l1: Some(0.0),
        l2: Some(2e-7),
        device: Some(Device::Cpu),
        ..TrainConfig::default()
    };
    let trained = train(&config.check().unwrap(), &Silent).unwrap();
    let model = &trained.model.models[0];
    assert!(model.converged && model.iterations <= 60, "{} iterations", model.iterations);
}
