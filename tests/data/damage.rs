//! Damaged files are refused, or read as the parquet crate reads them, without a panic or an allocation for
//! a false count.

use super::table::{codecs, floats, integers, properties, target, texts, write, write_with};
use super::{options, read_error, source};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchReader, Time32SecondArray,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use logodds::data::{Block, BlocksOptions, Dataset, Encoding as Learned, blocks, open, read_training};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::file::properties::WriterVersion;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROWS: i64 = 240;

/// One column of each type, with the encodings that its values can have.
fn columns() -> Vec<(ArrayRef, Vec<Encoding>)> {
    use Encoding::{
        BYTE_STREAM_SPLIT, DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY, PLAIN, RLE,
        RLE_DICTIONARY,
    };
    let whole = integers((0..ROWS).map(|i| i * i % 97));
    let gaps = floats((0..ROWS).map(|i| (i % 7 != 3).then_some((i * 13 % 101) as f64 / 4.0)));
    let names: Vec<String> = (0..ROWS).map(|i| format!("level {}", i * i % 11)).collect();
    let as_type = |array: &ArrayRef, to: DataType| cast(array, &to).expect("a cast");
    let small = as_type(&whole, DataType::Int32);
    vec![
        (gaps.clone(), vec![PLAIN, RLE_DICTIONARY, BYTE_STREAM_SPLIT]),
        (as_type(&gaps, DataType::Float32), vec![PLAIN, BYTE_STREAM_SPLIT]),
        (whole.clone(), vec![PLAIN, RLE_DICTIONARY, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT]),
        (small.clone(), vec![DELTA_BINARY_PACKED]),
        (as_type(&small, DataType::Time32(TimeUnit::Second)), vec![RLE_DICTIONARY]),
        (as_type(&gaps, DataType::Decimal128(20, 2)), vec![PLAIN, RLE_DICTIONARY]),
        (
            Arc::new(BooleanArray::from_iter((0..ROWS).map(|i| (i % 9 != 4).then_some(i % 5 < 2)))),
            vec![PLAIN, RLE],
        ),
        (
            texts(names.iter().map(|name| (name != "level 5").then_some(name.as_str()))),
            vec![PLAIN, RLE_DICTIONARY, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY],
        ),
    ]
}

/// Undamaged files, which cover every encoding, page version and codec.
fn seeds(path: &Path) -> Vec<Vec<u8>> {
    let codecs = codecs();
    let mut seeds = Vec::new();
    for (column, encodings) in columns() {
        for encoding in encodings {
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                // Every second file is uncompressed, so that most damage hits the encodings themselves.
                let codec =
                    if seeds.len() % 4 < 2 { codecs[0] } else { codecs[seeds.len() / 4 % codecs.len()] };
                let properties = properties(160)
                    .set_writer_version(version)
                    .set_compression(codec)
                    .set_data_page_row_count_limit(100)
                    .set_write_batch_size(50)
                    .set_dictionary_enabled(encoding == Encoding::RLE_DICTIONARY);
                let properties = match encoding {
                    Encoding::RLE_DICTIONARY => properties,
                    other => properties.set_column_encoding("x".into(), other),
                };
                let columns = vec![("x", column.clone()), ("y", target(ROWS as usize))];
                let path = write_with(path, columns, properties.build());
                seeds.push(std::fs::read(path).expect("the file just written"));
            }
        }
    }
    seeds
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Replaces bytes. If the footer changes in length, the length at the end of the file is updated.
fn splice(file: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) {
    let n = file.len();
    let footer = u32::from_le_bytes(file[n - 8..n - 4].try_into().expect("four bytes")) as usize;
    file.splice(at..at + length, new.iter().copied());
    if at + footer + 8 >= n {
        let footer = (footer + new.len()).saturating_sub(length) as u32;
        let n = file.len();
        file[n - 8..n - 4].copy_from_slice(&footer.to_le_bytes());
    }
}

