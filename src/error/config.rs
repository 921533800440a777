use std::path::PathBuf;

use super::file::is_too_many_open_files;

/// A setting with which nothing can run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required setting that is not given.
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
    /// Two settings that contradict each other, or that state the same thing twice.
    #[error("{first} and {second} cannot be used together: {why}")]
    Conflict {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// The way out.
        why: &'static str,
    },
    /// A column that is given two roles.
    #[error("column {column:?} is named by both {first} and {second}; leave it out of one of them")]
    TwoRoles {
        /// Name of the column.
        column: String,
        /// One role.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A column that one setting names twice.
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
        /// The error of the system.
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
    /// An output path that cannot be written; checked before the work starts.
    #[error("cannot write {}; {}", path.display(), way_out(flag, source))]
    Output {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// An output path that is also a file that the command reads, or another output.
    #[error("{flag} {} is also {role}; choose another path", path.display())]
    Overwrites {
        /// The flag that names the output.
        flag: &'static str,
        /// The output.
        path: PathBuf,
        /// The other role of the file.
        role: &'static str,
    },
    /// A table named twice, whose rows would count twice.
    #[error("{} is named twice among the tables (first as {}); name it once", path.display(), first.display())]
    TableTwice {
        /// The path that was found second.
        path: PathBuf,
        /// The path that was found first.
        first: PathBuf,
    },
    /// Models with different targets or classes, which cannot be compared.
    #[error(
        "the models answer different questions: one {first}, another {other}; compare models of one target and the same classes"
    )]
    DifferentQuestions {
        /// The target and classes of the first model.
        first: String,
        /// The target and classes of the other model.
        other: String,
    },
    /// The system did not start the threads.
    #[error("cannot start {threads} threads; ask for fewer with --threads")]
    Threads {
        /// How many were asked for; 0 for one per core.
        threads: usize,
        /// The error of the system.
        source: rayon::ThreadPoolBuildError,
    },
}

impl ConfigError {
    /// Whether the user called the command incorrectly (exit code 2 instead of 1): a required setting is
    /// missing, flags contradict each other, or a typed value is invalid whatever the files contain and the
    /// system can do.
    pub fn is_usage(&self, is_typed: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Missing { .. } | Self::Conflict { .. } => true,
            Self::Invalid { flag, .. } | Self::Twice { flag, .. } => is_typed(flag),
            Self::TwoRoles { first, second, .. } => is_typed(first) || is_typed(second),
            _ => false,
        }
    }
}

/// The advice for an output that cannot be written.
fn way_out(flag: &str, source: &std::io::Error) -> String {
    if is_too_many_open_files(source) {
        return "raise the number of files that may be open (ulimit -n)".to_owned();
    }
    format!("choose another path with {flag}")
}
