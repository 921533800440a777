use std::path::PathBuf;

/// Rows that cannot be dealt into folds as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// A number of folds that makes no sense.
    #[error("{folds} folds; expected {least} to {most}")]
    Number {
        /// How many were asked for.
        folds: usize,
        /// How many are needed.
        least: usize,
        /// How many are accepted.
        most: usize,
    },
    /// One column as target and what makes the folds.
    #[error("column \"{column}\" is both the target and the {role}; name another {role}")]
    TargetIsFoldColumn {
        /// The column.
        column: String,
        /// What it is to the folds.
        role: &'static str,
    },
    /// A column of a type that makes no folds.
    #[error("{role} \"{column}\" is {found}; expected {expected}: name another column, or convert it first")]
    ColumnType {
        /// The column.
        column: String,
        /// What it is to the folds.
        role: &'static str,
        /// Its type.
        found: String,
        /// The types that do.
        expected: &'static str,
    },
    /// A value that makes no fold and no group.
    #[error("{}: {role} \"{column}\" is {value} in row {row} of row group {row_group}; expected whole numbers, booleans or text: name another column, or write its values as text", path.display())]
    ColumnValue {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it is to the folds.
        role: &'static str,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The row in the row group, from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A row without a time.
    #[error("{}: time column \"{column}\" is {value} in row {row} of row group {row_group}; expected a time in every row that is used: fill it, or leave such rows out", path.display())]
    NoTime {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The row in the row group, from 0.
        row: usize,
        /// `null` or `NaN`.
        value: &'static str,
    },
    /// A fold column without a value.
    #[error(
        "fold column \"{column}\" is null in every row that is used; name another column, or let --folds deal the rows"
    )]
    ColumnNull {
        /// The column.
        column: String,
    },
    /// A fold column with one value.
    #[error(
        "fold column \"{column}\" is \"{value}\" in every row that is used, which leaves nothing to learn from; expected two values or more, or nulls in the rows that are always learned from"
    )]
    OneFold {
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
    /// A fold column with too many values for folds.
    #[error(
        "fold column \"{column}\" has more than {limit} distinct values, and each would be a fold; to keep rows of the same value together in a few folds use --group, to deal rows at random --folds"
    )]
    TooMany {
        /// The column.
        column: String,
        /// How many are accepted.
        limit: usize,
    },
    /// More folds than groups.
    #[error(
        "{folds} folds need as many groups, and group column \"{column}\" has {groups}; ask for fewer --folds, or name a finer --group"
    )]
    TooFewGroups {
        /// The column.
        column: String,
        /// Its distinct values.
        groups: usize,
        /// How many folds were asked for.
        folds: usize,
    },
    /// More groups than can be kept apart.
    #[error(
        "group column \"{column}\" has more than {limit} distinct values; name a coarser --group, or write a column of fold numbers first"
    )]
    TooManyGroups {
        /// The column.
        column: String,
        /// How many are accepted.
        limit: usize,
    },
    /// More folds than rows.
    #[error("{folds} folds need as many rows, and {rows} are used; ask for fewer --folds")]
    TooFewRows {
        /// Rows that are used.
        rows: usize,
        /// How many folds were asked for.
        folds: usize,
    },
    /// A time column with one value.
    #[error(
        "time column \"{column}\" is the same in every row that is used; expected earlier rows to learn from and later ones to score: name another column"
    )]
    OneTime {
        /// The column.
        column: String,
    },
}

impl FoldError {
    /// Whether it is of a column as a whole, and does not say of which table.
    pub(super) fn is_of_the_table(&self) -> bool {
        matches!(
            self,
            Self::ColumnType { .. }
                | Self::ColumnNull { .. }
                | Self::OneFold { .. }
                | Self::TooMany { .. }
                | Self::TooFewGroups { .. }
                | Self::TooManyGroups { .. }
                | Self::TooFewRows { .. }
                | Self::OneTime { .. }
        )
    }
}
