//! The rules of the source layout that the compiler does not check.

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

/// Asserts that no file outside `allowed` names one of the crates.
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
    assert_only_under(
        &["arrow", "arrow_array", "arrow_cast", "arrow_schema", "arrow_select", "parquet"],
        &["src/data"],
    );
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

/// Every room (a folder or file directly in `src`), and the rooms that it may import.
const ROOMS: [(&str, &[&str]); 23] = [
    ("error", &[]),
    ("observer", &[]),
    ("output", &["error"]),
    ("panels", &[]),
    ("objective", &["panels"]),
    ("metrics", &["objective"]),
    ("data", &["error", "output", "panels"]),
    ("config", &["error", "data", "objective"]),
    ("engine", &["error", "config", "objective", "panels"]),
    ("scoring", &["config", "engine", "metrics", "objective", "panels"]),
    ("solver", &["error", "config", "engine", "objective", "panels", "scoring"]),
    ("model", &["error", "output", "config", "data", "objective", "scoring"]),
    ("plots", &["config", "metrics", "model"]),
    (
        "inference",
        &[
            "error",
            "observer",
            "output",
            "config",
            "data",
            "engine",
            "metrics",
            "model",
            "objective",
            "panels",
            "predict",
        ],
    ),
    (
        "predict",
        &[
            "error",
            "observer",
            "output",
            "config",
            "data",
            "engine",
            "metrics",
            "model",
            "objective",
            "panels",
        ],
    ),
    (
        "evaluate",
        &["error", "observer", "output", "config", "data", "metrics", "model", "objective", "predict"],
    ),
    (
        "threshold",
        &["error", "observer", "output", "data", "evaluate", "metrics", "model", "objective", "predict"],
    ),
    ("export", &["error", "output", "config", "data", "model", "objective", "predict"]),
    (
        "report",
        &[
            "error",
            "observer",
            "config",
            "data",
            "evaluate",
            "inference",
            "metrics",
            "model",
            "objective",
            "plots",
            "scoring",
        ],
    ),
    (
        "train",
        &[
            "error",
            "observer",
            "config",
            "data",
            "engine",
            "model",
            "objective",
            "panels",
            "scoring",
            "solver",
        ],
    ),
    (
        "sweep",
        &[
            "error",
            "observer",
            "output",
            "config",
            "data",
            "engine",
            "metrics",
            "model",
            "objective",
            "panels",
            "plots",
            "scoring",
            "solver",
            "train",
        ],
    ),
    ("cli", &[]),
    ("main", &[]),
];

/// The room of a file: its folder or file in `src`.
fn room(path: &str) -> &str {
    let within = path.strip_prefix("src/").unwrap();
    within.split(['/', '.']).next().unwrap()
}

#[test]
fn every_room_knows_only_those_that_it_may() {
    for (path, text) in sources("src") {
        let own = room(&path);
        if own == "lib" || path.ends_with("tests.rs") {
            continue;
        }
        let known = ROOMS.iter().find(|(name, _)| *name == own);
        let (_, may_know) = known.unwrap_or_else(|| panic!("{path}: a room that has no place in the layout"));
        // Tests at the end of a file may import other rooms.
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let named = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let is_room = ROOMS.iter().any(|(name, _)| *name == named);
                let allowed = !is_room || named == own || may_know.contains(&named);
                assert!(allowed, "{path} must not know {named}: {line}");
            }
        }
    }
}

#[test]
fn rooms_stand_on_each_other_without_a_circle() {
    // Repeatedly removes the rooms that import no remaining room. Without a cycle, none is left.
    let mut left: Vec<_> = ROOMS.to_vec();
    while !left.is_empty() {
        let names: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
        let before = left.len();
        left.retain(|(_, may_know)| may_know.iter().any(|name| names.contains(name)));
        assert!(left.len() < before, "a circle among {names:?}");
    }
}

#[test]
fn engines_do_not_see_each_other() {
    let engines = ["cpu", "exact", "gpu"];
    for engine in engines {
        for (path, text) in sources(&format!("src/engine/{engine}")) {
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            for other in engines.iter().filter(|&&other| other != engine) {
                let named = format!("engine::{other}");
                assert!(!code.contains(&named), "{path} must not know {named}");
            }
        }
    }
}
