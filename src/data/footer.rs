//! Parses a file's footer, and checks its counts against the file before anything is allocated for them.

use super::pages::header_rows;
use super::signature;
use super::thrift::{Thrift, is_integer};
use crate::error::FileError;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// The bytes after a footer: its length and the letters "PAR1".
const TAIL: u64 = 8;
/// Rows per byte of a column chunk up to which the row count is trusted without reading page headers.
const ROWS_PER_BYTE: u64 = 8;

/// A parsed footer.
#[derive(Debug)]
pub(super) struct Footer {
    /// Types as the file declares them.
    pub(super) metadata: ArrowReaderMetadata,
    /// The chunks (row group, leaf) that cannot be read, and why.
    pub(super) unreadable: HashMap<(usize, usize), String>,
}

/// Why a footer cannot be used.
enum Refused {
    /// The file is encrypted, and the footer cannot be read without keys.
    Encrypted,
    /// The footer is invalid, for this reason.
    Footer(String),
}

/// Parses and checks the footer of `file`, which has length `bytes`.
pub(super) fn read(path: &Path, file: &mut File, bytes: u64) -> Result<Footer, FileError> {
    let refused = |source| FileError::Read { path: path.to_owned(), source };
    let mut beginning = Vec::with_capacity(signature::START);
    Read::take(&mut *file, signature::START as u64).read_to_end(&mut beginning).map_err(refused)?;
    if !matches!(beginning.get(..4), Some(b"PAR1" | b"PARE")) {
        let (found, way_out) = signature::recognise(&beginning);
        return Err(FileError::NotParquet { path: path.to_owned(), found, way_out });
    }
    let truncated = || FileError::Truncated { path: path.to_owned(), bytes };
    if bytes < 4 + TAIL {
        return Err(truncated());
    }
    let mut tail = [0; TAIL as usize];
    file.seek(SeekFrom::End(-(TAIL as i64))).and_then(|_| file.read_exact(&mut tail)).map_err(refused)?;
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    match &tail[4..] {
        b"PAR1" => {}
        b"PARE" => return Err(FileError::Encrypted { path: path.to_owned() }),
        _ => return Err(truncated()),
    }
    if length > bytes - 4 - TAIL {
        return Err(error(path, format!("a footer of {length} bytes in a file of {bytes}")));
    }
    let mut footer = vec![0; usize::try_from(length).unwrap_or(0)];
    let start = bytes - TAIL - length;
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut footer)).map_err(refused)?;
    match parse(file, &footer) {
        Ok(footer) => Ok(footer),
        Err(Refused::Encrypted) => Err(FileError::Encrypted { path: path.to_owned() }),
        Err(Refused::Footer(reason)) => Err(error(path, reason)),
    }
}

pub(super) fn error(path: &Path, reason: impl ToString) -> FileError {
    FileError::Footer { path: path.to_owned(), reason: reason.to_string() }
}

fn parse(file: &File, footer: &[u8]) -> Result<Footer, Refused> {
    let damaged = || Refused::Footer("it is damaged: not what Thrift writes".to_owned());
    let structure = structure(footer).ok_or_else(damaged)?;
    check_children(&structure.children).map_err(Refused::Footer)?;
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(file, footer)));
    match decoded.unwrap_or_else(|_| Err("the decoder panicked".to_owned())) {
        Ok(metadata) => {
            let unreadable = unreadable(metadata.metadata(), &structure.chunks);
            Ok(Footer { metadata, unreadable })
        }
        Err(_) if structure.is_encrypted => Err(Refused::Encrypted),
        Err(reason) => Err(Refused::Footer(reason)),
    }
}

/// The metadata of a footer.
fn decode(file: &File, footer: &[u8]) -> Result<ArrowReaderMetadata, String> {
    let metadata = ParquetMetaDataReader::decode_metadata(footer).map_err(|error| error.to_string())?;
    check_rows(file, &metadata)?;
    let metadata = Arc::new(metadata);
    let schema = |skip| {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(skip);
        ArrowReaderMetadata::try_new(metadata.clone(), options)
    };
    // Arrow's own schema in the metadata is only a hint: the file may be readable without it.
    schema(false).or_else(|error| schema(true).map_err(|_| error.to_string()))
}

/// Parts of a footer that the parquet crate ignores, or uses as allocation sizes unchecked.
#[derive(Default)]
struct Structure {
    /// The number of children of each element of the schema.
    children: Vec<i64>,
    /// The column chunks of each row group.
    chunks: Vec<Vec<Chunk>>,
    /// Whether anything in the file is encrypted.
    is_encrypted: bool,
}

struct Chunk {
    physical_type: i64,
    is_encrypted: bool,
}

/// Walks a footer.
fn structure(footer: &[u8]) -> Option<Structure> {
    let mut found = Structure::default();
    let Structure { children, chunks, is_encrypted } = &mut found;
    Thrift::new(footer).fields(|thrift, field, kind| {
        match (field, kind) {
            (2, 9) => each(thrift, |thrift| {
                let mut of_element = 0;
                thrift.fields(|thrift, field, kind| integer(thrift, field == 5, kind, &mut of_element))?;
                children.push(of_element);
                Some(())
            })?,
            (4, 9) => each(thrift, |thrift| {
                chunks.push(Vec::new());
                thrift.fields(|thrift, field, kind| {
                    if (field, kind) != (1, 9) {
                        return Some(false);
                    }
                    each(thrift, |thrift| {
                        chunks.last_mut()?.push(chunk(thrift)?);
                        Some(())
                    })?;
                    Some(true)
                })
            })?,
            // The encryption algorithm.
            (8, 12) => {
                *is_encrypted = true;
                return Some(false);
            }
            _ => return Some(false),
        }
        Some(true)
    })?;
    Some(found)
}

