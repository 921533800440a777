//! Predictions of a trained model, in memory and from file to file.

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::config::check_threshold;
use crate::data::{self, BlocksOptions, Encoding, PredictionWriter};
use crate::engine::exact::linear_predictor;
use crate::error::{ConfigError, DataError, Result};
use crate::metrics::normalise;
use crate::model::{Model, Task};
use crate::objective::{Coefficients, logit, sigmoids};
use crate::observer::Observer;
use crate::output;
use crate::panels::{PANEL_ROWS, Panels};

/// Rows of one parallel task.
const ROWS_PER_TASK: usize = 1 << 12;

/// A model that is ready to score panels.
#[derive(Debug, Clone)]
pub struct Scorer {
    coefficients: Coefficients,
    task: Task,
    model_classes: Vec<usize>,
    /// The threshold of each model.
    thresholds: Vec<f64>,
    /// `logit(threshold)` of each model.
    offsets: Vec<f64>,
}

/// Coefficient, per standard deviation, above which the values of a feature are kept exactly. Float32 rounds
/// a value by 6e-8, and the linear predictor by that times the coefficient.
const EXACT_ABOVE: f64 = 4.0;

impl Scorer {
    /// Prepares `model`; `threshold` replaces the threshold in the model.
    ///
    /// # Errors
    /// [`ConfigError`]: the threshold is outside (0, 1), or the model is not binary.
    pub fn try_new(model: &Model, threshold: Option<f64>) -> Result<Self> {
        if let Some(threshold) = threshold {
            check_threshold(threshold)?;
            if model.task != Task::Binary {
                let why = format!(
                    "the model has {} classes, each with a threshold of its own; leave the flag out, or set \
                     them with logodds threshold",
                    model.classes.len()
                );
                return Err(ConfigError::NotApplicable { flag: "--threshold", why }.into());
            }
        }
        let thresholds = threshold.map_or_else(|| model.thresholds(), |threshold| vec![threshold]);
        Ok(Self {
            coefficients: model.panel_coefficients(),
            task: model.task,
            model_classes: model.model_classes(),
            offsets: thresholds.iter().map(|&threshold| logit(threshold)).collect(),
            thresholds,
        })
    }

    /// Number of models, the columns of every `z`.
    pub fn n_models(&self) -> usize {
        self.model_classes.len()
    }

    /// The class index of the positive class (binary).
    pub fn positive(&self) -> usize {
        self.model_classes[0]
    }

    /// The decision threshold, if the model is binary.
    pub fn threshold(&self) -> Option<f64> {
        (self.task == Task::Binary).then(|| self.thresholds[0])
    }

    /// The features whose values float32 would round too much for these coefficients.
    pub(crate) fn exact_features(&self, encoding: &Encoding) -> Vec<bool> {
        if !encoding.standardize {
            // Without a scale the spread of the values is not known.
            return vec![true; encoding.n_features()];
        }
        let mut sizes = Vec::with_capacity(encoding.n_features());
        for column in &encoding.columns {
            let uncentred = match (encoding.intercept, column.mean, column.scale) {
                (false, Some(mean), Some(scale)) => (mean / scale).abs(),
                _ => 0.0,
            };
            sizes.extend(std::iter::repeat_n(1.0 + uncentred, column.width()));
        }
        let is_large = |j: usize| {
            let mut coefficients = (0..self.n_models()).map(|m| self.coefficients.features(m)[j]);
            coefficients.any(|w| w.abs() * sizes[j] > EXACT_ABOVE)
        };
        (0..sizes.len()).map(is_large).collect()
    }

    /// Linear predictors of every row, `n_rows` x `n_models`, row after row.
    pub fn linear_predictor(&self, panels: &Panels) -> Vec<f64> {
        linear_predictor(panels, &self.coefficients)
    }

