//! Signals that end the program: Ctrl-C, `kill`, a closed terminal.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use anyhow::Context;
use logodds::output;

/// The message of commands that do not train.
pub(crate) const STOPPING: &str = "stopping; nothing is left behind";

/// Exit code of the first signal; 0 before a signal.
static CODE: AtomicU8 = AtomicU8::new(0);

/// The messages of a command that ends in order: before anything is trained, and afterwards.
static ORDERLY: OnceLock<[&str; 2]> = OnceLock::new();

/// Whether an epoch is done, so that a model can be kept.
static TRAINING: AtomicBool = AtomicBool::new(false);

/// Installs the signal handlers. From now on a signal removes unfinished files and ends the program; after
/// [`end_in_order`], only the second signal does.
pub(crate) fn listen() -> anyhow::Result<()> {
    system::listen().context("cannot listen to signals")
}

/// Makes the first signal a request to stop, with these messages; the second one ends the program at once.
pub(crate) fn end_in_order(before: &'static str, training: &'static str) {
    let _ = ORDERLY.set([before, training]);
}

/// Records that there is a model to keep.
pub(crate) fn training() {
    TRAINING.store(true, Ordering::Relaxed);
}

/// Whether there was a signal.
pub(crate) fn is_asked() -> bool {
    CODE.load(Ordering::Relaxed) > 0
}

/// 128 plus the number of the signal, as in shells: 130 for Ctrl-C.
pub(crate) fn exit_code() -> u8 {
    match CODE.load(Ordering::Relaxed) {
        0 => 130,
        code => code,
    }
}

fn caught(code: u8) {
    let first = CODE.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    match ORDERLY.get().filter(|_| first) {
        Some([before, training]) => {
            let says = if TRAINING.load(Ordering::Relaxed) { training } else { before };
            // The terminal may be closed.
            let _ = writeln!(std::io::stderr(), "\n{says} (Ctrl-C again stops at once)");
        }
        None => {
            output::abandon();
            std::process::exit(code.into());
        }
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    pub(super) fn listen() -> io::Result<()> {
        let mut caught = vec![SIGINT, SIGTERM];
        caught.extend(hangs_up().then_some(SIGHUP));
        let mut signals = Signals::new(caught)?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                super::caught(u8::try_from(128 + signal).unwrap_or(130));
            }
        })?;
        Ok(())
    }

    /// Whether a closed terminal should end the program: not under `nohup`, which ignores the signal, and not
    /// if the system does not tell.
    fn hangs_up() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        ignored.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 0)
    }
}

#[cfg(not(unix))]
mod system {
    pub(super) fn listen() -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(|| super::caught(130))
    }
}
