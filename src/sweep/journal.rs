//! Remembering every answer to a solver, so that a sweep that was stopped goes on where it was.
//!
//! A solver's way depends on nothing but the answers that it gets. So it is these that are written down: loss and
//! gradient of each pass, each Hessian, each minimum over another table. A sweep that is resumed runs again from its
//! start, and is answered from the journal, in no time, as long as it asks what was asked before; then it goes on. The
//! result is the uninterrupted one, bit for bit on the same kind of device, and a process that was killed loses the pass
//! it was in.
//!
//! The passes on the way to a minimum over another table stand in a journal of their own, which is emptied once the
//! minimum is known: they are large, and answer nothing more.
//!
//! ```text
//! record = [request, length, checksum, answer..], words of 64 bits, little endian;  the first one is the header
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::fingerprint::Digest;
use crate::error::{Result, SweepError};

const FILE: &str = "sweep.journal";

/// That of the passes on the way to the present minimum over another table.
const INNER_FILE: &str = "minimum.journal";

/// The header's request: which program's journal it is, and of which version.
const HEADER: u64 = u64::from_le_bytes(*b"logodds\x02");

/// Words of a record before its answer.
const HEAD: u64 = 3;

/// The files of a checkpoint in `folder`.
pub fn checkpoint_files(folder: &Path) -> Vec<PathBuf> {
    [FILE, INNER_FILE].map(|name| folder.join(name)).to_vec()
}

/// The answers of a sweep, on disk.
#[derive(Default)]
pub(super) struct Journal {
    /// None: it remembers nothing.
    state: Option<Mutex<State>>,
    /// That of passes over another table.
    inner: Option<Box<Self>>,
}

struct State {
    file: File,
    path: PathBuf,
    /// What stands in the file and was not asked for yet; none once it is used up.
    replay: Option<BufReader<File>>,
    /// Where the first record after the header begins, and where the next one does.
    begin: u64,
    end: u64,
    /// Which minimum the passes lead to: part of every request.
    place: u64,
}

impl Journal {
    /// Opens the journal of a folder, for a sweep with such a fingerprint; `tell` hears what a user should know.
    ///
    /// # Errors
    /// There is one and it is not to be resumed, it is of another sweep, or the system refuses.
    pub(super) fn open(folder: &Path, resume: bool, fingerprint: u64, tell: &dyn Fn(&str)) -> Result<Self> {
        let path = folder.join(FILE);
        let refused = |source| SweepError::Checkpoint { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(refused)?;
        if path.exists() && !resume {
            return Err(SweepError::CheckpointExists { path }.into());
        }
        let file = open_file(&path).map_err(refused)?;
        if !is_free(file.try_lock(), &path)? {
            tell(&format!(
                "{} cannot be locked on this file system: let no other sweep use its folder",
                path.display()
            ));
        }
        let len = file.metadata().map_err(refused)?.len();
        let known = count(&file, len).map_err(refused)?;
        let mut replay = BufReader::with_capacity(1 << 20, file.try_clone().map_err(refused)?);
        replay.seek(SeekFrom::Start(0)).map_err(refused)?;
        let state = match next(&mut replay, len) {
            Some((HEADER, answer)) if answer == [fingerprint] => State::new(file, path.clone(), Some(replay)),
            Some((HEADER, _)) => return Err(SweepError::OtherSweep { path }.into()),
            Some(_) => return Err(SweepError::NotACheckpoint { path }.into()),
            // A journal killed at its birth holds nothing; anything longer is not one.
            None if len > 8 * (HEAD + 1) => return Err(SweepError::NotACheckpoint { path }.into()),
            None => State::begin(file, path.clone(), fingerprint).map_err(refused)?,
        };
        if resume {
            tell(&match known {
                0 => format!("{} holds nothing to resume: the sweep begins anew", folder.display()),
                n => format!("resuming with the {n} steps that {} remembers", path.display()),
            });
        }
        let inner = Self { state: Some(Mutex::new(open_inner(folder, fingerprint)?)), inner: None };
        Ok(Self { state: Some(Mutex::new(state)), inner: Some(Box::new(inner)) })
    }

    /// That of the passes on the way to the minimum which is asked for next.
    pub(super) fn inner(&self) -> Option<&Self> {
        self.inner.as_deref()
    }

    /// A number that is to stay what it was when the sweep began.
    pub(super) fn remember(&self, request: Digest, make: impl FnOnce() -> f64) -> Result<f64> {
        let decode = |numbers: &[f64]| numbers.first().copied();
        self.answer(request, decode, |number| vec![*number], || Ok(make()))
    }

    /// The answer to a request: the remembered one, or the one now made, which is remembered.
    pub(super) fn answer<T>(
        &self,
        request: Digest,
        decode: impl Fn(&[f64]) -> Option<T>,
        encode: impl Fn(&T) -> Vec<f64>,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.answer_if(request, decode, |answer| Some(encode(answer)), make)
    }

    /// As [`Self::answer`]; what is not encoded is not remembered.
    pub(super) fn answer_if<T>(
        &self,
        request: Digest,
        decode: impl Fn(&[f64]) -> Option<T>,
        encode: impl Fn(&T) -> Option<Vec<f64>>,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(state) = &self.state else { return make() };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let request = request.words([state.place]).end();
        if let Some(answer) = state.replayed(request) {
            let answer: Vec<f64> = answer.into_iter().map(f64::from_bits).collect();
            if let Some(answer) = decode(&answer) {
                return Ok(answer);
            }
        }
        if let Some(inner) = &self.inner {
            inner.turn_to(state.end);
        }
        let answer = make()?;
        if let Some(numbers) = encode(&answer) {
            let words: Vec<u64> = numbers.into_iter().map(f64::to_bits).collect();
            let path = state.path.clone();
            state.append(request, &words).map_err(|source| SweepError::Checkpoint { path, source })?;
        }
        Ok(answer)
    }

    /// Makes the next requests those of the way to the minimum at such a place of the outer journal. What is left of the
    /// way to another one answers none of them, and is written over.
    fn turn_to(&self, place: u64) {
        if let Some(state) = &self.state {
            state.lock().unwrap_or_else(PoisonError::into_inner).place = place;
        }
    }

    /// Forgets the way to a minimum that is remembered itself.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn clear(&self) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.replay, state.end) = (None, state.begin);
        let cleared = state.file.set_len(state.begin);
        Ok(cleared.map_err(|source| SweepError::Checkpoint { path: state.path.clone(), source })?)
    }
}

