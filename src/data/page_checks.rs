//! Checks the levels and value counts of a decompressed page before it is decoded.

use super::thrift::Thrift;
use parquet::basic::Encoding;

/// The largest levels of a column; both are 0 for a flat column without nulls.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxLevels {
    pub(super) definition: i16,
    pub(super) repetition: i16,
}

/// The encodings of repetition and definition levels in a page of version 1.
pub(super) type LevelEncodings = [Encoding; 2];

/// Checks a page of version 1, whose levels begin with their length.
pub(super) fn check_v1(
    page: &[u8],
    values: usize,
    max: MaxLevels,
    levels: LevelEncodings,
    encoding: Encoding,
) -> Result<(), String> {
    let mut rest = page;
    for (max, levels) in [max.repetition, max.definition].into_iter().zip(levels) {
        if max == 0 {
            continue;
        }
        let bytes = match (levels, rest.first_chunk::<4>()) {
            (Encoding::RLE, Some(length)) => {
                rest = &rest[4..];
                u32::from_le_bytes(*length) as usize
            }
            (Encoding::RLE, None) => return Err("a page ends within its levels".to_owned()),
            // The deprecated bit-packed encoding of the oldest writers.
            _ => values.saturating_mul(bits(max) as usize).div_ceil(8),
        };
        let (bytes, after) = rest
            .split_at_checked(bytes)
            .ok_or_else(|| format!("a page claims {bytes} bytes of levels where {} are left", rest.len()))?;
        if levels == Encoding::RLE {
            check_levels(bytes, values, max)?;
        }
        rest = after;
    }
    check_values(rest, values, encoding)
}

/// Checks a page of version 2, whose header has the lengths of its levels.
pub(super) fn check_v2(
    page: &[u8],
    values: usize,
    max: MaxLevels,
    lengths: [usize; 2],
    encoding: Encoding,
) -> Result<(), String> {
    let mut rest = page;
    for (max, length) in [max.repetition, max.definition].into_iter().zip(lengths) {
        let (levels, after) = rest
            .split_at_checked(length)
            .ok_or_else(|| format!("a page claims {length} bytes of levels where {} are left", rest.len()))?;
        if max > 0 {
            check_levels(levels, values, max)?;
        }
        rest = after;
    }
    check_values(rest, values, encoding)
}

/// Bits per level, for levels up to `max`.
fn bits(max: i16) -> u32 {
    u16::BITS - max.unsigned_abs().leading_zeros()
}

/// Checks the runs of RLE-encoded levels: runs of one repeated level, and bit-packed runs of a multiple of
/// eight levels.
fn check_levels(levels: &[u8], values: usize, max: i16) -> Result<(), String> {
    let (bits, max) = (u64::from(bits(max)), u64::from(max.unsigned_abs()));
    let mut rest = levels;
    let mut left = values as u64;
    while left > 0 {
        let missing = || format!("the levels of {left} values are missing");
        let mut thrift = Thrift::new(rest);
        let head = thrift.unsigned().ok_or_else(missing)?;
        rest = &rest[thrift.position()..];
        let (packed, length) = (head & 1 == 1, head >> 1);
        // The last run may claim more levels than the page has values.
        let count = length.saturating_mul(if packed { 8 } else { 1 }).min(left);
        let (needed, whole) = if packed {
            ((count * bits).div_ceil(8), length.saturating_mul(bits))
        } else {
            (bits.div_ceil(8), bits.div_ceil(8))
        };
        if needed > rest.len() as u64 {
            return Err(missing());
        }
        let (run, after) =
            rest.split_at(usize::try_from(whole).map_or(rest.len(), |bytes| bytes.min(rest.len())));
        let highest = match packed {
            false => run.iter().rev().fold(0, |level, &byte| level << 8 | u64::from(byte)),
            // Levels of this many bits cannot exceed the largest.
            true if (max + 1).is_power_of_two() => 0,
            true => (0..count).map(|at| level(run, at * bits, bits)).max().unwrap_or(0),
        };
        if highest > max {
            return Err(format!("a level of {highest} where {max} is the largest"));
        }
        left -= count;
        rest = after;
    }
    Ok(())
}

