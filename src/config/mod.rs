//! What a training run is asked to do.
//!
//! One struct, [`TrainConfig`], serves the flags of `logodds train`, the keys of its TOML file and
//! the library. [`TrainConfig::check`] turns it into a [`ValidConfig`]: plain values that nothing
//! behind it needs to look at twice. No data is read here.

mod check;
mod choices;
mod export;
mod penalty;
mod strengths;
mod toml_file;
mod tune;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use check::{
    DEFAULT_EPOCHS, DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, Features, ValidConfig, Validation, check_threshold,
};
pub use choices::{ClassWeight, Device, MemorySize, Rule, Scoring, Solver};
pub use export::{Dialect, ExportFormat};
pub use penalty::PenaltyConfig;
pub use strengths::Strengths;
pub use tune::{Grid, TuneConfig, TuneSettings, ValidTune};

use crate::data::{Missing, Nan};
use crate::error::Result;
use toml_file::{one_or_many, parse, read, some};

/// Settings of a training run as a user gives them; what is left out takes its default.
///
/// A flag, its TOML key and the field bear the same name: `--batch-size`, `batch-size`, `batch_size`.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainConfig {
    /// Parquet files, directories of them, or globs
    ///
    /// The tables, read as one: the path of a file, a directory whose *.parquet files below it are read in sorted
    /// order, or a quoted glob such as 'parts/*.parquet'. Needed, here or as `data` in the config file.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(value_name = "DATA")]
    pub data: Vec<String>,

    /// Column to predict
    ///
    /// The column of classes: text, booleans, integers or whole numbers; rows where it is null are left out. Two
    /// values give one model, more give one model for each. Needed, here or in the config file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "COLUMN", help_heading = "Table")]
    pub target: Option<String>,

    /// Where to write the model; - for stdout
    ///
    /// The model file, JSON, which is written whole or not at all. Needed, here or in the config file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Columns to use [default: all but target and weight]
    ///
    /// Names of the columns to learn from, separated by commas; the features keep the order of the table. By default
    /// every column but the target and the weight, and in tune the columns that make the folds.
    #[serde(deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B,..",
        conflicts_with = "exclude",
        help_heading = "Table"
    )]
    pub features: Vec<String>,

    /// Columns to leave out
    ///
    /// Names of columns that are not learned from, separated by commas; by default none. Instead of a list of
    /// features.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "Table")]
    pub exclude: Vec<String>,

    /// Integer columns to be treated as levels
    ///
    /// Names of integer or boolean columns whose values are names rather than amounts, separated by commas: each
    /// value seen in training becomes a 0/1 feature. By default none; text always is categorical.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "Table")]
    pub categorical: Vec<String>,

    /// Class 1 of a binary target [default: the last in ascending order]
    ///
    /// The value of the target whose probability a binary model gives, as it stands in the table. By default the last
    /// of the two values in ascending order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, help_heading = "Table")]
    pub positive: Option<String>,

    /// Column of row weights
    ///
    /// A numeric column with the weight of each row in the objective: 0, or from 1e-30 to 1e30. By default every row
    /// weighs 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    pub weight: Option<String>,

    /// Weight of the classes [default: none]
    ///
    /// none: every row counts as its weight says. balanced: in each model the rows of the class and the others get
    /// the same total weight. The default is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true, help_heading = "Table")]
    #[arg(help = "Weight of the classes: none, balanced [default: none]")]
    pub class_weight: Option<ClassWeight>,

    /// Nulls in numeric features [default: mean]
    ///
    /// mean: a null becomes the mean of the column in training. drop: rows with a null in a numeric feature are left
    /// out, and counted. error: a null is refused, with its place. The default is mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "HOW", help_heading = "Table")]
    #[arg(help = "Nulls in numeric features: mean, drop, error [default: mean]")]
    pub missing: Option<Missing>,

    /// NaN in features and in the target [default: null]
    ///
    /// null: a NaN is a null. error: a NaN is refused, with its place. The default is null; infinite values are
    /// always refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "WHAT", help_heading = "Table")]
    #[arg(help = "NaN in features and target: null, error [default: null]")]
    pub nan: Option<Nan>,

    /// Weight of the coefficients' absolute values
    ///
    /// Factor, 0 or more, of the sum of absolute coefficients that is added to the mean loss of a row. If only the
    /// other of the two factors is given, this one is 0; if neither, the penalty is that of --c.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, conflicts_with_all = ["c", "l1_ratio"])]
    #[arg(help_heading = "Penalty")]
    pub l1: Option<f64>,

    /// Weight of half the coefficients' squares
    ///
    /// Factor, 0 or more, of half the sum of squared coefficients that is added to the mean loss of a row. If only
    /// the other of the two factors is given, this one is 0; if neither, the penalty is that of --c.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, conflicts_with_all = ["c", "l1_ratio"])]
    #[arg(help_heading = "Penalty")]
    pub l2: Option<f64>,

    /// Or as scikit-learn has it: inverse strength [default: 1.0]
    ///
    /// Inverse strength of the penalty, above 0: over n rows (or their total weight) l1 + l2 is 1 / (C n). The
    /// default is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Penalty")]
    pub c: Option<f64>,

    /// and share of L1 [default: 0.0]
    ///
    /// Share of L1 in the penalty that --c gives, from 0 (L2 alone) to 1 (L1 alone). The default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Penalty")]
    pub l1_ratio: Option<f64>,

    /// Penalise coefficients in the units of the columns
    ///
    /// By default numeric columns are scaled to mean 0 and standard deviation 1 in the objective, so that the penalty
    /// is the same for all of them. With this flag, or =true, they are used as they are. The file has original units
    /// in either case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Penalty")]
    pub no_standardize: Option<bool>,

    /// Train without an intercept
    ///
    /// With this flag, or =true, models have no intercept, and columns are scaled but not centred. By default they
    /// have one, which is never penalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Penalty")]
    pub no_intercept: Option<bool>,

    /// Algorithm [default: auto]
    ///
    /// auto: chooses among the full-batch solvers by cost and progress. newton: proximal Newton. lbfgs:
    /// limited-memory quasi-Newton. sgd: mini-batch proximal gradient descent, which tune does not have. The default
    /// is auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true, help_heading = "Solver")]
    #[arg(help = "Algorithm: auto, newton, lbfgs, sgd [default: auto]")]
    pub solver: Option<Solver>,

    /// Optimality residual at which a model is done [default: 1e-6]
    ///
    /// A model is done once its optimality residual, in the units of the gradient of the mean loss, is at most this,
    /// and its objective is known to be within as small a share of the minimum. Above 0; the default is 1e-6.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub tolerance: Option<f64>,

    /// Bound on the epochs or iterations of any solver [default: 1000]
    ///
    /// Iterations of a full-batch solver, or epochs of sgd, at most; at least 1. The default is 1000. A model that
    /// needs more is written as it is, and said not to have converged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub max_iterations: Option<usize>,

    /// Bound on passes of mini-batches [default: 1000]
    ///
    /// Passes of sgd over the rows, at most; at least 1. The default is 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub epochs: Option<usize>,

    /// Rows of a mini-batch [default: from the table]
    ///
    /// Rows of an sgd step, at least 1. By default chosen from the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub batch_size: Option<usize>,

    /// Length of a step [default: from the table]
    ///
    /// Factor, above 0, of the gradient in a step of sgd. By default chosen from the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub learning_rate: Option<f64>,

    /// Momentum, 0 to below 1 [default: from the table]
    ///
    /// Share of the last step that sgd adds to the next, from 0 to below 1. By default chosen from the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub momentum: Option<f64>,

    /// Seed of every random choice [default: 0]
    ///
    /// Whole number from which rows are dealt, held back and shuffled; the same seed on the same device gives the
    /// same model, bit for bit. The default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub seed: Option<u64>,

    /// Table to watch the score on
    ///
    /// A table of the same columns that models are scored on after each epoch, and not trained on: a path, directory
    /// or glob; may be repeated. Kept is the model of the best score. By default none.
    #[serde(deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "DATA", conflicts_with = "validation_fraction", help_heading = "Validation")]
    pub validation: Vec<String>,

    /// Or the share of the rows to hold back for it
    ///
    /// Share of the rows, above 0 and below 1, that is held back from training, drawn by the seed, to score models on
    /// after each epoch. Kept is the model of the best score. By default no row is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Validation")]
    pub validation_fraction: Option<f64>,

    /// Stop after N epochs without a better score there
    ///
    /// Epochs, or iterations of a full-batch solver, without a better score on the held-out rows after which a model
    /// stops; at least 1. By default models go on to their end. Needs held-out rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Validation")]
    pub patience: Option<usize>,

    /// What models are compared by
    ///
    /// What models are compared by on rows that they did not learn from: `log_loss` and brier, where less is better,
    /// auc, accuracy, `average_precision` or f1, where more is. The default is `log_loss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "SCORE", hide_possible_values = true, help_heading = "Validation")]
    #[arg(help = "log_loss, auc, accuracy, brier, average_precision, f1 [default: log_loss]")]
    pub scoring: Option<Scoring>,

    /// auto, gpu, cpu, software, or an index [default: auto]
    ///
    /// auto: a hardware GPU if there is one, else the CPU. gpu: a hardware GPU, or an error. cpu: the vectorised CPU
    /// engine. software: the shaders on a software adapter. A number: the adapter that `logodds devices` lists under
    /// it. The default is auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "DEVICE", help_heading = "Machine")]
    pub device: Option<Device>,

    /// Memory that the table and what trains on it may take, such as 8GiB [default: what is available]
    ///
    /// Bytes of main memory that the table may take, as a number or with a unit, such as 500MB or 8GiB; a table that
    /// needs more is refused before it is read. By default what the system has available.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<MemorySize>,

    /// Threads [default: one per core]
    ///
    /// Threads of the CPU, from 1 to 1024, to read and to compute with. By default one for each core.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    pub threads: Option<usize>,

    /// Write one JSON line per epoch; - for stdout
    ///
    /// File that grows while the command works, by a JSON object on a line for each epoch or iteration of train, each
    /// pass of tune: objective, residual, seconds and so on. By default none is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Machine")]
    pub metrics: Option<PathBuf>,
}

