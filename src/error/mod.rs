//! What can go wrong, said so that a user can act on it: what was found, where, the way out.

mod config;
mod data;
mod engine;
mod export;
mod file;
mod folds;
mod inference;
mod model;
mod sweep;

pub use config::ConfigError;
pub use data::DataError;
pub use engine::EngineError;
pub use export::ExportError;
pub use file::FileError;
pub use folds::FoldError;
pub use inference::InferenceError;
pub use model::ModelFileError;
pub use sweep::SweepError;

/// Any failure of the library; each part has its own enum.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting, or a combination of settings, that cannot be run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A table that cannot be read or used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A device that is absent, lost or too small.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model that cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A model file that cannot be read, written or used.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// Statistics of a model that cannot be computed, or would mean nothing.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A sweep that cannot be run, or was stopped.
    #[error(transparent)]
    Sweep(#[from] SweepError),
}

impl Error {
    /// Whether the work could have been done with more memory or more time.
    pub(crate) fn is_of_resources(&self) -> bool {
        match self {
            Self::Data(error) => error.is_of_resources(),
            Self::Engine(EngineError::OutOfMemory { .. } | EngineError::LimitTooSmall { .. }) => true,
            _ => false,
        }
    }
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;
