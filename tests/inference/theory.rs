//! Properties that hold for any table.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
use logodds::config::{Device, Solver, TrainConfig};
use logodds::inference::{Covariance, Inference, InferenceOptions, Robust, Status, infer};
use logodds::model::Model;
use logodds::observer::Silent;
use logodds::train::train;
use parquet::arrow::ArrowWriter;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::assert_close;

/// Rows of a mixed table: a number, levels, a weight and a class. `write` adds a copy of the number on
/// another scale.
struct Table {
    x: Vec<f64>,
    level: Vec<&'static str>,
    weight: Vec<f64>,
    y: Vec<bool>,
}

fn table(n: usize) -> Table {
    let mut rng = StdRng::seed_from_u64(5);
    let mut table = Table { x: Vec::new(), level: Vec::new(), weight: Vec::new(), y: Vec::new() };
    for i in 0..n {
        let x = 3.0 * rng.random::<f64>() + 100.0;
        let k = i % 3;
        let z = 1.5 * (x - 101.5) + [0.0, 0.7, -0.4][k];
        table.x.push(x);
        table.level.push(["a", "b", "c"][k]);
        table.weight.push(f64::from(rng.random_range(0..4u8)));
        table.y.push(rng.random::<f64>() < 1.0 / (1.0 + (-z).exp()));
    }
    table
}

impl Table {
    fn write(&self, path: &Path) {
        self.write_with(path, self.x.iter().map(|x| 5.0 - 0.25 * x).collect());
    }

