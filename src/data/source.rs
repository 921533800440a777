//! Which files, and what their footers say.

use super::schema::{ValueType, decoding_schema};
use crate::error::{DataError, FileError};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// For each column of the source: its place among the file's columns.
    pub(crate) place: Vec<usize>,
}

/// One column of the table.
#[derive(Debug, Clone)]
pub(crate) struct SourceColumn {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
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

/// Opens files, directories (every `*.parquet` below, sorted) and globs as one table.
///
/// # Errors
/// If there is no such file, one is not Parquet, or their columns differ.
pub fn open(data: &[String]) -> crate::Result<Source> {
    let paths = expand(data).map_err(DataError::File)?;
    let mut files = Vec::with_capacity(paths.len());
    let mut columns: Vec<SourceColumn> = Vec::new();
    let mut groups = Vec::new();
    let (mut n_rows, mut bytes) = (0, 0);
    for path in &paths {
        let (natural, len) = footer(path).map_err(DataError::File)?;
        bytes += len;
        let entry = agree(path, natural, &mut columns, files.first())?;
        for (index, group) in entry.natural.metadata().row_groups().iter().enumerate() {
            let rows = usize::try_from(group.num_rows())
                .map_err(|_| DataError::File(footer_error(path, "negative row count")))?;
            groups.push(RowGroup { file: files.len(), index, first_row: n_rows, n_rows: rows });
            n_rows += rows;
        }
        files.push(entry);
    }
    if n_rows == 0 {
        return Err(DataError::NoRows { path: paths[0].clone() }.into());
    }
    let names = columns.iter().enumerate().map(|(at, c)| (c.name.clone(), at)).collect();
    Ok(Source { paths, files, columns, names, groups, n_rows, bytes })
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

    pub(crate) fn path(&self, group: &RowGroup) -> PathBuf {
        self.files[group.file].path.clone()
    }
}

fn expand(data: &[String]) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = Vec::new();
    for input in data {
        let path = Path::new(input);
        if input.contains("://") {
            return Err(FileError::Url { url: input.clone() });
        } else if path.is_dir() {
            below(path, &mut paths)?;
        } else if path.exists() {
            paths.push(path.to_owned());
        } else if input.contains(['*', '?', '[']) {
            let matches = glob::glob(input)
                .map_err(|e| FileError::Pattern { pattern: input.clone(), reason: e.to_string() })?;
            let before = paths.len();
            for found in matches {
                let found =
                    found.map_err(|e| FileError::Read { path: e.path().to_owned(), source: e.into() })?;
                if found.is_dir() { below(&found, &mut paths)? } else { paths.push(found) }
            }
            if paths.len() == before {
                return Err(FileError::NoMatch { pattern: input.clone() });
            }
        } else {
            return Err(FileError::NotFound { path: path.to_owned() });
        }
    }
    if paths.is_empty() { Err(FileError::NoInput) } else { Ok(paths) }
}

/// Appends every `*.parquet` below a directory, sorted.
fn below(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        let refused = |source| FileError::Read { path: next.clone(), source };
        for entry in std::fs::read_dir(&next).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            // Links to directories are not followed: they may lead back here.
            if entry.file_type().map_err(refused)?.is_dir() {
                pending.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "parquet")
                && !entry.file_name().as_encoded_bytes().starts_with(b".")
            {
                found.push(entry.path());
            }
        }
    }
    if found.is_empty() {
        return Err(FileError::EmptyDirectory { path: directory.to_owned() });
    }
    found.sort();
    paths.append(&mut found);
    Ok(())
}

fn footer_error(path: &Path, reason: impl ToString) -> FileError {
    FileError::Footer { path: path.to_owned(), reason: reason.to_string() }
}

/// Parses a file's footer; also returns the file's size.
fn footer(path: &Path) -> Result<(ArrowReaderMetadata, u64), FileError> {
    let refused = |source| FileError::Read { path: path.to_owned(), source };
    // Opening a pipe would wait for a writer for ever.
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(refused)?;
    let bytes = file.metadata().map_err(refused)?.len();
    let mut magic = [0; 4];
    if bytes < 4 || {
        file.read_exact(&mut magic).map_err(refused)?;
        &magic != b"PAR1" && &magic != b"PARE"
    } {
        return Err(FileError::NotParquet { path: path.to_owned() });
    }
    file.seek(SeekFrom::End(-4)).and_then(|_| file.read_exact(&mut magic)).map_err(refused)?;
    if bytes < 12 || (&magic != b"PAR1" && &magic != b"PARE") {
        return Err(FileError::Truncated { path: path.to_owned(), bytes });
    }
    let load = || {
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).or_else(|error| {
            // Arrow's own schema in the metadata is a hint: without it the file may still be read.
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new().with_skip_arrow_metadata(true))
                .map_err(|_| error)
        })
    };
    match catch_unwind(AssertUnwindSafe(load)) {
        Ok(Ok(metadata)) => Ok((metadata, bytes)),
        Ok(Err(error)) => Err(footer_error(path, error)),
        Err(_) => Err(footer_error(path, "the decoder panicked")),
    }
}

/// Checks a file's columns against those so far (none for the first file).
fn agree(
    path: &Path,
    natural: ArrowReaderMetadata,
    columns: &mut Vec<SourceColumn>,
    first: Option<&FileEntry>,
) -> Result<FileEntry, DataError> {
    let schema = natural.schema().clone();
    if schema.fields().is_empty() {
        return Err(DataError::NoColumns { path: path.to_owned() });
    }
    let mut names = HashMap::new();
    for (at, field) in schema.fields().iter().enumerate() {
        if names.insert(field.name().as_str(), at).is_some() {
            return Err(DataError::DuplicateColumn { path: path.to_owned(), column: field.name().clone() });
        }
    }
    let mut place = Vec::with_capacity(schema.fields().len());
    if let Some(first) = first {
        let differ = |path: &Path, other: &Path, column: &str| DataError::ColumnsDiffer {
            path: path.to_owned(),
            other: other.to_owned(),
            column: column.to_owned(),
        };
        for column in columns.iter_mut() {
            let &at =
                names.get(column.name.as_str()).ok_or_else(|| differ(path, &first.path, &column.name))?;
            place.push(at);
            let found = ValueType::of(schema.field(at).data_type());
            column.value_type = column.value_type.merge(&found).ok_or_else(|| DataError::TypesDiffer {
                path: path.to_owned(),
                other: first.path.clone(),
                column: column.name.clone(),
                found: found.describe().to_owned(),
                expected: column.value_type.describe().to_owned(),
            })?;
        }
        let known: HashSet<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        if let Some(extra) = schema.fields().iter().find(|f| !known.contains(f.name().as_str())) {
            return Err(differ(&first.path, path, extra.name()));
        }
    } else {
        place = (0..schema.fields().len()).collect();
        *columns = schema
            .fields()
            .iter()
            .map(|f| SourceColumn { name: f.name().clone(), value_type: ValueType::of(f.data_type()) })
            .collect();
    }
    let options = ArrowReaderOptions::new().with_schema(Arc::new(decoding_schema(&schema)));
    let decoding = ArrowReaderMetadata::try_new(natural.metadata().clone(), options)
        .map_err(|error| footer_error(path, error))?;
    Ok(FileEntry { path: path.to_owned(), natural, decoding, place })
}
