//! Scores of rows that are or are not of a class, sorted once.

use rayon::prelude::*;

/// Collects scores: 8 bytes a row, 16 with weights.
///
/// The two sides are kept apart, so that neither the class nor, without weights, anything but the
/// score is stored. All 64 bits of a score count.
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
    /// For rows of weight 1.
    pub fn counted() -> Self {
        Self { sides: [Side::Counted(Vec::new()), Side::Counted(Vec::new())] }
    }

    /// For rows with weights of their own.
    pub fn weighted() -> Self {
        Self { sides: [Side::Weighted(Vec::new()), Side::Weighted(Vec::new())] }
    }

    /// Bytes that a row takes.
    pub fn bytes_per_row(weighted: bool) -> usize {
        if weighted { size_of::<(u64, f64)>() } else { size_of::<u64>() }
    }

    /// Adds a row; one of weight 0 is none, as everywhere in scikit-learn.
    ///
    /// # Panics
    /// In debug builds, if the weight is not 1 and rows are counted.
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

    /// Sorts, in parallel and in place.
    pub fn rank(mut self) -> Ranked {
        for side in &mut self.sides {
            match side {
                Side::Counted(rows) => rows.par_sort_unstable(),
                // Equal scores by weight: a sum over them must not depend on how the threads sorted.
                Side::Weighted(rows) => rows.par_sort_unstable_by_key(|row| (row.0, row.1.to_bits())),
            }
        }
        let weight = [self.sides[0].weight(), self.sides[1].weight()];
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
    fn weight(&self) -> f64 {
        match self {
            Self::Counted(rows) => rows.len() as f64,
            Self::Weighted(rows) => rows.iter().map(|row| row.1).sum(),
        }
    }

    fn key(&self, at: usize) -> Option<u64> {
        match self {
            Self::Counted(rows) => rows.get(at).copied(),
            Self::Weighted(rows) => rows.get(at).map(|row| row.0),
        }
    }

    /// Weight of the rows of `key` from `at` on, which moves behind them.
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

    /// The distinct scores, descending; rows of equal score form one step, so that nothing depends on
    /// their order.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let mut at = [0, 0];
        std::iter::from_fn(move || {
            let keys = [self.sides[0].key(at[0]), self.sides[1].key(at[1])];
            let key = match keys {
                [Some(a), Some(b)] => a.min(b),
                [one, other] => one.or(other)?,
            };
            let [lost, gained] = &mut at;
            Some(Step {
                score: score_of_key(key),
                positive: self.sides[1].take(key, gained),
                negative: self.sides[0].take(key, lost),
            })
        })
    }
}

/// Integers in the descending order of float64, zero and minus zero being one.
pub(super) fn descending_key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    // Ascending would be: all bits of negatives turned, the sign of the others.
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
