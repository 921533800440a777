//! Panics, which are bugs of this program or of a decoder. Some are caught where they happen and become
//! errors of the table. The others are reported once, at the end, without paths of the build machine.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::sync::{Mutex, PoisonError};

/// The message of the last panic.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Stops panics from printing.
pub(crate) fn quieten() {
    set_hook(Box::new(|panic| {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = describe(panic);
    }));
}

/// The result of `work`, or the message of its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let found = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        format!("this is a bug of logodds ({found}); please report it with the command that was run")
    })
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("a panic without a message");
    match panic.location() {
        Some(at) => format!("{message}, at {}:{}", within_crate(at.file()), at.line()),
        None => message.to_owned(),
    }
}

/// The path of a source file, from its crate.
fn within_crate(path: &str) -> String {
    let path = path.replace('\\', "/");
    let of_registry = || path.split_once("/registry/src/")?.1.split_once('/').map(|(_, rest)| rest);
    let of_std = || path.split_once("/library/").map(|(_, rest)| rest);
    let named = || path.rsplit('/').next();
    let found = if path.starts_with("src/") { Some(path.as_str()) } else { None };
    found.or_else(of_registry).or_else(of_std).or_else(named).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_crate() {
        for (path, shown) in [
            (
                "/home/someone/.cargo/registry/src/index-0123abcd/parquet-60.1.0/src/x.rs",
                "parquet-60.1.0/src/x.rs",
            ),
            ("C:\\u\\.cargo\\registry\\src\\index-1\\zstd-0.1.0\\src\\x.rs", "zstd-0.1.0/src/x.rs"),
            ("/rustc/0123abcd/library/core/src/option.rs", "core/src/option.rs"),
            ("src/solver/mod.rs", "src/solver/mod.rs"),
            ("/home/someone/parquet/src/x.rs", "x.rs"),
        ] {
            assert_eq!(within_crate(path), shown);
        }
    }
}
