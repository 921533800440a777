//! Assigns each row to a slot.
//!
//! Rows are dealt over panels like cards, so that even a table sorted by date or label gives mixed panels.
//! A *span* is a run of whole row groups, which owns a contiguous range of slots. Its *pieces* are the
//! parts of that range that lie in one panel each, longest first. Round `r` deals one row to each piece
//! longer than `r`, starting with the piece at a seeded offset:
//!
//! ```text
//! slot of row j of round r = start(piece) + r,   piece = (j + offset(span, r)) mod active(r)
//! ```
//!
//! The pieces longer than `r` are a prefix of all pieces. So a column is written as one sequential stream
//! per piece.

use crate::panels::PANEL_ROWS;

/// Fewest rows of a span, except of the last one: 512 panels.
pub(crate) const SPAN_ROWS: usize = 131_072;

/// A well-mixed 64-bit hash of two numbers (the finaliser of `SplitMix64`).
pub(crate) fn hash(seed: u64, value: u64) -> u64 {
    let mut z = seed ^ value.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Groups row groups into spans of at least `span_rows` kept rows. Returns the end of each span.
pub(crate) fn span_ends(kept: &[usize], span_rows: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut rows = 0;
    for (group, &n) in kept.iter().enumerate() {
        rows += n;
        if rows >= span_rows {
            ends.push(group + 1);
            rows = 0;
        }
    }
    if ends.last().copied().unwrap_or(0) < kept.len() {
        ends.push(kept.len());
    }
    ends
}

/// How the rows of one span are dealt.
#[derive(Debug)]
pub(crate) struct Span {
    first_slot: usize,
    n_rows: usize,
    /// First slot of each piece, longest piece first.
    starts: Vec<usize>,
    /// For each round: the number of pieces that get a row.
    active: Vec<u32>,
    seed: u64,
}

impl Span {
    /// The span that owns `n_rows` slots from `first_slot`.
    pub(crate) fn new(first_slot: usize, n_rows: usize, seed: u64) -> Self {
        let end = first_slot + n_rows;
        let mut pieces = Vec::with_capacity(n_rows / PANEL_ROWS + 2);
        let mut start = first_slot;
        while start < end {
            let stop = ((start / PANEL_ROWS + 1) * PANEL_ROWS).min(end);
            pieces.push((start, stop - start));
            start = stop;
        }
        pieces.sort_by_key(|&(_, len)| std::cmp::Reverse(len));
        let rounds = pieces.first().map_or(0, |&(_, len)| len);
        let active = (0..rounds)
            .map(|round| u32::try_from(pieces.partition_point(|&(_, len)| len > round)).unwrap_or(u32::MAX))
            .collect();
        let starts = pieces.into_iter().map(|(start, _)| start).collect();
        Self { first_slot, n_rows, starts, active, seed: hash(seed, first_slot as u64) }
    }

    /// The slots that the span owns.
    pub(crate) fn slots(&self) -> std::ops::Range<usize> {
        self.first_slot..self.first_slot + self.n_rows
    }

    /// First slot of each piece, in dealing order.
    pub(crate) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Number of rounds that deal all rows.
    pub(crate) fn rounds(&self) -> usize {
        self.active.len()
    }

    /// Number of pieces that get a row in `round`.
    pub(crate) fn active(&self, round: usize) -> usize {
        self.active[round] as usize
    }

    /// The piece that gets the first row of `round`.
    pub(crate) fn offset(&self, round: usize) -> usize {
        let active = u64::from(self.active[round]);
        usize::try_from(hash(self.seed, round as u64) % active).unwrap_or(0)
    }

    /// `(piece, round)` of each row, in row order; the slot is `starts[piece] + round`.
    pub(crate) fn places(&self) -> Places<'_> {
        Places { span: self, round: 0, dealt: 0, piece: if self.n_rows == 0 { 0 } else { self.offset(0) } }
    }
}

/// Iterator over the places of a span's rows.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    span: &'a Span,
    round: usize,
    dealt: usize,
    piece: usize,
}

impl Iterator for Places<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        if self.round == self.span.rounds() {
            return None;
        }
        let place = (self.piece, self.round);
        let active = self.span.active(self.round);
        self.dealt += 1;
        self.piece += 1;
        if self.piece == active {
            self.piece = 0;
        }
        if self.dealt == active {
            self.dealt = 0;
            self.round += 1;
            if self.round < self.span.rounds() {
                self.piece = self.span.offset(self.round);
            }
        }
        Some(place)
    }
}

