//! Outputs in progress: written beside their place first, then renamed.

use std::fs::{self, File, FileType};
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use super::{for_terminal, is_stdout};

/// Writes an output completely or not at all.
///
/// # Errors
/// The errors of [`Draft::create`] and [`Draft::finish`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::create(path)?;
    draft.write_all(bytes)?;
    draft.finish()
}

/// An output that is being written. It is a temporary file beside its place, which disappears unless it is
/// finished, or, for stdout, a file without a name.
#[derive(Debug)]
pub struct Draft(DraftFile);

#[derive(Debug)]
enum DraftFile {
    Beside {
        file: NamedTempFile,
        place: PathBuf,
        // Must be dropped after the file.
        known: Known,
    },
    ForStdout(File),
}

impl Draft {
    /// Begins a file for `path`, or for the target of a link there. The file gets the permissions of the file
    /// that it will replace.
    ///
    /// # Errors
    /// The place holds something other than a regular file, which must not be replaced; or an error of the
    /// system.
    pub fn create(path: &Path) -> io::Result<Self> {
        if is_stdout(path) {
            return Ok(Self(DraftFile::ForStdout(tempfile::tempfile()?)));
        }
        let place = place(path)?;
        let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Checked here because the error of the system would name the temporary file.
        if !folder.is_dir() {
            let what = format!("there is no folder {}", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".logodds-").suffix(".tmp");
        // Temporary files are private by default. An output gets the permissions of the file that it
        // replaces, or of any new file.
        #[cfg(unix)]
        let old = place.metadata().ok().map(|old| old.permissions());
        #[cfg(unix)]
        builder.permissions(old.clone().unwrap_or(std::os::unix::fs::PermissionsExt::from_mode(0o666)));
        let (file, known) = Known::begin(|| builder.tempfile_in(folder))?;
        // Set them again: the umask does not apply to the permissions of an existing file.
        #[cfg(unix)]
        if let Some(old) = old {
            file.as_file().set_permissions(old)?;
        }
        Ok(Self(DraftFile::Beside { file, place, known }))
    }

    /// Moves the file to its place, or copies it to stdout. A reader of stdout that has closed the pipe is
    /// not an error.
    ///
    /// # Errors
    /// An error of the system.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            DraftFile::Beside { file, place, known } => {
                file.as_file().sync_all()?;
                file.persist(&place)?;
                drop(known);
                Ok(())
            }
            DraftFile::ForStdout(mut file) => {
                file.rewind()?;
                let stdout = io::stdout().lock();
                match pour(file, stdout.is_terminal(), stdout) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other,
                }
            }
        }
    }

    fn file(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            DraftFile::Beside { file, .. } => file,
            DraftFile::ForStdout(file) => file,
        }
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

/// Writes content to stdout: byte for byte, except that a terminal gets control characters escaped.
fn pour(mut content: impl Read, is_terminal: bool, mut stdout: impl Write) -> io::Result<()> {
    if is_terminal {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        stdout.write_all(for_terminal(&String::from_utf8_lossy(&bytes)).as_bytes())?;
    } else {
        io::copy(&mut content, &mut stdout)?;
    }
    stdout.flush()
}

/// Whether the last part of `path` means a folder. (`Path` itself ignores a trailing slash.)
fn is_of_folder(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let name = bytes.rsplit(|&byte| std::path::is_separator(char::from(byte))).next();
    matches!(name, Some(b"" | b"." | b".."))
}

/// The place of a file: `path`, or the end of the links there, even if the file does not exist yet.
fn place(path: &Path) -> io::Result<PathBuf> {
    if is_of_folder(path) {
        let what = "it names a folder; an output is a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    match path.metadata() {
        Ok(found) if found.is_file() => path.canonicalize(),
        Ok(found) => {
            let what = format!("it is {}; an output is a file", kind(found.file_type()));
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
        // The system reports a cycle of links.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) => match path.read_link() {
            Ok(target) => place(&path.parent().unwrap_or(Path::new("")).join(target)),
            Err(_) => Ok(path.to_owned()),
        },
    }
}

/// The kind of something that is not a regular file.
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

/// A temporary file that is listed as unfinished.
#[derive(Debug)]
struct Known(PathBuf);

impl Known {
    fn begin(create: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<(NamedTempFile, Self)> {
        // Locked while the file is made, so that `abandon` either finds the file or prevents it.
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let file = create().map_err(without_path)?;
        unfinished.push(file.path().to_owned());
        let known = Self(file.path().to_owned());
        Ok((file, known))
    }
}

/// The error of the system, without the temporary path.
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

/// Removes all unfinished files, before the process ends without running the destructors of other threads.
/// After this no file can be begun.
pub fn abandon() {
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for path in unfinished.drain(..) {
        // It may just have been moved to its place.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_characters_that_it_would_act_on_and_a_pipe_every_byte() {
        let content = "select \"a\u{1b}]0;t\u{7}\u{202e}b\"\n\t-- prix (\u{20ac})\r\n";
        let written = |is_terminal| {
            let mut stdout = Vec::new();
            pour(content.as_bytes(), is_terminal, &mut stdout).unwrap();
            String::from_utf8(stdout).unwrap()
        };
        assert_eq!(written(false), content);
        let escaped = "select \"a\\u{1b}]0;t\\u{7}\\u{202e}b\"\n\t-- prix (\u{20ac})\\r\n";
        assert_eq!(written(true), escaped);
    }
}
