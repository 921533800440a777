//! The files of a table and their metadata.

use super::columns::Columns;
use super::footer::{self, Footer};
use super::paths::expand;
use super::schema::{ValueType, decoding_schema, decoding_type};
use crate::error::{DataError, FileError};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A table in one or more Parquet files, with parsed footers and a common schema.
#[derive(Debug)]
pub struct Source {
    paths: Vec<PathBuf>,
    pub(crate) files: Vec<FileEntry>,
    pub(crate) columns: Vec<SourceColumn>,
    names: HashMap<String, usize>,
    pub(crate) groups: Vec<RowGroup>,
    n_rows: usize,
}

/// One file.
#[derive(Debug)]
pub(crate) struct FileEntry {
    pub(crate) path: PathBuf,
    /// Types as the file declares them.
    pub(crate) natural: ArrowReaderMetadata,
    /// Types to decode with.
    pub(crate) decoding: ArrowReaderMetadata,
    /// For each column of the source: where this file has it.
    pub(crate) place: Vec<ColumnPlace>,
    /// The chunks (row group, leaf) that cannot be read, and why.
    pub(crate) unreadable: HashMap<(usize, usize), String>,
    stamp: Stamp,
}

/// Where a file has a column of the table.
#[derive(Debug, Clone)]
pub(crate) enum ColumnPlace {
    /// Index among its columns.
    Column(usize),
    /// In a folder name: an array of length 1, whose value holds for all rows.
    Folder(ArrayRef),
    /// The file lacks the column. [`Source::readable`] reports this before anything is read.
    Nowhere,
}

/// Identifies the state of a file, to detect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device and inode number, on systems that have them.
    inode: Option<(u64, u64)>,
}

/// One column of the table.
#[derive(Debug, Clone)]
pub(crate) struct SourceColumn {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    /// Whether it comes from folder names.
    pub(crate) is_folder: bool,
    /// Whether pandas wrote it as the index of a frame.
    pub(crate) is_index: bool,
    pub(super) trouble: Option<Trouble>,
}

/// Why a column cannot be read from every file.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    Absent { path: PathBuf, other: PathBuf },
    Differs { path: PathBuf, other: PathBuf, found: String, expected: String },
    Doubled { path: PathBuf },
}

/// One row group of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowGroup {
    pub(crate) file: usize,
    /// Index in the file.
    pub(crate) index: usize,
    /// Index of its first row in the table.
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
}

/// Opens files, directories (every `*.parquet` below, sorted) and globs as one table.
///
/// Its columns are those of the files, in order of first appearance, followed by those from folders named
/// `key=value`. Files may differ in columns that are not used.
///
/// # Errors
/// If there is no such file, or one is not Parquet.
pub fn open(data: &[String]) -> crate::Result<Source> {
    let paths = expand(data).map_err(DataError::File)?;
    let mut files = Vec::with_capacity(paths.len());
    let mut columns = Columns::default();
    let mut groups = Vec::new();
    let mut n_rows = 0;
    for path in &paths {
        let (Footer { metadata: natural, unreadable }, stamp) = footer(path).map_err(DataError::File)?;
        for (index, group) in natural.metadata().row_groups().iter().enumerate() {
            let rows = usize::try_from(group.num_rows()).unwrap_or(0);
            groups.push(RowGroup { file: files.len(), index, first_row: n_rows, n_rows: rows });
            n_rows = n_rows.checked_add(rows).ok_or_else(|| {
                DataError::File(footer::error(path, "it claims more rows than can be counted"))
            })?;
        }
        let schema = natural.schema();
        if schema.fields().is_empty() {
            return Err(DataError::NoColumns { path: path.clone() }.into());
        }
        let place = columns.add_file(path, schema);
        let options = ArrowReaderOptions::new().with_schema(Arc::new(decoding_schema(schema)));
        let decoding = ArrowReaderMetadata::try_new(natural.metadata().clone(), options)
            .map_err(|error| DataError::File(footer::error(path, error)))?;
        files.push(FileEntry { path: path.clone(), natural, decoding, place, unreadable, stamp });
    }
    if n_rows == 0 {
        return Err(DataError::NoRows { path: paths[0].clone() }.into());
    }
    columns.add_folders(&mut files);
    let Columns { columns, names, .. } = columns;
    Ok(Source { paths, files, columns, names, groups, n_rows })
}

impl FileEntry {
    /// The field of a column in the file or in its folder names.
    pub(crate) fn natural_field(&self, name: &str, column: usize) -> Field {
        match &self.place[column] {
            ColumnPlace::Column(at) => self.natural.schema().field(*at).clone(),
            ColumnPlace::Folder(value) => Field::new(name, value.data_type().clone(), true),
            ColumnPlace::Nowhere => Field::new(name, DataType::Null, true),
        }
    }

