//! `threshold`: the choice equals that of an exhaustive search, is stored, and is used.

use std::fs;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::support::{
    assert_says, fail, files, float_column, floats, json as read_json, read_parquet, succeed, succeed_json,
    text_column, texts, write_parquet,
};

const TEST: &str = "{data}/breast_cancer/test.parquet";

/// A folder with a model `m.json` that makes some errors.
fn cancer() -> TempDir {
    let folder = tempdir().unwrap();
    succeed(
        folder.path(),
        "train {data}/breast_cancer/train.parquet --target diagnosis --features mean_texture,mean_smoothness --device \
         cpu --quiet -o m.json",
    );
    folder
}

/// Probability and true label of each row of the test table.
fn scored(folder: &TempDir) -> Vec<(f64, bool)> {
    succeed(folder.path(), &format!("predict m.json {TEST} -o p.parquet --keep diagnosis --quiet"));
    let batch = read_parquet(&folder.path().join("p.parquet"));
    let truth = texts(&batch, "diagnosis");
    floats(&batch, "probability").into_iter().zip(truth.iter().map(|t| t == "malignant")).collect()
}

/// `[tp, fp, fn, tn]` at a threshold.
fn counts(rows: &[(f64, bool)], threshold: f64) -> [f64; 4] {
    let count = |called: bool, is: bool| {
        rows.iter().filter(|row| (row.0 >= threshold) == called && row.1 == is).count() as f64
    };
    [count(true, true), count(true, false), count(false, true), count(false, false)]
}

type Merit = fn([f64; 4]) -> Option<f64>;

#[test]
fn the_choice_is_that_of_trying_every_threshold() {
    let folder = cancer();
    let rows = scored(&folder);
    let criteria: [(&str, Merit); 8] = [
        ("youden", |[tp, fp, miss, tn]| Some(tp / (tp + miss) - fp / (fp + tn))),
        ("f1", |[tp, fp, miss, _]| Some(2.0 * tp / (2.0 * tp + fp + miss))),
        ("accuracy", |[tp, fp, miss, tn]| Some((tp + tn) / (tp + fp + miss + tn))),
        ("cost=1:5", |[_, fp, miss, _]| Some(-fp - 5.0 * miss)),
        ("cost=3:1", |[_, fp, miss, _]| Some(-3.0 * fp - miss)),
        // Fewest false positives, most true positives, most true positives.
        ("tpr=0.9", |[tp, fp, miss, _]| (tp / (tp + miss) >= 0.9).then_some(-fp)),
        ("fpr=0.1", |[tp, fp, _, tn]| (fp / (fp + tn) <= 0.1).then_some(tp)),
        ("precision=0.8", |[tp, fp, ..]| (tp / (tp + fp) >= 0.8).then_some(tp)),
    ];
    for (by, merit) in criteria {
        let report = succeed_json(folder.path(), &format!("threshold m.json {TEST} --by {by} --dry-run"));
        let class = &report["classes"][0];
        let threshold = class["after"]["threshold"].as_f64().unwrap();
        let best =
            rows.iter().filter_map(|row| merit(counts(&rows, row.0))).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(merit(counts(&rows, threshold)), Some(best), "{by}: {class}");
        for (when, at) in [("before", 0.5), ("after", threshold)] {
            let names = ["true_positives", "false_positives", "false_negatives", "true_negatives"];
            let told = names.map(|name| class[when][name].as_f64().unwrap());
            assert_eq!(told, counts(&rows, at), "{by} {when}");
        }
        // The threshold lies halfway between two neighbouring probabilities.
        let above = rows.iter().map(|row| row.0).filter(|&p| p >= threshold).fold(1.0, f64::min);
        let below = rows.iter().map(|row| row.0).filter(|&p| p < threshold).fold(0.0, f64::max);
        assert!((threshold - (above + below) / 2.0).abs() < 1e-15, "{threshold} in {below} to {above}");
        let shown = class["trade_off"].as_array().unwrap();
        assert!(shown.len() <= 21 && shown.contains(&class["after"]), "{by}: {} points", shown.len());
    }
}

