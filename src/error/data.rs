use super::{FileError, FoldError};
use std::path::PathBuf;

/// A table that cannot be read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Files that cannot be found or are not Parquet.
    #[error(transparent)]
    File(#[from] FileError),
    /// A data page that cannot be decoded.
    #[error("{}: column \"{column}\" cannot be decoded in row group {row_group}: {reason}; write the file again, or train without the column (--exclude)", path.display())]
    Page {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The message of the decoder.
        reason: String,
    },
    /// A file without columns.
    #[error("{}: the table has no columns; expected a target and at least one feature", path.display())]
    NoColumns {
        /// The file.
        path: PathBuf,
    },
    /// Files without rows.
    #[error("{}: the table has no rows; expected at least one", path.display())]
    NoRows {
        /// The first file.
        path: PathBuf,
    },
    /// Two columns with the same name.
    #[error("{}: two columns are named \"{column}\"; rename one of them, or use neither (--exclude)", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A column that is missing in some of the files.
    #[error("{}: no column \"{column}\", which {} has; give files with the same columns, or leave it out (--exclude)", path.display(), other.display())]
    ColumnsDiffer {
        /// The file without the column.
        path: PathBuf,
        /// A file with it.
        other: PathBuf,
        /// The column.
        column: String,
    },
    /// A column whose type differs between files.
    #[error("{}: column \"{column}\" is {found}, but {expected} in {}; give files with the same types, or leave it out (--exclude)", path.display(), other.display())]
    TypesDiffer {
        /// The file.
        path: PathBuf,
        /// An earlier file.
        other: PathBuf,
        /// The column.
        column: String,
        /// Its type in `path`.
        found: String,
        /// Its type in `other`.
        expected: String,
    },
    /// A column that a setting names and the table does not have.
    #[error("no column \"{column}\" ({role}); {nearest}")]
    UnknownColumn {
        /// The name that the setting gives.
        column: String,
        /// The role for which the setting names it.
        role: &'static str,
        /// A sentence with similar names that exist.
        nearest: String,
    },
    /// A feature of a type that cannot be encoded.
    #[error("column \"{column}\" is {found}, which is not supported as a feature; --exclude it")]
    FeatureType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A target of a type that cannot have classes.
    #[error("target \"{column}\" is {found}; expected text, booleans or numbers")]
    TargetType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A weight column that is not numeric.
    #[error("weight \"{column}\" is {found}; expected numbers")]
    WeightType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A column of `--categorical` whose type cannot have levels.
    #[error("column \"{column}\" is {found} and cannot be categorical; expected integers, booleans or text")]
    CategoricalType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// The target, the weight or the fold column is listed as a feature.
    #[error("column \"{column}\" is the {role} and listed in --features; take it out of --features")]
    NotAFeature {
        /// The column.
        column: String,
        /// Target, weight or fold column.
        role: &'static str,
    },
    /// One column is both target and weight.
    #[error("column \"{column}\" is both the target and the weight; name another --weight")]
    TargetIsWeight {
        /// The column.
        column: String,
    },
    /// No feature column is left.
    #[error("no feature column is left; list some in --features, or fewer in --exclude")]
    NoFeatures,
    /// A target with too many distinct values.
    #[error(
        "target \"{column}\" has more than {limit} distinct values; it looks like a quantity or an identifier: name another --target, or bin its values first"
    )]
    TooManyClasses {
        /// The column.
        column: String,
        /// The largest number of classes that is accepted.
        limit: usize,
    },
    /// A target without a label.
    #[error("target \"{column}\" is null or NaN in every row; name another --target")]
    TargetAllNull {
        /// The column.
        column: String,
    },
    /// A target with a single class.
    #[error("target \"{column}\" is \"{value}\" in every row that is used; expected at least two classes")]
    OneClass {
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
    /// A numeric target with an infinite value, or with NaN where NaN is refused.
    #[error("{}: target \"{column}\" is {value} in row {row} (row group {row_group}); expected finite numbers or null{}", path.display(), if value.is_nan() { " (--nan null treats NaN as null)" } else { "" })]
    TargetNotFinite {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The row in the row group, from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A label that is not a class of the model.
    #[error("{}: target \"{column}\" is \"{value}\" in row {row} of row group {row_group}, a class that did not occur in training; leave such rows out, or train with them", path.display())]
    UnknownClass {
        /// The file.
        path: PathBuf,
        /// The target.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
        /// The label.
        value: String,
    },
    /// Every row has a null.
    #[error(
        "every row has a null or NaN in some feature; --exclude the emptiest columns, or use --missing mean"
    )]
    NoRowsLeft,
    /// A feature with an infinite value, or with NaN where NaN is refused.
    #[error("{}: column \"{column}\" is {value} in row {row} of row group {row_group}; expected finite numbers: {}, or train without the column (--exclude)", path.display(), if value.is_nan() { "train with --nan null" } else { "replace it by null" })]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A null where `--missing error` refuses nulls.
    #[error("{}: column \"{column}\" is {found} in row {row} of row group {row_group}; use --missing mean or drop, or train without the column (--exclude)", path.display())]
    Null {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The value found: null or NaN.
        found: &'static str,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
    },
    /// A null in a column for which the model has no fill value.
    #[error("{}: column \"{column}\" is {found} in row {row} of row group {row_group}, and the model has no value to fill in; fill it first, or train with --missing mean", path.display())]
    NullNotFilled {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The value found: null or NaN.
        found: &'static str,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
    },
    /// A feature without values.
    #[error("column \"{column}\" is null or NaN in every row that is used; --exclude it")]
    AllNull {
        /// The column.
        column: String,
    },
    /// A feature whose range exceeds float64.
    #[error("{}: the values of column \"{column}\" in row group {row_group} span too wide a range for float64; check the file, rescale the column, or --exclude it", path.display())]
    TooFar {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
    },
    /// A feature whose variance overflows float64.
    #[error(
        "the values of column \"{column}\" span too wide a range for float64: their variance overflows; rescale the column, or --exclude it"
    )]
    Overflow {
        /// The column.
        column: String,
    },
    /// A value beyond the range of float32, either as stored or after scaling.
    #[error("{}: column \"{column}\" is {value:e} in row {row} of row group {row_group}, beyond the range of float32{how}; {way_out}", path.display())]
    BeyondFloat32 {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
        /// The value there.
        value: f64,
        /// The number of such values, or the scaling.
        how: String,
        /// Advice for the user.
        way_out: &'static str,
    },
    /// A weight outside the accepted range.
    #[error("{}: weight \"{column}\" is {value} in row {row} of row group {row_group}; expected 0 or numbers from 1e-30 to 1e30; fix or rescale the column", path.display())]
    Weight {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
        /// The value, or `null`.
        value: String,
    },
    /// Weights that are all zero.
    #[error("weight \"{column}\" is 0 in every row that is used; expected some weight above 0")]
    WeightsZero {
        /// The column.
        column: String,
    },
    /// A block of rows that exceeds the memory limit.
    #[error(
        "reading a block of {rows} rows x {features} features needs {needed} bytes of memory, but only {available} may be used; train a model with fewer --features, or raise --memory"
    )]
    BlockMemory {
        /// Rows of the smallest block.
        rows: usize,
        /// Number of encoded features.
        features: usize,
        /// Bytes needed.
        needed: u64,
        /// Bytes that may be used.
        available: u64,
    },
    /// Panels that exceed the memory limit.
    #[error(
        "{rows} rows x {features} features and the work of training need {needed} bytes of memory, but only {available} may be used; the widest columns are {widest}: --exclude some, or raise --memory"
    )]
    Memory {
        /// Rows that are used.
        rows: usize,
        /// The number of encoded features, or the number counted when the limit was exceeded.
        features: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes that may be used.
        available: u64,
        /// The columns with the most features.
        widest: String,
    },
    /// A column of the model that the table does not have.
    #[error("the table has no column \"{column}\", which the model was trained on; {nearest}")]
    FeatureMissing {
        /// The column.
        column: String,
        /// A sentence with similar names that exist.
        nearest: String,
    },
    /// A column whose type differs from the type in training.
    #[error("column \"{column}\" is {found}, but the model was trained on {expected}; convert it first")]
    FeatureTypeDiffers {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The type in training.
        expected: &'static str,
    },
    /// One of the errors above that concerns a whole table, with the name of the table.
    #[error("{table}: {error}")]
    InTable {
        /// The first file, and the number of further files.
        table: String,
        /// The error.
        error: Box<DataError>,
    },
    /// An output column that occurs twice.
    #[error("two columns of the output are named \"{column}\"; leave it out of --keep")]
    OutputColumn {
        /// The name.
        column: String,
    },
    /// An output that cannot be written.
    #[error("{}: cannot be written: {reason}; check the directory, its permissions and the free space", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The caller stopped the command.
    #[error("interrupted while reading")]
    Interrupted,
    /// Rows that cannot be dealt into folds.
    #[error(transparent)]
    Folds(#[from] FoldError),
}

