//! What is chosen, and what becomes of it.

use arrow::array::RecordBatch;
use logodds::config::{Device, Rule, Scoring, Strengths, TrainConfig, TuneConfig, TuneSettings};
use logodds::data::FoldName;
use logodds::observer::{Observer, Silent, SweepProgress};
use logodds::sweep::{Sweep, SweepRow};
use logodds::train::train;
use tempfile::tempdir;

use super::table::{FOLDS, config, fold, shipped, tune, write, write_wide};
use crate::support::assert_close;

fn shipped_config(name: &str, target: &str) -> TrainConfig {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name).join("train.parquet");
    config(&path, target)
}

#[test]
fn an_l1_path_begins_at_zero_and_its_model_is_the_one_trained_alone() {
    // The columns are nearly collinear: equal coefficients take a small residual.
    let base = TrainConfig { tolerance: Some(1e-9), ..shipped_config("breast_cancer", "diagnosis") };
    let sweep =
        TuneSettings { lambdas: Some(Strengths::Count(12)), l1_ratios: vec![1.0], ..TuneSettings::default() };
    let tuned = tune(base.clone(), sweep);
    let table = tuned.table();
    let largest = table.curve[0].l1;
    let first = table.results.iter().filter(|row| row.fold.is_some() && row.l1 == largest);
    assert!(first.clone().count() == 5 && first.clone().all(|row| row.nonzero == 0));
    // A thousandth less lets a feature in somewhere: it is the smallest penalty that zeroes all.
    let just_below = TuneSettings {
        lambdas: Some(Strengths::Values(vec![0.999 * largest])),
        l1_ratios: vec![1.0],
        ..TuneSettings::default()
    };
    let below = tune(base.clone(), just_below);
    assert!(below.table().results.iter().any(|row| row.nonzero > 0));
    let nonzero: Vec<f64> = table.curve.iter().filter_map(|point| point.nonzero).collect();
    assert!(nonzero[11] > nonzero[0], "{nonzero:?}");

    let chosen = &table.chosen[0];
    let alone = TrainConfig { l1: Some(chosen.l1), l2: Some(chosen.l2), ..base };
    let alone = train(&alone.check().unwrap(), &Silent).unwrap().model;
    let (found, expected) = (&tuned.model.models[0], &alone.models[0]);
    assert!(found.converged && (found.objective / expected.objective - 1.0).abs() < 1e-6);
    assert_close(&found.coefficients, &expected.coefficients, 1e-3, 1e-4);
    assert_eq!(found.nonzero, expected.nonzero);
    assert_eq!(tuned.model.penalty.unwrap().l1, chosen.l1);
}

#[test]
fn one_standard_error_takes_a_larger_penalty_that_is_as_good() {
    let base = shipped_config("breast_cancer", "diagnosis");
    let with = |rule| tune(base.clone(), TuneSettings { rule: Some(rule), ..TuneSettings::default() });
    let (best, simple) = (with(Rule::Best), with(Rule::OneStandardError));
    let point = |tuned: &logodds::sweep::Tuned| {
        tuned.table().curve.iter().find(|point| point.chosen).expect("a chosen point").clone()
    };
    let (best, simple) = (point(&best), point(&simple));
    assert!(best.best && !simple.best);
    assert!(simple.l2 > best.l2);
    assert!(simple.mean.unwrap() <= best.mean.unwrap() + best.standard_error.unwrap());
}

