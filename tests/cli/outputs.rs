//! Outputs never destroy what a command reads.

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use super::support::{assert_says, fail, files, float_column, run, succeed, text_column, write_parquet};

/// A folder with tables `d/a.parquet` and `v.parquet`, a config file and a model.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("d")).unwrap();
    for name in ["d/a.parquet", "v.parquet"] {
        let y = text_column(["a", "b", "a", "b"]);
        write_parquet(&at(name), vec![("x", float_column([1.0, 2.0, 3.0, 5.0])), ("y", y)]);
    }
    fs::write(at("c.toml"), "target = \"y\"\ndevice = \"cpu\"\n").unwrap();
    succeed(folder.path(), "train d --config c.toml --quiet -o m.json");
    folder
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = files(folder).into_iter().filter(|name| name != "d").chain(["d/a.parquet".to_owned()]);
    names.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

#[test]
fn outputs_that_are_inputs_are_refused() {
    let folder = folder();
    let before = contents(folder.path());
    let table = "an input table";
    for (line, flag, path, role) in [
        ("train d --config c.toml -o d/a.parquet", "--output", "d/a.parquet", table),
        ("train d/*.parquet --config c.toml -o d/../d/a.parquet", "--output", "a.parquet", table),
        ("train d --config c.toml -o n.json --metrics d/a.parquet", "--metrics", "d/a.parquet", table),
        (
            "train d --config c.toml --validation v.parquet -o v.parquet",
            "--output",
            "v.parquet",
            "validation",
        ),
        ("train d --config c.toml -o c.toml", "--output", "c.toml", "the config file"),
        ("train d --config c.toml -o n.json --metrics ./c.toml", "--metrics", "c.toml", "the config file"),
        ("train d --config c.toml -o n.json --metrics ./n.json", "--metrics", "n.json", "--output"),
        ("predict m.json d -o d/a.parquet", "--output", "d/a.parquet", table),
        ("predict m.json d -o m.json", "--output", "m.json", "the model file"),
    ] {
        let stderr = fail(folder.path(), line, 1);
        assert_says(&stderr, &[flag, path, role]);
        assert_eq!(contents(folder.path()), before, "{line}");
    }
}

#[cfg(unix)]
#[test]
fn links_do_not_hide_an_input() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(at("d/a.parquet"), at("soft")).unwrap();
    fs::hard_link(at("d/a.parquet"), at("hard")).unwrap();
    let before = contents(folder.path());
    for link in ["soft", "hard"] {
        fail(folder.path(), &format!("train d --config c.toml -o {link}"), 1);
        fail(folder.path(), &format!("train d --config c.toml -o n.json --metrics {link}"), 1);
        fail(folder.path(), &format!("predict m.json d -o {link}"), 1);
    }
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn an_old_model_may_be_replaced() {
    let folder = folder();
    assert!(run(folder.path(), "train d --config c.toml --quiet -o m.json").status.success());
}

#[test]
fn a_run_that_fails_while_reading_leaves_older_metrics_as_they_were() {
    let folder = folder();
    let metrics = folder.path().join("m.jsonl");
    fs::write(&metrics, "old").unwrap();
    fail(folder.path(), "train d --device cpu --target absent -o n.json --metrics m.jsonl", 1);
    assert_eq!(fs::read_to_string(&metrics).unwrap(), "old");
    fail(folder.path(), "train d --device cpu --target absent -o n.json --metrics new.jsonl", 1);
    assert!(!folder.path().join("new.jsonl").exists());
    succeed(folder.path(), "train d --config c.toml --quiet -o n.json --metrics m.jsonl");
    assert!(fs::read_to_string(&metrics).unwrap().starts_with('{'));
}

#[test]
fn a_table_named_twice_is_refused() {
    let folder = folder();
    for line in [
        "train d ./d/a.parquet --config c.toml -o n.json",
        "train d --validation v.parquet --validation ./v.parquet --config c.toml -o n.json",
        "predict m.json d/a.parquet d/*.parquet -o p.parquet",
        "evaluate m.json d d",
    ] {
        assert_says(&fail(folder.path(), line, 1), &[".parquet", "named twice"]);
    }
}

#[test]
fn plots_take_the_place_of_no_table_and_no_model() {
    let folder = folder();
    fs::create_dir(folder.path().join("p")).unwrap();
    fs::copy(folder.path().join("v.parquet"), folder.path().join("p/results.parquet")).unwrap();
    let before = fs::read(folder.path().join("p/results.parquet")).unwrap();
    let tune = "tune p/results.parquet --target y --device cpu --folds 2 --plots p";
    assert_says(&fail(folder.path(), &format!("{tune} -o n.json"), 1), &["--plots", "an input table"]);
    assert_eq!(fs::read(folder.path().join("p/results.parquet")).unwrap(), before);
    let line = "tune d --target y --device cpu --folds 2 --plots q -o q/results.json";
    fs::create_dir(folder.path().join("q")).unwrap();
    assert_says(&fail(folder.path(), line, 1), &["--plots", "the model that --output names"]);
}

#[test]
fn a_checkpoint_takes_the_place_of_no_table_and_no_model() {
    let folder = folder();
    let kept = folder.path().join("k");
    fs::create_dir(&kept).unwrap();
    fs::copy(folder.path().join("v.parquet"), kept.join("sweep.journal")).unwrap();
    let before = fs::read(kept.join("sweep.journal")).unwrap();
    let tune = "tune d --target y --device cpu --folds 2 --checkpoint k --resume";
    for (line, role) in [
        (format!("{tune} -o k/sweep.journal"), "the model that --output names"),
        (format!("{tune} -o k/minimum.journal"), "the model that --output names"),
        (format!("{tune} -o n.json --metrics k/sweep.journal"), "the --metrics file"),
        (format!("{} -o n.json", tune.replace(" d ", " k/sweep.journal ")), "an input table"),
    ] {
        assert_says(&fail(folder.path(), &line, 1), &["--checkpoint", role]);
        assert_eq!(fs::read(kept.join("sweep.journal")).unwrap(), before, "{line}");
    }
}
