//! Which files, and what their footers say.

use super::footer::{self, Footer};
use super::paths::{expand, folder_columns};
use super::schema::{ValueType, decoding_schema, decoding_type};
use crate::error::{DataError, FileError};
use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A table in one or more Parquet files: expanded, footers parsed, schemas agreed.
#[derive(Debug)]
pub struct Source {
    paths: Vec<PathBuf>,
    pub(crate) files: Vec<FileEntry>,
    pub(crate) columns: Vec<SourceColumn>,
    names: HashMap<String, usize>,
    pub(crate) groups: Vec<RowGroup>,
    n_rows: usize,
    bytes: u64,
}

/// One file.
#[derive(Debug)]
pub(crate) struct FileEntry {
    pub(crate) path: PathBuf,
    /// Types as the file declares them.
    pub(crate) natural: ArrowReaderMetadata,
    /// Types to decode with.
    pub(crate) decoding: ArrowReaderMetadata,
    /// For each column of the source.
    pub(crate) place: Vec<Place>,
    /// The chunks (row group, leaf) that are stored as another type than the schema's, and as which.
    pub(crate) odd_types: HashMap<(usize, usize), String>,
    stamp: Stamp,
    /// Whether some of its columns are encrypted.
    is_signed: bool,
}

/// Where a file has a column of the table.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Among its columns.
    Column(usize),
    /// In the name of a folder that it lies in: one value, here as an array of length 1, for all rows.
    Folder(ArrayRef),
    /// Nowhere: [`Source::readable`] says so before anything is read.
    Nowhere,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device and number, where the system has such.
    inode: Option<(u64, u64)>,
}

/// One column of the table.
#[derive(Debug, Clone)]
pub(crate) struct SourceColumn {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    /// Whether it comes from the names of folders.
    pub(crate) is_folder: bool,
    /// Whether it is what pandas numbers or names rows by, rather than one of its columns.
    pub(crate) is_index: bool,
    trouble: Option<Trouble>,
}

/// Why a column that some file has cannot be read.
#[derive(Debug, Clone)]
enum Trouble {
    Absent { path: PathBuf, other: PathBuf },
    Differs { path: PathBuf, other: PathBuf, found: String, expected: String },
    Doubled { path: PathBuf },
}

/// One row group of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowGroup {
    pub(crate) file: usize,
    /// In the file.
    pub(crate) index: usize,
    /// In the table.
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
}

/// Opens files, directories (every `*.parquet` below, sorted) and globs as one table. Its columns are those of its
/// files, in the order in which they first come, and then those that folders named `key=value` stand for.
///
/// Files may differ in columns that are not used.
///
/// # Errors
/// If there is no such file, or one is not Parquet.
pub fn open(data: &[String]) -> crate::Result<Source> {
    let paths = expand(data).map_err(DataError::File)?;
    let mut files = Vec::with_capacity(paths.len());
    let mut columns = Columns::default();
    let mut groups = Vec::new();
    let (mut n_rows, mut bytes) = (0, 0);
    for path in &paths {
        let (Footer { metadata: natural, odd_types, is_signed }, stamp) =
            footer(path).map_err(DataError::File)?;
        bytes += stamp.bytes;
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
        files.push(FileEntry { path: path.clone(), natural, decoding, place, odd_types, stamp, is_signed });
    }
    if n_rows == 0 {
        return Err(DataError::NoRows { path: paths[0].clone() }.into());
    }
    columns.add_folders(&mut files);
    let Columns { columns, names, .. } = columns;
    Ok(Source { paths, files, columns, names, groups, n_rows, bytes })
}

/// The columns of the files so far.
#[derive(Default)]
struct Columns {
    columns: Vec<SourceColumn>,
    names: HashMap<String, usize>,
    paths: Vec<PathBuf>,
}

impl Columns {
    /// Adds the columns of a file; returns where it has each column known by then.
    fn add_file(&mut self, path: &Path, schema: &Schema) -> Vec<Place> {
        let mut place = vec![Place::Nowhere; self.columns.len()];
        let mut seen = HashSet::new();
        let index = pandas_index(schema);
        for (at, field) in schema.fields().iter().enumerate() {
            let found = ValueType::of(field.data_type());
            let known = *self.names.entry(field.name().clone()).or_insert_with(|| {
                self.columns.push(SourceColumn {
                    name: field.name().clone(),
                    value_type: found.clone(),
                    is_folder: false,
                    is_index: index.contains(field.name()),
                    trouble: self
                        .paths
                        .first()
                        .map(|before| Trouble::Absent { path: before.clone(), other: path.to_owned() }),
                });
                place.push(Place::Nowhere);
                self.columns.len() - 1
            });
            let column = &mut self.columns[known];
            if !seen.insert(known) {
                column.trouble.get_or_insert_with(|| Trouble::Doubled { path: path.to_owned() });
                continue;
            }
            place[known] = Place::Column(at);
            match column.value_type.merge(&found) {
                Some(both) => column.value_type = both,
                None => {
                    column.trouble.get_or_insert_with(|| Trouble::Differs {
                        path: path.to_owned(),
                        other: self.paths[0].clone(),
                        found: found.describe().to_owned(),
                        expected: column.value_type.describe().to_owned(),
                    });
                }
            }
        }
        for (column, place) in self.columns.iter_mut().zip(&place) {
            if matches!(place, Place::Nowhere) {
                let other = self.paths[0].clone();
                column.trouble.get_or_insert_with(|| Trouble::Absent { path: path.to_owned(), other });
            }
        }
        self.paths.push(path.to_owned());
        place
    }