    /// Writes the table with these values in place of the copy.
    fn write_with(&self, path: &Path, copy: Vec<f64>) {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("x", Arc::new(Float64Array::from(self.x.clone()))),
            ("copy", Arc::new(Float64Array::from(copy))),
            ("level", Arc::new(StringArray::from(self.level.clone()))),
            ("weight", Arc::new(Float64Array::from(self.weight.clone()))),
            ("y", Arc::new(BooleanArray::from(self.y.clone()))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    /// Repeats each row as often as its weight.
    fn repeated(&self) -> Self {
        let rows: Vec<usize> =
            (0..self.x.len()).flat_map(|i| std::iter::repeat_n(i, self.weight[i] as usize)).collect();
        Self {
            x: rows.iter().map(|&i| self.x[i]).collect(),
            level: rows.iter().map(|&i| self.level[i]).collect(),
            weight: vec![1.0; rows.len()],
            y: rows.iter().map(|&i| self.y[i]).collect(),
        }
    }
}

fn fit(path: &Path, config: TrainConfig) -> (Model, Vec<String>) {
    let data = vec![path.display().to_string()];
    let config = TrainConfig {
        data: data.clone(),
        target: Some("y".into()),
        l1: Some(0.0),
        l2: config.l2.or(Some(0.0)),
        tolerance: Some(1e-11),
        device: Some(Device::Cpu),
        ..config
    };
    (train(&config.check().unwrap(), &Silent).unwrap().model, data)
}

fn errors(inference: &Inference) -> Vec<f64> {
    let estimated = inference.models[0].coefficients.iter().filter(|c| c.status == Status::Estimated);
    estimated.map(|c| c.standard_error.unwrap()).collect()
}

fn only(exclude: &[&str]) -> Vec<String> {
    exclude.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_weight_counts_its_row_that_often() {
    let folder = tempfile::tempdir().unwrap();
    let (weighted, repeated) = (folder.path().join("w.parquet"), folder.path().join("r.parquet"));
    table(900).write(&weighted);
    table(900).repeated().write(&repeated);
    let config =
        TrainConfig { exclude: only(&["copy"]), weight: Some("weight".into()), ..TrainConfig::default() };
    for robust in [None, Some(Robust::Hc0), Some(Robust::Hc1)] {
        let options =
            InferenceOptions { weight: Some("weight".into()), robust, ..InferenceOptions::default() };
        let [a, b] = [&weighted, &repeated].map(|path| {
            let (model, data) = fit(path, config.clone());
            infer(&model, &data, &options, &Silent).unwrap()
        });
        assert_eq!((a.rows, a.weight_sum), (900, b.rows as f64));
        // The mean and standard deviation of x, by which panels are standardised, are rounded differently.
        assert_close(&errors(&a), &errors(&b), 1e-6, 0.0);
        let (a, b) = (&a.models[0], &b.models[0]);
        let fit = |m: &logodds::inference::ModelInference| {
            [m.log_likelihood.unwrap(), m.aic.unwrap(), m.bic.unwrap()]
        };
        assert_close(&fit(a), &fit(b), 1e-9, 0.0);
    }
}

#[test]
fn a_copy_of_a_column_is_left_out_and_the_others_are_as_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    table(900).write(&path);
    let options = InferenceOptions::default();
    let [with, without] = [only(&["weight"]), only(&["weight", "copy"])].map(|exclude| {
        let (model, data) = fit(&path, TrainConfig { exclude, ..TrainConfig::default() });
        infer(&model, &data, &options, &Silent).unwrap()
    });
    assert_eq!(with.models[0].aliased, ["copy"]);
    assert!(with.models[0].warnings.is_empty(), "{:?}", with.models[0].warnings);
    assert_close(&errors(&with), &errors(&without), 1e-6, 0.0);
    let estimates = |inference: &Inference| -> Vec<f64> {
        let estimated = inference.models[0].coefficients.iter().filter(|c| c.status == Status::Estimated);
        estimated.map(|c| c.estimate).collect()
    };
    assert_close(&estimates(&with), &estimates(&without), 1e-6, 0.0);
}

#[test]
fn without_an_intercept_the_first_categorical_column_keeps_all_its_levels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mut t = table(900);
    // Columns are not standardised, so that no mean takes the place of an intercept. They are shifted to
    // values around 0, since float32 keeps fewer digits of a value near 100.
    t.x.iter_mut().for_each(|x| *x -= 101.0);
    t.write(&path);
    let config = |no_intercept| TrainConfig {
        exclude: only(&["weight", "copy"]),
        no_standardize: Some(true),
        no_intercept: Some(no_intercept),
        ..TrainConfig::default()
    };
    let (model, data) = fit(&path, config(true));
    let found = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap();
    assert!(found.references.is_empty());
    let names: Vec<&str> = found.models[0].coefficients.iter().map(|c| c.feature.as_str()).collect();
    assert_eq!(names, ["x", "level=a", "level=b", "level=c"]);
    // The plane is the same as with an intercept: x and its standard error are equal, and level=a equals
    // the intercept.
    let (model, data) = fit(&path, config(false));
    let other = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap();
    let [a, b] = [&found, &other].map(|inference| {
        let of = |name: &str| {
            let c = inference.models[0].coefficients.iter().find(|c| c.feature == name).unwrap();
            [c.estimate, c.standard_error.unwrap()]
        };
        [of("x"), of(if inference.references.is_empty() { "level=a" } else { "(intercept)" })].concat()
    });
    assert_close(&a, &b, 1e-6, 0.0);
}

#[test]
fn matrices_that_do_not_fit_together_give_the_same_in_several_readings() {
    let data =
        vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("data/wine/train.parquet").display().to_string()];
    let config = TrainConfig {
        data: data.clone(),
        target: Some("cultivar".into()),
        features: only(&["ash", "magnesium", "malic_acid"]),
        l1: Some(0.0),
        l2: Some(0.0),
        device: Some(Device::Cpu),
        ..TrainConfig::default()
    };
    let model = train(&config.check().unwrap(), &Silent).unwrap().model;
    let whole = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap();
    // Matrices are 4 x 4: five for each thread at the end, one for the table, and one for a model.
    let memory = 128 * (5 * rayon::current_num_threads() as u64 + 2);
    let options = InferenceOptions { memory: Some(memory), ..InferenceOptions::default() };
    assert_eq!(infer(&model, &data, &options, &Silent).unwrap(), whole);
}

