//! The file of a journal: requests and their answers, one after the other.
//!
//! ```text
//! record = [request, length, checksum, answer..], words of 64 bits, little endian;  the first one is the header
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::fingerprint::Digest;

/// The header's request: which program's journal it is, and of which version.
const HEADER: u64 = u64::from_le_bytes(*b"logodds\x02");

/// Words of a record before its answer.
const HEAD: u64 = 3;

/// Where the first record after the header begins.
const BEGIN: u64 = 8 * (HEAD + 1);

/// The records of a file, of which those that were there are given back, in their order, before new ones are written.
pub(super) struct Records {
    file: File,
    /// What stands in the file and was not asked for yet; none once it is used up.
    replay: Option<BufReader<File>>,
    /// Where the next record begins.
    end: u64,
}

/// What a file holds.
pub(super) enum Found {
    /// Records of a sweep with that fingerprint.
    Own(Records),
    /// Those of another sweep.
    Other,
    /// Something else.
    Foreign,
    /// Nothing, or a header that was cut off.
    Nothing(File),
}

/// Opens a file to read and write, which is made if there is none.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

impl Records {
    /// Looks at the header of a file.
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

    /// Begins a file anew.
    pub(super) fn begin(file: File, fingerprint: u64) -> io::Result<Self> {
        let mut records = Self { file, replay: None, end: 0 };
        records.append(HEADER, &[fingerprint])?;
        Ok(records)
    }

    /// Where the next record begins.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Records after the header, given back or not.
    pub(super) fn count(&self) -> io::Result<usize> {
        // The reader of what is given back shares the place in the file with this handle.
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

    /// The next remembered answer, if it is one to this request.
    pub(super) fn replayed(&mut self, request: u64) -> Option<Vec<u64>> {
        let len = self.file.metadata().ok()?.len();
        let replay = self.replay.as_mut()?;
        match next(replay, len - self.end) {
            Some((known, answer)) if known == request => {
                self.end += 8 * (HEAD + answer.len() as u64);
                Some(answer)
            }
            // Its end, a record cut off, or another way than this one: from here on it is written anew.
            _ => {
                self.replay = None;
                None
            }
        }
    }

    /// Writes an answer behind those that were given back; what stood there is forgotten.
    pub(super) fn append(&mut self, request: u64, answer: &[u64]) -> io::Result<()> {
        self.replay = None;
        let words = [request, answer.len() as u64, checksum(request, answer)];
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        // Not as one block of bytes: a record may be as large as a Hessian.
        let mut file = BufWriter::with_capacity(1 << 20, &self.file);
        words.iter().chain(answer).try_for_each(|word| file.write_all(&word.to_le_bytes()))?;
        file.flush()?;
        self.end += 8 * (HEAD + answer.len() as u64);
        Ok(())
    }

    /// Forgets everything but the header.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        (self.replay, self.end) = (None, BEGIN);
        self.file.set_len(BEGIN)
    }
}

fn checksum(request: u64, answer: &[u64]) -> u64 {
    Digest::new().words([request, answer.len() as u64]).words(answer.iter().copied()).end()
}

/// The next whole record of a file with so many bytes left.
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
