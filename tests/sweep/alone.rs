//! Each model of the stack equals the one that is trained alone on the rows of its fold.

use logodds::config::{ClassWeight, MemorySize, Strengths, TrainConfig, TuneSettings};
use logodds::data::FoldName;
use logodds::model::Model;
use logodds::observer::Silent;
use logodds::sweep::Tuned;
use logodds::train::train;
use tempfile::tempdir;

use super::table::{FOLDS, config, fold, shipped, tune, write};
use crate::support::assert_close;

/// Coefficients as a path has them: those of the columns as they are, for columns that are not standardised.
fn columns(models: &[Model]) -> Vec<f64> {
    let n = models.len() as f64;
    let features = models[0].features.len();
    let sum = |j: usize| models.iter().map(|model| model.models[0].coefficients[j]).sum::<f64>();
    (0..features).map(|j| sum(j) / n).collect()
}

/// Features of like scale, so that nothing needs to be standardised: that would be done on the rows of each table.
fn settings() -> TuneSettings {
    TuneSettings {
        lambdas: Some(Strengths::Values(vec![0.05, 0.005])),
        l1_ratios: vec![0.0, 0.5, 1.0],
        ..TuneSettings::default()
    }
}

fn check(tuned: &Tuned, base: &TrainConfig, alone: &dyn Fn(&FoldName, &TrainConfig) -> Model) {
    let folds = tuned.report.folds.clone();
    for point in &tuned.path {
        let config = TrainConfig { l1: Some(point.l1), l2: Some(point.l2), ..base.clone() };
        let models: Vec<Model> = folds.iter().map(|fold| alone(fold, &config)).collect();
        for (name, model) in folds.iter().zip(&models) {
            let is_it = |row: &&logodds::model::SweepRow| {
                row.fold.as_ref() == Some(name) && row.l1 == point.l1 && row.l2 == point.l2
            };
            let row = tuned.table().results.iter().find(is_it).expect("a row of the results");
            let objective = model.models[0].objective;
            assert!(row.converged && row.kkt_residual <= 1e-6, "{row:?}");
            assert!((row.objective / objective - 1.0).abs() < 1e-6, "{row:?}, alone {objective}");
            // Without L1, a column that is constant outside the fold has a coefficient that is 0 to rounding only.
            assert!(row.l1 == 0.0 || row.nonzero == model.models[0].nonzero, "{row:?}");
        }
        assert_close(&point.coefficients, &columns(&models), 1e-4, 1e-4);
    }
}

#[test]
fn a_fold_held_out_is_a_table_without_its_rows() {
    let folder = tempdir().unwrap();
    let batch = shipped("digits");
    for class_weight in [ClassWeight::None, ClassWeight::Balanced] {
        let base = TrainConfig {
            no_standardize: Some(true),
            class_weight: Some(class_weight),
            exclude: vec!["pixel_0_0".into()],
            ..config(&write_binary(folder.path(), &batch, &|_| true), "is_three")
        };
        let sweep = TuneSettings { fold_column: Some("fold".into()), ..settings() };
        let tuned = tune(base.clone(), sweep);
        assert_eq!(tuned.table().results.len(), 2 * 3 * FOLDS as usize + 1);
        check(&tuned, &base, &|name, config| {
            let FoldName::Number(held_out) = name else { panic!("folds are numbers here") };
            let path = write_binary(folder.path(), &batch, &|row| fold(row) != *held_out);
            let exclude = vec!["pixel_0_0".into(), "fold".into()];
            let config = TrainConfig { data: vec![path.display().to_string()], exclude, ..config.clone() };
            train(&config.check().unwrap(), &Silent).unwrap().model
        });
    }
}

