//! Files that are written whole or not at all: beside their place first, then renamed. And never over
//! what a command reads.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{ConfigError, Result};

/// Checks that `path` can be written later, so that no work is done in vain.
///
/// # Errors
/// [`ConfigError::Output`], naming `flag`, if `path` is a directory or its folder cannot take a file.
pub fn check_writable(flag: &'static str, path: &Path) -> Result<()> {
    let checked = if path.is_dir() {
        Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"))
    } else {
        create_beside(path).map(drop)
    };
    checked.map_err(|source| ConfigError::Output { flag, path: path.to_owned(), source }.into())
}

/// A file, whatever path or link leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    path: PathBuf,
    /// Device and number, if the file exists and the system has such: hard links share them.
    inode: Option<(u64, u64)>,
}

impl Identity {
    /// Looks `path` up; a file that does not exist yet is known by its folder and name.
    pub fn of(path: &Path) -> Self {
        let in_folder = || {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(folder.canonicalize().ok()?.join(path.file_name()?))
        };
        let found = path.canonicalize().ok().or_else(in_folder);
        Self { path: found.unwrap_or_else(|| path.to_owned()), inode: inode(path) }
    }

    /// Whether both are one file.
    pub fn is(&self, other: &Self) -> bool {
        self.path == other.path || (self.inode.is_some() && self.inode == other.inode)
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Checks that the output `path`, named by `flag`, is none of `others`; `role` says what those are.
///
/// # Errors
/// [`ConfigError::Overwrites`].
pub fn check_apart<P: AsRef<Path>>(
    flag: &'static str,
    path: &Path,
    role: &'static str,
    others: &[P],
) -> Result<()> {
    let output = Identity::of(path);
    if others.iter().any(|other| output.is(&Identity::of(other.as_ref()))) {
        return Err(ConfigError::Overwrites { flag, path: path.to_owned(), role }.into());
    }
    Ok(())
}

/// Checks that no file comes twice among `files`, whatever path or link leads to it.
///
/// # Errors
/// [`ConfigError::TableTwice`].
pub fn check_once(files: &[PathBuf]) -> Result<()> {
    let mut seen = HashMap::new();
    for path in files {
        if let Some(first) = seen.insert(Identity::of(path).path, path) {
            return Err(ConfigError::TableTwice { path: path.clone(), first: first.clone() }.into());
        }
    }
    Ok(())
}

/// Writes a file whole or not at all: beside its place first, then renamed.
///
/// # Errors
/// Whatever the system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_beside(path)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Opens a temporary file in the folder of `path`; `persist(path)` puts it in place.
///
/// # Errors
/// Whatever the system says.
pub fn create_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".logodds-").suffix(".tmp");
    // Temporary files are private by default; an output is as readable as any other new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Checked here because the system's own words for it name the temporary file.
    if !folder.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no folder {}", folder.display()),
        ));
    }
    builder.tempfile_in(folder).map_err(|error| error.kind().into())
}
