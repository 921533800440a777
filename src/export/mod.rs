//! A trained model in the forms that other programs run: ONNX and SQL, beside its own file.
//!
//! Both forms take the raw columns of the training table and predict what [`crate::predict`] does: the same
//! class, and the same probability but for the rounding of float32, which panels hold and these do not.

mod onnx;
mod sql;
mod stack;

use std::path::Path;

use serde::Serialize;

use crate::error::{ExportError, Result};
use crate::output;

pub use onnx::{LABEL, Onnx, PROBABILITIES, onnx};
pub use sql::{DEFAULT_TABLE, Sql, SqlOptions, sql};

/// A column that an exported model takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedInput {
    /// Its name, that of the column.
    pub name: String,
    /// ONNX: the type of its tensor, as numpy calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<&'static str>,
    /// ONNX: what a null is passed as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<String>,
}

/// Writes an export whole or not at all: beside its place first, then renamed.
///
/// # Errors
/// [`ExportError::Write`] if the system refuses.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    output::write_whole(path, bytes)
        .map_err(|source| ExportError::Write { path: path.to_owned(), source }.into())
}