/// Calls `with` on each struct of a list.
fn each(thrift: &mut Thrift<'_>, mut with: impl FnMut(&mut Thrift<'_>) -> Option<()>) -> Option<()> {
    let (count, _) = thrift.list()?;
    (0..count).try_for_each(|_| with(thrift))
}

/// Reads an integer field into `value` if `is_it`. Returns whether it was read.
fn integer(thrift: &mut Thrift<'_>, is_it: bool, kind: u8, value: &mut i64) -> Option<bool> {
    if is_it && is_integer(kind) {
        *value = thrift.integer()?;
        return Some(true);
    }
    Some(false)
}

/// The physical type of a column chunk, and whether it is encrypted.
fn chunk(thrift: &mut Thrift<'_>) -> Option<Chunk> {
    let mut found = Chunk { physical_type: -1, is_encrypted: false };
    thrift.fields(|thrift, field, kind| {
        // The chunk's key metadata, and its encrypted column metadata.
        found.is_encrypted |= matches!((field, kind), (8, 12) | (9, 8));
        if (field, kind) != (3, 12) {
            return Some(false);
        }
        let of_chunk = &mut found.physical_type;
        thrift.fields(|thrift, field, kind| integer(thrift, field == 1, kind, of_chunk))?;
        Some(true)
    })?;
    Some(found)
}

/// Deepest nesting of columns.
const DEPTH: usize = 128;

fn check_children(children: &[i64]) -> Result<(), String> {
    // For each open element: the number of children that are still missing.
    let mut open: Vec<u64> = Vec::new();
    for (at, &count) in children.iter().enumerate() {
        let after = (children.len() - at - 1) as u64;
        let count = u64::try_from(count).ok().filter(|&count| count <= after);
        let count = count.ok_or_else(|| {
            format!("schema element {at} claims {} children, {after} elements follow", children[at])
        })?;
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        open.push(count);
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.len() > DEPTH {
            return Err(format!("columns lie deeper than {DEPTH} levels"));
        }
    }
    Ok(())
}

/// The physical types in the order of their numbers.
const TYPES: [Type; 8] = [
    Type::BOOLEAN,
    Type::INT32,
    Type::INT64,
    Type::INT96,
    Type::FLOAT,
    Type::DOUBLE,
    Type::BYTE_ARRAY,
    Type::FIXED_LEN_BYTE_ARRAY,
];

/// The chunks (row group, leaf) that are encrypted, or stored with another type than the schema has.
fn unreadable(metadata: &ParquetMetaData, chunks: &[Vec<Chunk>]) -> HashMap<(usize, usize), String> {
    let columns = metadata.file_metadata().schema_descr().columns();
    let mut unreadable = HashMap::new();
    for (group, chunks) in chunks.iter().enumerate() {
        for (leaf, (chunk, column)) in chunks.iter().zip(columns).enumerate() {
            let expected = column.physical_type();
            let found = usize::try_from(chunk.physical_type).ok().and_then(|found| TYPES.get(found));
            if chunk.is_encrypted {
                unreadable.insert((group, leaf), "it is encrypted, which is not supported".to_owned());
            } else if found != Some(&expected) {
                let found = found.map_or("an unknown type".to_owned(), Type::to_string);
                let reason = format!("its column chunk is stored as {found}, the schema says {expected}");
                unreadable.insert((group, leaf), reason);
            }
        }
    }
    unreadable
}

/// Checks the row count of each row group against its columns and, where those have few bytes, against their
/// page headers.
fn check_rows(file: &File, metadata: &ParquetMetaData) -> Result<(), String> {
    let mut total = 0_i64;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows();
        if rows < 0 {
            return Err(format!("row group {index} claims {rows} rows"));
        }
        total = total.checked_add(rows).ok_or("it claims more rows than can be counted")?;
        check_group(file, group).map_err(|found| format!("row group {index} claims {rows} rows, {found}"))?;
    }
    let claimed = metadata.file_metadata().num_rows();
    if claimed != total {
        return Err(format!("it claims {claimed} rows, its row groups {total}"));
    }
    Ok(())
}

fn check_group(file: &File, group: &RowGroupMetaData) -> Result<(), String> {
    let rows = group.num_rows();
    let is_flat = |chunk: &&ColumnChunkMetaData| chunk.column_descr().max_rep_level() == 0;
    let mut flat = group.columns().iter().filter(is_flat).peekable();
    let Some(first) = flat.peek() else { return Ok(()) };
    let other = first.num_values();
    let mut agreeing: Vec<&ColumnChunkMetaData> = flat.filter(|chunk| chunk.num_values() == rows).collect();
    if agreeing.is_empty() {
        return Err(format!("its columns {other} values"));
    }
    agreeing.sort_by_key(|chunk| chunk.compressed_size());
    let size = |chunk: &ColumnChunkMetaData| u64::try_from(chunk.compressed_size()).unwrap_or(0);
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let largest = agreeing.last().map_or(0, |chunk| size(chunk)).min(bytes);
    if rows.unsigned_abs() <= largest.saturating_mul(ROWS_PER_BYTE) {
        return Ok(());
    }
    // The first column with readable page headers decides.
    let found = agreeing.iter().find_map(|chunk| {
        let file = file.try_clone().ok()?;
        header_rows(file, chunk).ok()
    });
    match found {
        Some(found) if found != rows.unsigned_abs() => Err(format!("its pages {found} values")),
        Some(_) => Ok(()),
        None => Err("and no page header of it can be read".to_owned()),
    }
}
