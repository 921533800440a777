//! The statements about a model hold for the values in the file, not for their float32 rounding.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampNanosecondArray};
use serde_json::Value;
use tempfile::tempdir;

use super::support::{float_column, json, succeed_json, write_parquet};

/// Numbers between 0 and 1 that look random, by Weyl's sequence.
fn weyl(i: usize, step: f64) -> f64 {
    (i as f64 * step).fract()
}

fn labels(n: usize, chance: impl Fn(usize) -> f64) -> ArrayRef {
    float_column((0..n).map(|i| f64::from(u8::from(weyl(i, 0.754_877_666_246_692_7) < chance(i)))))
}

/// Columns whose spread is far below their mean keep their digits from training to prediction.
#[test]
fn a_large_mean_and_a_small_spread() {
    let folder = tempdir().unwrap();
    let n = 400;
    let ns: Vec<i64> =
        (0..n).map(|i| 1_700_000_000_000_000_000 + (4e5 * weyl(i, 0.618_033_988_749_895)) as i64).collect();
    let far: Vec<f64> = (0..n).map(|i| 1e15 + (8.0 * weyl(i, 0.569_840_290_998_053)).round()).collect();
    let y = labels(n, |i| 1.0 / (1.0 + (3.0 - (far[i] - 1e15)).exp()));
    let columns = vec![
        ("ns", Arc::new(TimestampNanosecondArray::from(ns)) as ArrayRef),
        ("far", float_column(far)),
        ("y", y),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    for flags in ["", "--l1 0 --l2 0"] {
        let trained = succeed_json(
            folder.path(),
            &format!("train t.parquet --target y -o m.json --device cpu {flags}"),
        );
        let model = json(&folder.path().join("m.json"));
        assert_eq!(model["models"][0]["converged"], true, "{flags}: {trained}");
        assert_eq!(trained["stopped"], "converged");
        let penalty = {
            let l2 = model["penalty"]["l2"].as_f64().unwrap();
            let square = |(w, column): (&Value, &Value)| {
                (w.as_f64().unwrap() * column["scale"].as_f64().unwrap()).powi(2)
            };
            let coefficients = model["models"][0]["coefficients"].as_array().unwrap();
            0.5 * l2 * coefficients.iter().zip(model["columns"].as_array().unwrap()).map(square).sum::<f64>()
        };
        let evaluated = succeed_json(folder.path(), "evaluate m.json t.parquet");
        let loss = evaluated["log_loss"].as_f64().unwrap();
        let objective = model["models"][0]["objective"].as_f64().unwrap();
        assert!((loss + penalty - objective).abs() < 1e-7, "{flags}: {loss} + {penalty}, but {objective}");
    }
}

/// `x` is 1 only in rows where y is 1, and 0 in rows of both classes, so its coefficient has no finite
/// optimum.
#[test]
fn what_separates_some_rows_is_named() {
    let folder = tempdir().unwrap();
    let n = 500;
    let g: Vec<f64> = (0..n).map(|i| 2.0 * weyl(i, 0.618_033_988_749_895) - 1.0).collect();
    let x: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 10 == 0))).collect();
    let y = labels(n, |i| if x[i] == 1.0 { 1.0 } else { 1.0 / (1.0 + (-g[i]).exp()) });
    let level: Vec<&str> = (0..n).map(|i| if i % 10 == 0 { "rare" } else { ["a", "b"][i % 2] }).collect();
    // Two of three levels occur in one class only. Most rows have neither.
    let most: Vec<&str> =
        (0..n).map(|i| if i % 10 == 0 { ["e", "f"][i / 10 % 2] } else { "mixed" }).collect();
    let pair: Vec<&str> = (0..n).map(|i| ["other", "rare"][usize::from(i % 10 == 0)]).collect();
    let columns = vec![
        ("pair", super::support::text_column(pair)),
        ("most", super::support::text_column(most)),
        ("x", float_column(x.iter().copied())),
        ("g", float_column(g.iter().copied())),
        ("level", super::support::text_column(level)),
        ("y", y),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    for (features, named) in [("x,g", "x"), ("level,g", "level=rare"), ("pair,g", "pair=rare")] {
        let line =
            format!("train t.parquet --target y --l1 0 --l2 0 --features {features} -o m.json --device cpu");
        let trained = succeed_json(folder.path(), &line);
        assert_eq!(trained["models"][0]["converged"], false, "{trained}");
        let warning = trained["warnings"][0].as_str().unwrap();
        assert!(warning.ends_with(&format!("separated by {named:?}")), "{warning}");
        assert!(trained["stopped"].as_str().unwrap().contains("separated"), "{trained}");
    }
    for features in ["most,g", "most"] {
        let line =
            format!("train t.parquet --target y --l1 0 --l2 0 --features {features} -o m.json --device cpu");
        let trained = succeed_json(folder.path(), &line);
        let warning = trained["warnings"][0].as_str().unwrap();
        assert!(warning.contains("most=e") && warning.contains("most=f"), "{warning}");
        assert!(!warning.contains("most=mixed"), "{warning}");
    }
    // Without the separating columns there is an optimum.
    let line = "train t.parquet --target y --l1 0 --l2 0 --features g -o m.json --device cpu";
    let trained = succeed_json(folder.path(), line);
    assert_eq!(trained["models"][0]["converged"], true, "{trained}");
    assert!(trained["models"][0]["newton_decrement"].as_f64().unwrap() < 1e-7);
    assert_eq!(trained["warnings"], serde_json::json!([]));
}

