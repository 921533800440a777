//! Formats of exported models.

use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The format of an exported model.
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
    /// The format for the extension of a path.
    pub fn of_path(path: &Path) -> Option<Self> {
        <Self as ValueEnum>::from_str(path.extension()?.to_str()?, true).ok()
    }

    /// The name in flags and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Sql => "sql",
            Self::Json => "json",
        }
    }
}

/// The SQL dialect of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Standard SQL without extensions; no dates and times
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
    /// The name of the database.
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
