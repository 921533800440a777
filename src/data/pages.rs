//! The column chunks of one row group as pages, decompressed with one zstd context a thread.
//!
//! The parquet crate makes a compressor and a decompressor for every column chunk, and zstd asks the processor
//! for its features each time, which a virtual machine answers slowly: on a table of 20,000 columns that is a
//! quarter of the reading. So zstd chunks are read as if they were stored plain, and the pages are inflated
//! here. Small chunks that lie together are also fetched with one read.

use bytes::{Buf, Bytes, buf::Reader};
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use zstd::bulk::Decompressor;

/// Bytes fetched with one read, at most.
const HELD_BYTES: u64 = 4 << 20;

/// The column chunks of one row group.
pub(super) struct ColumnChunks {
    bytes: Arc<FileBytes>,
    metadata: Arc<ParquetMetaData>,
    group: usize,
}

impl ColumnChunks {
    /// Of row group `group`, of which the columns `leaves` will be read.
    pub(super) fn open(
        file: File,
        metadata: Arc<ParquetMetaData>,
        group: usize,
        leaves: &[usize],
    ) -> Result<Self> {
        let row_group = metadata.row_group(group);
        let ranges = leaves.iter().map(|&leaf| {
            let (start, len) = row_group.column(leaf).byte_range();
            start..start.saturating_add(len)
        });
        let bytes = Arc::new(FileBytes::open(file, ranges)?);
        Ok(Self { bytes, metadata, group })
    }
}

impl RowGroups for ColumnChunks {
    fn num_rows(&self) -> usize {
        usize::try_from(self.metadata.row_group(self.group).num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>> {
        let chunk = self.metadata.row_group(self.group).column(leaf);
        let (bytes, rows) = (self.bytes.clone(), self.num_rows());
        let pages: Box<dyn PageReader> = if matches!(chunk.compression(), Compression::ZSTD(_)) {
            let plain = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
            Box::new(ZstdPages(SerializedPageReader::new(bytes, &plain, rows, None)?))
        } else {
            Box::new(SerializedPageReader::new(bytes, chunk, rows, None)?)
        };
        Ok(Box::new(OneChunk(Some(pages))))
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

/// Pages of a zstd chunk, from a reader that takes it for a plain one.
struct ZstdPages(SerializedPageReader<FileBytes>);

impl Iterator for ZstdPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for ZstdPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let mut page = self.0.get_next_page()?;
        match &mut page {
            Some(Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. }) => *buf = inflated(buf, 0)?,
            Some(Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed: true,
                ..
            }) => *buf = inflated(buf, *def_levels_byte_len as usize + *rep_levels_byte_len as usize)?,
            Some(Page::DataPageV2 { .. }) | None => {}
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.0.at_record_boundary()
    }
}

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A page with its first `plain` bytes copied and the rest inflated.
fn inflated(page: &Bytes, plain: usize) -> Result<Bytes> {
    let Some(frames) = page.get(plain..) else {
        return Err(ParquetError::General("a page shorter than its own levels".to_owned()));
    };
    let mut out = Vec::new();
    // The size of the first frame, which nearly always is the only one. A page is below 2 GiB.
    let size = zstd::zstd_safe::get_frame_content_size(frames).ok().flatten().filter(|&size| size < 1 << 31);
    let room = usize::try_from(size.unwrap_or(0)).unwrap_or(0);
    out.try_reserve_exact(plain + room).map_err(|error| ParquetError::External(Box::new(error)))?;
    out.extend_from_slice(&page[..plain]);
    let done = size.is_some()
        && DECOMPRESSOR.with_borrow_mut(|decompressor| -> std::io::Result<bool> {
            let decompressor = match decompressor {
                Some(known) => known,
                None => decompressor.insert(Decompressor::new()?),
            };
            let mut end = std::io::Cursor::new(&mut out);
            end.set_position(plain as u64);
            Ok(decompressor.decompress_to_buffer(frames, &mut end).is_ok())
        })?;
    if !done && !frames.is_empty() {
        out.truncate(plain);
        zstd::stream::copy_decode(frames, &mut out)?;
    }
    Ok(out.into())
}

/// A file, with a part of it in memory.
struct FileBytes {
    file: File,
    held_from: u64,
    held: Bytes,
}

impl FileBytes {
    fn open(mut file: File, ranges: impl Iterator<Item = Range<u64>> + Clone) -> Result<Self> {
        let start = ranges.clone().map(|r| r.start).min().unwrap_or(0);
        let end = ranges.clone().map(|r| r.end).max().unwrap_or(0);
        let wanted: u64 = ranges.map(|r| r.end - r.start).sum();
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

    /// What is in memory from `start` on.
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