impl DataError {
    /// Whether more memory or more time could have avoided the error.
    pub(super) fn is_of_resources(&self) -> bool {
        match self {
            Self::Memory { .. } | Self::BlockMemory { .. } | Self::Interrupted => true,
            Self::InTable { error, .. } => error.is_of_resources(),
            _ => false,
        }
    }

    /// Adds the name of the table to an error that concerns a whole table and does not name it yet.
    pub(crate) fn in_table(self, table: impl FnOnce() -> String) -> Self {
        match self {
            Self::UnknownColumn { .. }
            | Self::FeatureType { .. }
            | Self::TargetType { .. }
            | Self::WeightType { .. }
            | Self::CategoricalType { .. }
            | Self::NoFeatures
            | Self::TooManyClasses { .. }
            | Self::TargetAllNull { .. }
            | Self::OneClass { .. }
            | Self::NoRowsLeft
            | Self::AllNull { .. }
            | Self::Memory { .. }
            | Self::FeatureMissing { .. }
            | Self::FeatureTypeDiffers { .. } => Self::InTable { table: table(), error: Box::new(self) },
            Self::Folds(error) if error.is_of_the_table() => {
                Self::InTable { table: table(), error: Box::new(Self::Folds(error)) }
            }
            other => other,
        }
    }
}
