use std::path::PathBuf;

/// Rows that cannot be divided into the requested folds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// A number of folds that is too small or too large.
    #[error("{folds} folds; expected {least} to {most}")]
    Number {
        /// The number requested.
        folds: usize,
        /// The smallest number.
        least: usize,
        /// The largest number.
        most: usize,
    },
    /// One column is both the target and the column that makes the folds.
    #[error("column \"{column}\" is both the target and the {role}; name another {role}")]
    TargetIsFoldColumn {
        /// The column.
        column: String,
        /// Its role: fold, group or time column.
        role: &'static str,
    },
    /// A column of a type that cannot make folds.
    #[error("{role} \"{column}\" is {found}; expected {expected}: name another column, or convert it first")]
    ColumnType {
        /// The column.
        column: String,
        /// Its role: fold, group or time column.
        role: &'static str,
        /// Its type.
        found: String,
        /// The accepted types.
        expected: &'static str,
    },
    /// A value that cannot name a fold or a group.
    #[error("{}: {role} \"{column}\" is {value} in row {row} of row group {row_group}; expected whole numbers, booleans or text: name another column, or write its values as text", path.display())]
    ColumnValue {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its role: fold, group or time column.
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
    /// A fold column without values.
    #[error(
        "fold column \"{column}\" is null in every row that is used; name another column, or let --folds deal the rows"
    )]
    ColumnNull {
        /// The column.
        column: String,
    },
    /// A fold column with a single value.
    #[error(
        "fold column \"{column}\" is \"{value}\" in every row that is used, so no row is left to learn from; expected two or more values, or nulls in the rows that every fold learns from"
    )]
    OneFold {
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
    /// A fold column with too many distinct values.
    #[error(
        "fold column \"{column}\" has more than {limit} distinct values, and each would be a fold; use --group to keep rows of the same value together in a few folds, or --folds to deal rows at random"
    )]
    TooMany {
        /// The column.
        column: String,
        /// The largest number that is accepted.
        limit: usize,
    },
    /// More folds than groups.
    #[error(
        "{folds} folds need at least {folds} groups, but group column \"{column}\" has {groups}; ask for fewer --folds, or name a finer --group"
    )]
    TooFewGroups {
        /// The column.
        column: String,
        /// Number of distinct values.
        groups: usize,
        /// The number of folds requested.
        folds: usize,
    },
    /// Too many groups.
    #[error(
        "group column \"{column}\" has more than {limit} distinct values; name a coarser --group, or write a column of fold numbers first"
    )]
    TooManyGroups {
        /// The column.
        column: String,
        /// The largest number that is accepted.
        limit: usize,
    },
    /// More folds than rows.
    #[error("{folds} folds need at least {folds} rows, but {rows} are used; ask for fewer --folds")]
    TooFewRows {
        /// Rows that are used.
        rows: usize,
        /// The number of folds requested.
        folds: usize,
    },
    /// A time column with a single value.
    #[error(
        "time column \"{column}\" is the same in every row that is used; expected earlier rows to learn from and later ones to score: name another column"
    )]
    OneTime {
        /// The column.
        column: String,
    },
}

impl FoldError {
    /// Whether the error concerns a column as a whole and does not name the table.
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
