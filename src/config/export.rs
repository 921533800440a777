//! How a model is exported.

use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What an exported model is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// An ONNX graph from raw columns to label and probabilities
    Onnx,
    /// A SELECT statement that predicts inside a database
    Sql,
    /// The model file itself
    Json,
}

impl ExportFormat {
    /// The format that the extension of a path stands for.
    pub fn of_path(path: &Path) -> Option<Self> {
        <Self as ValueEnum>::from_str(path.extension()?.to_str()?, true).ok()
    }

    /// As flags and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Sql => "sql",
            Self::Json => "json",
        }
    }
}

/// The SQL that a database understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Standard SQL, nothing of one database alone; no dates and times
    Ansi,
    /// PostgreSQL 12 or newer
    #[default]
    Postgresql,
    /// DuckDB 1.0 or newer
    Duckdb,
    /// SQLite 3.35 or newer, with its mathematical functions
    Sqlite,
    /// GoogleSQL of BigQuery
    Bigquery,
}

impl Dialect {
    /// The name of what speaks it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ansi => "standard SQL",
            Self::Postgresql => "PostgreSQL",
            Self::Duckdb => "DuckDB",
            Self::Sqlite => "SQLite",
            Self::Bigquery => "BigQuery",
        }
    }
}
