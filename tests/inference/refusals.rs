//! Models without standard errors, and the messages of the command.

use arrow::array::ArrayRef;
use tempfile::{TempDir, tempdir};

use crate::cli::support::{
    assert_says, fail, float_column, json, succeed, succeed_json, text_column, write_parquet,
};

fn trained(arguments: &str) -> TempDir {
    let folder = tempdir().unwrap();
    succeed(folder.path(), &format!("train --device cpu --quiet -o m.json {arguments}"));
    folder
}

const WINE: &str =
    "{data}/wine/train.parquet --target cultivar --features ash,magnesium,malic_acid --l1 0 --l2 0";

#[test]
fn an_l1_penalty_is_refused_with_the_reason_and_the_way_out() {
    let folder = trained("{data}/wine/train.parquet --target cultivar --l1 0.1 --l2 0");
    let stderr = fail(folder.path(), "inspect m.json {data}/wine/train.parquet --inference", 1);
    assert_says(&stderr, &["L1", "these very rows", "--l1 0 --l2 0 --features", "class_0"]);
}

#[test]
fn the_way_out_of_an_l1_penalty_is_what_a_shell_takes() {
    let folder = tempdir().unwrap();
    let number = |of: usize| float_column((0..60).map(move |i| ((i * of) % 17) as f64));
    let label = || text_column((0..60).map(|i| if (i * 3) % 17 + (i * 5) % 17 > 15 { "up" } else { "down" }));
    for (names, says) in [
        (["a b", "it's"], r"--l1 0 --l2 0 --features 'a b,it'\''s'"),
        (["a,b", "q\"c"], r#"--l1 0 --l2 0 and, in the TOML of --config, features = ["a,b", "q\"c"]"#),
    ] {
        let columns: Vec<(&str, ArrayRef)> =
            vec![(names[0], number(3)), (names[1], number(5)), ("y", label())];
        write_parquet(&folder.path().join("t.parquet"), columns);
        succeed(folder.path(), "train t.parquet --target y --l1 0.01 --l2 0 --device cpu --quiet -o m.json");
        assert_says(&fail(folder.path(), "inspect m.json t.parquet --inference", 1), &[says]);
    }
}

#[test]
fn rows_that_the_model_was_not_trained_on_are_refused() {
    let folder = trained(WINE);
    let stderr = fail(folder.path(), "inspect m.json {data}/wine/test.parquet --inference", 1);
    assert_says(&stderr, &["not the rows", "44 rows", "134"]);
    let stderr = fail(folder.path(), "inspect m.json {data}/wine/train.parquet --inference --weight ash", 1);
    assert_says(&stderr, &["weights add up to", "134 in training"]);

    let folder = trained(&format!("{WINE} --class-weight balanced"));
    let stderr = fail(folder.path(), "inspect m.json {data}/wine/train.parquet --inference", 1);
    assert_says(&stderr, &["--class-weight balanced", "train again without"]);

    let folder = trained(&format!("{WINE} --validation-fraction 0.2"));
    let stderr = fail(folder.path(), "inspect m.json {data}/wine/train.parquet --inference", 1);
    assert_says(&stderr, &["not the rows", "--validation-fraction"]);
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let folder = trained(WINE);
    let all = "inspect m.json {data}/wine/train.parquet --inference";
    assert_says(&fail(folder.path(), &format!("{all} --confidence 95"), 2), &["--confidence", "0.95"]);
    assert_says(&fail(folder.path(), &format!("{all} --class class_9"), 1), &["class_9", "class_0, class_1"]);
    assert_says(&fail(folder.path(), &format!("{all} --reference ash=1"), 1), &["--reference", "ash=1"]);
    assert_says(&fail(folder.path(), &format!("{all} --memory 1kB"), 1), &["4 x 4", "--memory"]);
    assert_says(&fail(folder.path(), &format!("{all} --feature pro*"), 1), &["pro*", "ash"]);
    assert_says(&fail(folder.path(), "inspect m.json --sort p", 1), &["--inference"]);
    assert_says(&fail(folder.path(), "inspect m.json {data}/wine/train.parquet", 2), &["--inference"]);
    assert_says(&fail(folder.path(), "inspect m.json --inference", 2), &["DATA"]);
    let folder = trained("{data}/wine/train.parquet --target cultivar --l2 0.1");
    assert_says(&fail(folder.path(), &format!("{all} --robust hc0"), 1), &["--robust", "shrunk"]);
    assert_says(&fail(folder.path(), &format!("{all} --sort p"), 1), &["--sort p", "L2", "another order"]);
}

#[test]
fn separated_and_unfinished_models_get_no_p_values() {
    let folder = trained("{data}/iris/train.parquet --target species --l1 0 --l2 0");
    let json = succeed_json(folder.path(), "inspect m.json {data}/iris/train.parquet --inference");
    let models = json["inference"]["models"].as_array().unwrap();
    assert_eq!(models[0]["separation"]["complete"], true);
    assert!(models[0]["coefficients"].as_array().unwrap().iter().all(|c| c["p_value"].is_null()));
    assert_eq!(models[1]["separation"]["complete"], false);
    assert!(models[1]["coefficients"][1]["p_value"].is_number());
    // Setosa is separated from the others; virginica nearly, with large but finite coefficients.
    assert_eq!(models[2]["separation"]["complete"], false);
    assert!(models[2]["coefficients"][3]["p_value"].is_number(), "{}", models[2]);
    let text = succeed(folder.path(), "inspect m.json {data}/iris/train.parquet --inference");
    // Wrapped to the width of the page.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&text, &["a plane separates the classes", "train with a penalty"]);
    let text = succeed(folder.path(), "inspect m.json {data}/iris/train.parquet --inference --class setosa");
    assert!(!text.contains("std. error") && !text.contains("odds ratio"), "{text}");

    let folder = trained(&format!("{WINE} --solver lbfgs --max-iterations 2"));
    let json =
        succeed_json(folder.path(), "inspect m.json {data}/wine/train.parquet --inference --class class_1");
    let model = &json["inference"]["models"][0];
    assert!(model["coefficients"][1]["p_value"].is_null(), "{model}");
    assert_says(&model["warnings"].to_string(), &["did not converge"]);
}

#[test]
fn coefficients_are_filtered_sorted_and_fit_80_columns() {
    let folder = trained("{data}/breast_cancer/train.parquet --target diagnosis");
    let json = succeed_json(
        folder.path(),
        "inspect m.json --feature worst_* --feature mean_area --sort name --top 3",
    );
    let model = &json["models"][0];
    assert_eq!(model["coefficients"].as_array().unwrap().len(), 11);
    let names: Vec<&str> =
        model["top"].as_array().unwrap().iter().map(|row| row["feature"].as_str().unwrap()).collect();
    assert_eq!(names, ["mean_area", "worst_area", "worst_compactness"]);
    let row = &model["top"][0];
    let number = |key: &str| row[key].as_f64().unwrap();
    assert_eq!(number("odds_ratio"), number("coefficient").exp());
    assert_eq!(number("odds_ratio_per_sd"), number("standardised").exp());
    assert_eq!(number("standardised"), number("coefficient") * number("sd"));
    for line in [
        "inspect m.json --top 30",
        "inspect m.json {data}/breast_cancer/train.parquet --inference --top 30 --sort file",
        "inspect m.json --sort coefficient --feature *area*",
    ] {
        let text = succeed(folder.path(), line);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    let text = succeed(folder.path(), "inspect m.json {data}/breast_cancer/train.parquet --inference");
    assert_says(&text, &["approximate", "posterior", "no p-values", "effective", "2.5%", "97.5%"]);
}

#[test]
fn odds_ratios_have_intervals_and_a_filter_holds_for_machines_too() {
    let folder = trained(&format!("{WINE} --tolerance 1e-10"));
    let all = "inspect m.json {data}/wine/train.parquet --inference";
    let json = succeed_json(folder.path(), &format!("{all} --feature m* --class class_1 --class class_1"));
    assert_eq!(json["models"].as_array().unwrap().len(), 1);
    let models = json["inference"]["models"].as_array().unwrap();
    assert_eq!(models.len(), 1);
    let rows = models[0]["coefficients"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["feature"].as_str().unwrap()).collect();
    assert_eq!(names, ["(intercept)", "malic_acid", "magnesium"]);
    assert!(rows[0]["odds_ratio"].is_null(), "what odds are at 0 is no ratio: {}", rows[0]);
    for row in &rows[1..] {
        for (ratio, of) in
            [("odds_ratio", "estimate"), ("odds_ratio_low", "low"), ("odds_ratio_high", "high")]
        {
            assert_eq!(row[ratio].as_f64().unwrap(), row[of].as_f64().unwrap().exp());
        }
    }
    let text = succeed(folder.path(), &format!("{all} --class class_1 --class class_1"));
    assert_says(&text, &["VIF", "LR test"]);
    assert_eq!(text.matches("odds ratio").count(), 1, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn free_levels_are_said_to_be_known_by_their_differences_alone() {
    let folder = tempdir().unwrap();
    let x = |i: usize| ((i * 7) % 31) as f64;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("x", float_column((0..300).map(x))),
        ("level", text_column((0..300).map(|i| ["a", "b", "c"][i % 3]))),
        (
            "y",
            text_column((0..300).map(|i| if x(i) + ((i * 11) % 29) as f64 > 29.0 { "up" } else { "down" })),
        ),
    ];
    write_parquet(&folder.path().join("t.parquet"), columns);
    for (flags, is_free) in [
        ("--l2 0", true),
        ("--l2 0.1", false),
        // The only categorical column takes the place of the intercept.
        ("--l2 0 --no-intercept", false),
        ("--l2 0 --exclude level", false),
    ] {
        succeed(folder.path(), &format!("train t.parquet --target y --device cpu --quiet -o m.json {flags}"));
        let text = succeed(folder.path(), "inspect m.json");
        assert_eq!(text.contains("only the differences"), is_free, "{flags}\n{text}");
        // With a reference level, all coefficients are differences.
        let text = succeed(folder.path(), "inspect m.json t.parquet --inference");
        assert!(!text.contains("only the differences"), "{text}");
    }
}

#[test]
fn penalties_of_their_own_are_shown() {
    let folder = tempdir().unwrap();
    let tune =
        "tune {data}/iris/train.parquet --target species --cs 0.1,1,10,100 --device cpu --quiet -o m.json";
    succeed(folder.path(), &format!("{tune} --per-class"));
    let text = succeed(folder.path(), "inspect m.json");
    assert_says(&text, &["of 4 penalties by log_loss, for each class", "class       l1"]);
    let shown = succeed_json(folder.path(), "inspect m.json");
    let model = json(&folder.path().join("m.json"));
    for (shown, own) in shown["models"].as_array().unwrap().iter().zip(model["models"].as_array().unwrap()) {
        assert_eq!(shown["penalty"], own["penalty"]);
    }
    succeed(folder.path(), tune);
    let text = succeed(folder.path(), "inspect m.json");
    assert_says(&text, &["of 4 penalties by log_loss\n"]);
}

#[test]
fn one_class_of_many_is_shown_on_demand() {
    let folder = trained("{data}/digits/train.parquet --target digit");
    let text = succeed(folder.path(), "inspect m.json --class 7");
    assert_eq!(text.matches("intercept").count(), 1, "{text}");
    assert_says(&text, &["class      7"]);
    let text = succeed(folder.path(), "inspect m.json");
    assert_says(&text, &["7 more models", "--class"]);
}
