//! What graphics drivers print on their own.

/// Starts the program again, once, with Mesa's device-select layer off.
///
/// Where no desktop session runs (servers, containers), that layer writes `error: XDG_RUNTIME_DIR is
/// invalid` to stderr each time adapters are listed, as if the command had failed. It only reorders
/// adapters, which this program does itself. It is switched off by the environment alone, which a
/// running process cannot change safely; the new image keeps process id, terminal and files.
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
    // Returns only if it failed: then the lines appear, and nothing else is lost.
    let _ = command.args(arguments).env(SWITCH, "1").exec();
}

/// Nothing to silence here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn quieten() {}
