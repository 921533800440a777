//! Exact rankings of the rows, for some classes at a time.

use std::ops::Range;

use rayon::prelude::*;

use super::Witness;
use super::bootstrap::{Drawing, Draws};
use super::contest::{Contest, Rows};
use super::report::IntervalMethod;
use crate::data::available_memory;
use crate::error::Result;
use crate::metrics::{LiftPart, Order, Ranked, Ranking, Scores, delong};
use crate::model::Task;
use crate::observer::Observer;

/// Memory for scores if the available memory is not known.
const DEFAULT_MEMORY: u64 = 1 << 30;
/// Parts of a lift table.
const DECILES: usize = 10;

/// Assigns the rankings to passes over the table.
///
/// A binary model has one ranking, of its positive class; other models have one for each class. A ranking
/// holds 8 bytes for each row and model, or 16 with row weights.
pub(crate) struct Plan {
    n_rankings: usize,
    at_once: usize,
    /// Bytes of one ranking, and of the data shared by all rankings.
    of_one: u64,
    fixed: u64,
    /// Bytes of all rankings together, and the limit.
    pub(super) bytes: u64,
    pub(super) memory: u64,
}

impl Plan {
    /// As many rankings in each pass as fit into half of `memory`, at least one; the other half is for blocks
    /// of the table. Without `memory` it is the memory that is available.
    pub(crate) fn new(contest: &Contest<'_>, memory: Option<u64>, method: Option<IntervalMethod>) -> Self {
        let n_rankings = if contest.task() == Task::Binary { 1 } else { contest.classes().len() };
        let rows = contest.n_rows() as u64;
        // With intervals: the class and weight of each row, its influence on each model, and one ranking
        // while it is sorted.
        let (per_model, fixed) = match method {
            None => (Scores::bytes_per_row(contest.is_weighted()), 0),
            Some(_) => (size_of::<f64>(), 2 + 8 * contest.models.len() + 8 + 16),
        };
        let fixed = rows * fixed as u64;
        let of_one = rows * (per_model * contest.models.len()) as u64;
        let memory = memory.or_else(available_memory).map_or(DEFAULT_MEMORY, |bytes| bytes / 2);
        let room = memory.saturating_sub(fixed);
        let at_once = usize::try_from(room / of_one.max(1)).unwrap_or(usize::MAX).clamp(1, n_rankings);
        Self { n_rankings, at_once, of_one, fixed, bytes: of_one * n_rankings as u64 + fixed, memory }
    }

    /// Bytes of the rankings of one pass.
    pub(crate) fn held(&self) -> u64 {
        self.of_one * self.at_once as u64 + self.fixed
    }

    /// The rankings of each pass.
    pub(crate) fn readings(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        let (n, at_once) = (self.n_rankings, self.at_once);
        (0..n).step_by(at_once).map(move |first| first..(first + at_once).min(n))
    }
}

/// One ranking of the rows by one model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rank {
    pub(super) ranking: Option<Ranking>,
    pub(super) lift: Vec<LiftPart>,
    /// DeLong: variance of the AUC.
    pub(super) variance: Option<f64>,
    /// Bootstrap: AUC and average precision of each replicate; NaN if one side has no rows.
    pub(super) replicates: Vec<(f64, f64)>,
}

/// The scores of some rankings.
pub(super) struct Held<'a> {
    contest: &'a Contest<'a>,
    rankings: Range<usize>,
    /// Without intervals: scores for each ranking and model.
    sides: Vec<Vec<Scores>>,
    /// With intervals: scores for each ranking and model, in the order of the rows.
    columns: Vec<Vec<Vec<f64>>>,
    class: Vec<u16>,
    weight: Option<Vec<f64>>,
    draws: Option<&'a Draws>,
}

impl<'a> Held<'a> {
    pub(super) fn new(
        contest: &'a Contest<'a>,
        rankings: Range<usize>,
        method: Option<IntervalMethod>,
        draws: Option<&'a Draws>,
    ) -> Self {
        let (n, n_models) = (rankings.len(), contest.models.len());
        let empty = if contest.is_weighted() { Scores::weighted() } else { Scores::counted() };
        let by_rows = method.is_some();
        Self {
            contest,
            rankings,
            sides: if by_rows { Vec::new() } else { vec![vec![empty; n_models]; n] },
            columns: if by_rows { vec![vec![Vec::new(); n_models]; n] } else { Vec::new() },
            class: Vec::new(),
            weight: (by_rows && contest.is_weighted()).then(Vec::new),
            draws,
        }
    }

