//! Checks settings and fills in the defaults.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::PathBuf;

use super::{ClassWeight, Device, PenaltyConfig, Scoring, Solver, TrainConfig};
use crate::data::{Missing, Nan};
use crate::error::{ConfigError, Result};
use crate::objective::Penalty;

/// Default optimality residual at which a model is done.
pub const DEFAULT_TOLERANCE: f64 = 1e-6;
/// Default limit of epochs, far more than any large table needs.
pub const DEFAULT_EPOCHS: usize = 1000;

/// Default limit of iterations of a full-batch solver; hard problems take a few dozen.
pub const DEFAULT_ITERATIONS: usize = 1000;

/// Most threads.
const MAX_THREADS: usize = 1024;

/// Which columns are features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Features {
    /// Only these columns; the features keep the order of the file.
    Only(Vec<String>),
    /// Every column except these, the target and the weight.
    AllBut(Vec<String>),
}

/// The rows on which the validation score is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Validation {
    /// Another table.
    Data(Vec<String>),
    /// This share of the training rows, which is held out.
    Fraction(f64),
}

/// Settings that have been checked; made by [`TrainConfig::check`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ValidConfig {
    /// Files, directories, globs; at least one.
    pub data: Vec<String>,
    /// Column to predict.
    pub target: String,
    /// The model file; the library does not need it.
    pub output: Option<PathBuf>,
    /// Columns to learn from.
    pub features: Features,
    /// Integer columns to treat as levels.
    pub categorical: Vec<String>,
    /// Class 1 of a binary target, if not the last.
    pub positive: Option<String>,
    /// Column of row weights.
    pub weight: Option<String>,
    /// How the classes are weighted.
    pub class_weight: ClassWeight,
    /// Nulls in numeric features.
    pub missing: Missing,
    /// NaN in features and target.
    pub nan: Nan,
    /// The penalty, before the number of rows is known.
    pub penalty: PenaltyConfig,
    /// Whether numeric columns are standardised in the objective.
    pub standardize: bool,
    /// Whether models have an intercept.
    pub intercept: bool,
    /// Algorithm.
    pub solver: Solver,
    /// Optimality residual at which a model is done; positive.
    pub tolerance: f64,
    /// Most iterations of a full-batch solver; at least 1.
    pub max_iterations: usize,
    /// Most epochs, at most `max_iterations`; at least 1.
    pub epochs: usize,
    /// Rows of a mini-batch; at least 1.
    pub batch_size: Option<usize>,
    /// Length of a step; positive.
    pub learning_rate: Option<f64>,
    /// In [0, 1); `None` lets the solver choose.
    pub momentum: Option<f64>,
    /// Seed of every random choice.
    pub seed: u64,
    /// The rows on which models are scored after every epoch.
    pub validation: Option<Validation>,
    /// Epochs without a better score before a model stops; only with `validation`.
    pub patience: Option<usize>,
    /// The score.
    pub scoring: Scoring,
    /// Where to run.
    pub device: Device,
    /// Memory limit, in bytes.
    pub memory: Option<u64>,
    /// Threads; at least 1.
    pub threads: Option<usize>,
    /// The file for one JSON line per epoch.
    pub metrics: Option<PathBuf>,
}

