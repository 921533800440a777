/// A device that is absent, lost or too small.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No hardware GPU was found.
    #[error("no hardware GPU found ({found}); install its Vulkan driver, or use --device cpu")]
    NoGpu {
        /// The adapters that were found instead.
        found: String,
    },
    /// No software adapter was found.
    #[error(
        "no software adapter found ({found}); install Mesa lavapipe (Debian package mesa-vulkan-drivers), \
         or use --device cpu"
    )]
    NoSoftwareAdapter {
        /// The adapters that were found instead.
        found: String,
    },
    /// The index belongs to no adapter.
    #[error("no adapter has index {index} ({found}); `logodds devices` lists them, --device cpu needs none")]
    NoSuchAdapter {
        /// The index asked for.
        index: usize,
        /// The adapters that were found.
        found: String,
    },
    /// The driver did not open the adapter.
    #[error("{adapter} cannot be opened: {reason}; use another --device")]
    Open {
        /// Name of the adapter.
        adapter: String,
        /// The message of the driver.
        reason: String,
    },
    /// The device was lost.
    #[error("{adapter} was lost while {doing}: {reason}; try again, or use --device cpu")]
    Lost {
        /// Name of the adapter.
        adapter: String,
        /// The operation that failed.
        doing: String,
        /// The message of the driver.
        reason: String,
    },
    /// The device ran out of memory.
    #[error("{adapter} ran out of memory while {doing}: {bytes} bytes are needed; use --device cpu")]
    OutOfMemory {
        /// Name of the adapter.
        adapter: String,
        /// The operation that failed.
        doing: String,
        /// Bytes needed.
        bytes: u64,
    },
    /// The problem exceeds a limit of the device.
    #[error("{what} needs {needed} bytes, but {adapter} allows {limit}; {way_out}")]
    LimitTooSmall {
        /// Name of the adapter.
        adapter: String,
        /// The buffer that exceeds it.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
        /// Advice for the user.
        way_out: &'static str,
    },
    /// More rows than a kernel can index.
    #[error("the table has {n_rows} rows, but one device takes at most 4294967040; use --device cpu")]
    TooManyRows {
        /// Rows of the table.
        n_rows: usize,
    },
    /// A kernel did not compile, or its pipeline was rejected.
    #[error("kernel {kernel} was refused by {adapter}: {reason}; use --device cpu and report this")]
    Kernel {
        /// Name of the kernel.
        kernel: &'static str,
        /// Name of the adapter.
        adapter: String,
        /// The message of the compiler.
        reason: String,
    },
    /// The device rejected a command.
    #[error("{adapter} failed while {doing}: {reason}; use --device cpu and report this")]
    Failed {
        /// Name of the adapter.
        adapter: String,
        /// The operation that failed.
        doing: String,
        /// The message of the driver.
        reason: String,
    },
    /// A result that is not finite.
    #[error(
        "{what} holds values that are not finite: some values of the table are too large for float32; rescale their columns, or leave --no-standardize out"
    )]
    NotFinite {
        /// The quantity that was computed.
        what: &'static str,
    },
}
