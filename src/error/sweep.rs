use std::path::PathBuf;

/// A sweep that cannot be run, or was stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// A checkpoint that cannot be read or written.
    #[error("cannot read or write the checkpoint {}; choose another folder with --checkpoint", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A checkpoint that exists, without `--resume`.
    #[error("{} already holds a sweep; add --resume to continue it, or choose another folder", path.display())]
    CheckpointExists {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint that another process is writing.
    #[error("{} is in use by another sweep; wait until it ends, or choose another folder", path.display())]
    CheckpointInUse {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint of other settings or of another table.
    #[error(
        "{} belongs to another sweep: the table, the grid, the folds, the tolerance or the solver differ; \
         use the same ones as when it began, or choose another folder",
        path.display()
    )]
    OtherSweep {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not a checkpoint.
    #[error("{} is not a sweep checkpoint; choose another folder with --checkpoint", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// The caller stopped the sweep.
    #[error("the sweep was interrupted; {way_out}")]
    Interrupted {
        /// How to continue.
        way_out: String,
    },
    /// No model of the sweep could be trained or scored.
    #[error("no penalty could be scored: {why}")]
    NothingToChoose {
        /// The reason.
        why: String,
    },
    /// Plots or tables that cannot be written.
    #[error("cannot write {}; choose another folder with --plots", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
}
