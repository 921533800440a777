//! The settings of a sweep: the settings of training, and those of the grid and its folds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check::ensure;
use super::toml_file::{load_split, some};
use super::{Rule, Scoring, Solver, Strengths, TrainConfig, ValidConfig};
use crate::data::Folding;
use crate::error::{ConfigError, Result};

/// Default number of penalties for each L1 share.
const DEFAULT_STRENGTHS: usize = 20;

/// Default number of folds.
const DEFAULT_FOLDS: usize = 5;

/// Most folds. A row's label has no room for more.
const MAX_FOLDS: usize = 1000;

/// Most penalties for one L1 share.
const MAX_STRENGTHS: usize = 10_000;

/// Settings of a sweep as a user gives them; a setting that is left out takes its default.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
pub struct TuneConfig {
    /// The settings that a sweep shares with training.
    #[command(flatten)]
    pub train: TrainConfig,
    /// The settings that only a sweep has.
    #[command(flatten)]
    pub sweep: TuneSettings,
}

/// The settings that only a sweep has.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TuneSettings {
    /// Penalties: how many, down from the smallest that zeroes every coefficient, or a list [default: 20]
    ///
    /// Values of l1 + l2, the total weight of the penalty in the mean objective. A number N gives N values,
    /// evenly spaced on a log scale, downwards from the smallest value that makes every coefficient 0 in
    /// every fold. A list of values is separated by commas. The default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(
        long,
        value_name = "N|A,B,..",
        conflicts_with = "cs",
        allow_hyphen_values = true,
        help_heading = "Grid"
    )]
    pub lambdas: Option<Strengths>,

    /// Or as in scikit-learn: inverse strengths, how many or a list
    ///
    /// Inverse strengths C of the penalty, above 0: with the n rows that a model learns from, C = 1 / (n (l1
    /// + l2)). A number N of them, or a list separated by commas. By default --lambdas sets the penalties.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N|A,B,..", allow_hyphen_values = true, help_heading = "Grid")]
    pub cs: Option<Strengths>,

    /// Shares of L1 [default: 0]
    ///
    /// Shares of L1 in the penalty, from 0 (L2 alone) to 1 (L1 alone), separated by commas. Every penalty is
    /// tried with each share. The default is 0.
    #[serde(deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B,..",
        allow_hyphen_values = true,
        help_heading = "Grid"
    )]
    pub l1_ratios: Vec<f64>,

    /// Choose a penalty for each class
    ///
    /// With this flag, or =true, the penalty of each class is chosen by the score of the model of that class.
    /// By default all classes share the penalty with the best mean score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Grid")]
    pub per_class: Option<bool>,

    /// End a path of penalties once its scores get clearly worse
    ///
    /// With this flag, or =true, a path of penalties ends once its scores are clearly worse than its best. By
    /// default every penalty is trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Grid")]
    pub halving: Option<bool>,

    /// Folds, with equal shares of each class [default: 5]
    ///
    /// Number of folds, from 2 to 1000, or from 1 with --time. Each fold is held out once, from models that
    /// learn from the others. The default is 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "K", conflicts_with = "fold_column", help_heading = "Folds")]
    pub folds: Option<usize>,

    /// Keep rows with the same value of a column in one fold
    ///
    /// Column whose values name groups, such as patients: all rows of a group are in the same fold. By
    /// default each row is dealt on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["fold_column", "time"], help_heading = "Folds")]
    pub group: Option<String>,

    /// One fold for each value of a column
    ///
    /// Column whose values name the folds: rows with the same value are held out together, and there are as
    /// many folds as values. By default folds are drawn by the seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "COLUMN", conflicts_with = "time", help_heading = "Folds")]
    pub fold_column: Option<String>,

    /// Forward chaining: learn from earlier rows, score later ones
    ///
    /// Column of numbers, dates or times that orders the rows: each fold is scored by models that learned
    /// from earlier rows. By default the order of rows does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "COLUMN", help_heading = "Folds")]
    pub time: Option<String>,

    /// Rule that chooses the penalty
    ///
    /// best: the penalty with the best mean score. one-standard-error: the largest penalty whose mean score
    /// is within one standard error of the best. The default is best.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, value_name = "RULE", hide_possible_values = true, help_heading = "Choice")]
    #[arg(help = "best, or one-standard-error: the largest penalty that is as good [default: best]")]
    pub rule: Option<Rule>,

    /// Folder that saves every pass, so that a stopped sweep can continue
    ///
    /// Directory, made if it is missing, that saves the result of each pass, so that a stopped sweep can
    /// continue. By default nothing is saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub checkpoint: Option<PathBuf>,

    /// Continue the sweep in the checkpoint
    ///
    /// With this flag, or =true, the passes in the folder of --checkpoint are not computed again. Its sweep
    /// must have the same table and settings. By default a sweep starts from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_possible_values = true, help_heading = "Output")]
    pub resume: Option<bool>,

    /// Folder for plots and tables of the scores and the coefficients
    ///
    /// Directory, made if it is missing, for the curve of scores and the paths of the coefficients, as SVG
    /// and as tables. By default none are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub plots: Option<PathBuf>,
}

