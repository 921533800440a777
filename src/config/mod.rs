//! The settings of a training run.
//!
//! One struct, [`TrainConfig`], serves the flags of `logodds train`, the keys of its TOML file and the
//! library. [`TrainConfig::check`] turns it into a [`ValidConfig`] of plain values, which no later code
//! checks again. No data is read here.

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

/// Settings of a training run as a user gives them; a setting that is left out takes its default.
///
/// A flag, its TOML key and the field bear the same name: `--batch-size`, `batch-size`, `batch_size`.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainConfig {
    /// Parquet files, directories of them, or globs
    ///
    /// The tables, read as one: the path of a file, a directory whose *.parquet files below it are read in
    /// sorted order, or a quoted glob such as 'parts/*.parquet'. Needed, here or as `data` in the config
    /// file.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(value_name = "DATA")]
    pub data: Vec<String>,

    /// Column to predict
    ///
    /// The column of classes: text, booleans, integers or whole numbers. Rows where it is null are left out.
    /// Two values give one model; more values give one model for each. Needed, here or in the config file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "COLUMN", help_heading = "Table")]
    pub target: Option<String>,

    /// Where to write the model; - for stdout
    ///
    /// The model file (JSON), which is written completely or not at all. Needed, here or in the config file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Columns to use [default: all but target and weight]
    ///
    /// Names of the columns to learn from, separated by commas; the features keep the order of the table. By
    /// default every column except the target, the weight and, in tune, the columns that make the folds.
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
    /// Names of columns not to learn from, separated by commas, instead of a list of features. By default
    /// none.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "Table")]
    pub exclude: Vec<String>,

    /// Integer columns to treat as levels
    ///
    /// Names of integer or boolean columns whose values are names rather than amounts, separated by commas.
    /// Each value seen in training becomes a 0/1 feature. By default none; text is always categorical.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "Table")]
    pub categorical: Vec<String>,

    /// Class 1 of a binary target [default: the last in ascending order]
    ///
    /// The value of the target, as it stands in the table, whose probability a binary model predicts. By
    /// default the last of the two values in ascending order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, help_heading = "Table")]
    pub positive: Option<String>,

    /// Column of row weights
    ///
    /// A numeric column with the weight of each row in the objective: 0, or from 1e-30 to 1e30. By default
    /// every row weighs 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    pub weight: Option<String>,

    /// Weight of the classes [default: none]
    ///
    /// none: every row has only its own weight. balanced: in each model the rows of the class and all other
    /// rows get the same total weight. The default is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true, help_heading = "Table")]
    #[arg(help = "Weight of the classes: none, balanced [default: none]")]
    pub class_weight: Option<ClassWeight>,

    /// Nulls in numeric features [default: mean]
    ///
    /// mean: a null is replaced by the column's mean in training. drop: rows with a null in a numeric feature
    /// are left out and counted. error: a null is refused, and its place is reported. The default is mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "HOW", help_heading = "Table")]
    #[arg(help = "Nulls in numeric features: mean, drop, error [default: mean]")]
    pub missing: Option<Missing>,

    /// NaN in features and in the target [default: null]
    ///
    /// null: a NaN is treated as a null. error: a NaN is refused, and its place is reported. The default is
    /// null; infinite values are always refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "WHAT", help_heading = "Table")]
    #[arg(help = "NaN in features and target: null, error [default: null]")]
    pub nan: Option<Nan>,

    /// Weight of the coefficients' absolute values
    ///
    /// Factor, 0 or more, of the sum of absolute coefficients that is added to the mean loss. If only --l2 is
    /// given, this factor is 0; if neither is given, --c sets the penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, conflicts_with_all = ["c", "l1_ratio"])]
    #[arg(help_heading = "Penalty")]
    pub l1: Option<f64>,

    /// Weight of half the coefficients' squares
    ///
    /// Factor, 0 or more, of half the sum of squared coefficients that is added to the mean loss. If only
    /// --l1 is given, this factor is 0; if neither is given, --c sets the penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, conflicts_with_all = ["c", "l1_ratio"])]
    #[arg(help_heading = "Penalty")]
    pub l2: Option<f64>,

    /// Or as in scikit-learn: inverse strength [default: 1.0]
    ///
    /// Inverse strength of the penalty, above 0: with n rows (or their total weight), l1 + l2 = 1 / (C n).
    /// The default is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Penalty")]
    pub c: Option<f64>,

    /// and share of L1 [default: 0.0]
    ///
    /// Share of L1 in the penalty that --c sets, from 0 (L2 alone) to 1 (L1 alone). The default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Penalty")]
    pub l1_ratio: Option<f64>,

    /// Penalise coefficients in the units of the columns
    ///
    /// By default numeric columns are scaled to mean 0 and standard deviation 1 in the objective, so that the
    /// penalty treats all of them alike. With this flag, or =true, they are used as they are. The model file
    /// has original units in either case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Penalty")]
    pub no_standardize: Option<bool>,

    /// Train without an intercept
    ///
    /// With this flag, or =true, models have no intercept, and columns are scaled but not centred. By default
    /// models have an intercept, which is never penalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Penalty")]
    pub no_intercept: Option<bool>,

    /// Algorithm [default: auto]
    ///
    /// auto: chooses among the full-batch solvers by cost and progress; with held-out rows or a setting of
    /// sgd it is sgd. newton: proximal Newton. lbfgs: limited-memory quasi-Newton. sgd: mini-batch proximal
    /// gradient descent, which tune does not have. The default is auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true, help_heading = "Solver")]
    #[arg(help = "Algorithm: auto, newton, lbfgs, sgd [default: auto]")]
    pub solver: Option<Solver>,

    /// Optimality residual at which a model is done [default: 1e-6]
    ///
    /// A model is done once its optimality residual, in the units of the gradient of the mean loss, is at
    /// most this value, and its objective is proved to be within the same relative distance of the minimum.
    /// Above 0; the default is 1e-6.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub tolerance: Option<f64>,

    /// Most epochs or iterations of any solver [default: 1000]
    ///
    /// Most iterations of a full-batch solver, or epochs of sgd; at least 1. The default is 1000. A model
    /// that needs more is written as it is, and reported as not converged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub max_iterations: Option<usize>,

    /// Most epochs of sgd [default: 1000]
    ///
    /// Most passes of sgd over the rows; at least 1. The default is 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub epochs: Option<usize>,

    /// Rows of a mini-batch [default: from the table]
    ///
    /// Rows in each step of sgd; at least 1. By default chosen from the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub batch_size: Option<usize>,

    /// Length of a step [default: from the table]
    ///
    /// Factor, above 0, of the gradient in each step of sgd. By default chosen from the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub learning_rate: Option<f64>,

    /// Momentum, 0 to below 1 [default: from the table]
    ///
    /// Share of the previous step that sgd adds to the next one, from 0 to below 1. By default chosen from
    /// the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub momentum: Option<f64>,

    /// Seed of every random choice [default: 0]
    ///
    /// Whole number that seeds how rows are dealt, held out and shuffled. The same seed on the same device
    /// gives the same model, bit for bit. The default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub seed: Option<u64>,

    /// Table on which to watch the score
    ///
    /// A table with the same columns: a path, directory or glob; may be repeated. Models are scored on it
    /// after each epoch, not trained on it, and the model with the best score is kept. By default none.
    #[serde(deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "DATA", conflicts_with = "validation_fraction", help_heading = "Validation")]
    pub validation: Vec<String>,

    /// Or the share of the rows to hold out for it
    ///
    /// Share of the rows, above 0 and below 1, drawn by the seed, that is held out from training. Models are
    /// scored on these rows after each epoch, and the model with the best score is kept. By default no row is
    /// held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Validation")]
    pub validation_fraction: Option<f64>,

    /// Stop after N epochs without a better score
    ///
    /// A model stops after this many epochs, or iterations of a full-batch solver, without a better score on
    /// the held-out rows; at least 1. By default models run to their end. Needs held-out rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Validation")]
    pub patience: Option<usize>,

    /// Score that compares models
    ///
    /// The score of models on rows that they did not learn from: for `log_loss` and brier less is better; for
    /// auc, accuracy, `average_precision` and f1 more is better. The default is `log_loss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "SCORE", hide_possible_values = true, help_heading = "Validation")]
    #[arg(help = "log_loss, auc, accuracy, brier, average_precision, f1 [default: log_loss]")]
    pub scoring: Option<Scoring>,

    /// auto, gpu, cpu, software, or an index [default: auto]
    ///
    /// auto: a hardware GPU if there is one, else the CPU. gpu: a hardware GPU, or an error. cpu: the
    /// vectorised CPU engine. software: the shaders on a software adapter. A number: the adapter with that
    /// index in `logodds devices`. The default is auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "DEVICE", help_heading = "Machine")]
    pub device: Option<Device>,

    /// Memory for the table and for training, such as 8GiB [default: what is available]
    ///
    /// Main memory for the table and for training on it, in bytes or with a unit, such as 500MB or 8GiB. A
    /// table that needs more is refused before it is read. By default the memory that is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<MemorySize>,

    /// Threads [default: one per core]
    ///
    /// CPU threads for reading and computing, from 1 to 1024. By default one for each core.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    pub threads: Option<usize>,

    /// Write one JSON line per epoch; - for stdout
    ///
    /// File that grows while the command works: one line with a JSON object (objective, residual, seconds and
    /// so on) for each epoch or iteration of train, or each pass of tune. By default none is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Machine")]
    pub metrics: Option<PathBuf>,
}

impl TrainConfig {
    /// Reads a TOML file. Its paths are relative to the working directory, as on the command line.
    ///
    /// # Errors
    /// [`ConfigError::Read`](crate::error::ConfigError::Read);
    /// [`ConfigError::Parse`](crate::error::ConfigError::Parse) with line and column, also for an unknown key.
    pub fn load(path: &Path) -> Result<Self> {
        parse(path, &read(path)?)
    }

    /// Overrides these settings by every setting in `flags`.
    ///
    /// Alternative settings override each other: `--c` on the command line replaces `l1` and `l2` of the
    /// file, `--exclude` replaces its `features`, and so on.
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
