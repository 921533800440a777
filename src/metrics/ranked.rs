//! Scores of positive and negative rows, sorted once.

use std::ops::Range;

use rayon::prelude::*;

/// Smallest number of positives in a stretch.
const ROWS_PER_STRETCH: usize = 1 << 14;
/// Largest number of stretches in a ranking.
const MAX_STRETCHES: usize = 64;

/// Collects scores: 8 bytes a row, 16 with weights.
///
/// The two sides are stored separately, so that the class needs no storage and, without weights, only the
/// score does. Scores keep all 64 bits.
#[derive(Debug, Clone)]
pub struct Scores {
    /// Negatives, positives.
    sides: [Side; 2],
}

/// The rows of one side.
#[derive(Debug, Clone)]
enum Side {
    /// Every row has weight 1.
    Counted(Vec<u64>),
    Weighted(Vec<(u64, f64)>),
}

/// Rows of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The score.
    pub score: f64,
    /// Weight of the positives that have it.
    pub positive: f64,
    /// Weight of the negatives that have it.
    pub negative: f64,
}

/// Rows in descending order of their scores.
#[derive(Debug, Clone)]
pub struct Ranked {
    sides: [Side; 2],
    weight: [f64; 2],
}

impl Scores {
    /// An empty collection for rows of weight 1.
    pub fn counted() -> Self {
        Self { sides: [Side::Counted(Vec::new()), Side::Counted(Vec::new())] }
    }

    /// An empty collection for weighted rows.
    pub fn weighted() -> Self {
        Self { sides: [Side::Weighted(Vec::new()), Side::Weighted(Vec::new())] }
    }

    /// Bytes that a row takes.
    pub fn bytes_per_row(weighted: bool) -> usize {
        if weighted { size_of::<(u64, f64)>() } else { size_of::<u64>() }
    }

    /// Adds a row; a row of weight 0 is ignored.
    ///
    /// # Panics
    /// In debug builds, if the collection is for rows of weight 1 and the weight is not 1.
    pub fn push(&mut self, score: f64, weight: f64, is_positive: bool) {
        let key = descending_key(score);
        match &mut self.sides[usize::from(is_positive)] {
            Side::Counted(rows) => {
                debug_assert!(weight == 1.0, "counted rows have weight 1");
                rows.push(key);
            }
            Side::Weighted(rows) if weight > 0.0 => rows.push((key, weight)),
            Side::Weighted(_) => {}
        }
    }

    /// Sorts in parallel and in place.
    pub fn rank(mut self) -> Ranked {
        for side in &mut self.sides {
            match side {
                Side::Counted(rows) => rows.par_sort_unstable(),
                // Order equal scores by weight, so that a sum over them does not depend on the threads.
                Side::Weighted(rows) => rows.par_sort_unstable_by_key(|row| (row.0, row.1.to_bits())),
            }
        }
        let weight = [0, 1].map(|side| self.sides[side].weight_of(0..self.sides[side].len()));
        Ranked { sides: self.sides, weight }
    }
}

impl FromIterator<(f64, f64, bool)> for Scores {
    /// From `(score, weight, is_positive)`.
    fn from_iter<I: IntoIterator<Item = (f64, f64, bool)>>(rows: I) -> Self {
        let mut scores = Self::weighted();
        for (score, weight, is_positive) in rows {
            scores.push(score, weight, is_positive);
        }
        scores
    }
}

impl Side {
    fn weight_of(&self, range: Range<usize>) -> f64 {
        match self {
            Self::Counted(_) => range.len() as f64,
            Self::Weighted(rows) => rows[range].iter().map(|row| row.1).sum(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Counted(rows) => rows.len(),
            Self::Weighted(rows) => rows.len(),
        }
    }

    fn key(&self, at: usize) -> u64 {
        match self {
            Self::Counted(rows) => rows[at],
            Self::Weighted(rows) => rows[at].0,
        }
    }

    /// The first row with a key beyond `key`.
    fn beyond(&self, key: u64) -> usize {
        match self {
            Self::Counted(rows) => rows.partition_point(|&row| row <= key),
            Self::Weighted(rows) => rows.partition_point(|row| row.0 <= key),
        }
    }

    /// Weight of the rows with `key` from `at` on; moves `at` behind them.
    fn take(&self, key: u64, at: &mut usize) -> f64 {
        let first = *at;
        match self {
            Self::Counted(rows) => {
                *at += rows[first..].iter().take_while(|&&row| row == key).count();
                (*at - first) as f64
            }
            Self::Weighted(rows) => {
                let equal = rows[first..].iter().take_while(|row| row.0 == key);
                equal.inspect(|_| *at += 1).map(|row| row.1).sum()
            }
        }
    }
}

impl Ranked {
    /// P: weight of the positives.
    pub fn positive(&self) -> f64 {
        self.weight[1]
    }