fn open_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Whether a lock was got: two sweeps in one folder would write over each other. Some file systems have no locks.
fn is_free(lock: std::result::Result<(), TryLockError>, path: &Path) -> Result<bool> {
    match lock {
        Ok(()) => Ok(true),
        Err(TryLockError::Error(_)) => Ok(false),
        Err(TryLockError::WouldBlock) => Err(SweepError::CheckpointInUse { path: path.to_owned() }.into()),
    }
}

/// The inner journal; one that is torn or of another sweep has nothing to say.
fn open_inner(folder: &Path, fingerprint: u64) -> Result<State> {
    let path = folder.join(INNER_FILE);
    let open = || {
        let file = open_file(&path)?;
        let len = file.metadata()?.len();
        let mut replay = BufReader::with_capacity(1 << 20, file.try_clone()?);
        match next(&mut replay, len) {
            Some((HEADER, answer)) if answer == [fingerprint] => {
                Ok(State::new(file, path.clone(), Some(replay)))
            }
            _ => State::begin(file, path.clone(), fingerprint),
        }
    };
    Ok(open().map_err(|source| SweepError::Checkpoint { path: path.clone(), source })?)
}

impl State {
    /// After the header.
    fn new(file: File, path: PathBuf, replay: Option<BufReader<File>>) -> Self {
        let begin = 8 * (HEAD + 1);
        Self { file, path, replay, begin, end: begin, place: 0 }
    }

    /// Writes the header of a new journal.
    fn begin(file: File, path: PathBuf, fingerprint: u64) -> std::io::Result<Self> {
        file.set_len(0)?;
        let mut state = Self { end: 0, ..Self::new(file, path, None) };
        state.append(HEADER, &[fingerprint])?;
        Ok(state)
    }

