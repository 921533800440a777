//! Folds for forward chaining: blocks of rows in the order of time.

use super::ticks::Ticks;
use super::{Assigned, FoldName, Folds};
use crate::data::chunks::{BATCH_ROWS, Chunks, Types};
use crate::data::in_order::in_order;
use crate::data::rows::is_trained;
use crate::data::target::by_group;
use crate::data::training::Reading;
use crate::error::{DataError, FoldError};
use arrow_array::Array;
use rayon::prelude::*;

/// Cuts the rows, in the order of a column, into `folds + 1` blocks. The first block is only trained on.
pub(super) fn by_time(
    reading: &Reading<'_>,
    column: usize,
    codes: &[u16],
    folds: usize,
) -> Result<Assigned, DataError> {
    let ticks = read_ticks(reading, column, codes)?;
    let mut sorted: Vec<i64> =
        ticks.iter().zip(codes).filter(|&(_, &code)| is_trained(code)).map(|(&tick, _)| tick).collect();
    sorted.par_sort_unstable();
    let cuts = cuts(&sorted, folds + 1);
    drop(sorted);
    if cuts.is_empty() {
        return Err(DataError::Folds(FoldError::OneTime {
            column: reading.source.columns[column].name.clone(),
        }));
    }
    let block = |(tick, &code): (i64, &u16)| {
        let block = if is_trained(code) { cuts.partition_point(|&cut| cut <= tick) } else { 0 };
        u16::try_from(block).unwrap_or(0)
    };
    let of_row = ticks.into_par_iter().zip(codes).map(block).collect();
    let scored =
        (1..).zip(1..).take(cuts.len()).map(|(block, name)| (block, FoldName::Number(name))).collect();
    Ok(Assigned { of_row, folds: Folds { scored, forward: true, n_folds: cuts.len() + 1, null_rows: 0 } })
}

/// The first time of each block except the first, for blocks of as equal sizes as ties allow.
///
/// A cut between equal times moves to the nearer end of the tie. Cuts that coincide are merged.
fn cuts(sorted: &[i64], blocks: usize) -> Vec<i64> {
    let n = sorted.len();
    let mut cuts = Vec::with_capacity(blocks - 1);
    for block in 1..blocks {
        let at = block * n / blocks;
        let Some(&tick) = sorted.get(at) else { continue };
        let first = sorted.partition_point(|&t| t < tick);
        let end = sorted.partition_point(|&t| t <= tick);
        let cut = if first > 0 && (at - first <= end - at || end == n) { first } else { end };
        if sorted.get(cut) != cuts.last() {
            cuts.extend(sorted.get(cut));
        }
    }
    cuts
}

/// The time of every row; for rows that are not trained on, it may be a placeholder.
fn read_ticks(reading: &Reading<'_>, column: usize, codes: &[u16]) -> Result<Vec<i64>, DataError> {
    let source = reading.source;
    let kind = Ticks::new(source, column);
    let mut ticks = vec![0; codes.len()];
    in_order(by_group(source, &mut ticks).into_par_iter().zip(&source.groups), |(out, group)| {
        let mut chunks = Chunks::open(source, *group, &[column], Types::Decoding, BATCH_ROWS)?;
        let mut row = 0;
        while let Some(arrays) = chunks.next()? {
            reading.check()?;
            let array = &arrays[0];
            let batch = kind.of(array).map_err(|found| {
                DataError::Folds(FoldError::ColumnType {
                    column: source.columns[column].name.clone(),
                    role: "time column",
                    found,
                    expected: "numbers, dates or timestamps",
                })
            })?;
            for (at, tick) in batch.into_iter().enumerate() {
                match tick {
                    Some(tick) => out[row + at] = tick,
                    None if !is_trained(codes[group.first_row + row + at]) => {}
                    None => {
                        let is_null = array.logical_nulls().is_some_and(|nulls| nulls.is_null(at));
                        let value = if is_null { "null" } else { "NaN" };
                        return Err(DataError::Folds(FoldError::NoTime {
                            path: source.path(group),
                            column: source.columns[column].name.clone(),
                            row_group: group.index,
                            row: row + at,
                            value,
                        }));
                    }
                }
            }
            row += array.len();
        }
        Ok(())
    })?;
    Ok(ticks)
}

#[cfg(test)]
mod tests {
    use super::cuts;

    #[test]
    fn cuts_make_equal_blocks_and_spare_ties() {
        let distinct: Vec<i64> = (0..12).collect();
        assert_eq!(cuts(&distinct, 4), [3, 6, 9]);
        assert_eq!(cuts(&[1, 2, 2, 2, 2, 3], 2), [2], "the nearer end, or the first");
        assert_eq!(cuts(&[1, 1, 1, 1, 2], 3), [2], "no block before the first time");
        assert_eq!(cuts(&[1, 2, 2, 2, 2], 3), [2], "no block after the last");
        assert_eq!(cuts(&[5, 5, 5], 3), [0_i64; 0]);
        assert_eq!(cuts(&[1, 2], 6), [2]);
    }
}