/// Changes a file in one to three places.
fn damage(file: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..4) {
        let end = file.len() - 8;
        // Favours the second half of the file, which has the footer.
        let at =
            if random.random() { random.random_range(0..end) } else { random.random_range(end / 2..end) };
        match random.random_range(0..6) {
            0 => file[at] ^= 1 << random.random_range(0..8),
            1 => file[at] = [0, 1, 127, 128, 255][random.random_range(0..5)],
            2 => {
                let length = 1 + file[at..end - 1].iter().take(9).take_while(|&&byte| byte > 127).count();
                let claims = [0, 1, 3, 239, 241, 1 << 17, (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 40, u64::MAX];
                let claim = varint(claims[random.random_range(0..claims.len())]);
                splice(file, at, length.min(end - at), &claim);
            }
            3 => {
                let bytes = random.random_range(1..9).min(end - at);
                random.fill(&mut file[at..at + bytes]);
            }
            4 => {
                let (from, bytes) = (random.random_range(0..end), random.random_range(1..40));
                let bytes = bytes.min(end - at).min(end - from);
                file.copy_within(from..from + bytes, at);
            }
            _ => splice(file, at, random.random_range(1..30).min(end - at), &[]),
        }
    }
}

/// The columns of an encoding, read by the parquet crate's own reader. Other columns may be damaged.
fn peer(path: &Path, encoding: &Learned) -> Option<RecordBatch> {
    let file = std::fs::File::open(path).ok()?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).ok()?;
    let names = encoding.columns.iter().map(|column| column.name.as_str());
    let mask = ProjectionMask::columns(reader.parquet_schema(), names);
    let reader = reader.with_projection(mask).build().ok()?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().ok()?;
    concat_batches(&schema, &batches).ok()
}

/// The numbers of a feature as the peer reads them; none for a null.
fn expected(array: &ArrayRef, level: Option<&Option<String>>) -> Option<Vec<Option<f32>>> {
    if let Some(level) = level {
        let texts = cast(array, &DataType::Utf8).ok()?;
        let texts = texts.as_string::<i32>();
        return Some(texts.iter().map(|text| Some(f32::from(u8::from(text == level.as_deref())))).collect());
    }
    let array = match array.data_type() {
        DataType::Time32(TimeUnit::Second) => cast(array, &DataType::Int32).ok()?,
        // Damage can change the unit in the footer, and the cast would use another one.
        other if other.is_temporal() => return None,
        _ => array.clone(),
    };
    let numbers = cast(&array, &DataType::Float64).ok()?;
    // NaN counts as null.
    let number = |number: Option<f64>| Some(number? as f32).filter(|number| !number.is_nan());
    Some(numbers.as_primitive::<Float64Type>().iter().map(number).collect())
}

/// Reads a table for training and block by block.
fn read_both(path: &Path, learned: Option<&Learned>) -> Result<(Option<Dataset>, Vec<Block>), String> {
    let source = open(&[path.display().to_string()]).map_err(|error| error.to_string())?;
    let mut options = options();
    (options.standardize, options.intercept) = (false, false);
    options.memory = Some(64 << 20);
    let dataset = read_training(&source, &options, &()).map_err(|error| error.to_string());
    let Some(encoding) = learned.or(dataset.as_ref().ok().map(|dataset| &dataset.encoding)) else {
        return dataset.map(|dataset| (Some(dataset), Vec::new()));
    };
    let options = BlocksOptions { rows_per_block: 64, ..Default::default() };
    let read = blocks(&source, encoding, options).and_then(Iterator::collect);
    Ok((dataset.ok(), read.map_err(|error: logodds::Error| error.to_string())?))
}

