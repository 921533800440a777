//! Error messages of a failed command, and its exit code.

use std::process::ExitCode;

use logodds::Error;
use logodds::error::{DataError, SweepError};
use logodds::output::is_shown;
use serde::Serialize;

use super::interrupt;
use super::output::{note, note_json};
use super::style::{Paint, escape, paint};

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    causes: Vec<String>,
}

/// The kind of a failure, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Usage,
    Config,
    Data,
    Engine,
    Export,
    Model,
    Inference,
    Sweep,
    Interrupted,
    Internal,
    Other,
}

/// The JSON object of an error.
#[derive(Serialize)]
struct Report<'a> {
    error: Description<'a>,
}

#[derive(Serialize)]
struct Description<'a> {
    kind: Kind,
    message: &'a str,
    causes: &'a [String],
}

impl Failure {
    /// The failure of [`super::run`]; `typed` are the flags of the command line.
    pub(crate) fn of(error: &anyhow::Error, typed: &[String]) -> Self {
        let causes = error.chain().skip(1).map(ToString::to_string).collect();
        Self { kind: kind(error, typed), message: error.to_string(), causes }
    }

    /// A bug of the program.
    pub(crate) fn internal(message: String) -> Self {
        Self { kind: Kind::Internal, message, causes: Vec::new() }
    }

    /// A wrong command line: the error of clap, without the usage text.
    fn usage(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = first.trim_start_matches("error: ").split_whitespace().collect();
        Self { kind: Kind::Usage, message: words.join(" "), causes: Vec::new() }
    }

    /// Prints an `error:` line and one line for each cause, or one JSON object.
    pub(crate) fn print(&self, json: bool) {
        let Self { kind, message, causes } = self;
        if json {
            return note_json(&Report { error: Description { kind: *kind, message, causes } });
        }
        note(&format!("{}: {}", paint(Paint::Error, "error"), escape(message)));
        for cause in causes {
            note(&format!("  caused by: {}", escape(cause)));
        }
    }

    /// The exit code: 2 for wrong usage, 130 after Ctrl-C (128 plus the number for other signals), otherwise
    /// 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Usage => ExitCode::from(2),
            Kind::Interrupted => ExitCode::from(interrupt::exit_code()),
            _ => ExitCode::FAILURE,
        }
    }
}

fn kind(error: &anyhow::Error, typed: &[String]) -> Kind {
    let is_typed = |flag: &str| typed.iter().any(|name| name == flag);
    // A value that was not typed came from the config file.
    let is_typed = |flag: &str| is_typed(flag) || !is_typed("--config");
    match error.downcast_ref::<Error>() {
        Some(Error::Config(config)) if config.is_usage(is_typed) => Kind::Usage,
        Some(Error::Data(DataError::Interrupted) | Error::Sweep(SweepError::Interrupted { .. })) => {
            Kind::Interrupted
        }
        Some(Error::Config(_)) => Kind::Config,
        Some(Error::Data(_)) => Kind::Data,
        Some(Error::Engine(_)) => Kind::Engine,
        Some(Error::Export(_)) => Kind::Export,
        Some(Error::Model(_)) => Kind::Model,
        Some(Error::Inference(_)) => Kind::Inference,
        Some(Error::Sweep(_)) => Kind::Sweep,
        _ => Kind::Other,
    }
}

/// Ends the process after `--help`, `--version` or wrong usage.
pub(super) fn exit(error: &clap::Error) -> ! {
    let words = || std::env::args_os().skip(1);
    if error.use_stderr() {
        if words().take_while(|word| word != "--").any(|word| word == "--json") {
            Failure::usage(error).print(true);
            std::process::exit(2);
        }
        // The message repeats typed words, which may include file names from a shell pattern.
        if !words().all(|word| word.to_string_lossy().chars().all(is_shown)) {
            note(error.render().to_string().trim_end());
            std::process::exit(2);
        }
    }
    error.exit()
}
