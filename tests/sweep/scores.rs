//! Scores against scikit-learn's on the same folds: `tests/fixtures/cross_validation.json`.

use logodds::config::{Device, Scoring, Strengths, TrainConfig, TuneSettings};
use serde::Deserialize;
use tempfile::tempdir;

use super::table::{config, fold, rows, shipped, tune, write};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    table: String,
    target: String,
    /// None in a binary problem; `all` for the classes together.
    class: Option<String>,
    c: f64,
    l1_ratio: f64,
    scoring: Scoring,
    scores: Vec<f64>,
}

fn check(device: Device, tables: &[&str]) {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/cross_validation.json")).unwrap();
    let folder = tempdir().unwrap();
    let scorings = [
        Scoring::LogLoss,
        Scoring::Auc,
        Scoring::Accuracy,
        Scoring::Brier,
        Scoring::AveragePrecision,
        Scoring::F1,
    ];
    for table in tables {
        let cases: Vec<&Case> = fixture.cases.iter().filter(|case| case.table == *table).collect();
        let path = folder.path().join(format!("{table}.parquet"));
        let path = write(&path, &shipped(table), &[("fold", &fold)], &|_| true);
        for scoring in scorings {
            let train = TrainConfig {
                tolerance: Some(1e-7),
                device: Some(device),
                scoring: Some(scoring),
                ..config(&path, &cases[0].target)
            };
            let sweep = TuneSettings {
                cs: Some(Strengths::Values(vec![0.02, 1.0])),
                l1_ratios: vec![0.0, 0.5],
                fold_column: Some("fold".into()),
                ..TuneSettings::default()
            };
            let tuned = tune(train, sweep);
            let found = tuned.table();
            assert_eq!(found.scoring, scoring);
            for case in cases.iter().filter(|case| case.scoring == scoring) {
                let what = format!("{table} {scoring:?} C {} r {}", case.c, case.l1_ratio);
                if case.class.as_deref() == Some("all") {
                    let mean = case.scores.iter().sum::<f64>() / case.scores.len() as f64;
                    let curve = found.curve.iter().find(|point| {
                        point.l1_ratio == Some(case.l1_ratio)
                            && point.c.is_some_and(|c| (c / case.c - 1.0).abs() < 1e-12)
                    });
                    let point = curve.expect("a point of the curve").mean.expect("a mean");
                    assert!((point - mean).abs() < 1e-5, "{what}: {point} found, {mean} known");
                    continue;
                }
                let found = rows(&tuned, case.class.as_deref(), case.c, case.l1_ratio);
                assert_eq!(found.len(), case.scores.len(), "{what}");
                for (row, known) in found.iter().zip(&case.scores) {
                    let score = row.score.expect("a score");
                    // Both programs stop at small residuals; a score moves by about as much.
                    assert!((score - known).abs() < 1e-5, "{what}: {score} found, {known} known");
                }
            }
        }
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    check(Device::Cpu, &["breast_cancer", "wine", "iris"]);
}

#[test]
fn the_software_adapter_scores_like_scikit_learn() {
    if crate::gpu::software().is_some() {
        check(Device::Software, &["wine"]);
    }
}
