//! The penalties of a sweep.

use crate::config::{Grid, Strengths};
use crate::model::PenaltyScales;
use crate::objective::Penalty;

/// L1 share below which the largest penalty of a path stops growing: without L1, no finite penalty sets a
/// coefficient to zero. A ridge penalty of ten times the largest slope leaves little more than the intercept.
///
/// # References
/// Friedman, Hastie and Tibshirani, Regularization Paths for Generalized Linear Models via Coordinate
/// Descent, 2010; their program uses 0.001.
const LEAST_L1_RATIO: f64 = 0.1;

/// Relative margin of the largest penalty above the largest slope, for the rounding of float32 passes.
const SLACK: f64 = 1e-6;

/// The smallest penalty of a path, relative to the largest. Other values hold for little L1, where the
/// largest penalty is very large, and for more features than rows, where small penalties fit everything.
const DEPTH: f64 = 1e-4;
const RIDGE_DEPTH: f64 = 1e-6;
const WIDE_DEPTH: f64 = 1e-2;

/// The strength of a penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Strength {
    Lambda(f64),
    C(f64),
}

/// One penalty of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GridPoint {
    /// Index of the L1 share.
    pub(super) path: usize,
    pub(super) l1_ratio: f64,
    pub(super) strength: Strength,
    /// Position on its path, from the largest penalty.
    pub(super) rank: usize,
}

impl GridPoint {
    /// The penalty on every scale, for rows with total weight `weight_sum`.
    pub(super) fn scales(&self, weight_sum: f64) -> PenaltyScales {
        let scales = PenaltyScales::new(self.penalty(weight_sum), weight_sum);
        // The share as it was given, without rounding: it identifies the path.
        let share = scales.l1_ratio.map(|_| self.l1_ratio);
        let c = if let Strength::C(c) = self.strength { Some(c) } else { scales.c };
        PenaltyScales { c, l1_ratio: share, alpha: share, ..scales }
    }

    /// The penalty for rows with total weight `weight_sum`.
    pub(super) fn penalty(&self, weight_sum: f64) -> Penalty {
        let lambda = match self.strength {
            Strength::Lambda(lambda) => lambda,
            Strength::C(c) => 1.0 / (c * weight_sum),
        };
        Penalty { l1: self.l1_ratio * lambda, l2: (1.0 - self.l1_ratio) * lambda }
    }
}

/// Whether the grid depends on the table.
pub(super) fn needs_slope(grid: &Grid) -> bool {
    matches!(grid, Grid::Lambdas(Strengths::Count(_)))
}

/// The points of the grid, path after path, each from the largest penalty to the smallest. `slope` is the
/// largest derivative of any model's loss at the intercept-only model; `is_wide` means more features than
/// rows.
pub(super) fn points(grid: &Grid, l1_ratios: &[f64], slope: f64, is_wide: bool) -> Vec<GridPoint> {
    let mut points = Vec::new();
    for (path, &l1_ratio) in l1_ratios.iter().enumerate() {
        let strengths: Vec<Strength> = match grid {
            Grid::Lambdas(Strengths::Values(lambdas)) => {
                lambdas.iter().map(|&lambda| Strength::Lambda(lambda)).collect()
            }
            Grid::Lambdas(Strengths::Count(_)) if slope == 0.0 => vec![Strength::Lambda(0.0)],
            Grid::Lambdas(Strengths::Count(count)) => {
                let largest = slope * (1.0 + SLACK) / l1_ratio.max(LEAST_L1_RATIO);
                let depth = match (is_wide, l1_ratio < LEAST_L1_RATIO) {
                    (false, false) => DEPTH,
                    (false, true) => RIDGE_DEPTH,
                    (true, false) => WIDE_DEPTH,
                    (true, true) => DEPTH,
                };
                let at = |k: usize| largest * depth.powf(k as f64 / (count - 1).max(1) as f64);
                (0..*count).map(|k| Strength::Lambda(at(k))).collect()
            }
            Grid::Cs(cs) => cs.iter().map(|&c| Strength::C(c)).collect(),
        };
        let of_path = strengths.into_iter().enumerate();
        points.extend(of_path.map(|(rank, strength)| GridPoint { path, l1_ratio, strength, rank }));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_where_l1_zeroes_everything_and_falls_evenly() {
        let points = points(&Grid::Lambdas(Strengths::Count(5)), &[0.0, 0.5, 1.0], 0.2, false);
        assert_eq!(points.len(), 15);
        let lambda = |k: usize| points[k].penalty(1.0).l1 + points[k].penalty(1.0).l2;
        assert!((points[10].penalty(1.0).l1 / 0.2 - 1.0).abs() < 1e-5);
        assert!((points[5].penalty(1.0).l1 / 0.2 - 1.0).abs() < 1e-5);
        assert!((lambda(0) / 2.0 - 1.0).abs() < 1e-5);
        for k in 11..15 {
            assert!((lambda(k) / lambda(k - 1) - 0.1).abs() < 1e-12);
        }
        assert!((lambda(4) / lambda(0) - 1e-6).abs() < 1e-12);
    }

    #[test]
    fn an_inverse_strength_is_for_the_rows_of_its_model() {
        let points = points(&Grid::Cs(vec![0.5, 2.0]), &[0.25], 0.0, false);
        let penalty = points[1].penalty(100.0);
        assert!((penalty.l1 - 0.25 / 200.0).abs() < 1e-15 && (penalty.l2 - 0.75 / 200.0).abs() < 1e-15);
    }
}
