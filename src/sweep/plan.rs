//! The models of a sweep, and their waves.

use std::ops::Range;

use super::grid::GridPoint;
use crate::config::{ClassWeight, Scoring};
use crate::data::Folds;
use crate::objective::{HeldOut, ModelSpec};
use crate::panels::Rows;
use crate::train::class_model;

/// Ranks in a group if paths may be given up: enough to fill a pass, few enough to stop a path early.
const HALVING_RANKS: usize = 4;

/// Most models in a wave. Far below it arithmetic already limits a pass, and more waves start closer to the
/// optimum.
const MOST_MODELS: usize = 512;

/// One model of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Member {
    /// Index of its grid point.
    pub(super) point: usize,
    /// Index of its class in the list of classes with models.
    pub(super) class: usize,
    /// Index of its fold in the list of scored folds.
    pub(super) fold: usize,
}

/// The models of one grid point, for every class and fold.
pub(super) struct Plan<'a> {
    pub(super) rows: &'a Rows,
    pub(super) folds: &'a Folds,
    /// Indices of the classes that have a model.
    pub(super) classes: Vec<usize>,
    pub(super) points: Vec<GridPoint>,
    pub(super) class_weight: ClassWeight,
}

impl Plan<'_> {
    /// The rows that the model of a class leaves out for a fold.
    pub(super) fn held_out(&self, fold: usize) -> HeldOut {
        let number = self.folds.scored[fold].0;
        if self.folds.forward { HeldOut::from(number) } else { HeldOut::fold(number) }
    }

    /// Total weight of the rows outside a fold, whatever their class.
    pub(super) fn weight_sum(&self, held_out: HeldOut) -> f64 {
        ModelSpec { held_out, ..ModelSpec::shared() }.weight_sum(self.rows)
    }

    /// A member as a model for the engines.
    pub(super) fn model(&self, member: &Member) -> ModelSpec {
        let held_out = self.held_out(member.fold);
        let penalty = self.points[member.point].penalty(self.weight_sum(held_out));
        class_model(self.class_weight, self.rows, self.classes[member.class], penalty, held_out)
    }

    /// Whether a class has rows on both sides outside a fold.
    pub(super) fn is_trainable(&self, class: usize, fold: usize) -> bool {
        #[allow(clippy::cast_possible_truncation, reason = "classes are at most some thousands")]
        let model = ModelSpec {
            class: self.classes[class] as u32,
            held_out: self.held_out(fold),
            ..ModelSpec::shared()
        };
        model.sides(self.rows.weights()).iter().all(|&weight| weight > 0.0)
    }

    /// Weights of the rows that a fold scores: of the class, and of all rows.
    fn scored_weight(&self, class: usize, fold: usize) -> (f64, f64) {
        let by_class =
            self.rows.weights().folds().nth(self.folds.scored[fold].0 as usize).unwrap_or_default();
        (by_class[self.classes[class]], by_class.iter().sum())
    }

    /// Whether a fold has weighted rows on both sides of a class.
    pub(super) fn is_two_sided(&self, class: usize, fold: usize) -> bool {
        let (positive, all) = self.scored_weight(class, fold);
        0.0 < positive && positive < all
    }

    /// Whether any fold will have a score to choose by: for some class if each class takes its own penalty,
    /// else for all.
    pub(super) fn has_scores(&self, scoring: Scoring, per_class: bool) -> bool {
        let is_scored = |class: usize, fold: usize| {
            if scoring.is_ranking() {
                self.is_two_sided(class, fold)
            } else {
                self.scored_weight(class, fold).1 > 0.0
            }
        };
        let classes = || 0..self.classes.len();
        (0..self.folds.scored.len()).any(|fold| {
            if per_class {
                classes().any(|class| self.is_trainable(class, fold) && is_scored(class, fold))
            } else {
                classes().all(|class| self.is_trainable(class, fold))
                    && classes().any(|class| is_scored(class, fold))
            }
        })
    }

    /// The members of some ranks that can be trained, siblings side by side, without those on the paths in
    /// `hopeless` (for a class or for all classes).
    pub(super) fn members(&self, ranks: Range<usize>, hopeless: &[(usize, Option<usize>)]) -> Vec<Member> {
        let skip = |point: usize, class: usize| {
            let path = self.points[point].path;
            hopeless.contains(&(path, None)) || hopeless.contains(&(path, Some(class)))
        };
        let mut members = Vec::new();
        for rank in ranks {
            for (point, _) in self.points.iter().enumerate().filter(|(_, p)| p.rank == rank) {
                for class in (0..self.classes.len()).filter(|&class| !skip(point, class)) {
                    let folds = (0..self.folds.scored.len()).filter(|&fold| self.is_trainable(class, fold));
                    members.extend(folds.map(|fold| Member { point, class, fold }));
                }
            }
        }
        members
    }
}

/// Sizes of the waves: models in a wave, and ranks that are scored together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waves {
    pub(super) models: usize,
    pub(super) ranks: usize,
}

impl Waves {
    /// For models of `of_model` bytes each, `bytes` of host memory, and a device that serves `per_reading`
    /// models in one pass.
    pub(super) fn new(of_model: u64, bytes: Option<u64>, per_reading: usize) -> Self {
        let fit = bytes.map_or(u64::MAX, |bytes| bytes / of_model.max(1));
        let models = usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, MOST_MODELS);
        // Fill whole passes, so that no pass serves only a few leftover models.
        let whole = models / per_reading.max(1) * per_reading;
        Self { models: if whole > 0 { whole } else { models }, ranks: usize::MAX }
    }

    /// Ranks in a group, if each rank has `models_of_rank` models.
    pub(super) fn grouped(self, models_of_rank: usize, halving: bool, one_by_one: bool) -> Self {
        let ranks = match (one_by_one, halving) {
            (true, _) => 1,
            (false, true) => HALVING_RANKS,
            // Take whole ranks, so that the next wave has a neighbour to start from.
            (false, false) => (self.models / models_of_rank.max(1)).max(1),
        };
        Self { ranks, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_what_memory_holds_in_whole_readings() {
        let of_model = 6160;
        let models = |bytes, per_reading| Waves::new(of_model, bytes, per_reading).models;
        assert_eq!(models(None, 64), MOST_MODELS);
        assert_eq!(models(None, 48), MOST_MODELS / 48 * 48);
        assert_eq!(models(Some(200 * of_model), 64), 192);
        assert_eq!(models(Some(20 * of_model), 64), 20);
        assert_eq!(models(Some(0), 64), 1);
    }
}
