//! The file format of a journal: requests and their answers, one after the other.
//!
//! ```text
//! record = [request, length, checksum, answer..], words of 64 bits, little endian;  the first one is the header
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::fingerprint::Digest;

/// The request of the header: identifies a journal of this program and its version.
const HEADER: u64 = u64::from_le_bytes(*b"logodds\x03");

/// Words of a record before its answer.
const HEAD: u64 = 3;

/// Offset of the first record after the header.
const BEGIN: u64 = 8 * (HEAD + 1);

/// The records of a file. Existing records are replayed in order before new ones are written.
pub(super) struct Records {
    file: File,
    /// The records not replayed yet; `None` at their end.
    replay: Option<BufReader<File>>,
    /// Offset of the next record.
    end: u64,
}

/// The content of a file.
pub(super) enum Found {
    /// Records of the sweep with this fingerprint.
    Own(Records),
    /// Records of another sweep.
    Other,
    /// Not a journal.
    Foreign,
    /// Empty, or an incomplete header.
    Nothing(File),
}

/// Opens a file for reading and writing; creates it if it does not exist.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

impl Records {
    /// Reads the header of a file.
    pub(super) fn find(mut file: File, fingerprint: u64) -> io::Result<Found> {
        let len = file.metadata()?.len();
        file.rewind()?;
        let mut replay = BufReader::with_capacity(1 << 20, file.try_clone()?);
        Ok(match next(&mut replay, len) {
            Some((HEADER, answer)) if answer == [fingerprint] => {
                Found::Own(Self { file, replay: Some(replay), end: BEGIN })
            }
            Some((HEADER, _)) => Found::Other,
            Some(_) => Found::Foreign,
            None if len > BEGIN => Found::Foreign,
            None => Found::Nothing(file),
        })
    }

    /// Starts a new journal in the file.
    pub(super) fn begin(file: File, fingerprint: u64) -> io::Result<Self> {
        let mut records = Self { file, replay: None, end: 0 };
        records.append(HEADER, &[fingerprint])?;
        Ok(records)
    }

    /// Offset of the next record.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Number of records after the header, replayed or not.
    pub(super) fn count(&self) -> io::Result<usize> {
        // This handle shares its offset with the replay reader.
        let mut file = &self.file;
        let (len, place) = (file.metadata()?.len(), file.stream_position()?);
        let (mut at, mut n, mut head) = (BEGIN, 0, [0; 8 * HEAD as usize]);
        while at.saturating_add(8 * HEAD) <= len {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut head)?;
            let length = head.as_chunks::<8>().0.get(1).map_or(0, |word| u64::from_le_bytes(*word));
            at = at.saturating_add(length.saturating_add(HEAD).saturating_mul(8));
            n += usize::from(at <= len);
        }
        file.seek(SeekFrom::Start(place))?;
        Ok(n)
    }

    /// The next saved answer, if it belongs to this request.
    pub(super) fn replayed(&mut self, request: u64) -> Option<Vec<u64>> {
        let len = self.file.metadata().ok()?.len();
        let replay = self.replay.as_mut()?;
        match next(replay, len - self.end) {
            Some((known, answer)) if known == request => {
                self.end += 8 * (HEAD + answer.len() as u64);
                Some(answer)
            }
            // The end, an incomplete record, or another request: from here on the file is rewritten.
            _ => {
                self.replay = None;
                None
            }
        }
    }

    /// Writes an answer after the replayed ones; the rest of the file is discarded.
    pub(super) fn append(&mut self, request: u64, answer: &[u64]) -> io::Result<()> {
        self.replay = None;
        let words = [request, answer.len() as u64, checksum(request, answer)];
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        // Not as one block of bytes, because a record may be as large as a Hessian.
        let mut file = BufWriter::with_capacity(1 << 20, &self.file);
        words.iter().chain(answer).try_for_each(|word| file.write_all(&word.to_le_bytes()))?;
        file.flush()?;
        self.end += 8 * (HEAD + answer.len() as u64);
        Ok(())
    }

    /// Discards everything except the header.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        (self.replay, self.end) = (None, BEGIN);
        self.file.set_len(BEGIN)
    }
}

fn checksum(request: u64, answer: &[u64]) -> u64 {
    Digest::new().words([request, answer.len() as u64]).words(answer.iter().copied()).end()
}

/// The next complete record of a file with `left` bytes left.
fn next(file: &mut impl Read, left: u64) -> Option<(u64, Vec<u64>)> {
    let mut word = || -> Option<u64> {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes).ok()?;
        Some(u64::from_le_bytes(bytes))
    };
    let (request, length, expected) = (word()?, word()?, word()?);
    if length.checked_add(HEAD)?.checked_mul(8)? > left {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()? * 8];
    file.read_exact(&mut bytes).ok()?;
    let (chunks, _) = bytes.as_chunks::<8>();
    let answer: Vec<u64> = chunks.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    (checksum(request, &answer) == expected).then_some((request, answer))
}
