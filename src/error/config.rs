use std::path::PathBuf;

use super::file::is_too_many_open_files;

/// A setting that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting without which nothing can start.
    #[error("{flag} is missing: {what}")]
    Missing {
        /// As typed on the command line.
        flag: &'static str,
        /// What to give.
        what: &'static str,
    },
    /// A value outside its range.
    #[error("{flag} is {found}; expected {expected}")]
    Invalid {
        /// As typed on the command line.
        flag: &'static str,
        /// The value.
        found: String,
        /// The range.
        expected: &'static str,
    },
    /// Two settings that say the same thing in two ways, or contradict each other.
    #[error("{first} and {second} cannot be used together: {why}")]
    Conflict {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// The way out.
        why: &'static str,
    },
    /// A column given two roles.
    #[error("column {column:?} is named by both {first} and {second}; leave it out of one of them")]
    TwoRoles {
        /// Name of the column.
        column: String,
        /// One role.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A column named twice by one setting.
    #[error("{flag} names column {column:?} twice; name it once")]
    Twice {
        /// As typed on the command line.
        flag: &'static str,
        /// Name of the column.
        column: String,
    },
    /// A setting that does not apply to this model.
    #[error("{flag} does not apply here: {why}")]
    NotApplicable {
        /// As typed on the command line.
        flag: &'static str,
        /// Why.
        why: String,
    },
    /// A config file that cannot be opened.
    #[error("cannot read the config file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A config file that is not understood.
    #[error("{}, line {line}, column {column}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// An output that could not be written when the work is done.
    #[error("cannot write {}; {}", path.display(), way_out(flag, source))]
    Output {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An output in the place of something else that the command reads or writes.
    #[error("{flag} {} is also {role}; choose another path", path.display())]
    Overwrites {
        /// The flag that names the output.
        flag: &'static str,
        /// The output.
        path: PathBuf,
        /// What else the file is.
        role: &'static str,
    },
    /// A file that would be read twice, its rows counted twice.
    #[error("{} is named twice among the tables (first as {}); name it once", path.display(), first.display())]
    TableTwice {
        /// As found the second time.
        path: PathBuf,
        /// As found the first time.
        first: PathBuf,
    },
    /// Models that cannot be compared.
    #[error(
        "the models answer different questions: one {first}, another {other}; compare models of one target and the same classes"
    )]
    DifferentQuestions {
        /// What the first asks.
        first: String,
        /// What another asks.
        other: String,
    },
    /// The system gives no threads.
    #[error("cannot start {threads} threads; ask for fewer with --threads")]
    Threads {
        /// How many were asked for; 0 for one per core.
        threads: usize,
        /// What the system said.
        source: rayon::ThreadPoolBuildError,
    },
}

impl ConfigError {
    /// Whether the command was called the wrong way (exit code 2, else 1): what it needs is missing, flags do not
    /// go together, or a value that was typed cannot be run, whatever the files hold and the system can do.
    pub fn is_usage(&self, is_typed: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Missing { .. } | Self::Conflict { .. } => true,
            Self::Invalid { flag, .. } | Self::Twice { flag, .. } => is_typed(flag),
            Self::TwoRoles { first, second, .. } => is_typed(first) || is_typed(second),
            _ => false,
        }
    }
}

/// What helps where an output cannot be written.
fn way_out(flag: &str, source: &std::io::Error) -> String {
    if is_too_many_open_files(source) {
        return "raise the number of files that may be open (ulimit -n)".to_owned();
    }
    format!("choose another path with {flag}")
}