/// Whether a file can be read, and both readings equal the peer's.
fn agrees(path: &Path, learned: Option<&Learned>) -> Result<bool, String> {
    let Ok((dataset, blocks)) = read_both(path, learned) else { return Ok(false) };
    let encoding = learned.or(dataset.as_ref().map(|dataset| &dataset.encoding));
    let Some(encoding) = encoding else { return Ok(false) };
    let Ok(Some(peer)) = catch_unwind(AssertUnwindSafe(|| peer(path, encoding))) else { return Ok(false) };
    let mut feature = 0;
    for column in &encoding.columns {
        let Some(array) = peer.column_by_name(&column.name) else { return Ok(false) };
        let levels: Vec<Option<&Option<String>>> = match &column.levels {
            Some(levels) => levels.iter().map(Some).collect(),
            None => vec![None],
        };
        for level in levels {
            let Some(numbers) = expected(array, level) else { return Ok(false) };
            let found = blocks.iter().flat_map(|block| (0..block.rows).map(move |slot| (block, slot)));
            for (row, (block, slot)) in found.enumerate() {
                let (found, number) = (block.panels.value(slot, feature), numbers.get(row));
                match number {
                    Some(Some(number)) if number.to_bits() != found.to_bits() && *number != found => {
                        return Err(format!("row {row} of {}: {found}, not {number}", column.name));
                    }
                    None => return Err(format!("row {row} of {} is one too many", column.name)),
                    Some(_) => {}
                }
            }
            feature += 1;
        }
    }
    if let Some(dataset) = dataset.filter(|dataset| dataset.panels.n_rows() == peer.num_rows()) {
        let number = dataset.encoding.columns.iter().position(|column| column.levels.is_none());
        let of_peer = number.and_then(|at| peer.column_by_name(&dataset.encoding.columns[at].name));
        let numbers =
            of_peer.and_then(|array| expected(array, None)?.into_iter().collect::<Option<Vec<f32>>>());
        if let (Some(0), Some(mut numbers)) = (number, numbers) {
            let slots = 0..dataset.panels.n_rows();
            let mut found: Vec<f32> = slots.map(|slot| dataset.panels.value(slot, 0)).collect();
            numbers.sort_by(f32::total_cmp);
            found.sort_by(f32::total_cmp);
            // Values are stored relative to a guessed centre, so their rounding depends on their distance
            // from it.
            let largest = numbers.iter().fold(1.0, |largest: f32, number| largest.max(number.abs()));
            let is_other = |(number, found): &(&f32, &f32)| (*number - *found).abs() > 1e-6 * largest;
            if let Some((number, found)) = numbers.iter().zip(&found).find(is_other) {
                return Err(format!("a training row has {found}, not {number}"));
            }
        }
    }
    Ok(true)
}

/// Whether a file can be read; asserts that it is then read as the peer reads it.
fn check(path: &Path, learned: Option<&Learned>) -> bool {
    match catch_unwind(AssertUnwindSafe(|| agrees(path, learned))) {
        Ok(Ok(agrees)) => agrees,
        Ok(Err(found)) => panic!("{}: {found}", path.display()),
        Err(_) => panic!("{}: a panic", path.display()),
    }
}

/// Damages the files of [`seeds`] for some time. The current file is kept on disk for inspection.
fn damage_for(time: Duration, seed: u64) -> (usize, usize) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("damaged-{seed}.parquet"));
    let seeds = seeds(&path);
    let learned: Vec<Learned> = seeds
        .iter()
        .map(|seed| {
            std::fs::write(&path, seed).expect("space on the disk");
            let mut options = options();
            (options.standardize, options.intercept) = (false, false);
            let dataset = read_training(&source(&path), &options, &()).expect("a whole table");
            assert!(check(&path, Some(&dataset.encoding)), "a whole table is read as the peer reads it");
            dataset.encoding
        })
        .collect();
    let mut random = StdRng::seed_from_u64(seed);
    let (mut tried, mut read) = (0, 0);
    let start = Instant::now();
    while start.elapsed() < time {
        let at = random.random_range(0..seeds.len());
        let mut file = seeds[at].clone();
        damage(&mut file, &mut random);
        std::fs::write(&path, &file).expect("space on the disk");
        read += usize::from(check(&path, Some(&learned[at])));
        tried += 1;
    }
    std::fs::remove_file(&path).expect("a file of ours");
    (tried, read)
}

