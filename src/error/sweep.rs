use std::path::PathBuf;

/// A sweep that cannot be run, or was stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// A checkpoint that the system does not let be read or written.
    #[error("cannot keep the checkpoint {}; choose another folder with --checkpoint", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A checkpoint that was not asked for.
    #[error("{} holds a sweep already; add --resume to go on with it, or choose another folder", path.display())]
    CheckpointExists {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint that another process writes.
    #[error("{} is in use by another sweep; wait for its end, or choose another folder", path.display())]
    CheckpointInUse {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint of other settings or another table.
    #[error(
        "{} is of another sweep: the table, the grid, the folds, the tolerance or the solver differ; \
         use those it was begun with, or choose another folder",
        path.display()
    )]
    OtherSweep {
        /// The file.
        path: PathBuf,
    },
    /// A file in the place of a checkpoint.
    #[error("{} is no checkpoint of a sweep; choose another folder with --checkpoint", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// The caller stopped it.
    #[error("the sweep was interrupted; {way_out}")]
    Interrupted {
        /// How to go on.
        way_out: String,
    },
    /// No model of the sweep can be trained, or scored.
    #[error("no penalty could be scored: {why}")]
    NothingToChoose {
        /// Why.
        why: String,
    },
    /// Plots or tables that cannot be written.
    #[error("cannot write {}; choose another folder with --plots", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
