//! Finds the files of a table from paths, directories and globs, with the conventions of Hive and Spark.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::error::FileError;

/// The value that stands for null in `key=value` folder names.
const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Expands paths, directories and globs to files, in reading order.
pub(super) fn expand(data: &[String]) -> Result<Vec<PathBuf>, FileError> {
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
            matching(input, &mut paths)?;
        } else {
            return Err(FileError::NotFound { path: path.to_owned() });
        }
    }
    if paths.is_empty() { Err(FileError::NoInput) } else { Ok(paths) }
}

/// Appends the files that a glob matches, and those below the directories that it matches.
fn matching(pattern: &str, paths: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let matches = glob::glob(pattern)
        .map_err(|e| FileError::Pattern { pattern: pattern.to_owned(), reason: e.to_string() })?;
    // Hidden names that the pattern spells out are included.
    let spelled: Vec<&OsStr> = names(Path::new(pattern)).collect();
    let asks_for_hidden = spelled.iter().any(|name| is_hidden(name) && has_wildcard(name));
    let before = paths.len();
    for found in matches {
        let found = found.map_err(|e| FileError::Read { path: e.path().to_owned(), source: e.into() })?;
        if !asks_for_hidden && names(&found).any(|name| is_hidden(name) && !spelled.contains(&name)) {
            continue;
        }
        if found.is_dir() { below(&found, paths)? } else { paths.push(found) }
    }
    if paths.len() == before {
        return Err(FileError::NoMatch { pattern: pattern.to_owned() });
    }
    Ok(())
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

fn has_wildcard(name: &OsStr) -> bool {
    name.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// Whether a file or folder is skipped by its name, as are `.part.crc`, `_temporary` and `_SUCCESS`. A folder
/// `_key=value` is data.
fn is_hidden(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || (name.starts_with(b"_") && !name.contains(&b'='))
}

/// Appends every `*.parquet` below a directory, sorted. Hidden names are skipped.
fn below(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        if let Some(format) = versioned_format(&next) {
            return Err(FileError::VersionedTable { path: next, format });
        }
        let refused = |source| FileError::Read { path: next.clone(), source };
        for entry in std::fs::read_dir(&next).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            if is_hidden(&entry.file_name()) {
                continue;
            }
            // Links to directories are not followed, since they may form a cycle.
            if entry.file_type().map_err(refused)?.is_dir() {
                pending.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "parquet") {
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

/// The table format of a directory that may also hold files of older versions of the table.
fn versioned_format(directory: &Path) -> Option<&'static str> {
    if directory.join("_delta_log").is_dir() {
        return Some("Delta Lake");
    }
    if directory.join(".hoodie").is_dir() {
        return Some("Apache Hudi");
    }
    let mut metadata = std::fs::read_dir(directory.join("metadata")).into_iter().flatten().flatten();
    let is_iceberg = metadata.any(|e| e.file_name().as_encoded_bytes().ends_with(b".metadata.json"));
    is_iceberg.then_some("Apache Iceberg")
}

/// The columns from the folder names of a path, outermost first: `year=2024/region=n` gives `year` and
/// `region`. A value of none is a null.
pub(super) fn folder_columns(path: &Path) -> Vec<(String, Option<String>)> {
    let folders = path.parent().into_iter().flat_map(names);
    let column = |folder: &OsStr| {
        let (key, value) = folder.to_str()?.split_once('=').filter(|(key, _)| !key.is_empty())?;
        Some((unescaped(key), (value != NULL_FOLDER).then(|| unescaped(value))))
    };
    folders.filter_map(column).collect()
}

/// Decodes percent-encoding, which writers use for characters that folder names cannot hold.
fn unescaped(text: &str) -> String {
    let byte = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u8::from_str_radix(digits, 16).ok()
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let escaped = more.get(..2).filter(|_| *first == b'%').and_then(byte);
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &more[2..] } else { more };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_columns() {
        let columns =
            folder_columns(Path::new("a/year=2024/_k=x%2Fy%3D/=z/n=__HIVE_DEFAULT_PARTITION__/f=1.parquet"));
        let value = |text: &str| Some(text.to_owned());
        assert_eq!(
            columns,
            [("year".into(), value("2024")), ("_k".into(), value("x/y=")), ("n".into(), None)]
        );
        assert_eq!(unescaped("100%"), "100%");
        assert_eq!(unescaped("%é1"), "%é1");
    }
}
