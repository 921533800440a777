//! Recognises the format of a file that is not Parquet by its first bytes.

/// Number of bytes that are examined.
pub(super) const START: usize = 512;

/// How to convert other formats to Parquet.
const WITH_DUCKDB: &str = "convert it with DuckDB: COPY (FROM 'it') TO 'it.parquet'";
const DECOMPRESS: &str = "decompress it first, and convert its contents";
const WITH_PANDAS: &str = "convert it with pandas: read it, and write it with to_parquet";

/// Formats with a signature: its offset, its bytes, the format, and how to convert it to Parquet.
const SIGNATURES: [(usize, &[u8], &str, &str); 27] = [
    (
        0,
        b"ARROW1",
        "an Arrow IPC (Feather) file",
        "convert it with pyarrow: parquet.write_table(feather.read_table('it'), 'it.parquet')",
    ),
    (
        0,
        b"\xff\xff\xff\xff",
        "an Arrow IPC stream",
        "convert it with pyarrow: ipc.open_stream and parquet.write_table",
    ),
    (
        0,
        b"FEA1",
        "a Feather file",
        "convert it with pyarrow: parquet.write_table(feather.read_table('it'), 'it.parquet')",
    ),
    (
        0,
        b"ORC",
        "an ORC file",
        "convert it with pyarrow: parquet.write_table(orc.read_table('it'), 'it.parquet')",
    ),
    (0, b"Obj\x01", "an Avro file", WITH_DUCKDB),
    (
        0,
        b"SQLite format 3\0",
        "an SQLite database",
        "write a table of it with DuckDB: COPY (FROM sqlite_scan('it', 'table')) TO 'it.parquet'",
    ),
    (8, b"DUCK", "a DuckDB database", "write a table of it: COPY table TO 'it.parquet'"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel or another Office file", WITH_PANDAS),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", WITH_PANDAS),
    (0, b"CDF", "a NetCDF file", WITH_PANDAS),
    (0, b"\x93NUMPY", "a NumPy array", WITH_PANDAS),
    (0, b"<stata_dta>", "a Stata file", WITH_PANDAS),
    (0, b"$FL2", "an SPSS file", WITH_PANDAS),
    (0, b"RDX", "an R data file", "write it from R: arrow::write_parquet(table, 'it.parquet')"),
    (0, b"\x1f\x8b", "a gzip file", DECOMPRESS),
    (0, b"BZh", "a bzip2 file", DECOMPRESS),
    (0, b"\xfd7zXZ\0", "an xz file", DECOMPRESS),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", DECOMPRESS),
    (0, b"\x04\x22\x4d\x18", "an LZ4 file", DECOMPRESS),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", DECOMPRESS),
    (257, b"ustar", "a tar archive", DECOMPRESS),
    (0, b"\x80\x04\x95", "a Python pickle", WITH_PANDAS),
    (0, b"\x80\x05\x95", "a Python pickle", WITH_PANDAS),
    (0, b"%PDF", "a PDF document", "write its table as Parquet"),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer, in place of the file",
        "fetch the file with git lfs pull",
    ),
    (0, b"\xff\xfe", "text in UTF-16", "convert it to UTF-8, and then to Parquet"),
    (0, b"\xfe\xff", "text in UTF-16", "convert it to UTF-8, and then to Parquet"),
];

/// The format of a file that begins with `start`, and how to convert it to Parquet.
pub(super) fn recognise(start: &[u8]) -> (&'static str, &'static str) {
    if start.is_empty() {
        return ("an empty file", "copy or write it again");
    }
    if start.starts_with(b"PK\x03\x04") {
        return zip(start);
    }
    let holds = |(at, bytes): (usize, &[u8])| start.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    let known = SIGNATURES.iter().find(|(at, bytes, ..)| holds((*at, bytes)));
    let text = || text(start).map(|text| text_kind(text.trim_start_matches('\u{feff}').trim_start()));
    known
        .map(|(_, _, found, way_out)| (*found, *way_out))
        .or_else(text)
        .unwrap_or(("a file that does not begin with PAR1", "convert it to Parquet first"))
}

/// A ZIP archive, or an office format that is stored as one.
fn zip(start: &[u8]) -> (&'static str, &'static str) {
    let has = |name: &[u8]| start.windows(name.len()).any(|window| window == name);
    if has(b"[Content_Types].xml") || has(b"xl/") {
        ("an Excel workbook", WITH_PANDAS)
    } else if has(b"opendocument.spreadsheet") {
        ("an OpenDocument spreadsheet", WITH_PANDAS)
    } else {
        ("a ZIP archive", DECOMPRESS)
    }
}

/// The start as text, if it is valid UTF-8. An incomplete last character is left out.
fn text(start: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_text).then_some(text)
}

fn text_kind(text: &str) -> (&'static str, &'static str) {
    let line = text.lines().next().unwrap_or_default();
    let lower = line.to_ascii_lowercase();
    if text.starts_with(['{', '[']) {
        ("JSON text", WITH_DUCKDB)
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        ("an HTML page", "a download may have failed: open the page to see why")
    } else if text.starts_with('<') {
        ("XML text", WITH_PANDAS)
    } else if line.contains([',', ';', '\t', '|']) {
        ("CSV text", WITH_DUCKDB)
    } else {
        ("text", WITH_DUCKDB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_what_they_are() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: [(&[u8], &str); 13] = [
            (b"", "an empty file"),
            (b"ARROW1\0\0", "an Arrow IPC (Feather) file"),
            (b"ORC\x08", "an ORC file"),
            (b"PK\x03\x04\x14\0[Content_Types].xml", "an Excel workbook"),
            (b"PK\x03\x04\x14\0t.csv", "a ZIP archive"),
            (b"a,b\n1,2\n", "CSV text"),
            (b"\xef\xbb\xbf{\"a\": 1}", "JSON text"),
            (b"caf\xc3", "text"),
            (b"caf\xe9,x", "a file that does not begin with PAR1"),
            (b"<!DOCTYPE html>", "an HTML page"),
            (b"SQLite format 3\0", "an SQLite database"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (&tar, "a tar archive"),
        ];
        for (start, found) in cases {
            assert_eq!(recognise(start).0, found, "{start:?}");
        }
    }
}
