//! Files that are written whole or not at all: beside their place first, then renamed. And never over
//! what a command reads.

use std::collections::HashMap;
use std::fs::{self, FileType};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::error::{ConfigError, Result};

/// Checks that `path` can be written later, so that no work is done in vain.
///
/// # Errors
/// [`ConfigError::Output`], naming `flag`, if `path` is something else than a file or its folder cannot take
/// one.
pub fn check_writable(flag: &'static str, path: &Path) -> Result<()> {
    let checked = Draft::create(path).map(drop);
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
    let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
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
/// As [`Draft::create`] and [`Draft::finish`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::create(path)?;
    draft.write_all(bytes)?;
    draft.finish()
}

/// A file that is being written beside its place, and disappears unless it is finished.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    place: PathBuf,
    // Dropped after the file.
    known: Known,
}

impl Draft {
    /// Begins a file for `path`, or for what a link there leads to; it gets the permissions of the one that
    /// it will replace.
    ///
    /// # Errors
    /// There is something else than a file, which must not be replaced by one; or whatever the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let place = place(path)?;
        let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Checked here because the system's own words for it name the temporary file.
        if !folder.is_dir() {
            let what = format!("there is no folder {}", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".logodds-").suffix(".tmp");
        // Temporary files are private by default; an output is as readable as what it replaces, or as any other
        // new file.
        #[cfg(unix)]
        let old = place.metadata().ok().map(|old| old.permissions());
        #[cfg(unix)]
        builder.permissions(old.clone().unwrap_or(std::os::unix::fs::PermissionsExt::from_mode(0o666)));
        let (file, known) = Known::begin(|| builder.tempfile_in(folder))?;
        // Once more: the mask of new files does not hold for an old one.
        #[cfg(unix)]
        if let Some(old) = old {
            file.as_file().set_permissions(old)?;
        }
        Ok(Self { file, place, known })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn finish(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.place)?;
        drop(self.known);
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The place of a file: `path`, or where links from there lead, whether there is a file or not yet.
fn place(path: &Path) -> io::Result<PathBuf> {
    match path.metadata() {
        Ok(found) if found.is_file() => path.canonicalize(),
        Ok(found) => {
            let what = format!("it is {}; an output is a file", kind(found.file_type()));
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
        // Of a link without end the system says so.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) => match path.read_link() {
            Ok(target) => place(&path.parent().unwrap_or(Path::new("")).join(target)),
            Err(_) => Ok(path.to_owned()),
        },
    }
}

/// What is no file, in words.
fn kind(found: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return "a named pipe";
        }
        if found.is_socket() {
            return "a socket";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    if found.is_dir() { "a directory" } else { "no regular file" }
}

/// The temporary files of all drafts that are not finished.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A temporary file that is known as unfinished.
#[derive(Debug)]
struct Known(PathBuf);

impl Known {
    fn begin(create: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<(NamedTempFile, Self)> {
        // Held while the file is made: `abandon` finds it, or keeps it from being made.
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let file = create().map_err(without_path)?;
        unfinished.push(file.path().to_owned());
        let known = Self(file.path().to_owned());
        Ok((file, known))
    }
}

/// The system's own error, without the temporary path that it comes with.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    let number = text.split_once("(os error ").and_then(|(_, rest)| rest.split_once(')'));
    match number.and_then(|(number, _)| number.parse().ok()) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.0);
    }
}

/// Removes what is not finished, before the process ends without the destructors of other threads. From then
/// on no file can be begun.
pub fn abandon() {
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for path in unfinished.drain(..) {
        // It may have been put in its place just now.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished);
}
