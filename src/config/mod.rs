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
mod tune;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

pub use check::{
    DEFAULT_EPOCHS, DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, Features, ValidConfig, Validation, check_threshold,
};
pub use choices::{ClassWeight, Device, MemorySize, Rule, Scoring, Solver};
pub use export::{Dialect, ExportFormat};
pub use penalty::PenaltyConfig;
pub use strengths::Strengths;
pub use tune::{Grid, TuneConfig, TuneSettings, ValidTune};

use crate::data::{Missing, Nan};
use crate::error::{ConfigError, Error, Result};

/// Settings of a training run as a user gives them; what is left out takes its default.
///
/// A flag, its TOML key and the field bear the same name: `--batch-size`, `batch-size`, `batch_size`.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainConfig {
    /// Parquet files, directories of them, or globs
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(value_name = "DATA")]
    pub data: Vec<String>,

    /// Column to predict
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "COLUMN", help_heading = "Table")]
    pub target: Option<String>,

    /// Where to write the model
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Columns to use [default: all but target and weight]
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B,..",
        conflicts_with = "exclude",
        help_heading = "Table"
    )]
    pub features: Vec<String>,

    /// Columns to leave out
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "Table")]
    pub exclude: Vec<String>,

    /// Integer columns to be treated as levels
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "Table")]
    pub categorical: Vec<String>,

    /// Class 1 of a binary target [default: the last in ascending order]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, help_heading = "Table")]
    pub positive: Option<String>,

    /// Column of row weights
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    pub weight: Option<String>,

    /// Weight of the classes [default: none]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true, help_heading = "Table")]
    #[arg(help = "Weight of the classes: none, balanced [default: none]")]
    pub class_weight: Option<ClassWeight>,

    /// Nulls in numeric features [default: mean]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "HOW", help_heading = "Table")]
    #[arg(help = "Nulls in numeric features: mean, drop, error [default: mean]")]
    pub missing: Option<Missing>,

    /// NaN in features and in the target [default: null]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "WHAT", help_heading = "Table")]
    #[arg(help = "NaN in features and target: null, error [default: null]")]
    pub nan: Option<Nan>,

    /// Weight of the coefficients' absolute values
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, conflicts_with_all = ["c", "l1_ratio"])]
    #[arg(help_heading = "Penalty")]
    pub l1: Option<f64>,

    /// Weight of half the coefficients' squares
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, conflicts_with_all = ["c", "l1_ratio"])]
    #[arg(help_heading = "Penalty")]
    pub l2: Option<f64>,

    /// Or as scikit-learn has it: inverse strength [default: 1.0]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Penalty")]
    pub c: Option<f64>,

    /// and share of L1 [default: 0.0]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Penalty")]
    pub l1_ratio: Option<f64>,

    /// Penalise coefficients in the units of the columns
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Penalty")]
    pub no_standardize: Option<bool>,

    /// Train without an intercept
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Penalty")]
    pub no_intercept: Option<bool>,

    /// Algorithm [default: auto]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true, help_heading = "Solver")]
    #[arg(help = "Algorithm: auto, newton, lbfgs, sgd [default: auto]")]
    pub solver: Option<Solver>,

    /// Optimality residual at which a model is done [default: 1e-6]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub tolerance: Option<f64>,

    /// Bound on the epochs or iterations of any solver [default: 1000]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub max_iterations: Option<usize>,

    /// Bound on passes of mini-batches [default: 1000]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub epochs: Option<usize>,

    /// Rows of a mini-batch [default: from the table]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub batch_size: Option<usize>,

    /// Length of a step [default: from the table]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub learning_rate: Option<f64>,

    /// Momentum, 0 to below 1 [default: from the table]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Solver")]
    pub momentum: Option<f64>,

    /// Seed of every random choice [default: 0]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub seed: Option<u64>,

    /// Table to watch the score on
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "DATA", conflicts_with = "validation_fraction", help_heading = "Validation")]
    pub validation: Vec<String>,

    /// Or the share of the rows to hold back for it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "F", allow_hyphen_values = true, help_heading = "Validation")]
    pub validation_fraction: Option<f64>,

    /// Stop after N epochs without a better score there
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Validation")]
    pub patience: Option<usize>,

    /// What models are compared by
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "SCORE", hide_possible_values = true, help_heading = "Validation")]
    #[arg(help = "log_loss, auc, accuracy, brier, average_precision, f1 [default: log_loss]")]
    pub scoring: Option<Scoring>,

    /// auto, gpu, cpu, software, or an index [default: auto]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "DEVICE", help_heading = "Machine")]
    pub device: Option<Device>,

    /// Memory that the table and what trains on it may take, such as 8GiB [default: what is available]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<MemorySize>,

    /// Threads [default: one per core]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    pub threads: Option<usize>,

    /// Write one JSON line per epoch
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Machine")]
    pub metrics: Option<PathBuf>,
}

impl TrainConfig {
    /// Reads a TOML file. Paths in it are relative to the working directory, as on the command line.
    ///
    /// # Errors
    /// [`ConfigError::Read`]; [`ConfigError::Parse`] with line and column, also for an unknown key.
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

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source }.into())
}

/// The settings in the text of a file; errors have their line and column.
fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let message = error.message().trim().replace('\n', ", ");
        ConfigError::Parse { path: path.to_owned(), line, column, message }.into()
    })
}

/// Two sets of settings from one file: the lines of `keys`, and all others. Each part keeps the lines of the other
/// as empty ones, so that errors say the right line.
fn load_split<A: DeserializeOwned, B: DeserializeOwned>(path: &Path, keys: &[&str]) -> Result<(A, B)> {
    let text = read(path)?;
    let document: std::collections::BTreeMap<toml::Spanned<String>, toml::Spanned<toml::Value>> =
        parse(path, &text)?;
    let mut parts = [text.clone(), text.clone()];
    for (key, value) in &document {
        let of_second = keys.contains(&key.get_ref().as_str());
        let span = key.span().start..value.span().end;
        let blank: String = text[span.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        // The same number of bytes, so that later spans stay true.
        let blank = format!("{blank:<width$}", width = span.len());
        parts[usize::from(!of_second)].replace_range(span, &blank);
    }
    let first = parse(path, &parts[0]).map_err(|error| match error {
        // Any key that is not of the second part is looked for in the first.
        Error::Config(ConfigError::Parse { path, line, column, message })
            if message.starts_with("unknown field") =>
        {
            let more: String = keys.iter().map(|key| format!(", `{key}`")).collect();
            ConfigError::Parse { path, line, column, message: message + &more }.into()
        }
        other => other,
    })?;
    Ok((first, parse(path, &parts[1])?))
}

/// A list, or a single value for a list of one.
fn one_or_many<'de, T, D>(deserializer: D) -> std::result::Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        One(T),
        Many(Vec<T>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}
