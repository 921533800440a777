/// A device that is absent, lost or too small.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No hardware GPU answers.
    #[error("no hardware GPU found ({found}); install its Vulkan driver, or use --device cpu")]
    NoGpu {
        /// What was found instead.
        found: String,
    },
    /// No software adapter answers.
    #[error(
        "no software adapter found ({found}); install Mesa lavapipe (Debian package mesa-vulkan-drivers), \
         or use --device cpu"
    )]
    NoSoftwareAdapter {
        /// What was found instead.
        found: String,
    },
    /// The index names no adapter.
    #[error("no adapter has index {index} ({found}); `logodds devices` lists them, --device cpu needs none")]
    NoSuchAdapter {
        /// The index asked for.
        index: usize,
        /// What there is.
        found: String,
    },
    /// The driver would not open the adapter.
    #[error("{adapter} cannot be opened: {reason}; use another --device")]
    Open {
        /// Name of the adapter.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// The driver took the device away.
    #[error("{adapter} was lost while {doing}: {reason}; try again, or use --device cpu")]
    Lost {
        /// Name of the adapter.
        adapter: String,
        /// What was being done.
        doing: String,
        /// The driver's words.
        reason: String,
    },
    /// The device has no room.
    #[error("{adapter} is out of memory while {doing}, {bytes} bytes wanted; use --device cpu")]
    OutOfMemory {
        /// Name of the adapter.
        adapter: String,
        /// What was being done.
        doing: String,
        /// Bytes wanted.
        bytes: u64,
    },
    /// The problem does not fit the limits of the device.
    #[error("{what} needs {needed} bytes, {adapter} allows {limit}; {way_out}")]
    LimitTooSmall {
        /// Name of the adapter.
        adapter: String,
        /// What does not fit.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
        /// What to change.
        way_out: &'static str,
    },
    /// More rows than a kernel can number.
    #[error("{n_rows} rows found, at most 4294967040 fit one device; use --device cpu")]
    TooManyRows {
        /// Rows of the table.
        n_rows: usize,
    },
    /// A kernel did not compile, or its pipeline was refused.
    #[error("kernel {kernel} was refused by {adapter}: {reason}; use --device cpu and report this")]
    Kernel {
        /// Name of the kernel.
        kernel: &'static str,
        /// Name of the adapter.
        adapter: String,
        /// The compiler's words.
        reason: String,
    },
    /// The device refused a command.
    #[error("{adapter} failed while {doing}: {reason}; use --device cpu and report this")]
    Failed {
        /// Name of the adapter.
        adapter: String,
        /// What was being done.
        doing: String,
        /// The driver's words.
        reason: String,
    },
    /// A result that is not a number.
    #[error(
        "{what} holds values that are not finite: some values of the table are too large for float32; rescale their columns, or leave --no-standardize out"
    )]
    NotFinite {
        /// What was computed.
        what: &'static str,
    },
}