/// The penalties of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    /// `lambda = l1 + l2` in the mean objective, the same for every fold.
    Lambdas(Strengths),
    /// scikit-learn's C: `lambda = 1 / (C n)`, where n is the number of rows that a model learns from.
    Cs(Vec<f64>),
}

/// Settings of a sweep that have been checked; made by [`TuneConfig::check`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ValidTune {
    /// The settings of training; the penalty is not used.
    pub train: ValidConfig,
    /// The penalties.
    pub grid: Grid,
    /// The shares of L1, ascending, at least one.
    pub l1_ratios: Vec<f64>,
    /// Whether each class gets its own penalty.
    pub per_class: bool,
    /// Whether a path ends once its scores are clearly worse than its best.
    pub halving: bool,
    /// How rows are divided into folds.
    pub folding: Folding,
    /// The score that compares models.
    pub scoring: Scoring,
    /// The rule that chooses the penalty.
    pub rule: Rule,
    /// Where every pass is saved.
    pub checkpoint: Option<PathBuf>,
    /// Whether to continue the sweep that is saved there.
    pub resume: bool,
    /// Where plots and tables go.
    pub plots: Option<PathBuf>,
}

impl TuneConfig {
    /// Reads a TOML file with the keys of training and of a sweep.
    ///
    /// # Errors
    /// The errors of [`TrainConfig::load`].
    pub fn load(path: &Path) -> Result<Self> {
        let (train, sweep) = load_split(path, &TuneSettings::keys())?;
        Ok(Self { train, sweep })
    }

    /// Overrides these settings by every setting in `flags`; see [`TrainConfig::merge`].
    #[must_use]
    pub fn merge(self, flags: Self) -> Self {
        let mut sweep = self.sweep;
        let over = flags.sweep;
        if over.lambdas.is_some() || over.cs.is_some() {
            (sweep.lambdas, sweep.cs) = (None, None);
        }
        if over.folds.is_some() {
            sweep.fold_column = None;
        }
        if over.fold_column.is_some() {
            sweep.folds = None;
        }
        if over.fold_column.is_some() || over.time.is_some() || over.group.is_some() {
            (sweep.fold_column, sweep.time, sweep.group) = (None, None, None);
        }
        Self {
            train: self.train.merge(flags.train),
            sweep: TuneSettings {
                lambdas: over.lambdas.or(sweep.lambdas),
                cs: over.cs.or(sweep.cs),
                l1_ratios: if over.l1_ratios.is_empty() { sweep.l1_ratios } else { over.l1_ratios },
                per_class: over.per_class.or(sweep.per_class),
                halving: over.halving.or(sweep.halving),
                folds: over.folds.or(sweep.folds),
                group: over.group.or(sweep.group),
                fold_column: over.fold_column.or(sweep.fold_column),
                time: over.time.or(sweep.time),
                rule: over.rule.or(sweep.rule),
                checkpoint: over.checkpoint.or(sweep.checkpoint),
                resume: over.resume.or(sweep.resume),
                plots: over.plots.or(sweep.plots),
            },
        }
    }

    /// Checks every setting and fills in the defaults.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the flag and the value found.
    pub fn check(mut self) -> Result<ValidTune> {
        self.refuse_settings_of_one_model()?;
        // Training would ask for held-out rows, which a sweep does not have.
        let scoring = self.train.scoring.take();
        let sweep = self.sweep;
        let grid = grid(sweep.lambdas, sweep.cs)?;
        let mut l1_ratios = if sweep.l1_ratios.is_empty() { vec![0.0] } else { sweep.l1_ratios };
        for &ratio in &l1_ratios {
            ensure((0.0..=1.0).contains(&ratio), "--l1-ratios", ratio, "numbers from 0 to 1")?;
        }
        l1_ratios.sort_by(f64::total_cmp);
        l1_ratios.dedup();
        if sweep.folds.is_some() && sweep.fold_column.is_some() {
            let why = "the column determines the number of folds";
            return Err(ConfigError::Conflict { first: "--folds", second: "--fold-column", why }.into());
        }
        let folds = sweep.folds.unwrap_or(DEFAULT_FOLDS);
        let least = if sweep.time.is_some() { 1 } else { 2 };
        let expected = if sweep.time.is_some() { "1 to 1000" } else { "2 to 1000" };
        ensure((least..=MAX_FOLDS).contains(&folds), "--folds", folds, expected)?;
        let folding = match (sweep.fold_column, sweep.group, sweep.time) {
            (Some(column), None, None) => Folding::Column { column },
            (None, Some(column), None) => Folding::Group { column, folds },
            (None, None, Some(column)) => Folding::Time { column, folds },
            (None, None, None) => Folding::Stratified { folds },
            _ => {
                let why = "each of them determines which rows are held out together";
                return Err(
                    ConfigError::Conflict { first: "--group, --time", second: "--fold-column", why }.into()
                );
            }
        };
        let resume = sweep.resume.unwrap_or(false);
        if resume && sweep.checkpoint.is_none() {
            let what = "name the folder of the sweep to be resumed";
            return Err(ConfigError::Missing { flag: "--checkpoint", what }.into());
        }
        Ok(ValidTune {
            train: self.train.check()?,
            grid,
            l1_ratios,
            per_class: sweep.per_class.unwrap_or(false),
            halving: sweep.halving.unwrap_or(false),
            folding,
            scoring: scoring.unwrap_or_default(),
            rule: sweep.rule.unwrap_or_default(),
            checkpoint: sweep.checkpoint,
            resume,
            plots: sweep.plots,
        })
    }

