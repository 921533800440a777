//! Folds for cross-validation.

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

/// How rows are assigned to folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folding {
    /// At random, with an equal share of each class in every fold.
    Stratified {
        /// Number of folds, at least 2.
        folds: usize,
    },
    /// Rows with the same value of a column stay in one fold. Classes are balanced as far as this allows.
    Group {
        /// Name of the column.
        column: String,
        /// Number of folds, at least 2.
        folds: usize,
    },
    /// One fold for each value of a column. Rows where it is null are in no fold, and always trained on.
    Column {
        /// Name of the column.
        column: String,
    },
    /// Forward chaining. Rows in the order of a column are cut into `folds + 1` blocks with equal numbers
    /// of rows. Each block except the first is scored by models trained on the blocks before it. Equal
    /// times stay in one block.
    Time {
        /// Name of the column.
        column: String,
        /// Number of scored blocks, at least 1.
        folds: usize,
    },
}

/// The name of a fold: its number, or the value of the fold column.
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
    /// For each scored fold, ascending: its number in the labels of the rows, and its name.
    pub scored: Vec<(u32, FoldName)>,
    /// Whether a fold's models are trained only on folds with smaller numbers.
    pub forward: bool,
    /// The fold number of every row is below this.
    pub n_folds: usize,
    /// Number of rows with a null in the column of groups or folds.
    pub null_rows: usize,
}

impl Folds {
    /// `n_folds` folds, all scored, named 1, 2 and so on.
    fn numbered(n_folds: usize) -> Self {
        let scored =
            (0..).zip(1..).take(n_folds).map(|(fold, name)| (fold, FoldName::Number(name))).collect();
        Self { scored, forward: false, n_folds, null_rows: 0 }
    }
}