#[test]
fn weights_count_as_rows() {
    let folder = cancer();
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let y = ["benign", "malignant", "benign", "malignant", "benign", "malignant"];
    let w = [3.0, 1.0, 2.0, 1.0, 2.0, 4.0];
    let repeated = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(w).flat_map(|(&v, w)| std::iter::repeat_n(v, w as usize)).collect()
    };
    let write = |name: &str, rows: Vec<usize>, w: Vec<f64>| {
        let columns = vec![
            ("mean_texture", float_column(rows.iter().map(|&i| x[i] * 5.0))),
            ("mean_smoothness", float_column(rows.iter().map(|_| 0.1))),
            ("diagnosis", text_column(rows.iter().map(|&i| y[i]))),
            ("w", float_column(w)),
        ];
        write_parquet(&folder.path().join(name), columns);
    };
    let indices: Vec<f64> = (0..6).map(f64::from).collect();
    write("weighted.parquet", (0..6).collect(), w.to_vec());
    let rows: Vec<usize> = repeated(&indices).into_iter().map(|i| i as usize).collect();
    write("repeated.parquet", rows.clone(), vec![1.0; rows.len()]);
    for by in ["f1", "youden", "cost=1:2"] {
        let weighted = succeed_json(
            folder.path(),
            &format!("threshold m.json weighted.parquet --weight w --by {by} --dry-run"),
        );
        let repeated =
            succeed_json(folder.path(), &format!("threshold m.json repeated.parquet --by {by} --dry-run"));
        assert_eq!(weighted["classes"], repeated["classes"], "{by}");
    }
}