impl TrainConfig {
    /// Checks every setting and fills in the defaults.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the flag and the value found.
    pub fn check(self) -> Result<ValidConfig> {
        let penalty = self.check_penalty()?;
        self.check_columns()?;
        let validation = self.check_validation()?;
        let solver = self.check_solver(validation.is_some())?;
        if self.data.is_empty() {
            let what = "name Parquet files, directories or globs";
            return Err(ConfigError::Missing { flag: "DATA", what }.into());
        }
        let what = "name the column to predict";
        let target = self.target.ok_or(ConfigError::Missing { flag: "--target", what })?;
        let tolerance = self.tolerance.unwrap_or(DEFAULT_TOLERANCE);
        ensure(tolerance > 0.0 && tolerance.is_finite(), "--tolerance", tolerance, "a positive number")?;
        if let Some(momentum) = self.momentum {
            let expected = "a number from 0 to below 1";
            ensure((0.0..1.0).contains(&momentum), "--momentum", momentum, expected)?;
        }
        if let Some(rate) = self.learning_rate {
            ensure(rate > 0.0 && rate.is_finite(), "--learning-rate", rate, "a positive number")?;
        }
        for (flag, count) in [
            ("--max-iterations", self.max_iterations),
            ("--epochs", self.epochs),
            ("--batch-size", self.batch_size),
            ("--patience", self.patience),
            ("--threads", self.threads),
        ] {
            ensure(count != Some(0), flag, 0, "1 or more")?;
        }
        if let Some(threads) = self.threads {
            // More threads would only wait for each other, or for memory.
            ensure(
                threads <= MAX_THREADS,
                "--threads",
                threads,
                "1024 or less; leave it out for one per core",
            )?;
        }
        if let Some(memory) = self.memory {
            ensure(memory.0 > 0, "--memory", memory, "a size such as 8GiB")?;
        }
        let epochs = self.epochs.unwrap_or(DEFAULT_EPOCHS);
        Ok(ValidConfig {
            data: self.data,
            target,
            output: self.output,
            features: if self.features.is_empty() {
                Features::AllBut(self.exclude)
            } else {
                Features::Only(self.features)
            },
            categorical: self.categorical,
            positive: self.positive,
            weight: self.weight,
            class_weight: self.class_weight.unwrap_or_default(),
            missing: self.missing.unwrap_or_default(),
            nan: self.nan.unwrap_or_default(),
            penalty,
            standardize: !self.no_standardize.unwrap_or(false),
            intercept: !self.no_intercept.unwrap_or(false),
            solver,
            tolerance,
            max_iterations: self.max_iterations.unwrap_or(DEFAULT_ITERATIONS),
            epochs: self.max_iterations.map_or(epochs, |bound| bound.min(epochs)),
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            momentum: self.momentum,
            seed: self.seed.unwrap_or(0),
            validation,
            patience: self.patience,
            scoring: self.scoring.unwrap_or_default(),
            device: self.device.unwrap_or_default(),
            memory: self.memory.map(|size| size.0),
            threads: self.threads,
            metrics: self.metrics,
        })
    }

    /// The solver. `auto` becomes `sgd` if a setting of mini-batch descent is given, or if rows are held out,
    /// because early stopping needs a path on which to stop.
    fn check_solver(&self, validates: bool) -> Result<Solver> {
        let of_sgd = [
            ("--epochs", self.epochs.is_some()),
            ("--batch-size", self.batch_size.is_some()),
            ("--learning-rate", self.learning_rate.is_some()),
            ("--momentum", self.momentum.is_some()),
        ];
        let given = of_sgd.iter().find(|(_, is_set)| *is_set);
        match (self.solver.unwrap_or_default(), given) {
            (Solver::Auto, Some(_)) => Ok(Solver::Sgd),
            (Solver::Auto, None) if validates => Ok(Solver::Sgd),
            (Solver::Newton | Solver::Lbfgs, Some(&(first, _))) => {
                let why = "it is a setting of sgd; other solvers have --max-iterations";
                Err(ConfigError::Conflict { first, second: "--solver", why }.into())
            }
            (solver, _) => Ok(solver),
        }
    }

