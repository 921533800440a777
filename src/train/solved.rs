//! A table and the models trained on it.

use std::time::Instant;

use super::solve::solve;
use super::{Stack, TrainReading, one_sided, validation_table, warnings};
use crate::config::ValidConfig;
use crate::data::{self, Dataset, ReadOptions, Source};
use crate::engine::Chosen;
use crate::error::Result;
use crate::model::TrainingCurve;
use crate::observer::Observer;
use crate::panels::{Panels, Rows};
use crate::scoring::BestScore;
use crate::solver::{self, Solution};

/// A table and the solution of its models.
pub(super) struct SolvedTable {
    pub(super) dataset: Dataset,
    pub(super) validation: Option<(Panels, Rows)>,
    pub(super) warnings: Vec<String>,
    pub(super) stack: Stack,
    pub(super) description: String,
    pub(super) solution: Solution,
    pub(super) curve: Option<TrainingCurve>,
    /// Seconds of reading.
    pub(super) read: f64,
    pub(super) started: Instant,
    /// The best score of each model on validation rows.
    pub(super) best: Vec<Option<BestScore>>,
}

/// Reads a table and trains its models.
///
/// # Errors
/// Errors of the table, the device and the solver.
pub(super) fn solve_table(
    config: &ValidConfig,
    source: &Source,
    options: &ReadOptions,
    device: &Chosen,
    observer: &dyn Observer,
) -> Result<SolvedTable> {
    let reading = Instant::now();
    let mut dataset = data::read_training(source, options, &TrainReading(observer, config))?;
    let mut warnings = warnings(&dataset);
    let validation = validation_table(config, &mut dataset, observer, &mut warnings)?;
    let read = reading.elapsed().as_secs_f64();

    let stack = Stack::new(config, &dataset)?;
    if let Some((_, rows)) = &validation {
        warnings.extend(one_sided(config.scoring, rows, &stack, &dataset.target.classes));
    }
    let started = Instant::now();
    let mut best = vec![None; stack.models.len()];
    let mut engine = device.engine(&dataset.panels, &dataset.rows)?;
    let mut held_out = match &validation {
        Some((panels, rows)) => Some(device.engine(panels, rows)?),
        None => None,
    };
    let description = engine.device();
    observer.message(&format!("{description}: {}", device.reason));
    let watched = held_out.as_mut().zip(validation.as_ref()).map(|(engine, (panels, rows))| {
        let patience = config.patience.unwrap_or(usize::MAX);
        solver::Validation::new(engine.as_mut(), (panels, rows), config.scoring, patience)
            .recording(&mut best)
    });
    // The memory that the system has available does not include these rows.
    let held_out_bytes = match (&validation, config.memory) {
        (Some((panels, _)), Some(_)) => panels.bytes(),
        _ => 0,
    };
    let (solution, curve) =
        solve(config, &dataset, &stack, engine.as_mut(), watched, held_out_bytes, observer)?;
    drop((engine, held_out));
    Ok(SolvedTable {
        dataset,
        validation,
        warnings,
        stack,
        description,
        solution,
        curve,
        read,
        started,
        best,
    })
}
