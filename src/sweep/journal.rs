//! Remembering every pass, so that a sweep that was stopped goes on where it was.
//!
//! A solver's way depends on nothing but the answers to its passes. So it is these that are written down: loss and
//! gradient of each pass, each Hessian. A sweep that is resumed runs again from its start, and is answered from the
//! journal, in no time, as long as it asks what was asked before; then it goes on. The result is the
//! uninterrupted one, bit for bit on the same kind of device, and a process that was killed loses the pass it was in.
//!
//! ```text
//! record = [request, length, checksum, answer..], words of 64 bits, little endian;  the first one is the header
//! ```

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fingerprint::Digest;
use crate::engine::{Engine, Epoch, Evaluation, SgdState};
use crate::error::{Result, SweepError};
use crate::objective::{Coefficients, Exact, Gaps, Hessian, ModelSpec};
use crate::panels::{Panels, Rows, Sample};
use crate::solver::Host;

const FILE: &str = "sweep.journal";

/// The header's request: which program's journal it is, and of which version.
const HEADER: u64 = u64::from_le_bytes(*b"logodds\x01");

/// The passes of a sweep, on disk.
pub(super) struct Journal {
    state: Option<Mutex<State>>,
    /// Millionths of a reading of X.
    passes: AtomicU64,
}

struct State {
    file: File,
    path: PathBuf,
    /// What stands in the file and was not asked for yet; none once it is used up.
    replay: Option<BufReader<File>>,
    /// Where the next record begins.
    end: u64,
}

impl Journal {
    /// One that remembers nothing.
    pub(super) fn none() -> Self {
        Self { state: None, passes: AtomicU64::new(0) }
    }

    /// Opens the journal of a folder, for a sweep with such a fingerprint.
    ///
    /// # Errors
    /// There is one and it is not to be resumed, it is of another sweep, or the system refuses.
    pub(super) fn open(folder: &Path, resume: bool, fingerprint: u64) -> Result<Self> {
        let path = folder.join(FILE);
        let refused = |source| SweepError::Checkpoint { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(refused)?;
        if path.exists() && !resume {
            return Err(SweepError::CheckpointExists { path }.into());
        }
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(refused)?;
        // Two sweeps in one folder would write over each other.
        if file.try_lock().is_err() {
            return Err(SweepError::CheckpointInUse { path }.into());
        }
        let len = file.metadata().map_err(refused)?.len();
        let mut replay = BufReader::with_capacity(1 << 20, file.try_clone().map_err(refused)?);
        replay.seek(SeekFrom::Start(0)).map_err(refused)?;
        let state = match next(&mut replay, len) {
            Some((HEADER, answer)) if answer == [fingerprint] => {
                State { file, end: 8 * (3 + answer.len() as u64), path, replay: Some(replay) }
            }
            Some((HEADER, _)) => return Err(SweepError::OtherSweep { path }.into()),
            Some(_) => return Err(SweepError::NotACheckpoint { path }.into()),
            // A journal killed at its birth holds nothing; anything longer is not one.
            None if len > 8 * 4 => return Err(SweepError::NotACheckpoint { path }.into()),
            None => {
                file.set_len(0).map_err(refused)?;
                let mut state = State { file, path: path.clone(), replay: None, end: 0 };
                state.append(HEADER, &[fingerprint]).map_err(refused)?;
                state
            }
        };
        Ok(Self { state: Some(Mutex::new(state)), passes: AtomicU64::new(0) })
    }

    /// Readings of X so far, counted in whole tables, remembered ones included.
    pub(super) fn passes(&self) -> f64 {
        self.passes.load(Ordering::Relaxed) as f64 / 1e6
    }

    /// Takes note of a reading of X, or of a share of it.
    pub(super) fn count(&self, sample: Sample) {
        self.passes.fetch_add(1_000_000 / sample.stride() as u64, Ordering::Relaxed);
    }

    /// A number that is to stay what it was when the sweep began.
    pub(super) fn remember(&self, request: Digest, make: impl FnOnce() -> f64) -> Result<f64> {
        let decode = |numbers: &[f64]| numbers.first().copied();
        self.answer(request, decode, |number| vec![*number], || Ok(make()))
    }

    /// The answer to a request: the remembered one, or the one now made, which is remembered.
    fn answer<T>(
        &self,
        request: Digest,
        decode: impl Fn(&[f64]) -> Option<T>,
        encode: impl Fn(&T) -> Vec<f64>,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(state) = &self.state else { return make() };
        let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(answer) = state.replayed(request.end()) {
            let answer: Vec<f64> = answer.into_iter().map(f64::from_bits).collect();
            if let Some(answer) = decode(&answer) {
                return Ok(answer);
            }
        }
        let answer = make()?;
        let words: Vec<u64> = encode(&answer).into_iter().map(f64::to_bits).collect();
        let path = state.path.clone();
        state.append(request.end(), &words).map_err(|source| SweepError::Checkpoint { path, source })?;
        Ok(answer)
    }
}

impl State {
    /// The next remembered answer, if it is one to this request.
    fn replayed(&mut self, request: u64) -> Option<Vec<u64>> {
        let len = self.file.metadata().ok()?.len();
        let replay = self.replay.as_mut()?;
        match next(replay, len - self.end) {
            Some((known, answer)) if known == request => {
                self.end += 8 * (3 + answer.len() as u64);
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
        let bytes: Vec<u8> = words.iter().chain(answer).flat_map(|word| word.to_le_bytes()).collect();
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
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
    if length.checked_add(3)?.checked_mul(8)? > left {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()? * 8];
    file.read_exact(&mut bytes).ok()?;
    let (chunks, _) = bytes.as_chunks::<8>();
    let answer: Vec<u64> = chunks.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    (checksum(request, &answer) == expected).then_some((request, answer))
}

/// An engine whose passes are remembered.
pub(super) struct Remembered<'a> {
    pub(super) engine: &'a mut dyn Engine,
    pub(super) journal: &'a Journal,
}

impl Engine for Remembered<'_> {
    fn device(&self) -> String {
        self.engine.device()
    }

    fn models_per_reading(&self) -> usize {
        self.engine.models_per_reading()
    }

    fn evaluate_on(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
    ) -> Result<Evaluation> {
        self.journal.count(sample);
        let request = Digest::new().words([1, sample.stride() as u64]).models(models);
        self.journal.answer(
            request.numbers(coefficients.values()),
            |numbers| Evaluation::from_numbers(coefficients.n_features(), models.len(), numbers),
            Evaluation::to_numbers,
            || self.engine.evaluate_on(models, coefficients, sample),
        )
    }

    fn hessian(&mut self, model: &ModelSpec, column: &[f64], sample: Sample) -> Result<Hessian> {
        self.journal.count(sample);
        let request = Digest::new().words([2, sample.stride() as u64]).models(std::slice::from_ref(model));
        let order = column.len();
        self.journal.answer(
            request.numbers(column),
            |numbers| Hessian::from_triangle(order, numbers),
            Hessian::to_triangle,
            || self.engine.hessian(model, column, sample),
        )
    }

    /// Not remembered: a sweep compares optima, and mini-batches do not lead there.
    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        self.engine.sgd_epoch(models, epoch, state)
    }
}

/// A host whose passes are remembered. What it computes on other tables, which are small, is made anew.
pub(super) struct RememberedHost<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) journal: &'a Journal,
}