    fn check_penalty(&self) -> Result<PenaltyConfig> {
        const NOT_NEGATIVE: &str = "a finite number, zero or more";
        for (flag, value) in [("--l1", self.l1), ("--l2", self.l2)] {
            let value = value.unwrap_or(0.0);
            ensure(value >= 0.0 && value.is_finite(), flag, value, NOT_NEGATIVE)?;
        }
        let c = self.c.unwrap_or(1.0);
        let expected = "a positive number; for no penalty use --l1 0 --l2 0";
        ensure(c > 0.0 && c.is_finite(), "--c", c, expected)?;
        let l1_ratio = self.l1_ratio.unwrap_or(0.0);
        ensure((0.0..=1.0).contains(&l1_ratio), "--l1-ratio", l1_ratio, "a number from 0 to 1")?;
        let direct = [("--l1", self.l1), ("--l2", self.l2)].into_iter().find(|(_, v)| v.is_some());
        let strength =
            [("--c", self.c), ("--l1-ratio", self.l1_ratio)].into_iter().find(|(_, v)| v.is_some());
        match (direct, strength) {
            (Some((first, _)), Some((second, _))) => {
                let why = "they give the penalty on two scales; use --l1 and --l2, or --c and --l1-ratio";
                Err(ConfigError::Conflict { first, second, why }.into())
            }
            (Some(_), None) => {
                Ok(PenaltyConfig::Direct(Penalty { l1: self.l1.unwrap_or(0.0), l2: self.l2.unwrap_or(0.0) }))
            }
            (None, _) => Ok(PenaltyConfig::Strength { c, l1_ratio }),
        }
    }

    fn check_columns(&self) -> Result<()> {
        if !self.features.is_empty() && !self.exclude.is_empty() {
            let why = "list either the columns to use or the columns to leave out";
            return Err(ConfigError::Conflict { first: "--features", second: "--exclude", why }.into());
        }
        for (flag, list) in [
            ("--features", &self.features),
            ("--exclude", &self.exclude),
            ("--categorical", &self.categorical),
        ] {
            let mut seen = HashSet::new();
            if let Some(column) = list.iter().find(|column| !seen.insert(*column)) {
                return Err(ConfigError::Twice { flag, column: column.clone() }.into());
            }
        }
        let roles = [("--target", &self.target), ("--weight", &self.weight)];
        let lists = [("--features", &self.features), ("--categorical", &self.categorical)];
        for (first, name) in roles {
            for (second, list) in lists {
                if let Some(column) = name.clone().filter(|name| list.contains(name)) {
                    return Err(ConfigError::TwoRoles { column, first, second }.into());
                }
            }
        }
        match (&self.target, &self.weight) {
            (Some(target), Some(weight)) if target == weight => {
                let (first, second) = ("--target", "--weight");
                Err(ConfigError::TwoRoles { column: target.clone(), first, second }.into())
            }
            _ => Ok(()),
        }
    }

    fn check_validation(&self) -> Result<Option<Validation>> {
        let validation = match (self.validation_fraction, self.validation.is_empty()) {
            (Some(_), false) => {
                let why = "watch the score either on another table or on a share of this one";
                let (first, second) = ("--validation", "--validation-fraction");
                return Err(ConfigError::Conflict { first, second, why }.into());
            }
            (Some(fraction), true) => {
                let expected = "a number between 0 and 1";
                ensure(fraction > 0.0 && fraction < 1.0, "--validation-fraction", fraction, expected)?;
                Some(Validation::Fraction(fraction))
            }
            (None, false) => Some(Validation::Data(self.validation.clone())),
            (None, true) => None,
        };
        if self.patience.is_some() && validation.is_none() {
            let flag = "--validation or --validation-fraction";
            let what = "--patience counts epochs without a better score on held-out rows";
            return Err(ConfigError::Missing { flag, what }.into());
        }
        if self.scoring.is_some() && validation.is_none() {
            let flag = "--validation or --validation-fraction";
            let what = "--scoring compares models on held-out rows";
            return Err(ConfigError::Missing { flag, what }.into());
        }
        Ok(validation)
    }
}

/// Checks a decision threshold on the probability of class 1.
///
/// # Errors
/// [`ConfigError::Invalid`] unless it lies strictly between 0 and 1.
pub fn check_threshold(threshold: f64) -> Result<()> {
    ensure(threshold > 0.0 && threshold < 1.0, "--threshold", threshold, "a number between 0 and 1")
}

pub(super) fn ensure(
    ok: bool,
    flag: &'static str,
    found: impl Display,
    expected: &'static str,
) -> Result<()> {
    if ok { Ok(()) } else { Err(ConfigError::Invalid { flag, found: found.to_string(), expected }.into()) }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