    /// Decision threshold of each model, on its probability `sigmoid(z)`.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The predicted class index of each row of `z`.
    ///
    /// Binary: the positive class where `sigmoid(z)` reaches the threshold. One-vs-rest, where model k has
    /// the threshold `t_k`: the class with the highest
    ///
    /// ```text
    /// z_k - logit(t_k) = log [ p_k / (1 - p_k) * (1 - t_k) / t_k ],   p_k = sigmoid(z_k)
    /// ```
    ///
    /// and the first such class in a tie. This is the class whose odds exceed the odds of its threshold by
    /// the largest factor, whether several classes or none reach their thresholds. If all thresholds are
    /// equal, it is the most probable class.
    pub fn decide(&self, z: &[f64]) -> Vec<u32> {
        let n_models = self.n_models();
        let mut classes = vec![0; z.len() / n_models];
        let rows = z.par_chunks(ROWS_PER_TASK * n_models);
        classes.par_chunks_mut(ROWS_PER_TASK).zip(rows).for_each(|(classes, z)| match self.task {
            // Compare the probabilities that predictions contain, so that both agree.
            Task::Binary => {
                let mut p = vec![0.0; z.len()];
                sigmoids(z, &mut p);
                for (class, p) in classes.iter_mut().zip(p) {
                    *class = self.decide_binary(p);
                }
            }
            Task::OneVsRest => {
                for (class, z) in classes.iter_mut().zip(z.chunks_exact(n_models)) {
                    *class = self.farthest_above(z);
                }
            }
        });
        classes
    }

    /// The predicted class for probability `p` of the positive class.
    pub(crate) fn decide_binary(&self, p: f64) -> u32 {
        let positive = self.positive() as u32;
        if p >= self.thresholds[0] { positive } else { 1 - positive }
    }

    /// The first class that is farthest above its threshold.
    fn farthest_above(&self, z: &[f64]) -> u32 {
        let mut best = (0, f64::NEG_INFINITY);
        for (k, (&z, offset)) in (0..).zip(z.iter().zip(&self.offsets)) {
            if z - offset > best.1 {
                best = (k, z - offset);
            }
        }
        best.0
    }

    /// One column of probabilities for each model. Unless `raw`, the probabilities of one-vs-rest models are
    /// scaled to sum to 1 over the models.
    pub fn probabilities(&self, z: &[f64], raw: bool) -> Vec<Vec<f64>> {
        let n_models = self.n_models();
        let mut p = vec![0.0; z.len()];
        let rows = ROWS_PER_TASK * n_models;
        p.par_chunks_mut(rows).zip(z.par_chunks(rows)).for_each(|(p, z)| {
            if raw || self.task == Task::Binary {
                sigmoids(z, p);
            } else {
                for (p, z) in p.chunks_exact_mut(n_models).zip(z.chunks_exact(n_models)) {
                    normalise(z, p);
                }
            }
        });
        if n_models == 1 {
            return vec![p];
        }
        (0..n_models).into_par_iter().map(|m| p.iter().skip(m).step_by(n_models).copied().collect()).collect()
    }
}

/// Options of [`predict`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PredictOptions {
    /// Input columns to copy.
    pub keep: Vec<String>,
    /// Leave one-vs-rest probabilities unscaled; not for a binary model.
    pub raw: bool,
    /// Decision threshold of a binary model, instead of the one in the model.
    pub threshold: Option<f64>,
    /// Bytes for blocks of the table; by default the memory that is available.
    pub memory: Option<u64>,
}

/// The report of [`predict`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictReport {
    /// Rows read and written.
    pub rows: usize,
    /// Rows whose prediction is null, because they have a null that the model cannot fill.
    pub rows_incomplete: usize,
    /// Rows with a level that did not occur in training, for each column that has such rows.
    pub unseen: Vec<Unseen>,
}

/// Values of a categorical column that did not occur in training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// Name of the column.
    pub column: String,
    /// Rows with such a value.
    pub rows: usize,
}

