//! Silences messages of graphics drivers.

/// Starts the program again, once, with Mesa's device-select layer off.
///
/// Without a desktop session (servers, containers), that layer writes `error: XDG_RUNTIME_DIR is invalid` to
/// stderr whenever adapters are listed, as if the command had failed. It only reorders adapters, which this
/// program does itself. Only an environment variable switches it off, and a running process cannot change its
/// environment safely. The new image keeps process id, terminal and files.
#[cfg(target_os = "linux")]
pub(crate) fn quieten() {
    use std::os::unix::process::CommandExt;

    const SWITCH: &str = "NODEVICE_SELECT";
    if std::env::var_os("XDG_RUNTIME_DIR").is_some() || std::env::var_os(SWITCH).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Returns only on failure; then the messages appear, and nothing else is lost.
    let _ = command.args(arguments).env(SWITCH, "1").exec();
}

/// Nothing to silence here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn quieten() {}
