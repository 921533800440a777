//! Writes a column's values, given in row order, into the pieces of a span.

use super::deal::Span;

/// Values of a column that are buffered before they are written.
const HELD: usize = 32_768;

/// Writes one feature of one span.
///
/// Neighbouring rows go to different panels, whose slots for one feature can be a large power of two apart.
/// Written one by one, they would evict each other's cache lines up to sixteen times. So a block of rounds is
/// buffered and written piece by piece, whole cache lines at a time.
pub(crate) struct Scatter<'a> {
    span: &'a Span,
    pieces: Vec<&'a mut [f32]>,
    /// `held[(round - first_round) * stride + piece]`.
    held: Vec<f32>,
    stride: usize,
    rounds_held: usize,
    first_round: usize,
    round: usize,
    /// Number of rows of the current round that are dealt.
    dealt: usize,
}

impl<'a> Scatter<'a> {
    /// A writer into `pieces`, the slices of one feature of `span` in dealing order.
    pub(crate) fn new(span: &'a Span, pieces: Vec<&'a mut [f32]>) -> Self {
        // The added 16 avoids strides that are powers of two, which would map rounds to the same cache sets.
        let stride = pieces.len() + 16;
        let rounds_held = (HELD / stride / 16 * 16).clamp(16, 256).min(span.rounds().max(1));
        let held = vec![0.0; rounds_held * stride];
        Self { span, pieces, held, stride, rounds_held, first_round: 0, round: 0, dealt: 0 }
    }

    /// Deals the next rows.
    pub(crate) fn push(&mut self, mut values: &[f32]) {
        while !values.is_empty() {
            let active = self.span.active(self.round);
            let (now, later) = values.split_at(values.len().min(active - self.dealt));
            let base = (self.round - self.first_round) * self.stride;
            let at = (self.dealt + self.span.offset(self.round)) % active;
            let (straight, wrapped) = now.split_at(now.len().min(active - at));
            self.held[base + at..][..straight.len()].copy_from_slice(straight);
            self.held[base..][..wrapped.len()].copy_from_slice(wrapped);
            self.dealt += now.len();
            values = later;
            if self.dealt == active {
                self.dealt = 0;
                self.round += 1;
                if self.round - self.first_round == self.rounds_held || self.round == self.span.rounds() {
                    self.write();
                }
            }
        }
    }

    fn write(&mut self) {
        let (first, end) = (self.first_round, self.round);
        let mut p = 0;
        for block in self.pieces.chunks_mut(TILE) {
            // Pieces are sorted by length, so the last one is the shortest.
            let whole = block.len() == TILE && block[TILE - 1].len() >= end;
            if whole {
                let mut round = first;
                while round + TILE <= end {
                    let held = &self.held[(round - first) * self.stride + p..];
                    transpose(held, self.stride, block, round);
                    round += TILE;
                }
                for (piece, p) in block.iter_mut().zip(p..).filter(|_| round < end) {
                    let held = &self.held[(round - first) * self.stride + p..];
                    copy(held, self.stride, &mut piece[round..end]);
                }
            } else {
                for (piece, p) in block.iter_mut().zip(p..) {
                    let stop = end.min(piece.len());
                    if first < stop {
                        copy(&self.held[p..], self.stride, &mut piece[first..stop]);
                    }
                }
            }
            p += TILE;
        }
        self.first_round = end;
    }
}

/// Side of the square block that is transposed in registers.
const TILE: usize = 8;

/// Writes `TILE` rounds of `TILE` pieces.
fn transpose(held: &[f32], stride: usize, pieces: &mut [&mut [f32]], round: usize) {
    let mut tile = [[0.0_f32; TILE]; TILE];
    for (r, row) in tile.iter_mut().enumerate() {
        row.copy_from_slice(&held[r * stride..][..TILE]);
    }
    for (p, piece) in pieces.iter_mut().enumerate() {
        let out: &mut [f32] = &mut piece[round..round + TILE];
        for r in 0..TILE {
            out[r] = tile[r][p];
        }
    }
}

fn copy(held: &[f32], stride: usize, out: &mut [f32]) {
    for (out, held) in out.iter_mut().zip(held.iter().step_by(stride)) {
        *out = *held;
    }
}

#[cfg(test)]
mod tests {
    use super::super::deal::{spans, split};
    use super::*;
    use crate::panels::Panels;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_land_where_their_rows_are_dealt(
            rows in prop::collection::vec(1_usize..20_000, 1..4), batch in 1_usize..3000, seed: u64,
        ) {
            let spans = spans(rows.iter().copied(), seed);
            let total: usize = rows.iter().sum();
            let mut panels = Panels::zeros(total, 1);
            for (span, mut features) in spans.iter().zip(split(panels.values_mut(), 1, &spans)) {
                let values: Vec<f32> = (0..span.slots().len()).map(|i| i as f32 + 1.0).collect();
                let mut scatter = Scatter::new(span, features.remove(0));
                values.chunks(batch).for_each(|part| scatter.push(part));
            }
            for span in &spans {
                for (row, (piece, round)) in span.places().enumerate() {
                    prop_assert_eq!(panels.value(span.starts()[piece] + round, 0), row as f32 + 1.0);
                }
            }
        }
    }
}
