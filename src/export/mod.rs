//! Exports of a trained model for other programs: ONNX, SQL, and its own file.
//!
//! ONNX and SQL take the raw columns of the training table and predict like [`crate::predict`]: the same
//! class, and the same probability up to the float32 rounding of panels, which they do not have.

mod onnx;
mod sql;
mod stack;

use std::path::Path;

use serde::Serialize;

use crate::error::{ExportError, Result};
use crate::output;

pub use onnx::{LABEL, Onnx, PROBABILITIES, onnx};
pub use sql::{DEFAULT_TABLE, Sql, SqlOptions, sql};

/// An input column of an exported model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedInput {
    /// The name of the column.
    pub name: String,
    /// ONNX: the type of its tensor, as numpy calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<&'static str>,
    /// ONNX: the value that encodes null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<String>,
}

/// Writes an export completely or not at all: beside its place first, then renamed.
///
/// # Errors
/// [`ExportError::Write`] if the system cannot write the file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    output::write_whole(path, bytes)
        .map_err(|source| ExportError::Write { path: path.to_owned(), source }.into())
}