/// Predicts every row of `data` and writes `output`, block by block. The output appears complete or not at
/// all.
///
/// Columns: `prediction`, the class in the type of the target; then `probability` of the positive class
/// (binary), or `probability_<class>` for each class; then the columns to keep.
///
/// # Errors
/// The data cannot be read or lack a feature; the output is one of the inputs or cannot be written; an option
/// does not fit the model; or `observer`, which is told the number of rows done, stops the run.
pub fn predict(
    model: &Model,
    data: &[String],
    output: &Path,
    options: &PredictOptions,
    observer: &dyn Observer,
) -> Result<PredictReport> {
    let scorer = Scorer::try_new(model, options.threshold)?;
    if options.raw && model.task == Task::Binary {
        let why =
            "the model is binary, and a single probability is never scaled; leave the flag out".to_owned();
        return Err(ConfigError::NotApplicable { flag: "--raw", why }.into());
    }
    output::check_writable("--output", output)?;
    let source = data::open(data)?;
    output::check_once(source.files())?;
    output::check_apart("--output", output, "an input table", source.files())?;
    let encoding = model.encoding();
    // Bytes a row: the linear predictor, the probabilities, and the two copies that are written.
    let beside = 4 * 8 * scorer.n_models() as u64;
    let wanted = rows_per_block(encoding.n_features());
    let rows_per_block = data::block_rows(&source, &[&encoding], (beside, 0), wanted, options.memory)?;
    let blocks = data::blocks(
        &source,
        &encoding,
        BlocksOptions {
            target: None,
            weight: None,
            keep: options.keep.clone(),
            exact: vec![scorer.exact_features(&encoding)],
            rows_per_block,
        },
    )?;
    let names: Vec<String> = match model.task {
        Task::Binary => vec!["probability".into()],
        Task::OneVsRest => model.classes.iter().map(|class| format!("probability_{class}")).collect(),
    };
    let mut writer = PredictionWriter::create(output, &source, &options.keep, &model.target(), &names)?;
    let (mut rows, mut rows_incomplete) = (0, 0);
    let mut unseen = vec![0; encoding.columns.len()];
    blocks.ahead(|block| {
        let z = scorer.linear_predictor(&block.panels);
        let mut prediction: Vec<Option<u32>> = scorer.decide(&z).into_iter().map(Some).collect();
        for &row in &block.incomplete {
            prediction[row] = None;
        }
        writer.write(&block.keep, &prediction, &scorer.probabilities(&z, options.raw))?;
        rows += block.rows;
        rows_incomplete += block.incomplete.len();
        add_unseen(&mut unseen, &block.unseen);
        report_rows(observer, rows, source.n_rows())
    })?;
    writer.finish()?;
    Ok(PredictReport { rows, rows_incomplete, unseen: name_unseen(model, &unseen) })
}

/// Rows of a block: at most 64 MiB of panels, but enough rows that every thread has work. Larger blocks would
/// only leave the caches.
pub(crate) fn rows_per_block(n_features: usize) -> usize {
    ((64 << 20) / (4 * n_features.max(1))).clamp(PANEL_ROWS, 1 << 17).next_multiple_of(PANEL_ROWS)
}

/// Reports the number of rows done; stops if the observer asks for it.
pub(crate) fn report_rows(observer: &dyn Observer, done: usize, total: usize) -> Result<()> {
    observer.reading(done, total);
    if observer.is_interrupted() { Err(DataError::Interrupted.into()) } else { Ok(()) }
}

pub(crate) fn add_unseen(total: &mut [usize], block: &[usize]) {
    for (total, rows) in total.iter_mut().zip(block) {
        *total += rows;
    }
}

pub(crate) fn name_unseen(model: &Model, counts: &[usize]) -> Vec<Unseen> {
    let named = model.columns.iter().zip(counts).filter(|(_, rows)| **rows > 0);
    named.map(|(column, &rows)| Unseen { column: column.name.clone(), rows }).collect()
}
