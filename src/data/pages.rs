//! Reads the pages of column chunks, and decompresses zstd pages with one context per thread.
//!
//! The parquet crate creates a compressor and a decompressor for every column chunk. zstd queries the CPU
//! features each time, which is slow in a virtual machine: on a table of 20,000 columns it took a quarter
//! of the reading time. So zstd chunks are read as if they were uncompressed, and decompressed here. Small
//! chunks that lie close together are also fetched with one read.
//!
//! For every codec, the counts of a page are checked before the parquet crate allocates memory for them.

use super::page_checks::{MaxLevels, check_v1, check_v2};
use super::page_header::{Kind, PageHeader};
use bytes::{Buf, Bytes, buf::Reader};
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::{Compression, Type};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use zstd::bulk::Decompressor;

/// Most bytes that are fetched with one read.
const HELD_BYTES: u64 = 4 << 20;
/// Longest page header, in bytes.
const LONGEST_HEADER: usize = 16 << 20;

/// The column chunks of one row group.
pub(super) struct ColumnChunks {
    bytes: Arc<FileBytes>,
    metadata: Arc<ParquetMetaData>,
    group: usize,
}

impl ColumnChunks {
    /// The column chunks of row group `group`. Only those of the columns `leaves` will be read.
    pub(super) fn open(
        file: File,
        metadata: Arc<ParquetMetaData>,
        group: usize,
        leaves: &[usize],
    ) -> Result<Self> {
        let row_group = metadata.row_group(group);
        let bytes = file.metadata()?.len();
        let ranges = leaves.iter().map(|&leaf| range(row_group.column(leaf), bytes));
        let ranges = ranges.collect::<Result<Vec<Range<u64>>>>()?;
        let bytes = Arc::new(FileBytes::open(file, &ranges)?);
        Ok(Self { bytes, metadata, group })
    }
}