    /// Adds the columns that folders stand for, where no file has one of that name.
    fn add_folders(&mut self, files: &mut [FileEntry]) {
        let of_file: Vec<HashMap<String, Option<String>>> =
            files.iter().map(|file| folder_columns(&file.path).into_iter().collect()).collect();
        let mut keys: Vec<String> = Vec::new();
        for (key, _) in files.iter().flat_map(|file| folder_columns(&file.path)) {
            if !self.names.contains_key(&key) && !keys.contains(&key) {
                keys.push(key);
            }
        }
        for key in keys {
            let values: Vec<Option<&str>> =
                of_file.iter().map(|folders| folders.get(&key)?.as_deref()).collect();
            // As Arrow and Spark have it: numbers where all are whole numbers, else text.
            let integers: Option<Vec<Option<i64>>> = values
                .iter()
                .map(|value| value.map(|v| v.parse().ok()).map_or(Some(None), |v| v.map(Some)))
                .collect();
            let integers = integers.filter(|_| values.iter().any(Option::is_some));
            let value_type = if integers.is_some() { ValueType::Integer } else { ValueType::Text };
            let mut trouble = None;
            for (f, file) in files.iter_mut().enumerate() {
                if !of_file[f].contains_key(&key) {
                    let has = of_file.iter().position(|folders| folders.contains_key(&key)).unwrap_or(0);
                    trouble.get_or_insert((f, has));
                }
                file.place.resize(self.columns.len(), Place::Nowhere);
                file.place.push(Place::Folder(match &integers {
                    Some(integers) => Arc::new(Int64Array::from(vec![integers[f]])),
                    None => Arc::new(StringArray::from(vec![values[f]])),
                }));
            }
            let trouble = trouble.map(|(path, other)| Trouble::Absent {
                path: files[path].path.clone(),
                other: files[other].path.clone(),
            });
            self.names.insert(key.clone(), self.columns.len());
            self.columns.push(SourceColumn {
                name: key,
                value_type,
                is_folder: true,
                is_index: false,
                trouble,
            });
        }
        for file in files {
            file.place.resize(self.columns.len(), Place::Nowhere);
        }
    }
}

/// The columns that pandas wrote for the index of a frame.
fn pandas_index(schema: &Schema) -> HashSet<String> {
    #[derive(serde::Deserialize)]
    struct Pandas {
        index_columns: Vec<serde_json::Value>,
    }
    let pandas = schema.metadata().get("pandas").and_then(|json| serde_json::from_str::<Pandas>(json).ok());
    // A range of numbers is no column: it is described by an object instead of a name.
    let name = |entry: serde_json::Value| entry.as_str().map(str::to_owned);
    pandas.into_iter().flat_map(|pandas| pandas.index_columns).filter_map(name).collect()
}

impl FileEntry {
    /// A column as the file, or the names of its folders, have it.
    pub(crate) fn natural_field(&self, name: &str, column: usize) -> Field {
        match &self.place[column] {
            Place::Column(at) => self.natural.schema().field(*at).clone(),
            Place::Folder(value) => Field::new(name, value.data_type().clone(), true),
            Place::Nowhere => Field::new(name, DataType::Null, true),
        }
    }

    /// The type of a column as the file, or the names of its folders, have it.
    pub(crate) fn natural_type(&self, column: usize) -> DataType {
        self.natural_field("", column).data_type().clone()
    }

    /// The type that a column is decoded to.
    pub(crate) fn decoding_type(&self, column: usize) -> DataType {
        decoding_type(&self.natural_type(column))
    }

    /// Opens the file once more.
    ///
    /// # Errors
    /// It is no longer the file whose footer was read.
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
    /// Rows of all files.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The files, in reading order.
    pub fn files(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Names of the columns, in the order of the first file.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.name.clone()).collect()
    }

    /// Bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// An error of this table, with its name where that is missing.
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

    /// Whether a column from the names of folders has more than one value.
    pub(crate) fn has_several_folders(&self, column: usize) -> bool {
        let value = |file: &FileEntry| match &file.place[column] {
            Place::Folder(value) => Some(value.to_data()),
            Place::Column(_) | Place::Nowhere => None,
        };
        self.files.iter().any(|file| value(file) != value(&self.files[0]))
    }

    /// Checks that every file is still the one whose footer was read: what was read in between is then of one state.
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

    /// Why a row group cannot be decoded, where its decoder gives `reason`.
    pub(crate) fn reason<'r>(&self, group: &RowGroup, reason: &'r str) -> &'r str {
        let encrypted = "it is encrypted, which is not supported";
        if self.files[group.file].is_signed { encrypted } else { reason.trim_end_matches('.') }
    }

    /// Bytes of a column in a row group once inflated.
    pub(crate) fn chunk_bytes(&self, group: &RowGroup, column: usize) -> u64 {
        let file = &self.files[group.file];
        let Some(Place::Column(at)) = file.place.get(column) else { return 0 };
        let schema = file.natural.parquet_schema();
        // Flat columns, as are all that can be features, are leaves of their own.
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
    // Opening a pipe would wait for a writer for ever.
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(refused)?;
    let stamp = Stamp::of(&file.metadata().map_err(refused)?);
    Ok((footer::read(path, &mut file, stamp.bytes)?, stamp))
}