#[test]
fn damaged_files_are_refused_or_read_as_the_parquet_crate_reads_them() {
    let (tried, read) = damage_for(Duration::from_secs(2), 1);
    assert!(read < tried, "{read} of {tried} were read");
}

/// See CONTRIBUTING.md.
#[test]
#[ignore = "takes as many minutes as LOGODDS_DAMAGE_MINUTES says"]
fn damage_for_minutes() {
    std::panic::set_hook(Box::new(|_| {}));
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let seed = number("LOGODDS_DAMAGE_SEED", 1);
    let found =
        catch_unwind(|| damage_for(Duration::from_secs(60 * number("LOGODDS_DAMAGE_MINUTES", 1)), seed));
    let _ = std::panic::take_hook();
    let (tried, read) =
        found.unwrap_or_else(|found| panic!("{}", found.downcast_ref::<String>().map_or("", |s| s)));
    eprintln!("{tried} damaged files, of which {read} could be read");
}

#[test]
fn files_that_once_failed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/damaged");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("a fixture").path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            check(&path, None);
            files += 1;
        }
    }
    assert!(files > 0, "no fixtures");
}

/// The positions of a number's Thrift encoding in the bytes `from..to` of a file.
fn places(file: &[u8], number: u64, from: usize, to: usize) -> Vec<usize> {
    let bytes = varint(number << 1);
    (from..to).filter(|&at| file[at..].starts_with(&bytes)).collect()
}

#[test]
fn counts_are_checked_before_they_are_believed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("t.parquet");
    let columns = vec![("x", floats((0..ROWS).map(|i| Some(i as f64 / 3.0)))), ("y", target(ROWS as usize))];
    write(&path, columns, 1000);
    let whole = std::fs::read(&path).expect("the file just written");
    let end = whole.len() - 8;
    let footer = end - u32::from_le_bytes(whole[end..end + 4].try_into().expect("four bytes")) as usize;
    let read = |file: &[u8]| {
        std::fs::write(&path, file).expect("a writable directory");
        let read =
            open(&[path.display().to_string()]).and_then(|table| read_training(&table, &options(), &()));
        read.map(drop).map_err(|error| error.to_string())
    };
    let counts = places(&whole, ROWS as u64, footer, end);
    // Row counts of the file, the row group and each chunk; and statistics, which are not used for
    // allocations.
    assert_eq!(counts.len(), 6);
    for claim in [100_000_000_u64, 1 << 31, 1 << 40, 1 << 61] {
        let claim = varint(claim << 1);
        let mut all = whole.clone();
        let mut refused = 0;
        for &at in counts.iter().rev() {
            let mut one = whole.clone();
            splice(&mut one, at, 2, &claim);
            if let Err(found) = read(&one) {
                assert!(found.contains("claims") && found.contains("t.parquet"), "{found}");
                refused += 1;
            }
            splice(&mut all, at, 2, &claim);
        }
        assert_eq!(refused, 4);
        let found = read(&all).expect_err("a damaged table");
        assert!(found.contains("row group 0 claims") && found.contains("its pages 240 values"), "{found}");
    }
    // Value counts in page headers. The same bytes in a page index are not read, and do no harm.
    let damaged = places(&whole, ROWS as u64, 0, footer).into_iter().filter_map(|at| {
        let mut file = whole.clone();
        splice(&mut file, at, 2, &varint(u64::from(u32::MAX) - 1));
        read(&file).err()
    });
    let damaged: Vec<String> = damaged.collect();
    assert!(damaged.len() >= 2 && damaged.iter().all(|found| found.contains("t.parquet")), "{damaged:?}");
}

#[test]
fn a_time_beyond_its_day_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let times: ArrayRef = Arc::new(Time32SecondArray::from(vec![10, 86_399, 90_000, 5]));
    let path = write(&directory.path().join("t.parquet"), vec![("x", times), ("y", target(4))], 10);
    let message = read_error(&path, &options());
    assert!(message.contains("\"x\"") && message.contains("90000 seconds since midnight"), "{message}");
}