/// Two timestamps over ten years, at most a minute apart. The class depends on their difference.
#[test]
fn near_collinear_times() {
    let folder = tempdir().unwrap();
    let n = 2000;
    let start: Vec<i64> = (0..n).map(|i| (3.15e17 * weyl(i, 0.618_033_988_749_895)) as i64).collect();
    let lag: Vec<i64> = (0..n).map(|i| (6e10 * weyl(i, 0.569_840_290_998_053)) as i64).collect();
    let slope = |lag: i64| 1.0 / (1.0 + (3.0 - lag as f64 / 1e10).exp());
    let times = |of: &dyn Fn(usize) -> i64| {
        Arc::new(TimestampNanosecondArray::from((0..n).map(of).collect::<Vec<_>>())) as ArrayRef
    };
    let y = labels(n, |i| slope(lag[i]));
    let both =
        vec![("start", times(&|i| start[i])), ("end", times(&|i| start[i] + lag[i])), ("y", y.clone())];
    write_parquet(&folder.path().join("both.parquet"), both);
    let lag_alone = vec![("lag", float_column(lag.iter().map(|&lag| lag as f64))), ("y", y)];
    write_parquet(&folder.path().join("lag.parquet"), lag_alone);
    let objective = |table: &str, features: &str| {
        let line = format!("train {table} --target y --l1 0 --l2 0 -o m.json --device cpu {features}");
        let trained = succeed_json(folder.path(), &line);
        assert_eq!(trained["models"][0]["converged"], true, "{table}: {trained}");
        trained["models"][0]["objective"].as_f64().unwrap()
    };
    let (alone, both) = (objective("lag.parquet", ""), objective("both.parquet", ""));
    // With `start`, which is noise. Two columns of noise lower a mean loss by about 1 / n.
    assert!(both <= alone && alone - both < 3e-3, "{both} with both, {alone} with their difference");
    let evaluated = succeed_json(folder.path(), "evaluate m.json both.parquet");
    let loss = evaluated["log_loss"].as_f64().unwrap();
    assert!((loss - both).abs() < 1e-8, "{loss} evaluated, {both} trained");
}

