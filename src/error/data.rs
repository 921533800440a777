use super::{FileError, FoldError};
use std::path::PathBuf;

/// A table that cannot be read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Files that cannot be found or are no Parquet.
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
        /// What the decoder says.
        reason: String,
    },
    /// A file without a column.
    #[error("{}: the table has no columns; expected a target and at least one feature", path.display())]
    NoColumns {
        /// The file.
        path: PathBuf,
    },
    /// Files without a row.
    #[error("{}: the table has no rows; expected at least one", path.display())]
    NoRows {
        /// The first file.
        path: PathBuf,
    },
    /// Two columns of one name.
    #[error("{}: two columns are named \"{column}\"; rename one of them, or use neither (--exclude)", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A column that only some files have.
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
        /// The file before it.
        other: PathBuf,
        /// The column.
        column: String,
        /// Its type here.
        found: String,
        /// Its type there.
        expected: String,
    },
    /// A named column that the table lacks.
    #[error("no column \"{column}\" ({role}); {nearest}")]
    UnknownColumn {
        /// The name asked for.
        column: String,
        /// What it was asked for.
        role: &'static str,
        /// Names that exist.
        nearest: String,
    },
    /// A feature of a type that has no encoding.
    #[error("column \"{column}\" is {found}, which is not supported as a feature; --exclude it")]
    FeatureType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A target of a type that has no classes.
    #[error("target \"{column}\" is {found}; expected text, booleans or numbers")]
    TargetType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A weight that is not a number.
    #[error("weight \"{column}\" is {found}; expected numbers")]
    WeightType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A column of `--categorical` that cannot be levels.
    #[error("column \"{column}\" is {found} and cannot be categorical; expected integers, booleans or text")]
    CategoricalType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// The target, the weight or the fold column among the features.
    #[error("column \"{column}\" is the {role} and listed in --features; take it out of --features")]
    NotAFeature {
        /// The column.
        column: String,
        /// Target, weight or fold column.
        role: &'static str,
    },
    /// One column as target and weight.
    #[error("column \"{column}\" is both the target and the weight; name another --weight")]
    TargetIsWeight {
        /// The column.
        column: String,
    },
    /// Nothing to learn from.
    #[error("no feature column is left; list some in --features, or fewer in --exclude")]
    NoFeatures,
    /// A target with too many values for classes.
    #[error(
        "target \"{column}\" has more than {limit} distinct values; it looks like a quantity or an identifier: name another --target, or bin its values first"
    )]
    TooManyClasses {
        /// The column.
        column: String,
        /// How many are accepted.
        limit: usize,
    },
    /// A target without a value.
    #[error("target \"{column}\" is null or NaN in every row; name another --target")]
    TargetAllNull {
        /// The column.
        column: String,
    },
    /// A target with one value.
    #[error("target \"{column}\" is \"{value}\" in every row that is used; expected at least two classes")]
    OneClass {
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
    /// A target that is not a number where it should be.
    #[error("{}: target \"{column}\" is {value} in row {row} (row group {row_group}); expected finite numbers or null{}", path.display(), if value.is_nan() { ", which NaN is with --nan null" } else { "" })]
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
    /// A label that is none of the model's classes.
    #[error("{}: target \"{column}\" is \"{value}\" in row {row} of row group {row_group}, a class that training never saw; leave such rows out, or train with them", path.display())]
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
    /// No row is left.
    #[error(
        "every row has a null or NaN in some feature; --exclude the emptiest columns, or use --missing mean"
    )]
    NoRowsLeft,
    /// A feature that is not a number where it should be.
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
    /// A null where nulls are refused.
    #[error("{}: column \"{column}\" is {found} in row {row} of row group {row_group}; use --missing mean or drop, or train without the column (--exclude)", path.display())]
    Null {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is there: null or NaN.
        found: &'static str,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
    },
    /// A null where the model was trained without any way to fill it.
    #[error("{}: column \"{column}\" is {found} in row {row} of row group {row_group}, and the model has no value for nulls; fill it first, or train with --missing mean", path.display())]
    NullNotFilled {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is there: null or NaN.
        found: &'static str,
        /// The row group in the file, from 0.
        row_group: usize,
        /// The first such row in the row group, from 0.
        row: usize,
    },
    /// A feature without a value.
    #[error("column \"{column}\" is null or NaN in every row that is used; --exclude it")]
    AllNull {
        /// The column.
        column: String,
    },
    /// A feature whose values span more than floats hold.
    #[error("{}: the values of column \"{column}\" in row group {row_group} reach too far for float64 arithmetic; check the file, rescale the column, or --exclude it", path.display())]
    TooFar {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row group in the file, from 0.
        row_group: usize,
    },
    /// A feature whose squares overflow.
    #[error(
        "the values of column \"{column}\" reach too far for float64 arithmetic: their variance overflows; rescale the column, or --exclude it"
    )]
    Overflow {
        /// The column.
        column: String,
    },
    /// Values that float32 does not hold as they are, or once they are scaled.
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
        /// How many such values there are, or how they are scaled.
        how: String,
        /// What to do.
        way_out: &'static str,
    },
    /// A weight that is not a weight.
    #[error("{}: weight \"{column}\" is {value} in row {row} of row group {row_group}; expected 0 or numbers from 1e-30 to 1e30; mend the column, or scale it", path.display())]
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
    /// Weights that leave nothing.
    #[error("weight \"{column}\" is 0 in every row that is used; expected some weight above 0")]
    WeightsZero {
        /// The column.
        column: String,
    },
    /// A block beyond the memory.
    #[error(
        "a block of {rows} rows x {features} features, and what reads it, need {needed} bytes of memory, and {available} may be used; use a model of fewer --features, or raise --memory"
    )]
    BlockMemory {
        /// Rows of the smallest block.
        rows: usize,
        /// Encoded features.
        features: usize,
        /// Bytes needed.
        needed: u64,
        /// Bytes that may be used.
        available: u64,
    },
    /// Panels beyond the memory.
    #[error(
        "{rows} rows x {features} features, and what training on them takes, need {needed} bytes of memory, and {available} may be used; widest columns: {widest}; --exclude some, or raise --memory"
    )]
    Memory {
        /// Rows that are used.
        rows: usize,
        /// Encoded features, or as many as were counted when it became too much.
        features: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes that may be used.
        available: u64,
        /// The columns with the most features.
        widest: String,
    },
    /// A column of the model that the table lacks.
    #[error("the table has no column \"{column}\", which the model was trained on; {nearest}")]
    FeatureMissing {
        /// The column.
        column: String,
        /// Names that exist.
        nearest: String,
    },
    /// A column of another type than in training.
    #[error("column \"{column}\" is {found}, but the model was trained on {expected}; convert it first")]
    FeatureTypeDiffers {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// Its type in training.
        expected: &'static str,
    },
    /// One of the errors above that concerns a table as a whole, with its name.
    #[error("{table}: {error}")]
    InTable {
        /// The first file, and how many more there are.
        table: String,
        /// What is wrong with it.
        error: Box<DataError>,
    },
    /// An output column named twice.
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
        /// What went wrong.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("interrupted while reading")]
    Interrupted,
    /// Rows that cannot be dealt into folds.
    #[error(transparent)]
    Folds(#[from] FoldError),
}

impl DataError {
    /// Whether the table could have been read with more memory, or had the caller waited.
    pub(super) fn is_of_resources(&self) -> bool {
        match self {
            Self::Memory { .. } | Self::BlockMemory { .. } | Self::Interrupted => true,
            Self::InTable { error, .. } => error.is_of_resources(),
            _ => false,
        }
    }

    /// This error with the name of the table, where it concerns the table as a whole and does not have it.
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
