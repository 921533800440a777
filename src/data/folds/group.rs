//! Folds that keep groups of rows together.

use super::groups::Groups;
use super::{Assigned, Folds};
use crate::data::deal::hash;
use crate::data::keys::NULL_ID;
use crate::data::rows::is_trained;
use crate::data::training::Reading;
use crate::error::{DataError, FoldError};
use rayon::prelude::*;
use std::cmp::Reverse;

/// Puts rows with the same value of a column into the same fold, and balances the classes over the folds.
///
/// Greedy, with the largest groups first. Each group goes to the fold where it adds least to the sum, over
/// folds and classes, of the squared share of the class in the fold. This sum is least when every fold has
/// an equal share of every class.
pub(super) fn by_group_of(
    reading: &Reading<'_>,
    column: usize,
    codes: &[u16],
    n_classes: usize,
    folds: usize,
    seed: u64,
) -> Result<Assigned, DataError> {
    let Groups { ids, n_groups, null_rows } = Groups::read(reading, column, codes)?;
    if n_groups < folds {
        let column = reading.source.columns[column].name.clone();
        return Err(DataError::Folds(FoldError::TooFewGroups { column, groups: n_groups, folds }));
    }
    let classes = ByGroup::new(&ids, n_groups, codes);
    let fold_of = place_groups(&classes, n_classes, folds, hash(seed, 0x6772_6f75));
    drop(classes);
    let fold = |&id: &u32| if id == NULL_ID { 0 } else { fold_of[id as usize] };
    let folds = Folds { null_rows, ..Folds::numbered(folds) };
    Ok(Assigned { of_row: ids.par_iter().map(fold).collect(), folds })
}

/// The classes of each group's rows.
struct ByGroup {
    /// For each group: the index of its first row in `classes`. Ends with the number of rows.
    starts: Vec<usize>,
    classes: Vec<u16>,
}

impl ByGroup {
    fn new(ids: &[u32], n_groups: usize, codes: &[u16]) -> Self {
        let rows = || ids.iter().zip(codes).filter(|&(_, &code)| is_trained(code));
        // While filling, `starts[g + 1]` is the index of the next row of group g.
        let mut starts = vec![0; n_groups + 2];
        for (&id, _) in rows() {
            starts[id as usize + 2] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut classes = vec![0; starts[n_groups + 1]];
        for (&id, &code) in rows() {
            let next = &mut starts[id as usize + 1];
            classes[*next] = code;
            *next += 1;
        }
        starts.truncate(n_groups + 1);
        Self { starts, classes }
    }

    fn of(&self, group: u32) -> &[u16] {
        let group = group as usize;
        &self.classes[self.starts[group]..self.starts[group + 1]]
    }
}

/// The fold of each group.
fn place_groups(groups: &ByGroup, n_classes: usize, folds: usize, seed: u64) -> Vec<u16> {
    let mut totals = vec![0.0_f64; n_classes];
    for &class in &groups.classes {
        totals[usize::from(class)] += 1.0;
    }
    let n_groups = u32::try_from(groups.starts.len() - 1).unwrap_or(NULL_ID);
    // Complete keys, since looking up sizes while sorting would miss the caches. 32 bits of a hash suffice
    // to break ties at random.
    let key = |group| {
        let size = u32::try_from(groups.of(group).len()).unwrap_or(u32::MAX);
        (Reverse(size), (hash(seed, u64::from(group)) >> 32) as u32, group)
    };
    let mut order: Vec<(Reverse<u32>, u32, u32)> = (0..n_groups).map(key).collect();
    order.par_sort_unstable();

    let mut fold_of = vec![0; groups.starts.len() - 1];
    let mut counts = vec![0.0_f64; n_classes * folds]; // [class][fold]
    let mut rows = vec![0_usize; folds];
    let mut costs = vec![0.0_f64; folds];
    let mut in_group = vec![0.0_f64; n_classes];
    let mut present = Vec::new();
    for (_, _, group) in order {
        for &class in groups.of(group) {
            let count = &mut in_group[usize::from(class)];
            if *count == 0.0 {
                present.push(usize::from(class));
            }
            *count += 1.0;
        }
        // (n + c)^2 - n^2 = 2 n c + c^2, where c^2 is the same for every fold.
        costs.fill(0.0);
        for &class in &present {
            let factor = in_group[class] / (totals[class] * totals[class]);
            for (cost, count) in costs.iter_mut().zip(&counts[class * folds..]) {
                *cost += factor * count;
            }
        }
        // An empty fold has cost 0 and the fewest rows. So with enough groups, no fold stays empty.
        let best = |&a: &usize, &b: &usize| costs[a].total_cmp(&costs[b]).then(rows[a].cmp(&rows[b]));
        let fold = (0..folds).min_by(best).unwrap_or(0);
        for class in present.drain(..) {
            counts[class * folds + fold] += std::mem::take(&mut in_group[class]);
        }
        rows[fold] += groups.of(group).len();
        fold_of[group as usize] = u16::try_from(fold).unwrap_or(0);
    }
    fold_of
}