    /// The class that a ranking separates from all others.
    fn class_of(&self, ranking: usize) -> usize {
        if self.contest.task() == Task::Binary { self.contest.scorers[0].positive() } else { ranking }
    }

    /// Adds rows, with the scores of each model.
    pub(super) fn push(&mut self, rows: &Rows, scores: &[Vec<f64>]) {
        let first = self.rankings.start;
        let classes: Vec<usize> = self.rankings.clone().map(|ranking| self.class_of(ranking)).collect();
        let width = self.contest.scorers[0].n_models();
        self.sides.par_iter_mut().enumerate().for_each(|(at, models)| {
            models.par_iter_mut().zip(scores).for_each(|(held, scores)| {
                let column = scores.iter().skip(first + at).step_by(width);
                for (i, (&score, &class)) in column.zip(&rows.class).enumerate() {
                    held.push(score, rows.weight(i), class as usize == classes[at]);
                }
            });
        });
        self.columns.par_iter_mut().enumerate().for_each(|(at, models)| {
            models.par_iter_mut().zip(scores).for_each(|(held, scores)| {
                held.extend(scores.iter().skip(first + at).step_by(width));
            });
        });
        if !self.columns.is_empty() {
            self.class.extend(rows.class.iter().map(|&class| class as u16));
            if let (Some(held), Some(weight)) = (&mut self.weight, &rows.weight) {
                held.extend_from_slice(weight);
            }
        }
    }

    /// The rankings, for each model. `influence` receives DeLong's influence of each row on each model,
    /// summed over the rankings with an AUC. The observer may stop the work between rankings and between
    /// resamples.
    pub(super) fn finish(
        mut self,
        influence: &mut [Vec<f64>],
        witness: &mut dyn Witness,
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<Rank>>> {
        let drawing = Drawing::new(observer, self.draws, self.rankings.len() * self.contest.models.len());
        let mut ranks: Vec<Vec<Rank>> = Vec::new();
        for (at, models) in std::mem::take(&mut self.sides).into_iter().enumerate() {
            let class = self.class_of(self.rankings.start + at);
            let of_model = |scores: Scores| {
                drawing.check()?;
                let ranked = scores.rank();
                witness.ranked(self.contest, class, &ranked);
                Ok(of_ranked(&ranked))
            };
            ranks.push(models.into_iter().map(of_model).collect::<Result<_>>()?);
        }
        for (at, models) in std::mem::take(&mut self.columns).into_iter().enumerate() {
            let class = self.class_of(self.rankings.start + at);
            let is_positive: Vec<bool> = self.class.iter().map(|&of| usize::from(of) == class).collect();
            let of_model = |(m, column)| self.of_column(column, &is_positive, influence.get_mut(m), &drawing);
            ranks.push(models.into_iter().enumerate().map(of_model).collect::<Result<_>>()?);
        }
        Ok(ranks)
    }

    fn of_column(
        &self,
        mut column: Vec<f64>,
        is_positive: &[bool],
        influence: Option<&mut Vec<f64>>,
        drawing: &Drawing<'_>,
    ) -> Result<Rank> {
        drawing.check()?;
        let mut scores = if self.weight.is_some() { Scores::weighted() } else { Scores::counted() };
        for (i, (&score, &positive)) in column.iter().zip(is_positive).enumerate() {
            scores.push(score, self.weight.as_ref().map_or(1.0, |weight| weight[i]), positive);
        }
        let mut rank = of_ranked(&scores.rank());
        if let Some(draws) = self.draws {
            rank.replicates =
                draws.rankings(&Order::new(&column), is_positive, self.weight.as_deref(), drawing)?;
        } else if let Some(influence) = influence
            && delong(&mut column, is_positive).is_some()
        {
            rank.variance = Some(column.iter().map(|x| x * x).sum());
            influence.resize(column.len(), 0.0);
            influence.iter_mut().zip(&column).for_each(|(sum, x)| *sum += x);
        }
        Ok(rank)
    }
}

fn of_ranked(ranked: &Ranked) -> Rank {
    Rank { ranking: ranked.ranking(), lift: ranked.lift(DECILES), ..Rank::default() }
}
