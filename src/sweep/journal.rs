//! Saves every answer to a solver, so that a stopped sweep can continue.
//!
//! The steps of a solver depend only on the answers that it gets. So the answers are saved: loss and gradient
//! of each pass, each Hessian, each minimum over another table. A resumed sweep starts again from the
//! beginning. As long as it makes the same requests, the journal answers them at once; then the sweep
//! continues. On the same kind of device the result is the uninterrupted one, bit for bit. A killed process
//! loses only the pass that it was in.
//!
//! The passes on the way to a minimum over another table have a journal of their own, which is cleared once
//! the minimum is known: they are large, and are not needed any more.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::fingerprint::Digest;
use super::records::{Found, Records, open_file};
use crate::error::{Result, SweepError};

const FILE: &str = "sweep.journal";

/// The journal of the passes on the way to the current minimum over another table.
const INNER_FILE: &str = "minimum.journal";

/// The files of a checkpoint in `folder`.
pub fn checkpoint_files(folder: &Path) -> Vec<PathBuf> {
    [FILE, INNER_FILE].map(|name| folder.join(name)).to_vec()
}

/// The saved answers of a sweep.
#[derive(Default)]
pub(super) struct Journal {
    /// `None`: nothing is saved.
    state: Option<Mutex<State>>,
    /// The journal of passes over another table.
    inner: Option<Box<Self>>,
}

struct State {
    records: Records,
    path: PathBuf,
    /// The minimum to which the passes belong: part of every request.
    place: u64,
}

impl Journal {
    /// Opens the journal in a folder, for the sweep with this fingerprint; `tell` receives messages for the
    /// user.
    ///
    /// # Errors
    /// A journal exists and `resume` is not set, it belongs to another sweep, or the system reports an error.
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
                "{} cannot be locked on this file system: do not let another sweep use its folder",
                path.display()
            ));
        }
        let records = match Records::find(file, fingerprint).map_err(refused)? {
            Found::Own(records) => records,
            Found::Other => return Err(SweepError::OtherSweep { path }.into()),
            Found::Foreign => return Err(SweepError::NotACheckpoint { path }.into()),
            Found::Nothing(file) => Records::begin(file, fingerprint).map_err(refused)?,
        };
        if resume {
            tell(&match records.count().map_err(refused)? {
                0 => format!("{} holds nothing to resume: the sweep begins anew", folder.display()),
                n => format!("resuming with {n} saved steps from {}", path.display()),
            });
        }
        let inner = Self::over(open_inner(folder, fingerprint)?, folder.join(INNER_FILE));
        Ok(Self { inner: Some(Box::new(inner)), ..Self::over(records, path) })
    }

    fn over(records: Records, path: PathBuf) -> Self {
        Self { state: Some(Mutex::new(State { records, path, place: 0 })), inner: None }
    }

    /// The journal of the passes on the way to the next minimum.
    pub(super) fn inner(&self) -> Option<&Self> {
        self.inner.as_deref()
    }

    /// A number that keeps the value it had when the sweep began.
    pub(super) fn remember(&self, request: Digest, make: impl FnOnce() -> f64) -> Result<f64> {
        let decode = |numbers: &[f64]| numbers.first().copied();
        self.answer(request, decode, |number| vec![*number], || Ok(make()))
    }

    /// The saved answer to a request; if there is none, computes and saves it.
    pub(super) fn answer<T>(
        &self,
        request: Digest,
        decode: impl Fn(&[f64]) -> Option<T>,
        encode: impl Fn(&T) -> Vec<f64>,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.answer_if(request, decode, |answer| Some(encode(answer)), make)
    }

    /// Like [`Self::answer`], but an answer that `encode` declines is not saved.
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
        if let Some(answer) = state.records.replayed(request) {
            let answer: Vec<f64> = answer.into_iter().map(f64::from_bits).collect();
            if let Some(answer) = decode(&answer) {
                return Ok(answer);
            }
        }
        if let Some(inner) = &self.inner {
            inner.turn_to(state.records.end());
        }
        let answer = make()?;
        if let Some(numbers) = encode(&answer) {
            let words: Vec<u64> = numbers.into_iter().map(f64::to_bits).collect();
            let path = state.path.clone();
            state
                .records
                .append(request, &words)
                .map_err(|source| SweepError::Checkpoint { path, source })?;
        }
        Ok(answer)
    }

    /// Assigns the next requests to the minimum at `place` of the outer journal. Records for another minimum
    /// answer none of them and are overwritten.
    fn turn_to(&self, place: u64) {
        if let Some(state) = &self.state {
            state.lock().unwrap_or_else(PoisonError::into_inner).place = place;
        }
    }

    /// Clears the passes on the way to a minimum that has been saved.
    ///
    /// # Errors
    /// The error of the system.
    pub(super) fn clear(&self) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let cleared = state.records.clear();
        Ok(cleared.map_err(|source| SweepError::Checkpoint { path: state.path.clone(), source })?)
    }
}

/// Whether the file was locked, so that two sweeps cannot overwrite each other. Some file systems have no
/// locks.
fn is_free(lock: std::result::Result<(), TryLockError>, path: &Path) -> Result<bool> {
    match lock {
        Ok(()) => Ok(true),
        Err(TryLockError::Error(_)) => Ok(false),
        Err(TryLockError::WouldBlock) => Err(SweepError::CheckpointInUse { path: path.to_owned() }.into()),
    }
}

/// The records of the inner journal; a damaged file, or one of another sweep, is replaced.
fn open_inner(folder: &Path, fingerprint: u64) -> Result<Records> {
    let path = folder.join(INNER_FILE);
    let open = || match Records::find(open_file(&path)?, fingerprint)? {
        Found::Own(records) => Ok(records),
        Found::Nothing(file) => Records::begin(file, fingerprint),
        Found::Other | Found::Foreign => Records::begin(open_file(&path)?, fingerprint),
    };
    Ok(open().map_err(|source| SweepError::Checkpoint { path: path.clone(), source })?)
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
        // Killed at any byte: complete records are replayed, the others are computed again, and the file ends
        // the same.
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
        assert!(message(true, 7).contains("not a sweep checkpoint"));
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
        assert!(told[0].contains("3 saved steps"), "{told:?}");
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