impl RowGroups for ColumnChunks {
    fn num_rows(&self) -> usize {
        usize::try_from(self.metadata.row_group(self.group).num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>> {
        let chunk = self.metadata.row_group(self.group).column(leaf);
        let is_flat = chunk.column_descr().max_rep_level() == 0;
        if is_flat && chunk.num_values() != self.metadata.row_group(self.group).num_rows() {
            let (values, rows) = (chunk.num_values(), self.num_rows());
            return Err(damaged(format!("its column chunk claims {values} values for {rows} rows")));
        }
        Ok(Box::new(OneChunk(Some(Box::new(CheckedPages::open(self.bytes.clone(), chunk)?)))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.metadata.row_group(self.group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

struct OneChunk(Option<Box<dyn PageReader>>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for OneChunk {}

/// The byte range of a chunk in a file of length `bytes`.
fn range(chunk: &ColumnChunkMetaData, bytes: u64) -> Result<Range<u64>> {
    let (start, length) =
        (chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()), chunk.compressed_size());
    let range = u64::try_from(start).ok().zip(u64::try_from(length).ok());
    let range = range.map(|(start, length)| start..start.saturating_add(length));
    range.filter(|range| range.end <= bytes).ok_or_else(|| {
        damaged(format!("its column chunk claims {length} bytes from byte {start} on, the file has {bytes}"))
    })
}

/// The number of values in a chunk according to its page headers.
pub(super) fn header_rows(file: File, chunk: &ColumnChunkMetaData) -> Result<u64> {
    let range = range(chunk, file.metadata()?.len())?;
    let file = Arc::new(FileBytes::open(file, std::slice::from_ref(&range))?);
    let mut headers = Headers { file, range };
    let mut values = 0;
    while let Some(header) = headers.next()? {
        values += if matches!(header.kind, Kind::Data | Kind::DataV2) { header.values as u64 } else { 0 };
    }
    Ok(values)
}

/// The headers of the pages in a byte range of a file.
struct Headers {
    file: Arc<FileBytes>,
    range: Range<u64>,
}

impl Headers {
    /// Reads the next header, and skips its page.
    fn next(&mut self) -> Result<Option<PageHeader>> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        // Statistics in a header can make it long.
        let mut length = 128;
        let header = loop {
            let bytes = self.file.get_bytes(self.range.start, left.min(length))?;
            match PageHeader::read(&bytes) {
                Some(header) => break header,
                None if length < left.min(LONGEST_HEADER) => length *= 16,
                None => return Err(damaged(format!("no page header at byte {}", self.range.start))),
            }
        };
        let PageHeader { bytes, stored, .. } = header;
        if stored > left - bytes {
            let reason = format!("a page claims {stored} bytes, its column chunk has {} left", left - bytes);
            return Err(damaged(reason));
        }
        self.range.start += (bytes + stored) as u64;
        Ok(Some(header))
    }
}

/// The pages of a chunk. Each header is checked before its page is read, and each page before it is
/// decoded. For a zstd chunk, the inner reader treats the chunk as uncompressed.
struct CheckedPages {
    pages: SerializedPageReader<FileBytes>,
    headers: Headers,
    is_zstd: bool,
    /// Values that are left for further pages.
    left: u64,
    /// Bytes of all pages after decompression.
    inflated: u64,
    /// Fewest bytes of a dictionary value.
    width: usize,
    max: MaxLevels,
}

impl CheckedPages {
    fn open(file: Arc<FileBytes>, chunk: &ColumnChunkMetaData) -> Result<Self> {
        let is_zstd = matches!(chunk.compression(), Compression::ZSTD(_));
        let range = range(chunk, file.len())?;
        let column = chunk.column_descr();
        let read_as = |chunk| SerializedPageReader::new(file.clone(), chunk, 0, None);
        let pages = if is_zstd {
            read_as(&chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?)?
        } else {
            read_as(chunk)?
        };
        Ok(Self {
            pages,
            headers: Headers { file: file.clone(), range },
            is_zstd,
            left: u64::try_from(chunk.num_values()).unwrap_or(0),
            inflated: u64::try_from(chunk.uncompressed_size()).unwrap_or(0),
            width: match column.physical_type() {
                Type::BOOLEAN => 1,
                Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
                Type::INT64 | Type::DOUBLE => 8,
                Type::INT96 => 12,
                Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(column.type_length()).unwrap_or(0).max(1),
            },
            max: MaxLevels { definition: column.max_def_level(), repetition: column.max_rep_level() },
        })
    }

    /// The header of the next page that is not skipped.
    fn next_header(&mut self) -> Result<Option<PageHeader>> {
        loop {
            match self.headers.next()? {
                Some(PageHeader { kind: Kind::Other, .. }) => {}
                header => return Ok(header),
            }
        }
    }

    /// Decompresses a page of a zstd chunk.
    fn inflate(&self, page: &mut Page, header: &PageHeader) -> Result<()> {
        match page {
            Page::DataPageV2 { is_compressed: false, .. } => {}
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } | Page::DataPageV2 { buf, .. } => {
                *buf = inflated(buf, header.levels, header.inflated)?;
            }
        }
        Ok(())
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(header) = self.next_header()? else { return Ok(None) };
        header.check(self.left, self.inflated, self.width).map_err(damaged)?;
        // The codecs abort the program if memory runs out, so check that there is enough first.
        let mut room = Vec::<u8>::new();
        room.try_reserve_exact(header.inflated).map_err(|error| ParquetError::External(Box::new(error)))?;
        drop(room);
        let Some(mut page) = self.pages.get_next_page()? else { return Ok(None) };
        if self.is_zstd {
            self.inflate(&mut page, &header)?;
        }
        let values = header.values;
        match &page {
            Page::DataPage { buf, encoding, def_level_encoding, rep_level_encoding, .. } => {
                self.left -= values as u64;
                check_v1(buf, values, self.max, [*rep_level_encoding, *def_level_encoding], *encoding)
            }
            Page::DataPageV2 { buf, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
                self.left -= values as u64;
                let lengths = [*rep_levels_byte_len as usize, *def_levels_byte_len as usize];
                check_v2(buf, values, self.max, lengths, *encoding)
            }
            Page::DictionaryPage { .. } => Ok(()),
        }
        .map_err(damaged)?;
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        if let Some(header) = self.next_header()? {
            if header.kind != Kind::Dictionary {
                self.left = self.left.saturating_sub(header.values as u64);
            }
            self.pages.skip_next_page()?;
        }
        Ok(())
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

fn damaged(reason: String) -> ParquetError {
    ParquetError::General(reason)
}

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A decompressed page of `size` bytes: its first `plain` bytes are copied, the rest is decompressed.
fn inflated(page: &Bytes, plain: usize, size: usize) -> Result<Bytes> {
    let Some(frames) = page.get(plain..).filter(|_| plain <= size) else {
        return Err(damaged("a page shorter than its own levels".to_owned()));
    };
    let mut out = Vec::new();
    out.try_reserve_exact(size).map_err(|error| ParquetError::External(Box::new(error)))?;
    out.extend_from_slice(&page[..plain]);
    let done = size > plain
        && DECOMPRESSOR.with_borrow_mut(|decompressor| -> std::io::Result<bool> {
            let decompressor = match decompressor {
                Some(known) => known,
                None => decompressor.insert(Decompressor::new()?),
            };
            let mut end = std::io::Cursor::new(&mut out);
            end.set_position(plain as u64);
            Ok(decompressor.decompress_to_buffer(frames, &mut end).is_ok())
        })?;
    if !done && size > plain {
        // Several frames, or a damaged one, for which the stream decoder gives a better error.
        out.truncate(plain);
        let limit = (size - plain) as u64 + 1;
        zstd::stream::Decoder::new(frames)?.take(limit).read_to_end(&mut out)?;
    }
    if out.len() != size {
        return Err(damaged(format!(
            "a page of {} bytes inflated, where its header claims {size}",
            out.len()
        )));
    }
    Ok(out.into())
}

/// A file with one range of it in memory.
struct FileBytes {
    file: File,
    held_from: u64,
    held: Bytes,
}

impl FileBytes {
    fn open(mut file: File, ranges: &[Range<u64>]) -> Result<Self> {
        let start = ranges.iter().map(|r| r.start).min().unwrap_or(0);
        let end = ranges.iter().map(|r| r.end).max().unwrap_or(0);
        let wanted = ranges.iter().fold(0_u64, |sum, r| sum.saturating_add(r.end - r.start));
        let apart = end - start;
        let held = if apart <= HELD_BYTES && apart <= wanted.saturating_mul(2) {
            let mut held = Vec::with_capacity(usize::try_from(apart).unwrap_or(0));
            file.seek(SeekFrom::Start(start))?;
            (&mut file).take(apart).read_to_end(&mut held)?;
            held
        } else {
            Vec::new()
        };
        Ok(Self { file, held_from: start, held: held.into() })
    }

    /// The bytes in memory from `start` on.
    fn held(&self, start: u64) -> Option<Bytes> {
        let at = usize::try_from(start.checked_sub(self.held_from)?).ok()?;
        (at < self.held.len()).then(|| self.held.slice(at..))
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for FileBytes {
    type T = From;

    fn get_read(&self, start: u64) -> Result<From> {
        match self.held(start) {
            Some(bytes) => Ok(From::Memory(bytes.reader())),
            None => self.file.get_read(start).map(From::File),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self.held(start) {
            Some(bytes) if bytes.len() >= length => Ok(bytes.slice(..length)),
            _ => self.file.get_bytes(start, length),
        }
    }
}

enum From {
    Memory(Reader<Bytes>),
    File(BufReader<File>),
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::File(file) => file.read(buffer),
        }
    }
}
