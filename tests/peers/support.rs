use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Python of the virtual environment that `tests/run` makes. If there is none and it is not required,
/// prints that to stderr and returns `None`.
pub(super) fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/python");
    found("Python with the packages of tests/peers/requirements.txt", python.exists().then_some(python))
}

/// A program that a test needs. If it is missing, the test is skipped, or fails if `LOGODDS_TEST_PEERS` is
/// `require`.
pub(super) fn found(what: &str, program: Option<PathBuf>) -> Option<PathBuf> {
    let required = std::env::var("LOGODDS_TEST_PEERS").is_ok_and(|value| value == "require");
    assert!(program.is_some() || !required, "{what} is missing, and LOGODDS_TEST_PEERS=require");
    if program.is_none() {
        eprintln!("skipped: no {what}; LOGODDS_TEST_PEERS=require bash tests/run installs it");
    }
    program
}

/// Runs a script in this folder, which must succeed. Returns its stdout.
#[track_caller]
pub(super) fn run_script(python: &Path, script: &str, arguments: &[&Path]) -> String {
    run_script_with(python, script, arguments, &[])
}

/// The same, with variables in its environment.
#[track_caller]
pub(super) fn run_script_with(
    python: &Path,
    script: &str,
    arguments: &[&Path],
    environment: &[(&str, &Path)],
) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let mut command = Command::new(python);
    command.arg(&script).args(arguments).envs(environment.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}\n{}", script.display(), String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[test]
fn the_peers_of_the_tests_are_installed() {
    let Some(python) = python() else { return };
    let names = run_script(&python, "versions.py", &[]);
    assert!(names.lines().count() >= 4, "{names}");
}