    /// The type of a column in the file or in its folder names.
    pub(crate) fn natural_type(&self, column: usize) -> DataType {
        self.natural_field("", column).data_type().clone()
    }

    /// The type that a column is decoded to.
    pub(crate) fn decoding_type(&self, column: usize) -> DataType {
        decoding_type(&self.natural_type(column))
    }

    /// Opens the file again.
    ///
    /// # Errors
    /// The file has changed since its footer was read.
    pub(crate) fn open(&self) -> Result<File, FileError> {
        let refused = |source| FileError::Read { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(refused)?;
        let now = Stamp::of(&file.metadata().map_err(refused)?);
        if now == self.stamp { Ok(file) } else { Err(FileError::Changed { path: self.path.clone() }) }
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let inode = None;
        Self { bytes: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}

impl Source {
    /// Number of rows in all files.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The files, in reading order.
    pub fn files(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Names of the columns, in order of first appearance.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.name.clone()).collect()
    }

    /// Adds the name of this table to an error that lacks it.
    pub(crate) fn name_in(&self, error: crate::Error) -> crate::Error {
        let table = || match self.files() {
            [] => "the table".to_owned(),
            [file] => file.display().to_string(),
            [first, more @ ..] => format!("{} and {} more", first.display(), more.len()),
        };
        match error {
            crate::Error::Data(error) => error.in_table(table).into(),
            other => other,
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Checks that a column can be read from every file.
    ///
    /// # Errors
    /// A file lacks it, has it twice, or has another type for it.
    pub(crate) fn readable(&self, column: usize) -> Result<(), DataError> {
        let SourceColumn { name, trouble, .. } = &self.columns[column];
        let column = name.clone();
        Err(match trouble.clone() {
            None => return Ok(()),
            Some(Trouble::Absent { path, other }) => DataError::ColumnsDiffer { path, other, column },
            Some(Trouble::Doubled { path }) => DataError::DuplicateColumn { path, column },
            Some(Trouble::Differs { path, other, found, expected }) => {
                DataError::TypesDiffer { path, other, column, found, expected }
            }
        })
    }

    /// Whether a column from folder names has more than one value.
    pub(crate) fn has_several_folders(&self, column: usize) -> bool {
        let value = |file: &FileEntry| match &file.place[column] {
            ColumnPlace::Folder(value) => Some(value.to_data()),
            ColumnPlace::Column(_) | ColumnPlace::Nowhere => None,
        };
        self.files.iter().any(|file| value(file) != value(&self.files[0]))
    }

    /// Checks that no file has changed since its footer was read, so that all data read so far are
    /// consistent.
    ///
    /// # Errors
    /// A file was written, replaced or removed.
    pub(crate) fn unchanged(&self) -> Result<(), DataError> {
        let changed = |file: &&FileEntry| {
            std::fs::metadata(&file.path).map_or(true, |metadata| Stamp::of(&metadata) != file.stamp)
        };
        match self.files.iter().find(changed) {
            Some(file) => Err(FileError::Changed { path: file.path.clone() }.into()),
            None => Ok(()),
        }
    }

    /// Bytes of a column in a row group after decompression.
    pub(crate) fn chunk_bytes(&self, group: &RowGroup, column: usize) -> u64 {
        let file = &self.files[group.file];
        let Some(ColumnPlace::Column(at)) = file.place.get(column) else { return 0 };
        let schema = file.natural.parquet_schema();
        // If all columns are flat, the index of a column is the index of its leaf.
        let leaf =
            if schema.num_columns() == file.natural.schema().fields().len() { Some(*at) } else { None };
        let leaf =
            leaf.or_else(|| (0..schema.num_columns()).find(|&leaf| schema.get_column_root_idx(leaf) == *at));
        let chunk = leaf.map(|leaf| file.natural.metadata().row_group(group.index).column(leaf));
        chunk.map_or(0, |chunk| u64::try_from(chunk.uncompressed_size()).unwrap_or(0))
    }

    pub(crate) fn path(&self, group: &RowGroup) -> PathBuf {
        self.files[group.file].path.clone()
    }
}

/// Parses a file's footer.
fn footer(path: &Path) -> Result<(Footer, Stamp), FileError> {
    let refused = |source| FileError::Read { path: path.to_owned(), source };
    // Opening a pipe would block until it has a writer.
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(refused)?;
    let stamp = Stamp::of(&file.metadata().map_err(refused)?);
    Ok((footer::read(path, &mut file, stamp.bytes)?, stamp))
}
