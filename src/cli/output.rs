//! The only place that prints: results to stdout, everything else to stderr. Of names nothing reaches either that a
//! terminal would act on.
#![allow(clippy::print_stdout, reason = "results of a command belong on stdout")]

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use logodds::error::ConfigError;
use logodds::output::{check_writable, for_terminal, is_stdout};
use serde::Serialize;

use super::style::{escape_json, render};

/// How results are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// For machines.
    pub(crate) json: bool,
    /// Nothing but results and errors.
    pub(crate) quiet: bool,
}

impl Output {
    /// Prints `value` as one JSON object, or else the text for people.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json {
            return Ok(write(io::stdout().lock(), &json_line(value)?)?);
        }
        Ok(write(anstream::stdout().lock(), &render(&text()))?)
    }

    /// Says what was done. Where one of the outputs is stdout, people read it on stderr.
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

    /// Checks before any work that the `--output` can be written: a file, or stdout for `-`.
    /// `binary` says what a content that is no text needs in place of a terminal.
    pub(crate) fn check(self, path: &Path, binary: Option<&'static str>) -> logodds::Result<()> {
        self.check_stdout("--output -", path)?;
        if let Some(expected) = binary.filter(|_| is_stdout(path) && io::stdout().is_terminal()) {
            return Err(ConfigError::Invalid { flag: "--output", found: "-".to_owned(), expected }.into());
        }
        check_writable("--output", path)
    }

    /// Checks that stdout is not written to twice; `flag` names the output `path`.
    pub(crate) fn check_stdout(self, flag: &'static str, path: &Path) -> logodds::Result<()> {
        if !(is_stdout(path) && self.json) {
            return Ok(());
        }
        let why = "both write to stdout; give a file";
        Err(ConfigError::Conflict { first: flag, second: "--json", why }.into())
    }
}

/// The name of an output for people.
pub(crate) fn shown(path: &Path) -> String {
    if is_stdout(path) { "stdout".to_owned() } else { path.display().to_string() }
}

/// Prints what would be the content of a file: as it is, but for a terminal.
pub(super) fn write_stdout(text: &str) -> io::Result<()> {
    let stdout = io::stdout().lock();
    if stdout.is_terminal() { write(stdout, &for_terminal(text)) } else { write(stdout, text) }
}

/// A reader that has gone away (`logodds inspect m.json | head`) is no failure.
fn write(mut stdout: impl Write, text: &str) -> io::Result<()> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// One line of JSON.
fn json_line<T: Serialize>(value: &T) -> serde_json::Result<String> {
    Ok(escape_json(&serde_json::to_string(value)?).into_owned() + "\n")
}

/// A line, or several, on stderr.
pub(super) fn note(text: &str) {
    // Where nobody reads stderr, there is nobody to tell.
    let _ = writeln!(anstream::stderr().lock(), "{}", render(text));
}

/// A JSON object on stderr.
pub(super) fn note_json<T: Serialize>(value: &T) {
    let line = json_line(value).expect("text always serialises");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}