    /// N: weight of the negatives.
    pub fn negative(&self) -> f64 {
        self.weight[0]
    }

    /// The distinct scores, descending. Rows of equal score form one step, so their order does not matter.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        self.steps_between([0, 0], [self.sides[0].len(), self.sides[1].len()])
    }

    /// The steps of a stretch.
    pub(super) fn steps_of(&self, stretch: &Stretch) -> impl Iterator<Item = Step> + '_ {
        self.steps_between(stretch.from, stretch.to)
    }

    fn steps_between(&self, from: [usize; 2], to: [usize; 2]) -> impl Iterator<Item = Step> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            let key =
                |side: usize| if at[side] < to[side] { self.sides[side].key(at[side]) } else { u64::MAX };
            let key = key(0).min(key(1));
            if at == to {
                return None;
            }
            let [lost, gained] = &mut at;
            Some(Step {
                score: score_of_key(key),
                positive: self.sides[1].take(key, gained),
                negative: self.sides[0].take(key, lost),
            })
        })
    }

    /// Divides the ranking into stretches with about the same number of positives, for several threads. The
    /// number of stretches depends only on the rows.
    pub(super) fn stretches(&self) -> Vec<Stretch> {
        let rows = self.sides[1].len();
        let n = (rows / ROWS_PER_STRETCH).clamp(1, MAX_STRETCHES);
        let mut cuts = vec![[0, 0]];
        for k in 1..n {
            let key = self.sides[1].key(k * rows / n);
            cuts.push([self.sides[0].beyond(key), self.sides[1].beyond(key)]);
        }
        cuts.push([self.sides[0].len(), rows]);
        cuts.dedup();
        let weights: Vec<[f64; 2]> = cuts
            .par_windows(2)
            .map(|cut| [0, 1].map(|side| self.sides[side].weight_of(cut[0][side]..cut[1][side])))
            .collect();
        let mut before = [0.0; 2];
        let stretch = |(cut, weight): (&[[usize; 2]], &[f64; 2])| {
            let stretch = Stretch { from: cut[0], to: cut[1], before };
            before = [before[0] + weight[0], before[1] + weight[1]];
            stretch
        };
        cuts.windows(2).zip(&weights).map(stretch).collect()
    }

    /// The lowest score, if there is a row.
    pub(super) fn lowest(&self) -> Option<f64> {
        let last = |side: &Side| side.len().checked_sub(1).map(|at| side.key(at));
        last(&self.sides[0]).max(last(&self.sides[1])).map(score_of_key)
    }
}

/// Consecutive steps of a ranking.
pub(super) struct Stretch {
    from: [usize; 2],
    to: [usize; 2],
    /// Weight of the negatives and of the positives above them.
    pub(super) before: [f64; 2],
}

/// Maps a score to an integer, in descending order of float64; zero and minus zero have the same key.
pub(super) fn descending_key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    // An ascending key would flip all bits of negatives, and the sign bit of the others.
    if bits >> 63 == 1 { bits } else { bits ^ (u64::MAX >> 1) }
}

/// Inverts [`descending_key`].
pub(super) fn score_of_key(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key } else { key ^ (u64::MAX >> 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_every_score_and_turn_its_order() {
        let scores =
            [f64::INFINITY, 1e300, 1.0, f64::from_bits(1), 0.0, -f64::from_bits(1), -2.0, f64::NEG_INFINITY];
        for pair in scores.windows(2) {
            assert!(descending_key(pair[0]) < descending_key(pair[1]), "{pair:?}");
        }
        assert!(scores.iter().all(|&score| score_of_key(descending_key(score)) == score));
        assert_eq!(descending_key(-0.0), descending_key(0.0));
    }

    #[test]
    fn steps_hold_all_rows_of_a_score_and_none_of_weight_zero() {
        let rows =
            [(0.5, 2.0, true), (0.1, 1.0, false), (0.5, 1.0, false), (0.5, 1.0, true), (0.3, 0.0, true)];
        let steps: Vec<Step> = Scores::from_iter(rows).rank().steps().collect();
        let step = |score, positive, negative| Step { score, positive, negative };
        assert_eq!(steps, [step(0.5, 3.0, 1.0), step(0.1, 0.0, 1.0)]);
    }
}
