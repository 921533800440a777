//! Outputs never destroy the inputs of a command.

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
        (
            "report m.json d --inference v.parquet --format html -o v.parquet",
            "--output",
            "v.parquet",
            "a training table",
        ),
    ] {
        let stderr = fail(folder.path(), line, 1);
        assert_says(&stderr, &[flag, path, role]);
        assert_eq!(contents(folder.path()), before, "{line}");
    }
}

#[test]
fn a_path_that_cannot_be_written_is_refused_before_anything_is_read() {
    let folder = folder();
    let before = files(folder.path());
    for (path, says) in [
        ("new/", "it names a folder"),
        ("new/.", "it names a folder"),
        ("d/", "it names a folder"),
        ("d", "it is a directory"),
        ("absent/n", "there is no folder absent"),
    ] {
        for line in [
            "train none.parquet --config c.toml -o",
            "train none.parquet --config c.toml -o n.json --metrics",
            "tune none.parquet --target y -o",
            "predict m.json none.parquet -o",
            "report m.json none.parquet --format html -o",
            "export m.json --format sql -o",
            "threshold m.json none.parquet --by f1 -o",
        ] {
            assert_says(&fail(folder.path(), &format!("{line} {path}"), 1), &["cannot write", path, says]);
        }
    }
    assert_eq!(files(folder.path()), before);
}

#[test]
fn predictions_are_parquet_and_not_named_otherwise() {
    let folder = folder();
    for name in ["p.csv", "p.parquet.gz", "p.json"] {
        let stderr = fail(folder.path(), &format!("predict m.json d -o {name}"), 2);
        assert_says(&stderr, &["--output", name, ".parquet"]);
        assert!(!folder.path().join(name).exists());
    }
    for name in ["p", "p.pq", "P.PARQUET"] {
        succeed(folder.path(), &format!("predict m.json d -o {name}"));
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

/// Makes a named pipe with the system's tool, since Rust's standard library cannot.
#[cfg(unix)]
fn make_pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_never_replaced() {
    use std::os::unix::fs::FileTypeExt;

    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    make_pipe(&at("pipe"));
    std::os::unix::fs::symlink("pipe", at("link")).unwrap();
    std::os::unix::fs::symlink("link", at("chain.html")).unwrap();
    let before = files(folder.path());
    for line in [
        "train d --config c.toml -o pipe",
        "train d --config c.toml -o link",
        "tune d --target y --device cpu --folds 2 -o pipe",
        "predict m.json d -o pipe",
        "report m.json d -o chain.html",
        "report m.json --plot coefficients --format svg -o pipe",
        "export m.json --format sql -o pipe",
        "threshold m.json d --by f1 -o pipe",
    ] {
        let output = line.rsplit(' ').next().unwrap();
        assert_says(
            &fail(folder.path(), line, 1),
            &["cannot write", output, "--output", "named pipe", "file"],
        );
    }
    fs::create_dir(at("pages")).unwrap();
    make_pipe(&at("pages/logodds-tune.1"));
    assert_says(&fail(folder.path(), "man pages", 1), &["pages/logodds-tune.1", "named pipe"]);
    fs::create_dir(at("plots")).unwrap();
    make_pipe(&at("plots/curve.svg"));
    let line = "tune d --target y --device cpu --folds 2 -o t.json --plots plots";
    assert_says(&fail(folder.path(), line, 1), &["--plots", "plots/curve.svg", "named pipe"]);
    fs::remove_dir_all(at("plots")).unwrap();
    for pipe in ["pipe", "pages/logodds-tune.1"] {
        assert!(fs::symlink_metadata(at(pipe)).unwrap().file_type().is_fifo(), "{pipe}");
    }
    fs::remove_dir_all(at("pages")).unwrap();
    assert_eq!(files(folder.path()), before);
}

/// `--metrics` is the only output that is written in place, so it may be a pipe.
#[cfg(unix)]
#[test]
fn metrics_may_go_to_a_pipe_which_stays_one() {
    use std::os::unix::fs::FileTypeExt;

    let folder = folder();
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    succeed(folder.path(), "train d --config c.toml --quiet -o n.json --metrics pipe");
    assert!(reader.join().unwrap().starts_with('{'));
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

#[cfg(unix)]
#[test]
fn a_linked_output_is_written_where_the_link_leads_and_keeps_its_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str| at(name).metadata().unwrap().permissions().mode() & 0o7777;
    fs::create_dir(at("store")).unwrap();
    fs::rename(at("m.json"), at("store/real.json")).unwrap();
    fs::set_permissions(at("store/real.json"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("store/real.json", at("between.json")).unwrap();
    symlink("between.json", at("m.json")).unwrap();
    succeed(folder.path(), "threshold m.json d --by youden");
    assert!(fs::symlink_metadata(at("m.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(at("store/real.json")).unwrap().contains("\"threshold\""));
    assert_eq!(mode("store/real.json"), 0o600);

    fs::write(at("p.parquet"), "old").unwrap();
    fs::set_permissions(at("p.parquet"), fs::Permissions::from_mode(0o666)).unwrap();
    succeed(folder.path(), "predict m.json d -o p.parquet");
    assert_eq!(mode("p.parquet"), 0o666);

    // A link to a missing file: the file is created at the target of the link.
    symlink("store/new.json", at("new.json")).unwrap();
    succeed(folder.path(), "train d --config c.toml --quiet -o new.json");
    assert!(at("store/new.json").is_file() && fs::symlink_metadata(at("new.json")).unwrap().is_symlink());
    // A cycle of links has no target.
    symlink("b.json", at("a.json")).unwrap();
    symlink("a.json", at("b.json")).unwrap();
    assert_says(&fail(folder.path(), "train d --config c.toml -o a.json", 1), &["cannot write a.json"]);
}

/// SIGTERM is handled as cleanly as Ctrl-C, and each reports its signal to the shell. Under `nohup`, the
/// end of the terminal does not end the command.
#[cfg(unix)]
#[test]
fn a_signal_while_predictions_are_written_leaves_nothing_behind() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = folder();
    let rows = 2_500_000;
    let x = || (0..rows).map(|i| f64::from(i % 1000));
    write_parquet(&folder.path().join("large.parquet"), vec![("x", float_column(x()))]);
    let before = files(folder.path());
    let plain = "exec \"$0\" \"$@\"";
    let nohup = "trap '' HUP; exec \"$0\" \"$@\"";
    for (shell, signals, code) in
        [(plain, &["-TERM"][..], 143), (plain, &["-INT"], 130), (nohup, &["-HUP", "-TERM"], 143)]
    {
        let mut child = Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", shell])
            .arg(assert_cmd::cargo::cargo_bin("logodds"))
            .args(["predict", "m.json", "large.parquet", "-o", "p.parquet"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        // Whether the first rows are on disk.
        let begun = || {
            let mut entries = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
            entries.any(|entry| {
                entry.file_name().to_string_lossy().ends_with(".tmp")
                    && entry.metadata().is_ok_and(|metadata| metadata.len() > 0)
            })
        };
        while !begun() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before anything was written");
            assert!(start.elapsed() < Duration::from_secs(60), "nothing was written within a minute");
            std::thread::yield_now();
        }
        for &signal in signals {
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(files(folder.path()), before, "{signals:?}");
    }
}
