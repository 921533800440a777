use std::path::PathBuf;

/// Input files that cannot be found or are not Parquet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// An empty list of inputs.
    #[error("no data given; expected Parquet files, directories of them, or globs")]
    NoInput,
    /// A path that does not exist.
    #[error("{}: no such file or directory; check the path", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// An address of an object store or web server.
    #[error("{url}: URLs are not supported yet; copy the files to a local disk and give their path")]
    Url {
        /// The URL as given.
        url: String,
    },
    /// A directory without a Parquet file.
    #[error("{}: no *.parquet file in this directory or below; give a directory of Parquet files", path.display())]
    EmptyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A directory of a table format that also keeps files of older versions.
    #[error("{}: {format} table, whose directory also holds files of older versions; write its present version to plain Parquet files, or name the files to read", path.display())]
    VersionedTable {
        /// The directory.
        path: PathBuf,
        /// The table format.
        format: &'static str,
    },
    /// A file that changed while it was read.
    #[error("{}: the file changed while it was read; wait until it is complete, and run this again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A glob without a matching file.
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
    /// The operating system did not allow reading.
    #[error("{}: cannot be read; {}", path.display(), way_out(source))]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A file of another format.
    #[error("{}: {found}, not a Parquet file; {way_out}", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What the file looks like.
        found: &'static str,
        /// Advice for the user.
        way_out: &'static str,
    },
    /// An encrypted Parquet file, or one with an encrypted column.
    #[error("{}: an encrypted Parquet file, which is not supported; write it again without encryption", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// A truncated Parquet file.
    #[error("{}: truncated Parquet file of {bytes} bytes (it does not end with PAR1); copy or write it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Size of the file.
        bytes: u64,
    },
    /// A footer that cannot be parsed.
    #[error("{}: the Parquet footer cannot be read: {reason}; write the file again", path.display())]
    Footer {
        /// The file.
        path: PathBuf,
        /// The message of the decoder.
        reason: String,
    },
    /// An input that is not a regular file, such as a pipe or a device.
    #[error("{}: not a regular file; write the table to one first", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
}

/// The advice for a file that cannot be read.
fn way_out(source: &std::io::Error) -> &'static str {
    if is_too_many_open_files(source) {
        return "raise the number of files that may be open (ulimit -n), or give fewer and larger files";
    }
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => "check its permissions",
        _ => "check the permissions and the disk",
    }
}

/// Whether this process, or the whole system, has reached its limit of open files.
pub(crate) fn is_too_many_open_files(error: &std::io::Error) -> bool {
    // ENFILE and EMFILE on Linux, macOS and the BSDs.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
