use std::path::PathBuf;

/// Input files that cannot be found, or are no Parquet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// An empty list of inputs.
    #[error("no data given; expected Parquet files, directories of them, or globs")]
    NoInput,
    /// A path that does not exist.
    #[error("{}: no such file or directory; check the path", path.display())]
    NotFound {
        /// What was given.
        path: PathBuf,
    },
    /// An address of an object store or web server.
    #[error("{url}: URLs are not supported yet; copy the files to a local disk and give their path")]
    Url {
        /// What was given.
        url: String,
    },
    /// A directory without a Parquet file.
    #[error("{}: no *.parquet file in this directory or below; give a directory of Parquet files", path.display())]
    EmptyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A directory that also holds files which are no longer part of its table.
    #[error("{}: {format} table, whose directory also holds files of older versions; write its present version to plain Parquet files, or name the files to read", path.display())]
    VersionedTable {
        /// The directory.
        path: PathBuf,
        /// What keeps it.
        format: &'static str,
    },
    /// A file that was written, replaced or removed while it was read.
    #[error("{}: the file changed while it was read; wait until it is complete, and run this again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A glob that no file matches.
    #[error(
        "{pattern}: no file matches this pattern; check it, and quote it so that the shell leaves it alone"
    )]
    NoMatch {
        /// The glob.
        pattern: String,
    },
    /// A glob that cannot be parsed.
    #[error("{pattern}: not a pattern: {reason}; quote special characters as [*]")]
    Pattern {
        /// The glob.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused to read.
    #[error("{}: cannot be read; {}", path.display(), way_out(source))]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The refusal.
        source: std::io::Error,
    },
    /// A file of another format.
    #[error("{}: {found}, not a Parquet file; {way_out}", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// How it becomes Parquet.
        way_out: &'static str,
    },
    /// A Parquet file whose footer, or one of whose columns, only a key opens.
    #[error("{}: an encrypted Parquet file, which is not supported; write it again without encryption", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file that ends too early.
    #[error("{}: truncated Parquet file of {bytes} bytes (it does not end with PAR1); copy or write it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// A footer that cannot be parsed.
    #[error("{}: the Parquet footer cannot be read: {reason}; write the file again", path.display())]
    Footer {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// Something that cannot be read from its end: a pipe, a device.
    #[error("{}: not a regular file; write the table to one first", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
}

/// What helps where the system refuses to read.
fn way_out(source: &std::io::Error) -> &'static str {
    if is_too_many_open_files(source) {
        return "raise the number of files that may be open (ulimit -n), or give fewer and larger files";
    }
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => "check its permissions",
        _ => "check the permissions and the disk",
    }
}

/// Whether this process, or the whole system, has as many files open as it may.
pub(crate) fn is_too_many_open_files(error: &std::io::Error) -> bool {
    // ENFILE and EMFILE of Linux, macOS and the BSDs.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
