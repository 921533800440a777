//! `report`: pages, pictures and refusals. Pages in a browser are tested in `tests/peers`.

use std::fs;

use serde_json::json as value;
use tempfile::{TempDir, tempdir};

use super::support::{
    assert_says, fail, files, float_column, json, succeed, succeed_json, text_column, write_parquet,
};

const TEST: &str = "{data}/breast_cancer/test.parquet";

fn cancer() -> TempDir {
    let folder = tempdir().unwrap();
    let table = "{data}/breast_cancer/train.parquet";
    succeed(folder.path(), &format!("train {table} --target diagnosis --device cpu --quiet -o m.json"));
    folder
}

#[test]
fn a_page_says_what_evaluate_says() {
    let folder = cancer();
    let evaluation = succeed_json(folder.path(), &format!("evaluate m.json {TEST}"));
    let summary = succeed_json(folder.path(), &format!("report m.json {TEST} -o r.html"));
    assert_eq!(summary["output"], "r.html");
    assert_eq!(summary["format"], "html");
    for key in
        ["rows", "rows_dropped", "log_loss", "accuracy", "auc", "average_precision", "brier", "threshold"]
    {
        assert_eq!(summary["evaluation"][key], evaluation[key], "{key}");
    }
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert_eq!(summary["bytes"], page.len());
    let auc = format!("{:.4}", evaluation["auc"].as_f64().unwrap());
    assert_says(
        &page,
        &["<!doctype html>", "lang=\"en\"", "diagnosis", "malignant", &auc, "427 rows", "newton"],
    );
    // The bytes are the same every time.
    succeed(folder.path(), &format!("report m.json {TEST} -o again.html"));
    assert_eq!(fs::read_to_string(folder.path().join("again.html")).unwrap(), page);
    let text = succeed(folder.path(), &format!("report m.json {TEST} -o r.html"));
    assert_says(&text, &["r.html", "KiB", "142", "AUC"]);
}

#[test]
fn a_page_begins_at_the_threshold_that_is_asked_for() {
    let folder = cancer();
    let evaluation = succeed_json(folder.path(), &format!("evaluate m.json {TEST} --threshold 0.2"));
    succeed(folder.path(), &format!("report m.json {TEST} -o r.html --threshold 0.2"));
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    let matrix = &evaluation["confusion_matrix"];
    let tp = format!("<b id=\"tp\">{}</b>", matrix[1][1]);
    let fp = format!("<b id=\"fp\">{}</b>", matrix[0][1]);
    assert_says(&page, &["<output id=\"at\" for=\"slider\">0.2</output>", &tp, &fp]);
}

#[test]
fn every_picture_comes_as_svg_and_as_png() {
    let folder = cancer();
    let table = "{data}/breast_cancer/train.parquet";
    let flags = "--target diagnosis --device cpu --quiet --l1-ratios 1 --lambdas 5 -o tuned.json";
    succeed(folder.path(), &format!("tune {table} {flags}"));
    for plot in
        ["roc", "pr", "calibration", "histogram", "confusion", "coefficients", "training", "path", "cv"]
    {
        // Pictures of the model alone need no data.
        let data = if ["coefficients", "training", "path", "cv"].contains(&plot) { "" } else { TEST };
        let summary =
            succeed_json(folder.path(), &format!("report tuned.json {data} --plot {plot} -o p.svg"));
        assert_eq!(summary["format"], "svg");
        let svg = fs::read_to_string(folder.path().join("p.svg")).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let title = document.descendants().find(|node| node.tag_name().name() == "title").unwrap();
        assert!(!title.text().unwrap().is_empty(), "{plot}");
        succeed(folder.path(), &format!("report tuned.json {data} --plot {plot} --format png -o p.png"));
        assert!(fs::read(folder.path().join("p.png")).unwrap().starts_with(b"\x89PNG"), "{plot}");
    }
    assert_eq!(files(folder.path()), ["m.json", "p.png", "p.svg", "tuned.json"]);
}

