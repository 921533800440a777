//! The memory that a sweep takes beside the table.

use crate::config::{Grid, Strengths, ValidTune};
use crate::data::{ReadProgress, TableShape};
use crate::objective::Penalty;
use crate::observer::Observer;
use crate::scoring::ranking_bytes;
use crate::solver::FullBatch;
use crate::train::{memory_of_solver, own_order};

/// Float64 numbers of a fit for each coefficient: points, gradients, the last steps.
const VALUES_PER_COEFFICIENT: usize = 48;
/// Bytes of a trained model beside its coefficients: its certificate, score and row of results.
const OUTCOME: u64 = 1 << 10;
/// Copies of the coefficients: as trained, side by side for scoring, and as means over folds.
const COPIES: u64 = 3;
/// Float64 numbers for each row while models are solved in the row space, or their curvature is summed.
const OF_ROW: u64 = 4;

/// Passes the reader's progress on, and reports the memory that a sweep takes beside the table.
pub(super) struct SweepReading<'a>(pub(super) &'a dyn Observer, pub(super) &'a ValidTune);

impl ReadProgress for SweepReading<'_> {
    fn rows(&self, done: usize, total: usize) {
        self.0.reading(done, total);
    }

    fn beside(&self, shape: &TableShape) -> u64 {
        beside(self.1, shape)
    }

    fn is_interrupted(&self) -> bool {
        self.0.is_interrupted()
    }
}

/// Bytes of a sweep over a table of this shape, with one model in each wave; more models are faster.
fn beside(config: &ValidTune, shape: &TableShape) -> u64 {
    fixed(config, shape).saturating_add(of_model(config, shape))
}

/// Bytes of a sweep outside its waves.
pub(super) fn fixed(config: &ValidTune, shape: &TableShape) -> u64 {
    let classes = if shape.classes == 2 { 1 } else { shape.classes as u64 };
    let strengths = match &config.grid {
        Grid::Lambdas(Strengths::Count(count)) => *count,
        Grid::Lambdas(Strengths::Values(values)) => values.len(),
        Grid::Cs(values) => values.len(),
    };
    let points = (strengths * config.l1_ratios.len()) as u64;
    let models = points.saturating_mul(shape.folds as u64 + 1).saturating_add(1).saturating_mul(classes);
    let outcomes = models.saturating_mul(COPIES * 8 * (shape.features as u64 + 1) + OUTCOME);
    let ranked = if config.scoring.is_ranking() { ranking_bytes(shape.rows, shape.folds, models) } else { 0 };
    outcomes.saturating_add(ranked).saturating_add(memory_of_solver(&config.train, shape, &penalties(config)))
}

/// Bytes of a model while its wave is trained.
pub(super) fn of_model(config: &ValidTune, shape: &TableShape) -> u64 {
    let order = shape.features + 1;
    let hessians = own_order(&config.train, shape, &penalties(config));
    // Row space: linear predictors, and afterwards a factor over the features unless another model's is
    // shared.
    let (numbers, factor) = match hessians {
        Some(own) if own < order && shape.features <= FullBatch::MAX_FEATURES => (shape.rows, order),
        Some(own) if own < order => (shape.rows, 0),
        _ => (0, 0),
    };
    let square = |order: usize| (order as u64).saturating_pow(2);
    let values = (VALUES_PER_COEFFICIENT * order) as u64 + OF_ROW * numbers as u64;
    let matrices = square(hessians.unwrap_or(0)).saturating_mul(2).saturating_add(square(factor));
    values.saturating_add(matrices).saturating_mul(size_of::<f64>() as u64)
}

/// One penalty of each kind in the grid.
fn penalties(config: &ValidTune) -> Vec<Penalty> {
    config.l1_ratios.iter().map(|&ratio| Penalty { l1: ratio, l2: 1.0 - ratio }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{TrainConfig, TuneConfig, TuneSettings};

    const SHAPE: TableShape = TableShape { rows: 1000, features: 10, classes: 2, folds: 5, words: 2 };

    fn config(sweep: TuneSettings) -> ValidTune {
        let train =
            TrainConfig { data: vec!["t".into()], target: Some("y".into()), ..TrainConfig::default() };
        TuneConfig { train, sweep }.check().expect("settings that go together")
    }

    #[test]
    fn every_model_of_the_grid_counts() {
        let of = |lambdas, shape| {
            fixed(
                &config(TuneSettings { lambdas: Some(Strengths::Count(lambdas)), ..TuneSettings::default() }),
                shape,
            )
        };
        let model = OUTCOME + 8 * COPIES * 11;
        assert_eq!(of(21, &SHAPE) - of(20, &SHAPE), 6 * model, "five folds and their mean");
        let classes = TableShape { classes: 7, ..SHAPE };
        assert_eq!(of(21, &classes) - of(20, &classes), 7 * 6 * model);
    }

    #[test]
    fn a_model_of_a_wave_has_the_matrices_of_its_solver() {
        let of = |l1_ratios, rows, features| {
            let config = config(TuneSettings { l1_ratios, ..TuneSettings::default() });
            of_model(&config, &TableShape { rows, features, ..SHAPE })
        };
        let fit = |order: u64| 8 * VALUES_PER_COEFFICIENT as u64 * order;
        assert_eq!(of(vec![0.0], 1000, 10), fit(11) + 8 * 2 * 11 * 11);
        assert_eq!(of(vec![1.0], 1000, 6000), fit(6001), "working sets are solved one by one");
        let in_rows = fit(3001) + 8 * (4 * 1000 + 2 * 1001 * 1001 + 3001 * 3001);
        assert_eq!(of(vec![0.0], 1000, 3000), in_rows);
    }
}
