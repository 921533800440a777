//! Selects the rows of a table that are held out for validation.

use super::deal::hash;
use super::rows::{DROPPED, HELD_OUT};

/// Leading bits of a hash by which rows are counted into buckets.
const BITS: u32 = 16;

/// Holds out `fraction` of the kept rows, rounded to whole rows: the first ones in the order of a hash of
/// their index. The last row of each class in that order is always trained on. If too few other rows are
/// left, nothing is held out.
pub(super) fn hold_out(codes: &mut [u16], fraction: f64, seed: u64, n_classes: usize) {
    if fraction <= 0.0 {
        return;
    }
    let key = |row: usize| hash(seed ^ 0x7661_6c69, row as u64);
    let mut last: Vec<Option<(u64, usize)>> = vec![None; n_classes];
    let mut kept = 0;
    for (row, &code) in codes.iter().enumerate().filter(|&(_, &code)| code != DROPPED) {
        let of_class = &mut last[usize::from(code)];
        *of_class = (*of_class).max(Some((key(row), row)));
        kept += 1;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of rows")]
    let wanted = (kept as f64 * fraction).round() as usize;
    let free = kept - last.iter().flatten().count();
    if wanted == 0 || wanted > free {
        return;
    }
    let is_free = |row: usize, code: u16| {
        code != DROPPED && last[usize::from(code)].is_some_and(|(_, reserved)| reserved != row)
    };
    let rows =
        || codes.iter().enumerate().filter(|&(row, &code)| is_free(row, code)).map(|(row, _)| key(row));
    let largest = smallest(rows, wanted);
    for (row, code) in codes.iter_mut().enumerate() {
        if is_free(row, *code) && key(row) <= largest {
            *code |= HELD_OUT;
        }
    }
}

/// The `wanted`-th smallest key. There must be at least `wanted` keys, all distinct. Iterates over the keys
/// twice, and stores only those of one bucket.
fn smallest<I: Iterator<Item = u64>>(keys: impl Fn() -> I, mut wanted: usize) -> u64 {
    let bucket = |key: u64| (key >> (u64::BITS - BITS)) as usize;
    let mut counts = vec![0; 1 << BITS];
    keys().for_each(|key| counts[bucket(key)] += 1);
    let mut at = 0;
    while counts[at] < wanted {
        wanted -= counts[at];
        at += 1;
    }
    let mut inside: Vec<u64> = keys().filter(|&key| bucket(key) == at).collect();
    *inside.select_nth_unstable(wanted - 1).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out(codes: &[u16], fraction: f64) -> Vec<usize> {
        let mut codes = codes.to_vec();
        hold_out(&mut codes, fraction, 3, 2);
        (0..codes.len()).filter(|&row| codes[row] != DROPPED && codes[row] & HELD_OUT != 0).collect()
    }

    #[test]
    fn the_share_is_exact_in_any_order_of_rows_and_larger_ones_hold_the_smaller() {
        let sorted: Vec<u16> = (0..100_000).map(|row| u16::from(row >= 50_000)).collect();
        let mut before = Vec::new();
        for fraction in [0.00001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.99998] {
            let found = held_out(&sorted, fraction);
            assert_eq!(found.len() as f64, (fraction * 1e5).round(), "{fraction}");
            assert!(before.iter().all(|row| found.binary_search(row).is_ok()), "{fraction}");
            before = found;
        }
        // A row of each class is left.
        let trained = |class: u16| (0..100_000).any(|row| sorted[row] == class && !before.contains(&row));
        assert!(trained(0) && trained(1));
        assert!(held_out(&sorted, 0.99999).is_empty(), "one row is none for two classes");
    }

    #[test]
    fn rows_that_are_dropped_do_not_count() {
        let codes = [DROPPED, 0, 1, DROPPED, 0, 1, 0, 1, 0, 1, DROPPED, 0, 1];
        assert_eq!(held_out(&codes, 0.5).len(), 5);
        assert!(held_out(&codes, 0.04).is_empty());
        assert!(held_out(&codes, 0.9).is_empty());
        assert_eq!(held_out(&codes, 0.8).len(), 8);
    }
}
