//! Folds for cross-validation: which rows are held out together.

mod assign;
mod column;
mod group;
mod groups;
mod keyed;
mod stratified;
mod ticks;
mod time;

pub(crate) use assign::{Assigned, assign, folding_column};

use serde::{Deserialize, Serialize};
use std::fmt;

/// How rows are dealt into folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folding {
    /// At random, each class in equal shares.
    Stratified {
        /// Number of folds, at least 2.
        folds: usize,
    },
    /// Rows with the same value of a column go together; classes in shares as equal as that allows.
    Group {
        /// Name of the column.
        column: String,
        /// Number of folds, at least 2.
        folds: usize,
    },
    /// A fold for each value of a column; rows where it is null are in no fold, and always learned from.
    Column {
        /// Name of the column.
        column: String,
    },
    /// Forward chaining: rows in the order of a column, in `folds + 1` blocks of equal numbers of rows; each but the
    /// first is scored by models that learned from those before it. Equal times are in one block.
    Time {
        /// Name of the column.
        column: String,
        /// Number of scored blocks, at least 1.
        folds: usize,
    },
}

/// What a fold is called: its number, or the value of its column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FoldName {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl fmt::Display for FoldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The folds of a table that are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// For each, in ascending order: its number in the labels of the rows, and its name.
    pub scored: Vec<(u32, FoldName)>,
    /// Whether a fold's models may learn only from folds of smaller numbers.
    pub forward: bool,
    /// Numbers in use: every row's fold is below this.
    pub n_folds: usize,
    /// Rows without a value in the column of groups or folds.
    pub null_rows: usize,
}

impl Folds {
    /// So many folds, all scored, called 1, 2 and so on.
    fn numbered(n_folds: usize) -> Self {
        let scored =
            (0..).zip(1..).take(n_folds).map(|(fold, name)| (fold, FoldName::Number(name))).collect();
        Self { scored, forward: false, n_folds, null_rows: 0 }
    }
}