#[test]
fn a_penalty_gives_the_posterior_and_no_p_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    table(900).write(&path);
    let config = |l2| TrainConfig {
        exclude: only(&["weight", "copy", "level"]),
        l2: Some(l2),
        ..TrainConfig::default()
    };
    let l2 = 0.05;
    let (model, data) = fit(&path, config(l2));
    let mut whole = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap();
    assert!(whole.references.is_empty(), "a penalty identifies every level");
    let found = whole.models.remove(0);
    assert_eq!(found.covariance, Covariance::Posterior);
    assert!(found.likelihood_ratio.is_none() && found.bic.is_none());
    assert!(found.coefficients.iter().all(|c| c.p_value.is_none() && c.z.is_none() && c.low.is_some()));
    // One standardised feature: the inverse of [[h11 + S l2, h12], [h12, h22]] by hand.
    let t = table(900);
    let (scale, mean) = (model.columns[0].scale.unwrap(), model.columns[0].mean.unwrap());
    let fitted = &model.models[0];
    let (mut h11, mut h12, mut h22) = (0.0, 0.0, 0.0);
    for x in &t.x {
        let z = fitted.intercept + fitted.coefficients[0] * x;
        let p = 1.0 / (1.0 + (-z).exp());
        let x = (x - mean) / scale;
        (h11, h12, h22) = (h11 + p * (1.0 - p) * x * x, h12 + p * (1.0 - p) * x, h22 + p * (1.0 - p));
    }
    let penalised = h11 + 900.0 * l2;
    let variance = h22 / (penalised * h22 - h12 * h12);
    let expected = [variance.sqrt() / scale, 2.0 - 900.0 * l2 * variance];
    assert_close(
        &[found.coefficients[1].standard_error.unwrap(), found.effective_parameters],
        &expected,
        1e-6,
        0.0,
    );
}

#[test]
fn a_level_that_meets_one_class_alone_is_named_and_the_others_keep_their_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mut t = table(900);
    for i in 0..6 {
        (t.level[i * 10], t.y[i * 10]) = ("d", true);
    }
    t.write(&path);
    let (model, data) =
        fit(&path, TrainConfig { exclude: only(&["weight", "copy"]), ..TrainConfig::default() });
    let found = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap().models.remove(0);
    assert_eq!(found.separation.features, ["level=d"]);
    assert!(found.separation.suspected.is_empty(), "{:?}", found.separation);
    let status = |name: &str| found.coefficients.iter().find(|c| c.feature == name).unwrap().status;
    assert_eq!(status("level=d"), Status::Separated);
    assert_eq!(status("level=b"), Status::Estimated);
    // As the reference, it makes every contrast infinite.
    let options = InferenceOptions { references: only(&["level=d"]), ..InferenceOptions::default() };
    let found = infer(&model, &data, &options, &Silent).unwrap().models.remove(0);
    let status = |name: &str| found.coefficients.iter().find(|c| c.feature == name).unwrap().status;
    assert_eq!((status("(intercept)"), status("level=b")), (Status::Separated, Status::Separated));
    assert_eq!(status("x"), Status::Estimated);
}

#[test]
fn of_two_levels_only_the_one_that_meets_one_class_alone_is_infinite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mut t = table(900);
    for i in 0..900 {
        t.level[i] = if i % 50 == 0 { "a" } else { "b" };
        t.y[i] |= i % 50 == 0;
    }
    t.write(&path);
    let (model, data) =
        fit(&path, TrainConfig { exclude: only(&["weight", "copy"]), ..TrainConfig::default() });
    let options = InferenceOptions { references: only(&["level=b"]), ..InferenceOptions::default() };
    let found = infer(&model, &data, &options, &Silent).unwrap().models.remove(0);
    assert_eq!(found.separation.features, ["level=a"]);
    let estimated = found.coefficients.iter().filter(|c| c.status == Status::Estimated);
    let names: Vec<&str> = estimated.map(|c| c.feature.as_str()).collect();
    assert_eq!(names, ["(intercept)", "x"]);
}

