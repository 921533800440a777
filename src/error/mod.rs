//! Errors that tell the user what was found, where, and what to do.

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

/// Any error of the library; each part has its own enum.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting, or a combination of settings, with which nothing can run.
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
    /// Statistics of a model that cannot be computed, or would be meaningless.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A sweep that cannot run, or was stopped.
    #[error(transparent)]
    Sweep(#[from] SweepError),
}

impl Error {
    /// Whether more memory or more time could have avoided the error.
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
