//! The only place that prints: results to stdout, everything else to stderr. Names are escaped, so that they
//! cannot control a terminal.
#![allow(clippy::print_stdout, reason = "results of a command belong on stdout")]

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use logodds::error::ConfigError;
use logodds::output::{check_writable, for_terminal, is_stdout};
use serde::Serialize;

use super::style::{escape_json, render};

/// The output format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// JSON for programs.
    pub(crate) json: bool,
    /// Only results and errors.
    pub(crate) quiet: bool,
}

impl Output {
    /// Prints `value` as one JSON object, or the text for people.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json {
            return Ok(write(io::stdout().lock(), &json_line(value)?)?);
        }
        Ok(write(anstream::stdout().lock(), &render(&text()))?)
    }

    /// Reports files that were written. If one of them went to stdout, the text goes to stderr.
    pub(crate) fn written<T: Serialize>(
        self,
        outputs: &[&Path],
        value: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if !outputs.iter().any(|path| is_stdout(path)) {
            return self.result(value, text);
        }
        if !self.quiet {
            anstream::eprint!("{}", render(&text()));
        }
        Ok(())
    }

    /// Checks, before any work, that the `--output` can be written: a file, or stdout for `-`. For binary
    /// content `binary` says what to give instead of a terminal.
    pub(crate) fn check(self, path: &Path, binary: Option<&'static str>) -> logodds::Result<()> {
        self.check_stdout("--output -", path)?;
        if let Some(expected) = binary.filter(|_| is_stdout(path) && io::stdout().is_terminal()) {
            return Err(ConfigError::Invalid { flag: "--output", found: "-".to_owned(), expected }.into());
        }
        check_writable("--output", path)
    }

    /// Checks that only one output goes to stdout; `flag` names the output `path`.
    pub(crate) fn check_stdout(self, flag: &'static str, path: &Path) -> logodds::Result<()> {
        if !(is_stdout(path) && self.json) {
            return Ok(());
        }
        let why = "both write to stdout; give a file";
        Err(ConfigError::Conflict { first: flag, second: "--json", why }.into())
    }
}

/// The name of an output in reports.
pub(crate) fn shown(path: &Path) -> String {
    if is_stdout(path) { "stdout".to_owned() } else { path.display().to_string() }
}

/// Prints the content of a file: unchanged, except on a terminal.
pub(super) fn write_stdout(text: &str) -> io::Result<()> {
    let stdout = io::stdout().lock();
    if stdout.is_terminal() { write(stdout, &for_terminal(text)) } else { write(stdout, text) }
}

/// A closed reader (`logodds inspect m.json | head`) is not an error.
fn write(mut stdout: impl Write, text: &str) -> io::Result<()> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A value as one line of JSON.
fn json_line<T: Serialize>(value: &T) -> serde_json::Result<String> {
    Ok(escape_json(&serde_json::to_string(value)?).into_owned() + "\n")
}

/// Prints one or several lines on stderr.
pub(super) fn note(text: &str) {
    // A closed stderr is ignored.
    let _ = writeln!(anstream::stderr().lock(), "{}", render(text));
}

/// Prints a JSON object on stderr.
pub(super) fn note_json<T: Serialize>(value: &T) {
    let line = json_line(value).expect("text always serialises");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}