/// The spans of a table, from the number of kept rows of each.
pub(crate) fn spans(kept: impl Iterator<Item = usize>, seed: u64) -> Vec<Span> {
    let mut first_slot = 0;
    kept.map(|n_rows| {
        let span = Span::new(first_slot, n_rows, seed);
        first_slot += n_rows;
        span
    })
    .collect()
}

/// The slices of each span's pieces: `[span][feature][piece]`.
pub(crate) fn split<'a>(
    values: &'a mut [f32],
    n_features: usize,
    spans: &[Span],
) -> Vec<Vec<Vec<&'a mut [f32]>>> {
    let mut result: Vec<Vec<Vec<&mut [f32]>>> =
        spans.iter().map(|s| (0..n_features).map(|_| Vec::with_capacity(s.starts.len())).collect()).collect();
    let mut first = 0;
    if n_features > 0 {
        for (panel, columns) in values.chunks_mut(PANEL_ROWS * n_features).enumerate() {
            let slots = panel * PANEL_ROWS..(panel + 1) * PANEL_ROWS;
            while first < spans.len() && spans[first].slots().end <= slots.start {
                first += 1;
            }
            for (feature, mut lanes) in columns.chunks_mut(PANEL_ROWS).enumerate() {
                for (owner, span) in spans.iter().enumerate().skip(first) {
                    let owned = span.slots();
                    if owned.start >= slots.end {
                        break;
                    }
                    if owned.is_empty() {
                        continue;
                    }
                    let len = owned.end.min(slots.end) - owned.start.max(slots.start);
                    let (piece, rest) = lanes.split_at_mut(len);
                    result[owner][feature].push(piece);
                    lanes = rest;
                }
            }
        }
    }
    // The pieces are in slot order. Dealing order needs the same stable sort as in `Span::new`.
    for columns in &mut result {
        for pieces in columns {
            pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_gets_its_own_slot(
            groups in prop::collection::vec(0_usize..700, 1..8), span_rows in 1_usize..900, seed: u64,
        ) {
            let ends = span_ends(&groups, span_rows);
            let mut begin = 0;
            let rows: Vec<usize> = ends.iter().map(|&end| {
                let n = groups[begin..end].iter().sum();
                begin = end;
                n
            }).collect();
            let total: usize = groups.iter().sum();
            let mut seen = vec![0; total];
            for span in spans(rows.into_iter(), seed) {
                prop_assert_eq!(span.places().count(), span.slots().len());
                for (piece, round) in span.places() {
                    let slot = span.starts()[piece] + round;
                    prop_assert!(span.slots().contains(&slot));
                    seen[slot] += 1;
                }
            }
            prop_assert!(seen.iter().all(|&n| n == 1));
        }

        #[test]
        fn pieces_are_the_slices_of_their_slots(
            rows in prop::collection::vec(0_usize..900, 1..6), n_features in 1_usize..4,
        ) {
            let spans = spans(rows.iter().copied(), 7);
            let total: usize = rows.iter().sum();
            let mut panels = crate::panels::Panels::zeros(total, n_features);
            for (span, features) in spans.iter().zip(split(panels.values_mut(), n_features, &spans)) {
                for (feature, mut pieces) in features.into_iter().enumerate() {
                    prop_assert_eq!(pieces.len(), span.starts().len());
                    for (piece, round) in span.places() {
                        pieces[piece][round] += (10 * (span.starts()[piece] + round) + feature) as f32;
                    }
                }
            }
            for slot in 0..total {
                for feature in 0..n_features {
                    prop_assert_eq!(panels.value(slot, feature), (10 * slot + feature) as f32);
                }
            }
        }
    }

    #[test]
    fn a_sorted_span_spreads_over_its_panels() {
        let span = Span::new(0, 100 * PANEL_ROWS, 3);
        let mut sums = vec![0.0; 100];
        for (row, (piece, _)) in span.places().enumerate() {
            sums[piece] += row as f64 / PANEL_ROWS as f64;
        }
        let middle = (100 * PANEL_ROWS) as f64 / 2.0;
        assert!(sums.iter().all(|mean| (mean - middle).abs() < 0.01 * middle));
    }
}