#[test]
fn what_cannot_be_drawn_is_said_with_the_way_out() {
    let folder = cancer();
    for (line, code, said) in [
        ("report m.json -o r.html", 2, "name labelled Parquet files"),
        ("report m.json {test} -o r.pdf", 2, "none of .html, .svg, .png"),
        ("report m.json {test} -o r.png", 2, "name one of the pictures"),
        ("report m.json {test} --plot roc -o r.html", 2, "a page has all of them"),
        ("report m.json --plot coefficients --format png -o r.svg", 2, "the file's extension means another"),
        ("report m.json --plot coefficients --threshold 0.3 -o r.svg", 1, "scores no rows"),
        ("report m.json --plot coefficients --weight w -o r.svg", 1, "scores no rows"),
        ("report m.json --plot cv -o r.svg", 1, "logodds tune"),
        ("report m.json --plot roc --class benign {test} -o r.svg", 1, "the model is binary"),
    ] {
        let stderr = fail(folder.path(), &line.replace("{test}", TEST), code);
        assert_says(&stderr, &[said]);
    }
    let stderr = fail(folder.path(), &format!("report m.json {TEST} --format html -o m.json"), 1);
    assert_says(&stderr, &["model file"]);
    let digits = "train {data}/digits/train.parquet --target digit --device cpu --quiet -o d.json";
    succeed(folder.path(), digits);
    let data = "{data}/digits/test.parquet";
    let stderr = fail(folder.path(), &format!("report d.json {data} --plot roc --class ten -o r.svg"), 1);
    assert_says(&stderr, &["no class \"ten\"", "0, 1, 2"]);
    succeed(folder.path(), &format!("report d.json {data} --plot roc --class 7 -o r.svg"));
    assert_says(&fs::read_to_string(folder.path().join("r.svg")).unwrap(), &["ROC curve of 7"]);
    assert_eq!(files(folder.path()), ["d.json", "m.json", "r.svg"]);
}

#[test]
fn a_page_or_picture_may_go_to_stdout() {
    let folder = cancer();
    let page = succeed(folder.path(), &format!("report m.json {TEST} --format html -o -"));
    succeed(folder.path(), &format!("report m.json {TEST} -o r.html"));
    assert_eq!(page.trim_end(), fs::read_to_string(folder.path().join("r.html")).unwrap().trim_end());
    let svg = succeed(folder.path(), "report m.json --plot coefficients --format svg -o -");
    assert!(svg.starts_with("<svg"), "{svg}");
    assert_eq!(files(folder.path()), ["m.json", "r.html"]);
}

#[test]
fn training_rows_add_the_intervals_that_inspect_gives() {
    let folder = tempdir().unwrap();
    let table = "{data}/breast_cancer/train.parquet";
    let features = "--features mean_radius,mean_texture,mean_smoothness";
    let train = format!(
        "train {table} --target diagnosis --positive malignant {features} --l1 0 --l2 0 --tolerance 1e-9"
    );
    succeed(folder.path(), &format!("{train} --device cpu --quiet -o m.json"));
    let inference = succeed_json(folder.path(), &format!("inspect m.json {table} --inference"));
    let model = &inference["inference"]["models"][0];
    succeed(folder.path(), &format!("report m.json {TEST} --inference {table} -o r.html"));
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    let payload = page.split_once("id=\"payload\"").unwrap().1.split_once('>').unwrap().1;
    let payload: serde_json::Value =
        serde_json::from_str(payload.split_once("</script>").unwrap().0).unwrap();
    let shown = &payload["coefficients"][0];
    let scales = json(&folder.path().join("m.json"))["columns"].clone();
    for (at, place) in shown["f"].as_array().unwrap().iter().enumerate() {
        let name = &payload["features"][place.as_u64().unwrap() as usize];
        let known = model["coefficients"].as_array().unwrap().iter().find(|c| c["feature"] == *name).unwrap();
        let column = scales.as_array().unwrap().iter().find(|c| c["name"] == *name).unwrap();
        let scale = column["scale"].as_f64().unwrap();
        for (end, of) in [("lo", "low"), ("hi", "high")] {
            let (found, known) = (shown[end][at].as_f64().unwrap(), known[of].as_f64().unwrap() * scale);
            assert!((found / known - 1.0).abs() < 1e-7, "{name} {end}: {found} and {known}");
        }
    }
    assert_says(&page, &["95% confidence intervals", "Likelihood-ratio test", "AIC", "398"]);
    let svg = "report m.json --plot coefficients -o r.svg";
    succeed(folder.path(), &format!("{svg} --inference {table}"));
    assert_says(&fs::read_to_string(folder.path().join("r.svg")).unwrap(), &["95% confidence intervals"]);
    // With an L1 penalty there are none.
    succeed(
        folder.path(),
        &format!("train {table} --target diagnosis --l1 0.1 --device cpu --quiet -o sparse.json"),
    );
    let stderr = fail(folder.path(), &format!("report sparse.json {TEST} --inference {table} -o s.html"), 1);
    assert_says(&stderr, &["L1"]);
}

