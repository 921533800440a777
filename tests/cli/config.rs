use std::fs;

use tempfile::tempdir;

use super::support::{assert_says, fail};

#[test]
fn config_files_that_are_not_understood_are_refused_with_line_and_column() {
    let folder = tempdir().unwrap();
    for (text, code, says) in [
        (
            "target = 'y'\nlearning_rate = 0.1\n",
            1,
            vec!["c.toml, line 2, column 1", "learning_rate", "learning-rate"],
        ),
        ("target = 'y'\nepochs = 'many'\n", 1, vec!["line 2, column 10"]),
        ("target = 'y'\nsolver = 'magic'\n", 1, vec!["line 2", "magic", "sgd"]),
        ("target = 'y'\ndevice = 'tpu'\n", 1, vec!["line 2", "tpu", "cpu"]),
        ("target = \n", 1, vec!["line 1"]),
        ("data = 't.parquet'\ntarget = 'y'\nl1 = 1.0\nc = 1.0\n", 2, vec!["--l1 and --c"]),
        (
            "data = 't.parquet'\ntarget = 'y'\nsolver = 'newton'\nepochs = 5\n",
            2,
            vec!["--epochs and --solver", "sgd"],
        ),
        ("data = 't.parquet'\ntarget = 'y'\nl2 = -1.0\n", 1, vec!["--l2 is -1"]),
        ("target = 'y'\nfeatures = []\n", 1, vec!["line 2, column 12", "an empty list", "leave the key out"]),
        ("target = 'y'\nvalidation = []\n", 1, vec!["line 2", "an empty list"]),
        ("data = 't.parquet'\ntarget = 'y'\nfeatures = ['y']\n", 1, vec!["\"y\"", "--features"]),
    ] {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let stderr = fail(folder.path(), "train --config c.toml -o m.json", code);
        assert_says(&stderr, &says);
    }
}

#[test]
fn settings_may_be_long() {
    let folder = tempdir().unwrap();
    let names: Vec<String> = (0..20_000).map(|i| format!("'column_{i}'")).collect();
    let features = names.join(",");
    for (command, more) in [("train", ""), ("tune", "folds = 3\n")] {
        let text = format!("data = 'absent.parquet'\ntarget = 'y'\n{more}features = [{features}]\n");
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let stderr = fail(folder.path(), &format!("{command} --config c.toml -o m.json"), 1);
        assert_says(&stderr, &["absent.parquet: no such file"]);
    }
}

#[test]
fn a_config_file_that_does_not_exist_is_named() {
    let folder = tempdir().unwrap();
    let stderr = fail(folder.path(), "train --config absent.toml -o m.json", 1);
    assert_says(&stderr, &["cannot read the config file absent.toml", "caused by:"]);
}

#[test]
fn a_flag_wins_over_the_config_file() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), "data = 'file.parquet'\ntarget = 'y'\nl2 = -1.0\n").unwrap();
    let stderr = fail(folder.path(), "train --config c.toml -o m.json --c 1 flag.parquet", 1);
    assert_says(&stderr, &["flag.parquet"]);
}
