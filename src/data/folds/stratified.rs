//! Random folds, each with an equal share of every class.

use super::{Assigned, Folds};
use crate::data::deal::hash;
use crate::data::rows::is_trained;
use crate::error::{DataError, FoldError};

/// Deals the rows of each class, in file order, in rounds of one row per fold, with the folds of a round
/// shuffled.
///
/// The last round of a class may be short. The short rounds of all classes take consecutive folds along one
/// shuffled circle of folds. So the sizes of folds differ by at most one row, both within each class and
/// over all classes.
pub(super) fn stratified(
    codes: &[u16],
    n_classes: usize,
    folds: usize,
    seed: u64,
) -> Result<Assigned, DataError> {
    let mut rows = vec![0_usize; n_classes];
    for &code in codes.iter().filter(|&&code| is_trained(code)) {
        rows[usize::from(code)] += 1;
    }
    let n_rows: usize = rows.iter().sum();
    if n_rows < folds {
        return Err(DataError::Folds(FoldError::TooFewRows { rows: n_rows, folds }));
    }
    let mut random = Random::new(hash(seed, 0x7374_7261));
    let mut circle: Vec<u16> = (0..).take(folds).collect();
    random.shuffle(&mut circle);
    let mut start = 0;
    let mut classes: Vec<Class> = (0..)
        .zip(&rows)
        .map(|(class, &left)| {
            let arc = (0..left % folds).map(|at| circle[(start + at) % folds]).collect();
            start = (start + left) % folds;
            Class { hand: Vec::new(), left, arc, random: Random::new(hash(random.seed, class)) }
        })
        .collect();
    let fold = |&code: &u16| if is_trained(code) { classes[usize::from(code)].next(folds) } else { 0 };
    Ok(Assigned { of_row: codes.iter().map(fold).collect(), folds: Folds::numbered(folds) })
}

/// The dealing of one class.
struct Class {
    /// The folds that are left in the current round.
    hand: Vec<u16>,
    /// Number of rows after the current round.
    left: usize,
    /// The folds of the last, short round.
    arc: Vec<u16>,
    random: Random,
}

impl Class {
    /// The fold of the next row.
    fn next(&mut self, folds: usize) -> u16 {
        if self.hand.is_empty() {
            if self.left >= folds {
                self.hand.extend((0..).take(folds));
            } else {
                self.hand.append(&mut self.arc);
            }
            self.left -= self.hand.len();
            self.random.shuffle(&mut self.hand);
        }
        self.hand.pop().unwrap_or(0)
    }
}

/// A seeded random number generator.
struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Fisher-Yates shuffle. The bias of taking the remainder of 64-bit numbers is negligible.
    fn shuffle(&mut self, values: &mut [u16]) {
        for last in (1..values.len()).rev() {
            self.drawn += 1;
            let at = hash(self.seed, self.drawn) % (last as u64 + 1);
            values.swap(last, usize::try_from(at).unwrap_or(0));
        }
    }
}