#[test]
fn a_model_of_an_older_version_has_a_page_without_its_course() {
    let folder = cancer();
    let path = folder.path().join("m.json");
    let mut model = json(&path);
    let curve = model["training"].as_object_mut().unwrap().remove("curve").unwrap();
    let n = curve["passes"].as_array().unwrap().len();
    for list in ["seconds", "objective", "kkt_residual", "converged"] {
        assert_eq!(curve[list].as_array().unwrap().len(), n, "{list}");
    }
    let residuals: Vec<f64> =
        curve["kkt_residual"].as_array().unwrap().iter().map(|r| r.as_f64().unwrap()).collect();
    assert!(residuals[n - 1] < 1e-6 && residuals[0] > 1e-3, "{residuals:?}");
    fs::write(&path, model.to_string()).unwrap();
    succeed(folder.path(), &format!("report m.json {TEST} -o r.html"));
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert_says(&page, &["written by an older version"]);
    fail(folder.path(), "report m.json --plot training -o r.svg", 1);

    model["training"]["curve"] = curve;
    model["training"]["curve"]["seconds"] = value!([1.0]);
    fs::write(&path, model.to_string()).unwrap();
    assert_says(&fail(folder.path(), "inspect m.json", 1), &["training curve"]);
}

#[test]
fn a_page_of_rows_of_one_class_has_no_curves_and_says_so() {
    let folder = tempdir().unwrap();
    let x = || float_column((0..40).map(f64::from));
    let both = text_column((0..40).map(|i| if i % 3 == 0 { "a" } else { "b" }));
    write_parquet(&folder.path().join("both.parquet"), vec![("x", x()), ("y", both)]);
    write_parquet(
        &folder.path().join("one.parquet"),
        vec![("x", x()), ("y", text_column((0..40).map(|_| "a")))],
    );
    succeed(folder.path(), "train both.parquet --target y --device cpu --quiet -o m.json");
    succeed(folder.path(), "report m.json one.parquet -o r.html");
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert_says(&page, &["one class only", "no curve"]);
}

#[test]
fn weights_are_added_up() {
    let folder = tempdir().unwrap();
    let n = 200;
    let x = || float_column((0..n).map(|i| f64::from(i * 37 % 101)));
    let y = || text_column((0..n).map(|i| if i * 37 % 101 + i % 40 > 60 { "b" } else { "a" }));
    let weight = float_column((0..n).map(|i| 0.5 + f64::from(i % 4)));
    write_parquet(&folder.path().join("t.parquet"), vec![("x", x()), ("w", weight), ("y", y())]);
    succeed(folder.path(), "train t.parquet --target y --weight w --device cpu --quiet -o m.json");
    let evaluation = succeed_json(folder.path(), "evaluate m.json t.parquet --weight w");
    succeed(folder.path(), "report m.json t.parquet --weight w -o r.html");
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    let score =
        |key: &str| format!("<dd id=\"{key}\">{:.4}</dd>", evaluation["classes"][1][key].as_f64().unwrap());
    assert_says(&page, &["Rows have weights", &score("precision"), &score("recall"), &score("f1")]);
}

#[test]
fn a_page_says_that_evaluate_counts_rows_where_it_adds_up_weights() {
    let folder = tempdir().unwrap();
    let x = || float_column((0..60).map(|i| f64::from(i * 37 % 41)));
    let y = || text_column((0..60).map(|i| if i * 37 % 41 + i % 20 > 30 { "b" } else { "a" }));
    let weight = float_column((0..60).map(|i| 0.5 + f64::from(i % 4)));
    write_parquet(&folder.path().join("t.parquet"), vec![("x", x()), ("w", weight), ("y", y())]);
    succeed(folder.path(), "train t.parquet --target y --weight w --device cpu --quiet -o m.json");
    succeed(folder.path(), "report m.json t.parquet --weight w -o w.html");
    succeed(folder.path(), "report m.json t.parquet --no-weight -o r.html");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_says(&read("w.html"), &["its confusion matrix counts rows"]);
    assert!(!read("r.html").contains("counts rows"));
}