    fn refuse_settings_of_one_model(&self) -> Result<()> {
        let train = &self.train;
        let given = [
            ("--l1", train.l1.is_some()),
            ("--l2", train.l2.is_some()),
            ("--c", train.c.is_some()),
            ("--l1-ratio", train.l1_ratio.is_some()),
        ];
        if let Some(&(first, _)) = given.iter().find(|(_, is_given)| *is_given) {
            let why = "a sweep tries many penalties; set them with --lambdas or --cs, and --l1-ratios";
            return Err(ConfigError::Conflict { first, second: "tune", why }.into());
        }
        let given = [
            ("--validation", !train.validation.is_empty()),
            ("--validation-fraction", train.validation_fraction.is_some()),
            ("--patience", train.patience.is_some()),
        ];
        if let Some(&(first, _)) = given.iter().find(|(_, is_given)| *is_given) {
            let why = "a sweep scores its models on folds of the table";
            return Err(ConfigError::Conflict { first, second: "tune", why }.into());
        }
        let given = [
            ("--solver sgd", train.solver == Some(Solver::Sgd)),
            ("--epochs", train.epochs.is_some()),
            ("--batch-size", train.batch_size.is_some()),
            ("--learning-rate", train.learning_rate.is_some()),
            ("--momentum", train.momentum.is_some()),
        ];
        if let Some(&(first, _)) = given.iter().find(|(_, is_given)| *is_given) {
            let why = "a sweep compares optima; its solvers are auto, newton and lbfgs";
            return Err(ConfigError::Conflict { first, second: "tune", why }.into());
        }
        Ok(())
    }
}

impl TuneSettings {
    /// The keys in a TOML file that only a sweep has.
    fn keys() -> [&'static str; 13] {
        [
            "lambdas",
            "cs",
            "l1-ratios",
            "per-class",
            "halving",
            "folds",
            "group",
            "fold-column",
            "time",
            "rule",
            "checkpoint",
            "resume",
            "plots",
        ]
    }
}

fn grid(lambdas: Option<Strengths>, cs: Option<Strengths>) -> Result<Grid> {
    let check_count = |flag, count| {
        ensure((1..=MAX_STRENGTHS).contains(&count), flag, count, "1 to 10000 penalties, or a list of them")
    };
    match (lambdas, cs) {
        (Some(_), Some(_)) => {
            let why = "they give the same penalty on two scales";
            Err(ConfigError::Conflict { first: "--lambdas", second: "--cs", why }.into())
        }
        (None, Some(Strengths::Count(count))) => {
            check_count("--cs", count)?;
            ensure(
                count > 1,
                "--cs",
                count,
                "a number of 2 or more penalties; for the single value 1 write 1.0",
            )?;
            // scikit-learn's grid: evenly on a logarithmic scale from 1e-4 to 1e4.
            let at = |k: usize| 10f64.powf(-4.0 + 8.0 * k as f64 / (count - 1).max(1) as f64);
            Ok(Grid::Cs((0..count).map(at).collect()))
        }
        (None, Some(Strengths::Values(mut cs))) => {
            ensure(!cs.is_empty(), "--cs", "empty", "at least one number")?;
            for &c in &cs {
                ensure(c > 0.0 && c.is_finite(), "--cs", c, "positive numbers")?;
            }
            cs.sort_by(f64::total_cmp);
            cs.dedup();
            Ok(Grid::Cs(cs))
        }
        (Some(Strengths::Values(mut lambdas)), None) => {
            ensure(!lambdas.is_empty(), "--lambdas", "empty", "at least one number")?;
            for &lambda in &lambdas {
                ensure(lambda >= 0.0 && lambda.is_finite(), "--lambdas", lambda, "numbers, zero or more")?;
            }
            lambdas.sort_by(|a, b| b.total_cmp(a));
            lambdas.dedup();
            Ok(Grid::Lambdas(Strengths::Values(lambdas)))
        }
        (lambdas, None) => {
            let count = match lambdas {
                Some(Strengths::Count(count)) => count,
                _ => DEFAULT_STRENGTHS,
            };
            check_count("--lambdas", count)?;
            Ok(Grid::Lambdas(Strengths::Count(count)))
        }
    }
}
