//! The only place that prints: results to stdout, everything else to stderr.
#![allow(clippy::print_stdout, reason = "results of a command belong on stdout")]

use std::io::{self, Write};

use serde::Serialize;

use super::style::{ERROR, paint};

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
        if self.json { write_stdout(&(serde_json::to_string(value)? + "\n")) } else { write_stdout(&text()) }
    }

    /// Prints what would be the content of a file.
    pub(crate) fn file(self, content: &str) -> anyhow::Result<()> {
        write_stdout(content)
    }
}

/// Writes to stdout; a reader that has gone away (`logodds inspect m.json | head`) is no failure.
fn write_stdout(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints an `error:` line and a line for each of its causes.
pub(crate) fn print_error(error: &anyhow::Error) {
    anstream::eprintln!("{}: {error}", paint(ERROR, "error"));
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  caused by: {cause}");
    }
}