impl TrainConfig {
    /// Reads a TOML file. Paths in it are relative to the working directory, as on the command line.
    ///
    /// # Errors
    /// [`ConfigError::Read`](crate::error::ConfigError::Read);
    /// [`ConfigError::Parse`](crate::error::ConfigError::Parse) with line and column, also for an unknown key.
    pub fn load(path: &Path) -> Result<Self> {
        parse(path, &read(path)?)
    }

    /// These settings, overridden by every setting that `flags` has.
    ///
    /// Settings that say one thing in two ways override each other: `--c` on the command line
    /// replaces `l1` and `l2` of the file, `--exclude` its `features`, and so on.
    #[must_use]
    pub fn merge(mut self, flags: Self) -> Self {
        if flags.l1.is_some() || flags.l2.is_some() {
            (self.c, self.l1_ratio) = (None, None);
        }
        if flags.c.is_some() || flags.l1_ratio.is_some() {
            (self.l1, self.l2) = (None, None);
        }
        if !flags.features.is_empty() || !flags.exclude.is_empty() {
            (self.features, self.exclude) = (Vec::new(), Vec::new());
        }
        if !flags.validation.is_empty() || flags.validation_fraction.is_some() {
            (self.validation, self.validation_fraction) = (Vec::new(), None);
        }
        fn list(file: Vec<String>, flag: Vec<String>) -> Vec<String> {
            if flag.is_empty() { file } else { flag }
        }
        Self {
            data: list(self.data, flags.data),
            target: flags.target.or(self.target),
            output: flags.output.or(self.output),
            features: list(self.features, flags.features),
            exclude: list(self.exclude, flags.exclude),
            categorical: list(self.categorical, flags.categorical),
            positive: flags.positive.or(self.positive),
            weight: flags.weight.or(self.weight),
            class_weight: flags.class_weight.or(self.class_weight),
            missing: flags.missing.or(self.missing),
            nan: flags.nan.or(self.nan),
            l1: flags.l1.or(self.l1),
            l2: flags.l2.or(self.l2),
            c: flags.c.or(self.c),
            l1_ratio: flags.l1_ratio.or(self.l1_ratio),
            no_standardize: flags.no_standardize.or(self.no_standardize),
            no_intercept: flags.no_intercept.or(self.no_intercept),
            solver: flags.solver.or(self.solver),
            tolerance: flags.tolerance.or(self.tolerance),
            max_iterations: flags.max_iterations.or(self.max_iterations),
            epochs: flags.epochs.or(self.epochs),
            batch_size: flags.batch_size.or(self.batch_size),
            learning_rate: flags.learning_rate.or(self.learning_rate),
            momentum: flags.momentum.or(self.momentum),
            seed: flags.seed.or(self.seed),
            validation: list(self.validation, flags.validation),
            validation_fraction: flags.validation_fraction.or(self.validation_fraction),
            patience: flags.patience.or(self.patience),
            scoring: flags.scoring.or(self.scoring),
            device: flags.device.or(self.device),
            memory: flags.memory.or(self.memory),
            threads: flags.threads.or(self.threads),
            metrics: flags.metrics.or(self.metrics),
        }
    }
}