#[test]
fn a_threshold_is_stored_and_used_by_every_command() {
    let folder = cancer();
    let before = read_json(&folder.path().join("m.json"));
    let dry = succeed_json(folder.path(), &format!("threshold m.json {TEST} --by cost=1:5 --dry-run"));
    assert!(dry["stored"].is_null());
    succeed(folder.path(), &format!("threshold m.json {TEST} --by cost=1:5 -o other.json"));
    assert_eq!(read_json(&folder.path().join("m.json")), before);
    let text = succeed(folder.path(), &format!("threshold m.json {TEST} --by cost=1:5"));
    assert_says(&text, &["cost=1:5", "m.json", "\n> ", "before", "after", "mean cost"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(files(folder.path()), ["m.json", "other.json"]);

    let mut after = read_json(&folder.path().join("m.json"));
    assert_eq!(after, read_json(&folder.path().join("other.json")));
    let threshold = after.as_object_mut().unwrap().remove("threshold").unwrap();
    assert_eq!((&threshold, after), (&dry["classes"][0]["after"]["threshold"], before));
    let evaluation = succeed_json(folder.path(), &format!("evaluate m.json {TEST}"));
    assert_eq!(evaluation["threshold"], threshold);
    let told = &dry["classes"][0]["after"];
    assert_eq!(evaluation["confusion_matrix"][1][1].as_f64(), told["true_positives"].as_f64());
    assert_eq!(evaluation["confusion_matrix"][0][1].as_f64(), told["false_positives"].as_f64());
    for (p, is) in
        scored(&folder).iter().zip(texts(&read_parquet(&folder.path().join("p.parquet")), "prediction"))
    {
        assert_eq!(is, if p.0 >= threshold.as_f64().unwrap() { "malignant" } else { "benign" });
    }
}

#[test]
fn each_class_gets_a_threshold_and_the_decision_is_the_farthest_above_its_own() {
    let folder = tempdir().unwrap();
    succeed(folder.path(), "train {data}/digits/train.parquet --target digit --device cpu --quiet -o m.json");
    let test = "{data}/digits/test.parquet";
    let report = succeed_json(folder.path(), &format!("threshold m.json {test} --by f1"));
    let model = read_json(&folder.path().join("m.json"));
    let thresholds: Vec<f64> =
        model["models"].as_array().unwrap().iter().map(|m| m["threshold"].as_f64().unwrap()).collect();
    assert!(model.get("threshold").is_none());
    succeed(folder.path(), &format!("predict m.json {test} -o p.parquet --raw --quiet"));
    let written = read_parquet(&folder.path().join("p.parquet"));
    let raw: Vec<Vec<f64>> = (0..10).map(|k| floats(&written, &format!("probability_{k}"))).collect();
    let odds = |p: f64| (p / (1.0 - p)).ln();
    for (i, said) in floats(&written, "prediction").into_iter().enumerate() {
        let above = |k: usize| odds(raw[k][i]) - odds(thresholds[k]);
        let best = (0..10).map(above).fold(f64::NEG_INFINITY, f64::max);
        // Odds of probabilities near 1 have fewer accurate digits.
        assert!((above(said as usize) - best).abs() < 1e-6, "row {i}: {said}");
    }
    let evaluation = succeed_json(folder.path(), &format!("evaluate m.json {test}"));
    assert_eq!(evaluation["confusion_matrix"], report["decision"][1]["confusion_matrix"]);
    assert_eq!(evaluation["accuracy"], report["decision"][1]["accuracy"]);
    for (k, class) in evaluation["classes"].as_array().unwrap().iter().enumerate() {
        assert_eq!(class["threshold"].as_f64(), Some(thresholds[k]));
        // For each class alone, the new threshold is not worse than the old one.
        let told = &report["classes"][k];
        assert!(told["after"]["f1"].as_f64() >= told["before"]["f1"].as_f64(), "{told}");
    }
    // Fewer scores at a time: more readings, and the same choice.
    let line = format!("threshold m.json {test} --by f1 --dry-run");
    let again = succeed_json(folder.path(), &line);
    assert_eq!(succeed_json(folder.path(), &format!("{line} --memory 9000")), again);
    let text = succeed(folder.path(), &line);
    assert_says(&text, &["macro F1", "threshold"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn rates_that_cannot_be_reached_and_tables_of_one_side_are_refused_and_nothing_is_stored() {
    let folder = cancer();
    let table = |name: &str, y: [&str; 3]| {
        let columns = vec![
            ("mean_texture", float_column([10.0, 20.0, 30.0])),
            ("mean_smoothness", float_column([0.1; 3])),
            ("diagnosis", text_column(y)),
        ];
        write_parquet(&folder.path().join(name), columns);
    };
    table("wrong.parquet", ["malignant", "malignant", "benign"]);
    table("one.parquet", ["benign"; 3]);
    let before = fs::read(folder.path().join("m.json")).unwrap();
    let refused = |line: &str, says: &[&str]| assert_says(&fail(folder.path(), line, 1), says);
    // A benign row has the highest probability, so the best precision is 2/3, with all three rows.
    refused(
        "threshold m.json wrong.parquet --by precision=0.9",
        &["precision=0.9", "\"malignant\"", "0.6667"],
    );
    refused("threshold m.json wrong.parquet --by fpr=0", &["fpr=0", "nearest is 1.0000"]);
    refused("threshold m.json one.parquet --by f1", &["\"malignant\"", "no row"]);
    refused("threshold m.json one.parquet --by f1 -o one.parquet", &["--output", "input table"]);
    refused("threshold m.json absent.parquet --by f1", &["absent.parquet"]);
    for by in ["auc", "cost=1", "tpr=2", "precision=0"] {
        fail(folder.path(), &format!("threshold m.json one.parquet --by {by}"), 2);
    }
    fail(folder.path(), "threshold m.json one.parquet --by f1 --dry-run -o x.json", 2);
    assert_eq!(fs::read(folder.path().join("m.json")).unwrap(), before);
    assert_eq!(files(folder.path()), ["m.json", "one.parquet", "wrong.parquet"]);
}

#[test]
fn a_threshold_in_the_wrong_place_is_refused() {
    let folder = cancer();
    let path = folder.path().join("m.json");
    let model = read_json(&path);
    type Damage = fn(&mut Value);
    let damages: [(Damage, &str); 3] = [
        (|m| m["models"][0]["threshold"] = json!(0.3), "entry of its model"),
        (|m| m["threshold"] = json!(1.0), "not between 0 and 1"),
        (|m| m["threshold"] = json!(0.0), "not between 0 and 1"),
    ];
    for (damage, says) in damages {
        let mut damaged = model.clone();
        damage(&mut damaged);
        fs::write(&path, damaged.to_string()).unwrap();
        assert_says(&fail(folder.path(), "inspect m.json", 1), &["m.json", says]);
    }
}

#[test]
fn weights_show_as_weights_and_without_any_there_is_no_choice() {
    let folder = cancer();
    let write = |name: &str, unit: f64| {
        let columns = vec![
            ("mean_texture", float_column([10.0, 14.0, 22.0, 30.0])),
            ("mean_smoothness", float_column([0.1; 4])),
            ("diagnosis", text_column(["benign", "benign", "malignant", "malignant"])),
            ("w", float_column([0.25 * unit; 4])),
        ];
        write_parquet(&folder.path().join(name), columns);
    };
    write("shares.parquet", 1.0);
    let text = succeed(folder.path(), "threshold m.json shares.parquet --by f1 --weight w --dry-run");
    assert_says(&text, &["weight: true \\ predicted"]);
    let after: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("after")).skip(2).collect();
    let cells: Vec<Vec<&str>> = after.iter().map(|line| line.split_whitespace().skip(1).collect()).collect();
    assert_eq!(cells, [["0.5", "0"], ["0", "0.5"]], "{text}");
    let text = succeed(folder.path(), "threshold m.json shares.parquet --by f1 --dry-run");
    assert!(!text.contains("weight"), "{text}");
    write("none.parquet", 0.0);
    let refused = |line: &str, says: &[&str]| assert_says(&fail(folder.path(), line, 1), says);
    refused("threshold m.json none.parquet --by f1 --weight w", &["weight \"w\" is 0 in every row"]);
    // Sums or products of these would overflow or underflow.
    for (name, unit) in [("huge.parquet", 1e308), ("tiny.parquet", 1e-319)] {
        write(name, unit);
        for command in ["threshold m.json {} --by f1", "evaluate m.json {}"] {
            let line = format!("{} --weight w", command.replace("{}", name));
            refused(&line, &[name, "weight \"w\" is", "1e-30 to 1e30", "rescale the column"]);
        }
        let train = format!("train {name} --target diagnosis --weight w --device cpu -o n.json");
        refused(&train, &["1e-30 to 1e30"]);
    }
}

#[test]
fn every_point_of_the_trade_off_is_shown() {
    let folder = cancer();
    let line = format!("threshold m.json {TEST} --by accuracy --dry-run");
    // Twenty corners of the curve, and the chosen point, which is not a corner.
    let told = succeed_json(folder.path(), &line);
    assert_eq!(told["classes"][0]["trade_off"].as_array().unwrap().len(), 21);
    let text = succeed(folder.path(), &line);
    let shown = text.lines().skip_while(|line| !line.starts_with("  threshold")).skip(1);
    assert_eq!(shown.take_while(|line| !line.is_empty()).count(), 21, "{text}");
}

#[test]
fn thresholds_that_make_the_decision_between_all_classes_worse_are_stored_only_on_request() {
    let folder = tempdir().unwrap();
    let n = 600;
    let uniform = |i: u64| {
        let mut z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    // Overlapping classes of unequal size; a line separates few of them from the rest.
    let class: Vec<usize> =
        (0..n).map(|i| ((uniform(i) * uniform(i + 9 * n) * 6.0) as usize).min(3)).collect();
    let near = |i: u64, to: usize, width: f64, from: u64| to as f64 + width * (uniform(i + from * n) - 0.5);
    let u = (0..n).map(|i| near(i, class[i as usize], 4.0, 1));
    let v = (0..n).map(|i| near(i, class[i as usize] % 2, 3.0, 2));
    let columns = vec![
        ("y", text_column(class.iter().map(|&k| ["a", "b", "c", "d"][k]))),
        ("u", float_column(u)),
        ("v", float_column(v)),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    succeed(folder.path(), "train t.parquet --target y --device cpu --quiet -o m.json");
    let accuracy = |line: &str| succeed_json(folder.path(), line)["accuracy"].as_f64().unwrap();
    let plain = accuracy("evaluate m.json t.parquet");
    let before = fs::read(folder.path().join("m.json")).unwrap();

    let line = "threshold m.json t.parquet --by f1";
    let says =
        ["macro F1 is 0.5401 with them, 0.5493 without", "--dry-run", "--allow-worse", "nothing is stored"];
    assert_says(&fail(folder.path(), line, 1), &says);
    assert_eq!(fs::read(folder.path().join("m.json")).unwrap(), before);
    let dry = succeed_json(folder.path(), &format!("{line} --dry-run"));
    assert_eq!(dry["worse"]["metric"], "macro F1");
    assert_eq!(dry["worse"]["with"], dry["decision"][1]["macro_f1"]);
    assert_eq!(dry["worse"]["without"], dry["decision"][0]["macro_f1"]);
    assert_says(&succeed(folder.path(), &format!("{line} --dry-run")), &["gets worse", "macro F1"]);
    fail(folder.path(), &format!("{line} --dry-run --allow-worse"), 2);

    let stored = succeed_json(folder.path(), &format!("{line} --allow-worse"));
    assert_eq!(stored["stored"], "m.json");
    assert!(accuracy("evaluate m.json t.parquet") < plain);
    // The comparison is with no thresholds, not with the bad ones in the model.
    fail(folder.path(), line, 1);
    assert_says(&succeed(folder.path(), &format!("{line} --dry-run")), &["no thresholds"]);
    // Thresholds for accuracy are an improvement here, and are stored.
    succeed(folder.path(), "threshold m.json t.parquet --by accuracy");
    assert!(accuracy("evaluate m.json t.parquet") > plain);
}
