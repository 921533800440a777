//! Signals that ask the program to end: Ctrl-C, `kill`, a terminal that is closed.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use anyhow::Context;
use logodds::output;

/// What happens to a command that trains nothing.
pub(crate) const STOPPING: &str = "stopping; nothing is left behind";

/// Exit code of the first signal, 0 before it.
static CODE: AtomicU8 = AtomicU8::new(0);

/// What a command that ends in order says: as long as nothing is trained, and after.
static ORDERLY: OnceLock<[&str; 2]> = OnceLock::new();

/// Whether an epoch is done, so that there is something to keep.
static TRAINING: AtomicBool = AtomicBool::new(false);

/// From here on a signal ends the program without leaving unfinished files; at once, unless
/// [`end_in_order`] was called before.
pub(crate) fn listen() -> anyhow::Result<()> {
    system::listen().context("cannot listen to signals")
}

/// The first signal asks to stop, and it is said what happens then; the second one ends the program at once.
pub(crate) fn end_in_order(before: &'static str, training: &'static str) {
    let _ = ORDERLY.set([before, training]);
}

/// There is something to keep now.
pub(crate) fn training() {
    TRAINING.store(true, Ordering::Relaxed);
}

/// Whether there was a signal.
pub(crate) fn is_asked() -> bool {
    CODE.load(Ordering::Relaxed) > 0
}

/// 128 and the number of the signal, as shells have it: 130 for Ctrl-C.
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
            // The terminal may be what went away.
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

    /// Whether the end of its terminal is to end the program: not under `nohup`, which has the signal
    /// ignored, and not where the system does not tell.
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