#[test]
fn a_stored_threshold_is_shown_in_as_few_digits_as_decide_the_same() {
    let folder = cancer();
    succeed(folder.path(), &format!("threshold m.json {TEST} --by youden"));
    let evaluation = succeed_json(folder.path(), &format!("evaluate m.json {TEST}"));
    succeed(folder.path(), &format!("report m.json {TEST} -o r.html"));
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    let shown = page.split("<output id=\"at\" for=\"slider\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(shown.len() <= 8, "{shown}");
    let again = succeed_json(folder.path(), &format!("evaluate m.json {TEST} --threshold {shown}"));
    assert_eq!(again["confusion_matrix"], evaluation["confusion_matrix"]);
    assert_says(&page, &[&format!("at threshold {shown}"), &format!("It begins at {shown}")]);
}

#[test]
fn thresholds_of_classes_stand_beside_them_and_the_slider_says_that_it_moves_others() {
    let folder = tempdir().unwrap();
    let test = "{data}/iris/test.parquet";
    succeed(folder.path(), "train {data}/iris/train.parquet --target species --device cpu --quiet -o m.json");
    succeed(folder.path(), &format!("report m.json {test} -o before.html"));
    succeed(folder.path(), &format!("threshold m.json {test} --by f1"));
    succeed(folder.path(), &format!("report m.json {test} -o after.html"));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (before, after) = (read("before.html"), read("after.html"));
    let told = ["<th scope=\"col\">Threshold</th></tr>", "are not on this slider"];
    assert_says(&after, &told);
    told.iter().for_each(|told| assert!(!before.contains(told), "{told}"));
    for fitted in json(&folder.path().join("m.json"))["models"].as_array().unwrap() {
        let row = after.split("Table of classes").last().unwrap();
        let row = row
            .split(&format!("<th scope=\"row\">{}</th>", fitted["class"].as_str().unwrap()))
            .nth(1)
            .unwrap();
        let cell = row.split("</tr>").next().unwrap().split("<td>").last().unwrap().trim_end_matches("</td>");
        let (shown, stored): (f64, f64) = (cell.parse().unwrap(), fitted["threshold"].as_f64().unwrap());
        assert!((shown - stored).abs() < 1e-3 * stored, "{cell}, not {stored}");
    }
}

#[test]
fn a_page_says_how_training_ended_and_what_it_found() {
    let folder = tempdir().unwrap();
    let page = |train: &str, data: &str| {
        succeed(folder.path(), &format!("train {train} --device cpu --quiet -o m.json"));
        succeed(folder.path(), &format!("report m.json {data} -o r.html"));
        fs::read_to_string(folder.path().join("r.html")).unwrap()
    };
    let iris = "{data}/iris/train.parquet";
    let separated = page(&format!("{iris} --target species --l1 0 --l2 0"), iris);
    assert_says(&separated, &["not at an optimum", "classes are separated"]);
    assert!(!separated.contains("are not optimal"));

    let cancer = "{data}/breast_cancer/train.parquet";
    let early =
        "--solver sgd --validation-fraction 0.3 --patience 1 --tolerance 1e-12 --class-weight balanced";
    let early = page(&format!("{cancer} --target diagnosis {early}"), TEST);
    let told = ["stopped improving", "watched by log loss", "after 1 epoch", "balanced"];
    assert_says(&early, &told);
    assert_says(&early, &["; best log loss 0.", "stopped early: best 0."]);
    assert!(!early.contains("not at an optimum"), "a stop that was asked for is no warning");
    let training = &json(&folder.path().join("m.json"))["training"];
    assert_eq!(
        (&training["class_weight"], &training["validation"]["patience"]),
        (&value!("balanced"), &value!(1))
    );

    let x = || float_column((0..60).map(|i| f64::from(i * 37 % 41)));
    let y = || text_column((0..60).map(|i| if i * 37 % 41 + i % 20 > 30 { "b" } else { "a" }));
    let same = float_column((0..60).map(|_| 3.0));
    write_parquet(&folder.path().join("t.parquet"), vec![("x", x()), ("same", same), ("y", y())]);
    let constant = page("t.parquet --target y", "t.parquet");
    assert_says(&constant, &["In training: 1 column holds one value only", "same"]);
    assert!(!constant.contains("not at an optimum"));
}

#[test]
fn a_model_without_coefficients_says_so_and_has_no_empty_axis() {
    let folder = cancer();
    let train = "{data}/breast_cancer/train.parquet --target diagnosis --l1 100 --l2 0 --device cpu --quiet";
    succeed(folder.path(), &format!("train {train} -o zero.json"));
    succeed(folder.path(), &format!("report zero.json {TEST} -o r.html"));
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert_says(&page, &["every coefficient is zero", "<div class=\"forest\" hidden"]);
}