/// The level that starts at `bit`, lowest bit first.
fn level(run: &[u8], bit: u64, bits: u64) -> u64 {
    let one = |at: u64| u64::from(run[(at / 8) as usize] >> (at % 8) & 1);
    (0..bits).map(|k| one(bit + k) << k).sum()
}

/// Checks the counts at the start of delta-encoded values.
fn check_values(bytes: &[u8], values: usize, encoding: Encoding) -> Result<(), String> {
    // The decoder allocates for all lengths at once, be they of strings or of shared prefixes.
    let streams = match encoding {
        Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        Encoding::DELTA_BYTE_ARRAY => 2,
        _ => 0,
    };
    let mut rest = bytes;
    for _ in 0..streams {
        let (claimed, end) = differences(rest).ok_or("a page ends within its lengths or differences")?;
        if claimed > values as u64 {
            return Err(format!("a page claims {claimed} encoded values in {values}"));
        }
        rest = &rest[end..];
    }
    Ok(())
}

/// The number of values that a delta-encoded stream claims, and the position of its end.
fn differences(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut stream = Thrift::new(bytes);
    let (block, parts, count) = (stream.unsigned()?, stream.unsigned()?, stream.unsigned()?);
    stream.integer()?;
    let of_part = block.checked_div(parts).filter(|&of_part| of_part > 0)?;
    // The header holds the first value.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        stream.integer()?;
        let widths = bytes.get(stream.position()..)?.get(..usize::try_from(parts).ok()?)?;
        stream.pass(parts)?;
        for &width in widths {
            if left == 0 {
                break;
            }
            // The last miniblock may be cut short.
            let here = of_part.min(left).saturating_mul(u64::from(width)).div_ceil(8);
            let whole = of_part.saturating_mul(u64::from(width)) / 8;
            let room = (bytes.len() - stream.position()) as u64;
            if here > room {
                return None;
            }
            stream.pass(whole.min(room))?;
            left -= of_part.min(left);
        }
    }
    Some((count, stream.position()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stay_within_their_maximum_and_their_bytes() {
        // Five times 1, then three packed: 0, 1, 1.
        assert_eq!(check_levels(&[10, 1, 3, 0b110], 8, 1), Ok(()));
        assert!(check_levels(&[10, 2, 3, 0b110], 8, 1).expect_err("too high").contains("a level of 2"));
        assert!(check_levels(&[10, 1], 8, 1).expect_err("too few").contains("3 values are missing"));
        assert!(check_levels(&[10, 1, 3], 8, 1).expect_err("too few").contains("3 values are missing"));
        // Two bits hold 3, which is beyond 2.
        assert_eq!(check_levels(&[3, 0b10_01_00_10, 0], 8, 2), Ok(()));
        assert!(check_levels(&[3, 0b11_01_00_10, 0], 8, 2).expect_err("too high").contains("a level of 3"));
    }

    #[test]
    fn differences_claim_no_more_values_than_their_page() {
        // Blocks of 128 in 4 parts, 3 values from 7 on; differences of 1, in no bits.
        let stream = [128, 1, 4, 3, 14, 2, 0, 0, 0, 0, b'x'];
        assert_eq!(differences(&stream), Some((3, 10)));
        assert_eq!(check_values(&stream, 3, Encoding::DELTA_LENGTH_BYTE_ARRAY), Ok(()));
        assert!(check_values(&stream, 2, Encoding::DELTA_LENGTH_BYTE_ARRAY).is_err());
        assert!(check_values(&stream[..8], 3, Encoding::DELTA_BINARY_PACKED).is_err());
    }
}
