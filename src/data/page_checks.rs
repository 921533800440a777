//! What an inflated page claims of its levels and of its values, checked before it is decoded.

use super::thrift::Thrift;
use parquet::basic::Encoding;

/// The largest levels of a column; none for a column that is flat and never null.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxLevels {
    pub(super) definition: i16,
    pub(super) repetition: i16,
}

/// The encodings of a page's repetition and definition levels, as the first version states them.
pub(super) type LevelEncodings = [Encoding; 2];

/// Checks a page of the first version, whose levels say how long they are.
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
            // As the oldest writers have them, which only files with nested columns still show.
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

/// Checks a page of the second version, whose header says how long its levels are.
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

/// Bits of a level of at most `max`.
fn bits(max: i16) -> u32 {
    u16::BITS - max.unsigned_abs().leading_zeros()
}

/// Walks levels in runs: of one level, or of eight levels and their multiples, bit by bit.
fn check_levels(levels: &[u8], values: usize, max: i16) -> Result<(), String> {
    let (bits, max) = (bits(max), u64::from(max.unsigned_abs()));
    let mut rest = levels;
    let mut left = values as u64;
    while left > 0 {
        let mut thrift = Thrift::new(rest);
        let head = thrift.unsigned().ok_or_else(|| format!("the levels of {left} values are missing"))?;
        rest = &rest[thrift.position()..];
        let packed = head & 1 == 1;
        // A run may be longer than the page only where eight levels are packed together.
        let count = if packed { (head >> 1).saturating_mul(8) } else { head >> 1 };
        if count == 0 || (!packed && count > left) {
            return Err(format!("a run of {count} levels where {left} are left"));
        }
        let bytes =
            if packed { (head >> 1).saturating_mul(u64::from(bits)) } else { u64::from(bits.div_ceil(8)) };
        // The last run may end early.
        let bytes =
            usize::try_from(bytes).unwrap_or(usize::MAX).min(if packed { rest.len() } else { usize::MAX });
        let (run, after) =
            rest.split_at_checked(bytes).ok_or_else(|| format!("the levels of {left} values are missing"))?;
        let count = count.min(left);
        if packed && count * u64::from(bits) > run.len() as u64 * 8 {
            return Err(format!("the levels of {left} values are missing"));
        }
        let highest = match packed {
            false => run.iter().rev().fold(0, |level, &byte| level << 8 | u64::from(byte)),
            // No level of so many bits is beyond the largest.
            true if (max + 1).is_power_of_two() => 0,
            true => (0..count).map(|at| level(run, at * u64::from(bits), bits)).max().unwrap_or(0),
        };
        if highest > max {
            return Err(format!("a level of {highest} where {max} is the largest"));
        }
        left -= count;
        rest = after;
    }
    Ok(())
}

/// The level at a bit, the lowest bit first.
fn level(run: &[u8], bit: u64, bits: u32) -> u64 {
    let one = |at: u64| u64::from(run[(at / 8) as usize] >> (at % 8) & 1);
    (0..u64::from(bits)).map(|k| one(bit + k) << k).sum()
}

/// Checks the counts that values encoded as differences begin with.
fn check_values(bytes: &[u8], values: usize, encoding: Encoding) -> Result<(), String> {
    // Lengths, of strings or of what they share with the string before, are all decoded at once.
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

/// How many values a stream of differences claims, and where it ends.
fn differences(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut stream = Thrift::new(bytes);
    let (block, parts, count) = (stream.unsigned()?, stream.unsigned()?, stream.unsigned()?);
    stream.integer()?;
    let of_part = block.checked_div(parts).filter(|&of_part| of_part > 0)?;
    // The first value stands in the head.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        stream.integer()?;
        let widths = bytes.get(stream.position()..)?.get(..usize::try_from(parts).ok()?)?;
        stream.pass(parts)?;
        for &width in widths {
            if left == 0 {
                break;
            }
            // The last part may end early.
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
