//! Reading and writing the model file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Model, text};
use crate::error::{ModelFileError, Result};
use crate::output;

const FORMAT: &str = "logodds";

/// Version of the model file that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    version: u32,
    #[serde(flatten)]
    model: &'a Model,
}

/// The keys that are read first, so that a file of another version does not count as damaged.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    format: Value,
    #[serde(default)]
    version: Value,
}

impl Model {
    /// Reads and checks a model file.
    ///
    /// # Errors
    /// [`ModelFileError`]: the file cannot be read, is not a model, has another version, is damaged (with
    /// line and column), or contradicts itself.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).map_err(|source| ModelFileError::Read { path: path.to_owned(), source })?;
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            let found = match bytes.get(..4) {
                Some(b"PAR1" | b"PARE") => "a Parquet file",
                _ if bytes.is_empty() => "empty",
                _ => "not a JSON object",
            };
            return Err(ModelFileError::NotModel { path: path.to_owned(), found }.into());
        }
        let parse = |error: serde_json::Error| ModelFileError::Parse {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let header: Header = serde_json::from_slice(&bytes).map_err(parse)?;
        if header.format != FORMAT {
            return Err(
                ModelFileError::Format { path: path.to_owned(), found: header.format.to_string() }.into()
            );
        }
        if header.version != VERSION {
            return Err(ModelFileError::Version {
                path: path.to_owned(),
                found: header.version.to_string(),
                supported: VERSION,
            }
            .into());
        }
        let model: Self = serde_json::from_slice(&bytes).map_err(parse)?;
        model.check().map_err(|what| ModelFileError::Inconsistent { path: path.to_owned(), what })?;
        Ok(model)
    }

    /// Writes the model file completely or not at all: beside its place first, then renamed.
    ///
    /// # Errors
    /// [`ModelFileError`]: a number is not finite, or the system cannot write the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.check().map_err(|what| ModelFileError::Inconsistent { path: path.to_owned(), what })?;
        output::write_whole(path, self.to_json().as_bytes())
            .map_err(|source| ModelFileError::Write { path: path.to_owned(), source }.into())
    }

    /// The text of the model file.
    pub fn to_json(&self) -> String {
        let file = File { format: FORMAT, version: VERSION, model: self };
        let value = serde_json::to_value(file).expect("text keys and plain values always serialise");
        text::to_text(&value)
    }
}
