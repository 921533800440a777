//! The rules of the layout that a compiler does not check.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::repository;

/// Every Rust file under `folder`, with its path in the repository.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&repository(folder), &mut files);
    let name =
        |path: &PathBuf| path.strip_prefix(repository("")).unwrap().to_string_lossy().replace('\\', "/");
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// No file outside `allowed` names one of the crates.
#[track_caller]
fn assert_only_under(crates: &[&str], allowed: &[&str]) {
    for (path, text) in sources("src") {
        if allowed.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for name in crates {
                let used = code.match_indices(&format!("{name}::")).any(|(at, _)| {
                    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                assert!(!used, "{path}:{}: {name} belongs under {allowed:?}: {line}", number + 1);
            }
        }
    }
}

#[test]
fn the_gpu_api_is_known_to_one_folder() {
    assert_only_under(&["wgpu", "naga"], &["src/engine/gpu"]);
}

#[test]
fn the_data_format_is_known_to_one_folder() {
    assert_only_under(&["arrow", "parquet"], &["src/data"]);
}

#[test]
fn pictures_are_drawn_in_one_folder() {
    assert_only_under(&["resvg", "usvg", "tiny_skia"], &["src/plots"]);
}

#[test]
fn protocol_buffers_are_known_to_one_folder() {
    assert_only_under(&["prost"], &["src/export/onnx"]);
}

#[test]
fn pages_are_written_in_one_folder() {
    assert_only_under(&["askama"], &["src/report"]);
}

#[test]
fn flags_are_known_to_the_command_and_the_config() {
    assert_only_under(&["clap"], &["src/cli", "src/main.rs", "src/config"]);
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    for (path, _) in sources("src") {
        for name in ["utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"] {
            assert!(!path.ends_with(&format!("/{name}")), "{path}: name it after what it holds");
        }
    }
}

#[test]
fn lower_parts_do_not_know_higher_ones() {
    for (folder, forbidden) in [
        ("src/objective", vec!["data", "engine", "solver", "model", "train", "config"]),
        ("src/panels", vec!["data", "engine", "solver", "model", "train", "config"]),
        ("src/solver", vec!["data", "model", "train"]),
        ("src/engine", vec!["data", "solver", "model", "train"]),
        ("src/engine/cpu", vec!["engine::gpu"]),
        ("src/engine/gpu", vec!["engine::cpu"]),
        ("src/data", vec!["engine", "solver", "model", "train"]),
        ("src/scoring", vec!["data", "engine", "solver", "model", "train"]),
        ("src/inference", vec!["solver", "sweep", "cli"]),
        ("src/metrics", vec!["data", "engine", "solver", "model", "train", "config"]),
    ] {
        for (path, text) in sources(folder) {
            for name in &forbidden {
                // Tests at the end of a file may check one part against another.
                let code = text.split("#[cfg(test)]").next().unwrap_or("");
                let uses = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                for line in uses {
                    assert!(!line.contains(&format!("crate::{name}")), "{path} must not know {name}: {line}");
                }
            }
        }
    }
}