/// Whether a digit is a three, with the fold; pixels divided by nothing: they are from 0 to 16.
fn write_binary(
    folder: &std::path::Path,
    batch: &arrow::array::RecordBatch,
    keep: &dyn Fn(usize) -> bool,
) -> std::path::PathBuf {
    use arrow::array::AsArray;
    let digit =
        arrow::compute::cast(batch.column_by_name("digit").unwrap(), &arrow::datatypes::DataType::Int64)
            .unwrap();
    let digit = digit.as_primitive::<arrow::datatypes::Int64Type>().clone();
    let features: Vec<usize> =
        (0..batch.num_columns()).filter(|&i| batch.schema().field(i).name() != "digit").collect();
    let features = batch.project(&features).unwrap();
    let name =
        format!("{}.parquet", features.num_rows() + (0..features.num_rows()).filter(|&r| keep(r)).count());
    let is_three = |row: usize| i64::from(digit.value(row) == 3);
    write(&folder.join(name), &features, &[("is_three", &is_three), ("fold", &fold)], keep)
}

#[test]
fn forward_chaining_learns_from_the_past_alone() {
    let folder = tempdir().unwrap();
    let batch = shipped("breast_cancer");
    let n = batch.num_rows();
    // Times in no order, two rows to each.
    let time = |row: usize| (row as i64 * 7919 % n as i64) / 2;
    let path = write(&folder.path().join("t.parquet"), &batch, &[("time", &time)], &|_| true);
    let features = vec!["worst_radius".into(), "mean_texture".into(), "worst_smoothness".into()];
    let base =
        TrainConfig { features: features.clone(), no_standardize: Some(true), ..config(&path, "diagnosis") };
    let sweep = TuneSettings { time: Some("time".into()), folds: Some(3), ..settings() };
    let tuned = tune(base.clone(), sweep);
    assert_eq!(tuned.report.folds, [1, 2, 3].map(FoldName::Number));
    // Four blocks of as many rows; equal times are in one.
    let mut times: Vec<i64> = (0..n).map(time).collect();
    times.sort_unstable();
    check(&tuned, &base, &|name, config| {
        let FoldName::Number(block) = name else { panic!("blocks are numbered") };
        let near = *block as usize * n / 4;
        let begin = (near.saturating_sub(2)..near + 3)
            .map(|at| times[at])
            .find(|&begin| {
                // The block's beginning: whichever cut near a quarter makes the number of rows known.
                let earlier = times.iter().filter(|&&t| t < begin).count();
                earlier.abs_diff(near) <= 1
            })
            .expect("a cut near the quarter");
        let path = write(
            &folder.path().join(format!("before-{block}.parquet")),
            &batch,
            &[("time", &time)],
            &|row| time(row) < begin,
        );
        let config = TrainConfig { data: vec![path.display().to_string()], ..config.clone() };
        train(&config.check().unwrap(), &Silent).unwrap().model
    });
}

#[test]
fn waves_of_a_few_models_give_what_one_wave_gives() {
    let folder = tempdir().unwrap();
    let path =
        write(&folder.path().join("t.parquet"), &shipped("breast_cancer"), &[("fold", &fold)], &|_| true);
    let sweep = TuneSettings { fold_column: Some("fold".into()), ..settings() };
    let base = config(&path, "diagnosis");
    let at_once = tune(base.clone(), sweep.clone());
    assert_eq!(at_once.report.waves, 2, "the grid, and the refit");
    let memory = Some("770kB".parse::<MemorySize>().unwrap());
    let in_waves = tune(TrainConfig { memory, ..base }, sweep);
    assert!(in_waves.report.waves > 5, "{}", in_waves.report.waves);
    for (a, b) in at_once.table().results.iter().zip(&in_waves.table().results) {
        assert_eq!((&a.fold, a.l1, a.l2), (&b.fold, b.l1, b.l2));
        assert!((a.objective / b.objective - 1.0).abs() < 1e-6, "{a:?} and {b:?}");
        assert_eq!(a.nonzero, b.nonzero, "{a:?} and {b:?}");
    }
    assert_eq!(at_once.table().chosen, in_waves.table().chosen);
}
