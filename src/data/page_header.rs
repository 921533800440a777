//! Reads the header of a page, and checks its counts before anything is allocated for them.

use super::thrift::{Thrift, is_integer};

/// The kind of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Data, version 1.
    Data,
    /// Data, version 2: levels and values are separate.
    DataV2,
    /// The dictionary of a column chunk.
    Dictionary,
    /// An index page, which is skipped.
    Other,
}

/// A page header.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageHeader {
    pub(super) kind: Kind,
    /// Bytes of the header.
    pub(super) bytes: usize,
    /// Bytes of the page after decompression.
    pub(super) inflated: usize,
    /// Bytes of the page in the file.
    pub(super) stored: usize,
    pub(super) values: usize,
    nulls: usize,
    rows: usize,
    /// Bytes of the levels in a page of version 2, else 0.
    pub(super) levels: usize,
}

impl PageHeader {
    /// Reads the header at the start of `bytes`; none if it is incomplete or invalid.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut thrift = Thrift::new(bytes);
        // `page`: kind, inflated and stored size. `counts`: integers of the nested struct, by field number.
        let (mut page, mut counts, mut of) = ([-1; 3], [0; 8], 0);
        thrift.fields(|thrift, field, kind| {
            match (field, kind) {
                (1..=3, kind) if is_integer(kind) => page[field as usize - 1] = thrift.integer()?,
                (5 | 7 | 8, 12) => {
                    of = field;
                    thrift.fields(|thrift, field, kind| {
                        let count = usize::try_from(field).ok().and_then(|field| counts.get_mut(field));
                        match count {
                            Some(count) if is_integer(kind) => *count = thrift.integer()?,
                            _ => return Some(false),
                        }
                        Some(true)
                    })?;
                }
                _ => return Some(false),
            }
            Some(true)
        })?;
        let kind = match (page[0], of) {
            (0, 5) => Kind::Data,
            (2, 7) => Kind::Dictionary,
            (3, 8) => Kind::DataV2,
            (1, _) => Kind::Other,
            _ => return None,
        };
        let count = |value: i64| i32::try_from(value).ok().and_then(|value| usize::try_from(value).ok());
        let v2 = |field: usize| if kind == Kind::DataV2 { count(counts[field]) } else { Some(0) };
        Some(Self {
            kind,
            bytes: thrift.position(),
            inflated: count(page[1])?,
            stored: count(page[2])?,
            values: count(counts[1])?,
            nulls: v2(2)?,
            rows: v2(3)?,
            levels: v2(5)? + v2(6)?,
        })
    }

    /// Checks the counts of a page.
    ///
    /// Its chunk has `left` more values, and `chunk` bytes in all after decompression. A dictionary value
    /// takes at least `width` bytes.
    pub(super) fn check(&self, left: u64, chunk: u64, width: usize) -> Result<(), String> {
        let &Self { kind, inflated, stored, values, nulls, rows, levels, .. } = self;
        // Some writers leave page headers out of the size of a chunk. Eight times the stored size is always
        // allowed.
        if inflated as u64 > chunk.max(stored as u64 * 8) {
            return Err(format!("a page claims {inflated} bytes inflated, its column chunk {chunk}"));
        }
        match kind {
            Kind::Other => Ok(()),
            Kind::Dictionary if values.saturating_mul(width) > inflated => {
                Err(format!("a dictionary claims {values} values in {inflated} bytes"))
            }
            Kind::Dictionary => Ok(()),
            Kind::Data | Kind::DataV2 if values as u64 > left => {
                Err(format!("a page claims {values} values, where the column chunk has {left} left"))
            }
            Kind::Data | Kind::DataV2 if levels > inflated => {
                Err(format!("a page claims {levels} bytes of levels in {inflated} bytes"))
            }
            Kind::Data | Kind::DataV2 if nulls > values || rows > values => {
                Err(format!("a page claims {nulls} nulls and {rows} rows in {values} values"))
            }
            Kind::Data | Kind::DataV2 => Ok(()),
        }
    }
}