    /// The next remembered answer, if it is one to this request.
    fn replayed(&mut self, request: u64) -> Option<Vec<u64>> {
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

    fn append(&mut self, request: u64, answer: &[u64]) -> std::io::Result<()> {
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
}

/// Records after the header.
fn count(mut file: &File, len: u64) -> std::io::Result<usize> {
    let (mut at, mut n, mut head) = (8 * (HEAD + 1), 0, [0; 8 * HEAD as usize]);
    while at.saturating_add(8 * HEAD) <= len {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let length = head.as_chunks::<8>().0.get(1).map_or(0, |word| u64::from_le_bytes(*word));
        at = at.saturating_add(length.saturating_add(HEAD).saturating_mul(8));
        n += usize::from(at <= len);
    }
    Ok(n)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, resume: bool) -> Journal {
        Journal::open(folder, resume, 7, &|_| {}).unwrap()
    }

    fn ask(journal: &Journal, request: u64, made: &mut usize) -> Vec<f64> {
        let request = Digest::new().words([request]);
        let make = || {
            *made += 1;
            Ok(vec![request.end() as f64, 0.5])
        };
        journal.answer(request, |numbers| Some(numbers.to_vec()), Clone::clone, make).unwrap()
    }

    #[test]
    fn answers_are_replayed_up_to_a_torn_record_and_then_made() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, mut made) = (open(folder.path(), false), 0);
        let answers: Vec<_> = (0..3).map(|request| ask(&journal, request, &mut made)).collect();
        drop(journal);
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        // Killed at any byte: what is whole is replayed, the rest is made again, and the file ends the same.
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (journal, mut made) = (open(folder.path(), true), 0);
            for (request, answer) in (0..).zip(&answers) {
                assert_eq!(ask(&journal, request, &mut made), *answer);
            }
            let kept = cut.saturating_sub(32) / 40;
            assert_eq!(made, 3 - kept, "cut at {cut}");
            drop(journal);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn another_way_is_written_over_what_was_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, mut made) = (open(folder.path(), false), 0);
        (0..3).for_each(|request| drop(ask(&journal, request, &mut made)));
        drop(journal);
        let journal = open(folder.path(), true);
        let mut made = 0;
        [0, 9, 2].into_iter().for_each(|request| drop(ask(&journal, request, &mut made)));
        assert_eq!(made, 2);
    }

    #[test]
    fn a_folder_that_is_not_to_be_resumed_or_of_another_sweep_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path(), false);
        let in_use = Journal::open(folder.path(), true, 7, &|_| {}).err().unwrap().to_string();
        assert!(in_use.contains("in use"), "{in_use}");
        drop(journal);
        let message = |resume, fingerprint| {
            Journal::open(folder.path(), resume, fingerprint, &|_| {}).err().unwrap().to_string()
        };
        assert!(message(false, 7).contains("--resume"));
        assert!(message(true, 8).contains("another sweep"));
        std::fs::write(folder.path().join(FILE), "something else that is long enough to be looked at")
            .unwrap();
        assert!(message(true, 7).contains("no checkpoint"));
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_another_sweep() {
        let path = Path::new("kept/sweep.journal");
        let unsupported = std::io::Error::from(std::io::ErrorKind::Unsupported);
        assert!(is_free(Ok(()), path).unwrap());
        assert!(!is_free(Err(TryLockError::Error(unsupported)), path).unwrap());
        let taken = is_free(Err(TryLockError::WouldBlock), path).unwrap_err().to_string();
        assert!(taken.contains("in use"), "{taken}");
    }

    #[test]
    fn a_resumption_says_what_it_found() {
        let folder = tempfile::tempdir().unwrap();
        let said = |resume| {
            let said = std::cell::RefCell::new(Vec::new());
            let journal =
                Journal::open(folder.path(), resume, 7, &|text| said.borrow_mut().push(text.to_owned()));
            (journal.unwrap(), said.into_inner())
        };
        let (journal, told) = said(false);
        assert!(told.is_empty(), "{told:?}");
        drop(journal);
        let (journal, told) = said(true);
        assert!(told.len() == 1 && told[0].contains("nothing to resume"), "{told:?}");
        (0..3).for_each(|request| drop(ask(&journal, request, &mut 0)));
        drop(journal);
        let (_, told) = said(true);
        assert!(told[0].contains("the 3 steps"), "{told:?}");
    }

    #[test]
    fn the_way_to_one_minimum_answers_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = 0;
        // Two minima, each with the same two passes on its way; killed on the way to the second.
        let minimum = |journal: &Journal, request: u64, passes: u64, made: &mut usize| {
            let make = || {
                (0..passes).for_each(|pass| drop(ask(journal.inner().unwrap(), pass, made)));
                Ok(vec![passes as f64])
            };
            let decode = |numbers: &[f64]| Some(numbers.to_vec());
            let encode = |answer: &Vec<f64>| (passes == 2).then(|| answer.clone());
            journal.answer_if(Digest::new().words([request]), decode, encode, make).unwrap();
        };
        let journal = open(folder.path(), false);
        minimum(&journal, 10, 2, &mut made);
        journal.inner().unwrap().clear().unwrap();
        minimum(&journal, 11, 1, &mut made);
        assert_eq!(made, 3);
        drop(journal);
        let journal = open(folder.path(), true);
        minimum(&journal, 10, 2, &mut made);
        assert_eq!(made, 3, "the first minimum is known");
        minimum(&journal, 11, 2, &mut made);
        assert_eq!(made, 4, "one pass of the second is");
        journal.inner().unwrap().clear().unwrap();
        assert_eq!(std::fs::metadata(folder.path().join(INNER_FILE)).unwrap().len(), 32);
    }
}