/// Rows of level `a` are all of one class. Among the others, x separates all rows except those where it is 0.
#[test]
fn rows_at_infinity_do_not_speak_against_a_separation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mut t = table(460);
    for i in 0..460 {
        t.level[i] = if i < 60 { "a" } else { "b" };
        t.x[i] = f64::from((i as i32 * 7) % 5 - 2);
        t.y[i] = i < 60 || t.x[i] > 0.0 || (t.x[i] == 0.0 && (i * 13) % 7 < 3);
    }
    let z = (0..460).map(|i| f64::from((i * 11) % 17)).collect();
    t.write_with(&path, z);
    let (model, data) = fit(&path, TrainConfig { exclude: only(&["weight"]), ..TrainConfig::default() });
    assert!(!model.models[0].converged);
    let found = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap().models.remove(0);
    assert_eq!(found.separation.features, ["level=a"]);
    assert_eq!(found.separation.suspected, ["x"], "{found:#?}");
    let of_z = found.coefficients.iter().find(|c| c.feature == "copy").unwrap();
    assert_eq!(of_z.status, Status::Estimated, "{:?}", found.warnings);
}

#[test]
fn a_model_that_stopped_before_its_optimum_has_no_statistics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    table(900).write(&path);
    let (model, data) = fit(
        &path,
        TrainConfig {
            exclude: only(&["weight", "copy"]),
            solver: Some(Solver::Sgd),
            epochs: Some(1),
            learning_rate: Some(0.01),
            ..TrainConfig::default()
        },
    );
    assert!(!model.models[0].converged);
    let found = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap().models.remove(0);
    assert!(found.separation.suspected.is_empty(), "{:?}", found.separation);
    assert!(found.coefficients.iter().all(|c| c.standard_error.is_none()), "{:?}", found.coefficients);
    assert_eq!((found.log_likelihood, found.aic), (None, None));
    assert!(
        found.warnings.iter().any(|warning| warning.contains("--max-iterations")),
        "{:?}",
        found.warnings
    );
}

#[test]
fn what_rows_of_certain_classes_tell_apart_is_not_aliased() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    // The classes overlap on the line x + copy = 0. Off the line, the sum separates them: its coefficient
    // is infinite.
    let mut t = table(900);
    let mut copy = Vec::new();
    for i in 0..900 {
        t.x[i] -= 101.5;
        let off = if i % 30 == 0 { [1.0, -1.0][(i / 30) % 2] } else { 0.0 };
        copy.push(off - t.x[i]);
        t.y[i] = if off == 0.0 { t.y[i] } else { off > 0.0 };
    }
    t.write_with(&path, copy);
    let (model, data) =
        fit(&path, TrainConfig { exclude: only(&["weight", "level"]), ..TrainConfig::default() });
    let found = infer(&model, &data, &InferenceOptions::default(), &Silent).unwrap().models.remove(0);
    assert!(found.aliased.is_empty(), "{:?}", found.aliased);
    assert_eq!((found.parameters, found.likelihood_ratio.unwrap().df), (3, 2));
    assert!(found.coefficients[1..].iter().all(|c| c.p_value.is_none()), "{:?}", found.coefficients);
    assert!(!found.warnings.is_empty());
}

#[test]
fn the_software_adapter_gives_standard_errors_to_the_precision_of_its_products() {
    if crate::gpu::software().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    table(900).write(&path);
    let (model, data) = fit(&path, TrainConfig { exclude: only(&["weight"]), ..TrainConfig::default() });
    let on = |device| {
        infer(&model, &data, &InferenceOptions { device, ..InferenceOptions::default() }, &Silent).unwrap()
    };
    let (host, software) = (on(Device::Cpu), on(Device::Software));
    assert!(software.device.starts_with("float32"), "{}", software.device);
    assert_eq!((&host.models[0].aliased, &software.models[0].aliased), (&only(&["copy"]), &only(&["copy"])));
    // Products and curvatures are float32, and the condition number is a few tens.
    assert_close(&errors(&software), &errors(&host), 1e-5, 0.0);
}
