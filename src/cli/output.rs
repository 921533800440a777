//! The only place that prints: results to stdout, everything else to stderr. Of names nothing reaches either that a
//! terminal would act on.
#![allow(clippy::print_stdout, reason = "results of a command belong on stdout")]

use std::io::{self, IsTerminal, Write};

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
            return write(io::stdout().lock(), &json_line(value)?);
        }
        write(anstream::stdout().lock(), &render(&text()))
    }

    /// Prints what would be the content of a file: as it is, but for a terminal.
    pub(crate) fn file(self, content: &str) -> anyhow::Result<()> {
        let stdout = io::stdout().lock();
        if stdout.is_terminal() { write(stdout, &render(content)) } else { write(stdout, content) }
    }
}

/// Writes to stdout; a reader that has gone away (`logodds inspect m.json | head`) is no failure.
fn write(mut stdout: impl Write, text: &str) -> anyhow::Result<()> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
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
