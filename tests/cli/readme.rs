//! Runs the commands in the README.

use std::fs;

use tempfile::tempdir;

use super::support::{logodds, repository};

/// The command lines in the README's `sh` blocks, with continued lines joined and comments removed.
fn commands() -> Vec<String> {
    let text = fs::read_to_string(repository("README.md")).unwrap().replace("\\\n", " ");
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && !line.is_empty() && !line.starts_with('#') => commands.push(line.to_owned()),
            _ => {}
        }
    }
    commands
}

#[test]
fn every_command_of_the_readme_runs_in_order() {
    let folder = tempdir().unwrap();
    for name in ["data", "configs"] {
        copy(&repository(name), &folder.path().join(name));
    }
    let mut ran = 0;
    for line in commands() {
        let Some(arguments) =
            line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("logodds "))
        else {
            assert_eq!(line, "bash tests/run", "a command that no test knows");
            continue;
        };
        let mut words: Vec<&str> = arguments.split_whitespace().map(|word| word.trim_matches('\'')).collect();
        if words[0] == "train" && !words.contains(&"--device") {
            words.extend(["--device", "cpu"]);
        }
        logodds(folder.path()).args(&words).assert().success();
        ran += 1;
    }
    assert!(ran >= 5, "only {ran} commands were found");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}