#[test]
fn each_class_may_take_its_own_penalty() {
    let base = shipped_config("wine", "cultivar");
    let sweep = TuneSettings { per_class: Some(true), ..TuneSettings::default() };
    let tuned = tune(TrainConfig { scoring: Some(Scoring::Brier), ..base.clone() }, sweep);
    let table = tuned.table();
    assert_eq!(table.chosen.len(), 3);
    assert!(tuned.model.penalty.is_none());
    for (choice, model) in table.chosen.iter().zip(&tuned.model.models) {
        assert_eq!(choice.class.as_ref(), Some(&model.class));
        assert_eq!(model.penalty.unwrap().l2, choice.l2);
        let best = table
            .curve
            .iter()
            .filter(|point| point.class == choice.class)
            .min_by(|a, b| a.mean.unwrap().total_cmp(&b.mean.unwrap()))
            .unwrap();
        assert_eq!(best.l2, choice.l2);
    }
    let l2: Vec<f64> = table.chosen.iter().map(|choice| choice.l2).collect();
    assert!(l2.iter().any(|x| *x != l2[0]), "the classes of this table differ: {l2:?}");
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.json");
    tuned.model.save(&path).unwrap();
    assert_eq!(logodds::model::Model::load(&path).unwrap(), tuned.model);
}

#[test]
fn a_path_that_has_passed_its_best_is_given_up() {
    let base = shipped_config("breast_cancer", "diagnosis");
    let sweep =
        TuneSettings { l1_ratios: vec![1.0], lambdas: Some(Strengths::Count(40)), ..TuneSettings::default() };
    let whole = tune(base.clone(), sweep.clone());
    let given_up = tune(base, TuneSettings { halving: Some(true), ..sweep });
    assert_eq!(whole.table().skipped, 0);
    let skipped = given_up.table().skipped;
    assert!(skipped > 0 && skipped.is_multiple_of(5), "{skipped}");
    assert_eq!(given_up.table().results.len() + skipped, whole.table().results.len());
    assert_eq!(given_up.table().chosen, whole.table().chosen);
}