impl Host for RememberedHost<'_> {
    fn evaluate(&self, models: &[ModelSpec], coefficients: &Coefficients, gaps: Gaps) -> Result<Exact> {
        self.journal.count(Sample::ALL);
        self.journal.answer(
            Digest::new()
                .words([3, u64::from(gaps == Gaps::With)])
                .models(models)
                .numbers(coefficients.values()),
            |numbers| Exact::from_numbers(coefficients.n_features(), models, gaps, numbers),
            Exact::to_numbers,
            || self.host.evaluate(models, coefficients, gaps),
        )
    }

    fn mean_squares(&self) -> Vec<f64> {
        self.host.mean_squares()
    }

    fn rows(&self) -> &Rows {
        self.host.rows()
    }

    fn select(&self, features: &[usize]) -> Panels {
        self.host.select(features)
    }

    fn row_products(&self) -> Vec<f64> {
        self.host.row_products()
    }

    fn combine_rows(&self, weights: &[f64]) -> Vec<f64> {
        self.host.combine_rows(weights)
    }

    fn with_table(
        &self,
        panels: &Panels,
        work: &mut dyn FnMut(&mut dyn Engine, &dyn Host) -> Result<()>,
    ) -> Result<()> {
        self.host.with_table(panels, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, resume: bool) -> Journal {
        Journal::open(folder, resume, 7).unwrap()
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
        let in_use = Journal::open(folder.path(), true, 7).err().unwrap().to_string();
        assert!(in_use.contains("in use"), "{in_use}");
        drop(journal);
        let message = |resume, fingerprint| {
            Journal::open(folder.path(), resume, fingerprint).err().unwrap().to_string()
        };
        assert!(message(false, 7).contains("--resume"));
        assert!(message(true, 8).contains("another sweep"));
        std::fs::write(folder.path().join(FILE), "something else that is long enough to be looked at")
            .unwrap();
        assert!(message(true, 7).contains("no checkpoint"));
    }
}