/// Weights that float32 would round: the objective uses those in the file.
#[test]
fn weights_keep_their_digits() {
    let folder = tempdir().unwrap();
    // Half of the weight is on one class; without features, the objective is known: log 2 at equal sums.
    let n = 300;
    let weight: Vec<f64> = (0..n).map(|i| 0.1 + weyl(i, 0.618_033_988_749_895)).collect();
    let y: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
    let columns = vec![
        ("x", float_column((0..n).map(|i| weyl(i, 0.754_877_666_246_692_7)))),
        ("w", float_column(weight.iter().copied())),
        ("y", float_column(y.iter().copied())),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    let line = "train t.parquet --target y --weight w --l1 10 --l2 0 -o m.json --device cpu";
    let found = succeed_json(folder.path(), line)["models"][0]["objective"].as_f64().unwrap();
    let all: f64 = weight.iter().sum();
    let p = weight.iter().zip(&y).map(|(w, y)| w * y).sum::<f64>() / all;
    let known = -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
    assert!((found - known).abs() < 1e-14, "{found}, not {known}");
}

/// A column that differs from another by 1e-9 of it. Sums of products in float64 do not resolve the
/// difference.
#[test]
fn what_rounding_hides_is_not_called_converged() {
    let folder = tempdir().unwrap();
    let n = 300;
    let x: Vec<f64> = (0..n).map(|i| weyl(i, 0.618_033_988_749_895) - 0.5).collect();
    let rest: Vec<f64> = (0..n).map(|i| weyl(i, 0.569_840_290_998_053) - 0.5).collect();
    let y = labels(n, |i| 1.0 / (1.0 + (-6.0 * rest[i]).exp()));
    for (share, converged, said) in
        [(1e-9, false, "eight digits"), (0.0, true, "not determined"), (1e-7, true, "")]
    {
        let columns = vec![
            ("x", float_column(x.iter().copied())),
            ("twin", float_column((0..n).map(|i| x[i] + share * rest[i]))),
            ("y", y.clone()),
        ];
        write_parquet(&folder.path().join("t.parquet"), columns);
        let line = "train t.parquet --target y --l1 0 --l2 0 -o m.json --device cpu";
        let trained = succeed_json(folder.path(), line);
        assert_eq!(trained["models"][0]["converged"], converged, "{share}: {trained}");
        let warning = trained["warnings"][0].as_str().unwrap_or_default();
        assert!(warning.contains(said) && warning.is_empty() == said.is_empty(), "{trained}");
    }
}

/// In a table too large to store all numbers exactly, the columns where float32 rounding matters are read
/// again.
#[test]
fn large_tables_keep_exactly_what_decides() {
    let folder = tempdir().unwrap();
    let n = 600_000;
    let start = |i: usize| 3.15e8 * weyl(i, 0.618_033_988_749_895);
    let lag = |i: usize| 600.0 * weyl(i, 0.569_840_290_998_053);
    let y = labels(n, |i| 1.0 / (1.0 + (3.0 - lag(i) / 100.0).exp()));
    let noise = |k: usize| float_column((0..n).map(move |i| weyl(i + k * n, 0.819_172_513_396_164_4)));
    let mut columns = vec![
        ("start", float_column((0..n).map(start))),
        ("end", float_column((0..n).map(|i| start(i) + lag(i)))),
        ("y", y.clone()),
    ];
    columns.extend(["a", "b", "c", "d", "e"].into_iter().zip((0..).map(noise)));
    write_parquet(&folder.path().join("t.parquet"), columns);
    write_parquet(&folder.path().join("lag.parquet"), vec![("lag", float_column((0..n).map(lag))), ("y", y)]);
    let objective = |table: &str| {
        let line = format!("train {table} --target y --l1 0 --l2 0 -o m.json --device cpu");
        let trained = succeed_json(folder.path(), &line);
        assert_eq!(trained["models"][0]["converged"], true, "{table}: {trained}");
        trained["models"][0]["objective"].as_f64().unwrap()
    };
    let (alone, all) = (objective("lag.parquet"), objective("t.parquet"));
    assert!(all <= alone && alone - all < 1e-4, "{all} with all columns, {alone} with the difference alone");
}

/// Times one tick apart, which float64 rounds to the same number: the program must not call them constant.
#[test]
fn times_that_float64_does_not_tell_apart_are_not_said_to_be_one() {
    let folder = tempdir().unwrap();
    let n = 60;
    let tick = |i: usize| 1_700_000_000_000_000_001 + (i % 2) as i64;
    let columns = vec![
        ("tick", Arc::new(TimestampNanosecondArray::from_iter_values((0..n).map(tick))) as ArrayRef),
        ("one", float_column((0..n).map(|_| 1.0))),
        ("x", float_column((0..n).map(|i| weyl(i, 0.618_033_988_749_895)))),
        ("y", labels(n, |i| weyl(i, 0.618_033_988_749_895))),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    let warnings = |flags: &str| {
        let line = format!("train t.parquet --target y -o m.json --device cpu {flags}");
        succeed_json(folder.path(), &line)["warnings"].clone()
    };
    let found = warnings("");
    assert_eq!(found[0], "1 column holds one value only, and cannot tell classes apart: \"one\"");
    let blurred = found[1].as_str().unwrap();
    assert!(blurred.starts_with("float64 rounds whole numbers") && blurred.contains("\"tick\""), "{blurred}");
    // Without an intercept, a column of ones takes its place.
    assert_eq!(warnings("--features x,one --no-intercept"), serde_json::json!([]));
}

/// A near combination of other columns is still identified, and named, if another column is an exact
/// combination.
#[test]
fn near_dependence_beside_exact_dependence() {
    let folder = tempdir().unwrap();
    let n = 4000;
    let a: Vec<f64> = (0..n).map(|i| weyl(i, 0.618_033_988_749_895) - 0.5).collect();
    let u: Vec<f64> = (0..n).map(|i| 4.0 * weyl(i, 0.569_840_290_998_053) - 2.0).collect();
    let c: Vec<f64> = (0..n).map(|i| weyl(i, 0.438_447_187_191_17) - 0.5).collect();
    let level: Vec<&str> = (0..n).map(|i| ["a", "b", "c"][(i * 7) % 3]).collect();
    let y = labels(n, |i| 1.0 / (1.0 + (-u[i] - c[i]).exp()));
    let objective = |second: Vec<f64>| {
        let columns = vec![
            ("a", float_column(a.iter().copied())),
            ("second", float_column(second)),
            ("c", float_column(c.iter().copied())),
            ("t", float_column(c.iter().map(|c| 3.7 * c + 1.0))),
            ("level", super::support::text_column(level.iter().copied())),
            ("y", y.clone()),
        ];
        write_parquet(&folder.path().join("t.parquet"), columns);
        let line = "train t.parquet --target y --l1 0 --l2 0 -o m.json --device cpu";
        let trained = succeed_json(folder.path(), line);
        assert_eq!(trained["models"][0]["converged"], true, "{trained}");
        let said = trained["warnings"].to_string();
        assert!(
            said.contains("combinations of other columns: \\\"t\\\"") && !said.contains("level"),
            "{said}"
        );
        let evaluated = succeed_json(folder.path(), "evaluate m.json t.parquet");
        let stated = trained["models"][0]["objective"].as_f64().unwrap();
        assert!((evaluated["log_loss"].as_f64().unwrap() - stated).abs() < 1e-8 * stated);
        succeed_json(folder.path(), "inspect m.json t.parquet --inference");
        stated
    };
    let clear = objective(u.clone());
    for share in [1e-3, 1e-4, 1.5e-5, 1e-6, 1e-7] {
        let near = objective(a.iter().zip(&u).map(|(a, u)| a + share * u).collect());
        // The last digits of a + share u are lost.
        assert!((near - clear).abs() < 1e-8 * clear, "{share}: {near}, expected {clear}");
    }
}

/// The kept model has the score that is reported as the best, whatever ends the run.
#[test]
fn the_best_score_is_that_of_the_model_that_is_kept() {
    let folder = tempdir().unwrap();
    let table = |name: &str, first: usize, n: usize| {
        let x = |j: usize| {
            let step = [0.618_033_988_749_895, 0.569_840_290_998_053, 0.438_447_187_191_17][j % 3];
            float_column((first..first + n).map(move |i| weyl(i * (j / 3 + 1), step) - 0.5))
        };
        let names: Vec<String> = (0..30).map(|j| format!("x{j}")).collect();
        let mut columns: Vec<_> = names.iter().enumerate().map(|(j, name)| (name.as_str(), x(j))).collect();
        columns.push((
            "y",
            float_column((first..first + n).map(|i| {
                let chance = 0.35 + 0.3 * weyl(i, 0.618_033_988_749_895);
                f64::from(u8::from(weyl(i, 0.754_877_666_246_692_7) < chance))
            })),
        ));
        write_parquet(&folder.path().join(name), columns);
    };
    table("train.parquet", 0, 150);
    table("held.parquet", 1000, 500);
    for flags in ["", "--solver lbfgs", "--solver sgd", "--patience 3"] {
        let line = format!(
            "train train.parquet --target y --l1 0 --l2 1e-4 --validation held.parquet -o m.json --device cpu {flags}"
        );
        let trained = succeed_json(folder.path(), &line);
        let best = trained["models"][0]["best"]["score"].as_f64();
        let best = best.unwrap_or_else(|| panic!("{flags}: {trained}"));
        let evaluated = succeed_json(folder.path(), "evaluate m.json held.parquet");
        let found = evaluated["log_loss"].as_f64().unwrap();
        assert!((found - best).abs() < 1e-5, "{flags}: best {best}, and the model has {found}");
    }
}
