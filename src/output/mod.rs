//! Outputs that are written completely or not at all, and never over an input of the command.
//!
//! As an output, `-` means stdout; a file of that name is `./-`.

mod draft;
mod terminal;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{ConfigError, Result};

pub use draft::{Draft, abandon, write_whole};
pub use terminal::{escape_unless, for_terminal, is_shown};

/// Whether `path` means stdout.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Checks before any work that `path` can be written.
///
/// # Errors
/// [`ConfigError::Output`], with the name `flag`, if `path` is not a regular file or its folder cannot take
/// one.
pub fn check_writable(flag: &'static str, path: &Path) -> Result<()> {
    let checked = Draft::create(path).map(drop);
    checked.map_err(|source| ConfigError::Output { flag, path: path.to_owned(), source }.into())
}

/// Checks that `path` can be written in its place, and leaves its content as it is.
///
/// # Errors
/// The errors of [`check_writable`].
pub fn check_growable(flag: &'static str, path: &Path) -> Result<()> {
    if !path.is_file() {
        return check_writable(flag, path);
    }
    let opened = fs::OpenOptions::new().append(true).open(path).map(drop);
    opened.map_err(|source| ConfigError::Output { flag, path: path.to_owned(), source }.into())
}

/// The identity of a file, whatever path or link leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    path: PathBuf,
    /// Device and inode number, if the file exists and the system has them: hard links share them.
    inode: Option<(u64, u64)>,
}

impl Identity {
    /// Looks `path` up; a file that does not exist yet is identified by its folder and name.
    pub fn of(path: &Path) -> Self {
        let in_folder = || {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(folder.canonicalize().ok()?.join(path.file_name()?))
        };
        let found = path.canonicalize().ok().or_else(in_folder);
        Self { path: found.unwrap_or_else(|| path.to_owned()), inode: inode(path) }
    }

    /// Whether both are the same file.
    pub fn is(&self, other: &Self) -> bool {
        self.path == other.path || (self.inode.is_some() && self.inode == other.inode)
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Checks that the output `path`, named by `flag`, is not one of `others`; `role` describes the others.
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
    if !is_stdout(path) && others.iter().any(|other| output.is(&Identity::of(other.as_ref()))) {
        return Err(ConfigError::Overwrites { flag, path: path.to_owned(), role }.into());
    }
    Ok(())
}

/// Checks that no file occurs twice among `files`, whatever path or link leads to it.
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
