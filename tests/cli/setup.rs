//! Shell completions, manual pages and terminal output.

use std::process::Command as Process;

use tempfile::tempdir;

use super::support::{logodds, repository, succeed, succeed_json};

/// The commands in the list of commands. `man` is hidden there, and has no completions and no page.
pub(super) const COMMANDS: [&str; 10] = [
    "train",
    "tune",
    "predict",
    "evaluate",
    "threshold",
    "report",
    "inspect",
    "export",
    "devices",
    "completions",
];

#[test]
fn completions_name_every_command_and_bash_can_read_them() {
    let folder = tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeed(folder.path(), &format!("completions {shell}"));
        for name in COMMANDS.iter().chain(&["l1-ratio", "validation-fraction", "dialect"]) {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    // Hidden flags and commands are not completed: settings of one model, which `tune` refuses, and `man`.
    let bash = succeed(folder.path(), "completions bash");
    let of = |name: &str| {
        let from = bash.split_once(&format!("logodds__subcmd__{name})")).expect(name).1;
        from.split_once("COMPREPLY").expect(name).0.to_owned()
    };
    assert!(of("train").contains("--batch-size") && of("tune").contains("--folds"));
    assert!(!of("tune").contains("--batch-size") && !of("tune").contains("--patience"));
    assert!(!bash.contains("__man)"));
    let script = folder.path().join("logodds.bash");
    std::fs::write(&script, succeed(folder.path(), "completions bash")).unwrap();
    match Process::new("bash").arg("-n").arg(&script).status() {
        Ok(status) => assert!(status.success()),
        Err(error) => eprintln!("skipped: no bash ({error})"),
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempdir().unwrap();
    let written = succeed_json(folder.path(), "man pages/man1");
    let pages: Vec<&str> = written["pages"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    for name in COMMANDS {
        let page = format!("pages/man1/logodds-{name}.1");
        assert!(pages.contains(&page.as_str()), "{pages:?}");
    }
    for page in pages {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}");
    }
    let train = std::fs::read_to_string(folder.path().join("pages/man1/logodds-train.1")).unwrap();
    assert!(train.contains("max\\-iterations") && train.contains("tolerance"), "{train}");
}

#[test]
fn colours_are_for_terminals_and_respect_no_color() {
    let folder = tempdir().unwrap();
    let data = repository("data/wine/train.parquet");
    let train = ["train", data.to_str().unwrap(), "--target", "cultivar", "--device", "cpu", "-o", "m.json"];
    for (arguments, marks) in [(&train[..], "[1m"), (&["inspect", "nosuch.json"][..], "[31merror")] {
        let with = |variables: &[(&str, &str)]| {
            let mut command = logodds(folder.path());
            for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
                command.env_remove(name);
            }
            let output = command.envs(variables.iter().copied()).args(arguments).output().unwrap();
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        };
        assert!(with(&[("CLICOLOR_FORCE", "1")]).contains(marks));
        for variables in [&[][..], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]] {
            assert!(!with(variables).contains('\x1b'), "{variables:?}");
        }
    }
}