fn column_of_text(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column =
        arrow::compute::cast(batch.column_by_name(name).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
    let column: &arrow::array::StringArray = arrow::array::AsArray::as_string(&column);
    column.iter().map(|text| text.unwrap().to_owned()).collect()
}

#[test]
fn folds_with_one_side_only_are_named_and_left_out() {
    let folder = tempdir().unwrap();
    let batch = shipped("breast_cancer");
    let diagnosis = column_of_text(&batch, "diagnosis");
    // Fold 9 holds benign rows only.
    let lopsided =
        |row: usize| if diagnosis[row] == "benign" && row.is_multiple_of(3) { 9 } else { fold(row) };
    let path = write(&folder.path().join("t.parquet"), &batch, &[("fold", &lopsided)], &|_| true);
    let sweep = TuneSettings {
        fold_column: Some("fold".into()),
        lambdas: Some(Strengths::Values(vec![0.1, 0.01])),
        ..TuneSettings::default()
    };
    let by_ranks = |path| TrainConfig { scoring: Some(Scoring::Auc), ..config(path, "diagnosis") };
    let tuned = tune(by_ranks(&path), sweep.clone());
    let table = tuned.table();
    let (scored, unscored): (Vec<_>, Vec<_>) =
        table.results.iter().filter(|row| row.fold.is_some()).partition(|row| row.score.is_some());
    assert_eq!(unscored.len(), 2);
    assert!(unscored.iter().all(|row| row.fold == Some(FoldName::Number(9)) && row.converged));
    let mean = scored.iter().filter(|row| row.l2 == 0.1).map(|row| row.score.unwrap()).sum::<f64>() / 4.0;
    assert!((table.curve[0].mean.unwrap() - mean).abs() < 1e-15);
    assert!(table.warnings.iter().any(|w| w.contains("fold 9") && w.contains("auc")), "{:?}", table.warnings);
    // It is said for sums as well, which have a value there.
    let by_loss = tune(config(&path, "diagnosis"), sweep.clone());
    assert!(by_loss.table().warnings.iter().any(|w| w.contains("fold 9")), "{:?}", by_loss.table().warnings);

    // All malignant rows in one fold: outside it there is nothing to learn.
    let hopeless = |row: usize| if diagnosis[row] == "malignant" { 7 } else { fold(row) };
    let path = write(&folder.path().join("h.parquet"), &batch, &[("fold", &hopeless)], &|_| true);
    let tuned = tune(config(&path, "diagnosis"), sweep.clone());
    assert_eq!(tuned.table().skipped, 2);
    let warning = tuned.table().warnings.iter().find(|w| w.contains("no model can be trained")).unwrap();
    assert!(warning.contains("fold 7") && warning.contains("malignant"), "{warning}");

    // With ranks as scores nothing is left to choose by.
    let config = TuneConfig { train: by_ranks(&path), sweep };
    let error = Sweep::new(&config.check().unwrap()).run(&Silent).unwrap_err().to_string();
    assert!(error.contains("no penalty could be scored") && error.contains("fold 7"), "{error}");
}

#[test]
fn a_class_of_one_row_leaves_the_others_their_choice() {
    let folder = tempdir().unwrap();
    let batch = shipped("wine");
    let cultivar = column_of_text(&batch, "cultivar");
    let lone = cultivar.iter().position(|class| class == "class_2").unwrap();
    let keep = |row: usize| row == lone || cultivar[row] != "class_2";
    let path = write(&folder.path().join("t.parquet"), &batch, &[("fold", &fold)], &keep);
    let train = TrainConfig { scoring: Some(Scoring::Auc), ..config(&path, "cultivar") };
    let sweep = TuneSettings {
        fold_column: Some("fold".into()),
        lambdas: Some(Strengths::Values(vec![10.0, 0.1])),
        ..TuneSettings::default()
    };
    let tuned = tune(train.clone(), sweep.clone());
    let defined: Vec<&SweepRow> = tuned
        .table()
        .results
        .iter()
        .filter(|row| row.fold.is_some() && row.l2 == 0.1 && row.score.is_some())
        .collect();
    assert!(defined.iter().all(|row| row.class.as_deref() != Some("class_2")));
    assert_eq!(defined.len(), 2 * FOLDS as usize);
    // The fold of the lone row has no model of its class, and the others no row of it.
    assert!(tuned.table().curve[1].mean.unwrap() > 0.9, "{:?}", tuned.table().curve);

    let each = tune(train, TuneSettings { per_class: Some(true), ..sweep });
    let chosen = &each.table().chosen;
    assert_eq!(chosen.len(), 3);
    assert!(chosen[..2].iter().any(|choice| choice.l2 == chosen[2].l2), "{chosen:?}");
    let says = |w: &String| w.contains("no fold has a score") && w.contains("class_2");
    assert!(each.table().warnings.iter().any(says), "{:?}", each.table().warnings);
}

#[test]
fn a_separable_class_bars_a_penalty_for_itself_alone() {
    let sweep = TuneSettings {
        per_class: Some(true),
        lambdas: Some(Strengths::Values(vec![0.1, 0.001, 0.0])),
        ..TuneSettings::default()
    };
    // Setosa is apart from the others, versicolor lies between two.
    let train = TrainConfig { scoring: Some(Scoring::Accuracy), ..shipped_config("iris", "species") };
    let tuned = tune(train, sweep);
    let table = tuned.table();
    let chosen =
        |class: &str| table.chosen.iter().find(|choice| choice.class.as_deref() == Some(class)).unwrap();
    assert!(chosen("setosa").l2 > 0.0);
    let best =
        |class: &str| table.curve.iter().find(|p| p.best && p.class.as_deref() == Some(class)).unwrap();
    let versicolor = table.curve.iter().filter(|point| point.class.as_deref() == Some("versicolor"));
    let largest = versicolor.filter_map(|point| point.mean).fold(0.0, f64::max);
    assert_eq!(best("versicolor").mean, Some(largest), "no point of versicolor is barred");
}

#[test]
fn rows_of_weight_zero_make_a_fold_one_sided_too() {
    let folder = tempdir().unwrap();
    let batch = shipped("breast_cancer");
    let diagnosis = column_of_text(&batch, "diagnosis");
    // The malignant rows of fold 2, and all rows of fold 3, weigh nothing.
    let weight = |row: usize| i64::from(fold(row) != 3 && (fold(row) != 2 || diagnosis[row] == "benign"));
    let more: [(&str, &dyn Fn(usize) -> i64); 2] = [("fold", &fold), ("w", &weight)];
    let path = write(&folder.path().join("t.parquet"), &batch, &more, &|_| true);
    let sweep = TuneSettings {
        fold_column: Some("fold".into()),
        lambdas: Some(Strengths::Values(vec![0.1, 0.01])),
        ..TuneSettings::default()
    };
    let train = config(&path, "diagnosis");
    let train = TrainConfig { scoring: Some(Scoring::Auc), weight: Some("w".into()), ..train };
    let tuned = tune(train, sweep);
    let says = |w: &String| w.contains("folds 2, 3") && w.contains("auc is not defined");
    assert!(tuned.table().warnings.iter().any(says), "{:?}", tuned.table().warnings);
    let scored = tuned.table().results.iter().filter(|row| row.l2 == 0.1 && row.score.is_some()).count();
    assert_eq!(scored, 2);
}

#[test]
fn what_no_fold_can_score_is_refused_before_anything_is_trained() {
    struct Untouched;
    impl Observer for Untouched {
        fn sweep(&self, progress: &SweepProgress) {
            panic!("{progress:?}");
        }
    }
    let folder = tempdir().unwrap();
    let batch = shipped("iris");
    // As many classes as rows: each is unknown where it would be scored.
    let label = |row: usize| row as i64;
    let path =
        write(&folder.path().join("t.parquet"), &batch, &[("label", &label), ("fold", &fold)], &|_| true);
    let sweep = TuneSettings { fold_column: Some("fold".into()), ..TuneSettings::default() };
    let train = TrainConfig { exclude: vec!["species".into()], ..config(&path, "label") };
    let config = TuneConfig { train, sweep }.check().unwrap();
    let error = Sweep::new(&config).run(&Untouched).unwrap_err().to_string();
    for part in [
        "no penalty could be scored",
        "class \"0\"",
        "more classes",
        "merge or drop",
        "fewer folds",
        "a number rather than a class",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert!(error.len() < 1500, "{error}");
}

#[test]
fn a_choice_at_the_edge_of_the_grid_is_said() {
    let sweep = |lambdas: &[f64]| TuneSettings {
        lambdas: Some(Strengths::Values(lambdas.to_vec())),
        ..TuneSettings::default()
    };
    let warnings = |lambdas: &[f64]| {
        tune(shipped_config("breast_cancer", "diagnosis"), sweep(lambdas)).table().warnings.join("; ")
    };
    assert!(warnings(&[10.0, 1.0]).contains("the smallest penalty of the grid is the best"));
    assert!(!warnings(&[10.0, 1.0, 0.01, 1e-9]).contains("the smallest penalty"));
}

#[test]
fn paths_are_in_the_units_of_the_columns() {
    let sweep = TuneSettings { lambdas: Some(Strengths::Values(vec![1.0, 0.01])), ..TuneSettings::default() };
    let tuned = tune(shipped_config("breast_cancer", "diagnosis"), sweep);
    let (path, model) = (&tuned.table().paths[0], &tuned.model);
    for feature in &path.features {
        let at = model.features.iter().position(|name| *name == feature.feature).unwrap();
        let chosen = path.lambda.iter().position(|lambda| *lambda == tuned.table().chosen[0].l2).unwrap();
        // Means over the folds beside the refit on all rows.
        let (mean, refit) = (feature.coefficients[chosen], model.models[0].coefficients[at]);
        let scale = model.columns[at].scale.unwrap();
        assert_eq!(feature.scale, scale);
        assert!(((mean - refit) * scale).abs() < 0.05, "{}: {mean} and {refit}", feature.feature);
    }
}

#[test]
fn a_wide_table_sweeps_over_small_ones() {
    let folder = tempdir().unwrap();
    let path = write_wide(&folder.path().join("wide.parquet"), 90, 2000);
    for (l1_ratio, solver) in [(0.0, "newton over the rows"), (1.0, "newton on working sets")] {
        let sweep = TuneSettings {
            lambdas: Some(Strengths::Count(4)),
            l1_ratios: vec![l1_ratio],
            folds: Some(3),
            ..TuneSettings::default()
        };
        let tuned = tune(config(&path, "y"), sweep);
        let report = &tuned.report;
        assert_eq!(report.converged, report.models);
        assert_eq!(report.solver, solver);
        assert_eq!(report.waves, 5, "each penalty starts from the one before");
        // A small table counts by its share of the columns.
        assert!(
            report.passes > 2.0 * report.waves as f64 && report.passes.fract() > 0.0,
            "{}",
            report.passes
        );
        let largest = tuned.table().results.iter().filter(|row| row.fold.is_some()).take(3);
        assert!(largest.into_iter().all(|row| l1_ratio == 0.0 || row.nonzero == 0));

        let chosen = &tuned.table().chosen[0];
        let alone = TrainConfig { l1: Some(chosen.l1), l2: Some(chosen.l2), ..config(&path, "y") };
        let alone = train(&alone.check().unwrap(), &Silent).unwrap().model;
        let (found, expected) = (&tuned.model.models[0], &alone.models[0]);
        assert!((found.objective / expected.objective - 1.0).abs() < 1e-5, "{found:?} and {expected:?}");
        assert_close(&found.coefficients, &expected.coefficients, 1e-2, 1e-3);
    }
}

#[test]
fn a_software_adapter_chooses_what_the_cpu_engine_chooses() {
    if crate::gpu::software().is_none() {
        return;
    }
    let base = shipped_config("iris", "species");
    let sweep =
        TuneSettings { lambdas: Some(Strengths::Count(6)), l1_ratios: vec![0.5], ..TuneSettings::default() };
    let cpu = tune(base.clone(), sweep.clone());
    let gpu = tune(TrainConfig { device: Some(Device::Software), ..base }, sweep);
    for (a, b) in cpu.table().results.iter().zip(&gpu.table().results) {
        assert!((a.objective / b.objective - 1.0).abs() < 1e-6, "{a:?} and {b:?}");
        // The grid itself begins at a slope that each summed in float32.
        assert!((a.l1 / b.l1 - 1.0).abs() < 1e-6);
        assert!(b.converged);
    }
}

#[test]
fn models_that_a_neighbour_led_to_a_standstill_start_again() {
    // Little memory means many waves, each from the one before; the smallest penalties nearly separate the digits.
    let base = shipped_config("digits", "digit");
    let memory = Some("5MB".parse().unwrap());
    let sweep = TuneSettings { lambdas: Some(Strengths::Count(10)), ..TuneSettings::default() };
    let (at_once, in_waves) =
        (tune(base.clone(), sweep.clone()), tune(TrainConfig { memory, ..base }, sweep));
    assert!(in_waves.report.waves > 10);
    for (a, b) in at_once.table().results.iter().zip(&in_waves.table().results) {
        assert!(b.converged && (a.objective / b.objective - 1.0).abs() < 1e-5, "{a:?} and {b:?}");
    }
}

#[test]
fn a_penalty_of_zero_on_separable_classes_is_named_and_not_chosen() {
    let sweep = TuneSettings { lambdas: Some(Strengths::Values(vec![0.1, 0.0])), ..TuneSettings::default() };
    let tuned = tune(shipped_config("iris", "species"), TuneSettings { per_class: Some(true), ..sweep });
    let warning = tuned.table().warnings.iter().find(|w| w.contains("plane separates")).unwrap();
    assert!(warning.contains("setosa") && warning.contains("--lambdas"), "{warning}");
    let setosa = tuned.table().chosen.iter().find(|c| c.class.as_deref() == Some("setosa")).unwrap();
    assert_eq!(setosa.l2, 0.1);
}
