//! Standard errors, tests and intervals for the coefficients of a model, with warnings where they are
//! unreliable.
//!
//! At the maximum-likelihood estimate over rows `[x_i, 1]` with weights `s_i`. A weight is the number of
//! times that its row was observed (frequency weights: weight 2 is the row twice):
//!
//! ```text
//! I = sum_i s_i p_i (1 - p_i) [x_i, 1] [x_i, 1]'        information
//! V = I^-1                                              covariance of the estimates
//! V = I^-1 (sum_i s_i (y_i - p_i)^2 x_i x_i') I^-1      robust covariance (HC0; HC1: times n / (n - k))
//! z = estimate / sqrt(V_jj),  p = P(|Z| >= |z|)         Wald's test
//! chi2 = 2 (log L - log L_0)                            likelihood-ratio test, k - 1 degrees of freedom
//! AIC = 2 k - 2 log L,  BIC = k ln S - 2 log L
//! VIF_j = V_jj / (V_jj if the other features were uncorrelated with j)
//! ```
//!
//! An L2 penalty is the prior `w ~ N(0, 1 / (S l2))` on the penalised coefficients. The covariance is then
//! that of the normal approximation to the posterior, `V = (I + S l2 P)^-1`, where P is the identity with 0
//! for the intercept. It gives credible intervals around shrunk estimates, and no p-values. Models with an
//! L1 penalty are refused.
//!
//! The table is read once. It is read again if the information matrices do not show which parameters are
//! identified, if features are nearly combinations of others, or if a Newton step would still move
//! coefficients by much. All sums are float64 on the host, block by block; with a GPU, the products of the
//! information are float32.
//!
//! Knows data, objective, model and, for `--device`, engines; no terminal.
//!
//! # References
//! - Wald, Tests of statistical hypotheses concerning several parameters, 1943.
//! - Wilks, The large-sample distribution of the likelihood ratio, 1938.
//! - Akaike, A new look at the statistical model identification, 1974; Schwarz, Estimating the dimension of
//!   a model, 1978.
//! - White, A heteroskedasticity-consistent covariance matrix estimator, 1980; MacKinnon and White, 1985
//!   (HC1).
//! - McFadden, Conditional logit analysis of qualitative choice behavior, 1974.
//! - MacKay, The evidence framework applied to classification networks, 1992 (posterior); Gray, Flexible
//!   methods for analyzing survival data using splines, 1992 (effective parameters).
//! - Albert and Anderson, On the existence of maximum likelihood estimates in logistic regression models,
//!   1984.
//! - Fox and Monette, Generalized collinearity diagnostics, 1992 (VIF from the covariance of the estimates).

mod columns;
mod doubts;
mod factor;
mod identify;
mod infinite;
mod job;
mod pass;
mod remainders;
mod report;
mod same_table;
mod solved;
mod statistics;
mod tails;

pub use report::{
    CoefficientInference, Covariance, Inference, LikelihoodRatio, ModelInference, Separation, Status,
};

use crate::config::Device;
use crate::data;
use crate::engine::Chosen;
use crate::engine::exact::Gram;
use crate::error::{ConfigError, InferenceError, Result};
use crate::model::Model;
use crate::objective::Penalty;
use crate::observer::Observer;
use crate::output;
use identify::Parameters;
use job::{Job, ToldApart};
use pass::TableSums;

/// With fewer features than this, the statistics of several models are computed in parallel.
const SIDE_BY_SIDE: usize = 1000;

/// The sandwich estimator that replaces the inverse of the information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robust {
    /// White's.
    Hc0,
    /// White's times n / (n - k).
    Hc1,
}

/// Options of [`infer`].
#[derive(Debug, Clone, PartialEq)]
pub struct InferenceOptions {
    /// Column of row weights, as in training.
    pub weight: Option<String>,
    /// Confidence level of the intervals, between 0 and 1.
    pub confidence: f64,
    /// The sandwich estimator, for standard errors that are robust to misspecification.
    pub robust: Option<Robust>,
    /// Reference levels, as `column=level`. The default is the first level of each column.
    pub references: Vec<String>,
    /// Classes whose models are analysed. Empty for all.
    pub classes: Vec<String>,
    /// Where the information is summed: in float64 on the host, or with float32 products on a GPU.
    pub device: Device,
    /// Bytes that information matrices and blocks of the table may take. Default: the available memory.
    /// Models that do not fit together are computed in several readings of the table.
    pub memory: Option<u64>,
}

impl Default for InferenceOptions {
    fn default() -> Self {
        Self {
            weight: None,
            confidence: 0.95,
            robust: None,
            references: Vec::new(),
            classes: Vec::new(),
            device: Device::Cpu,
            memory: None,
        }
    }
}

/// Computes the statistics of `model` on `data`, the rows that it was trained on.
///
/// The table is read block by block. Memory holds a matrix of parameters x parameters for each model (two
/// with `robust`), and some more while a model's statistics are computed.
///
/// # Errors
/// The data are not the training data of the model (rows, weights and objective are compared), or cannot be
/// read; a model has an L1 penalty; an option does not apply; the matrices do not fit into memory; or
/// `observer` asks to stop.
///
/// # Examples
/// ```
/// use logodds::config::{Device, TrainConfig};
/// use logodds::inference::{InferenceOptions, infer};
/// use logodds::observer::Silent;
/// use logodds::train::train;
///
/// # fn main() -> logodds::Result<()> {
/// let data = vec!["data/iris/train.parquet".to_owned()];
/// let config = TrainConfig {
///     data: data.clone(),
///     target: Some("species".into()),
///     l1: Some(0.0),
///     l2: Some(0.0),
///     device: Some(Device::Cpu),
///     ..TrainConfig::default()
/// };
/// let trained = train(&config.check()?, &Silent)?;
/// let options = InferenceOptions { classes: vec!["versicolor".into()], ..InferenceOptions::default() };
/// let inference = infer(&trained.model, &data, &options, &Silent)?;
/// for coefficient in &inference.models[0].coefficients {
///     let (error, p) = (coefficient.standard_error.unwrap(), coefficient.p_value.unwrap());
///     println!("{}: {:.3} +- {error:.3}, p = {p:.2e}", coefficient.feature, coefficient.estimate);
/// }
/// # Ok(())
/// # }
/// ```
pub fn infer(
    model: &Model,
    data: &[String],
    options: &InferenceOptions,
    observer: &dyn Observer,
) -> Result<Inference> {
    if !(options.confidence > 0.0 && options.confidence < 1.0) {
        return Err(ConfigError::Invalid {
            flag: "--confidence",
            found: options.confidence.to_string(),
            expected: "a share between 0 and 1, such as 0.95",
        }
        .into());
    }
    let chosen = model.models_of(&options.classes)?;
    refuse_l1(model, &chosen)?;
    let encoding = model.encoding();
    let references = identify::references(&encoding, &options.references)?;
    let device = Chosen::find(options.device)?;
    let source = data::open(data)?;
    output::check_once(source.files())?;
    let n_parameters = encoding.n_features() + 1;
    let together = models_together(n_parameters, options)?;
    let is_penalised = |&m: &usize| penalty(model, m).l2 > 0.0;
    let is_contrasted = !chosen.iter().all(is_penalised);
    let any_penalised = chosen.iter().any(is_penalised);
    if options.robust.is_some() && any_penalised {
        let why = "the model has an L2 penalty, and its estimates are shrunk; train again with --l1 0 --l2 0"
            .to_owned();
        return Err(ConfigError::NotApplicable { flag: "--robust", why }.into());
    }
    if chosen.len() > together {
        observer.message(&format!(
            "{} matrices of {n_parameters} x {n_parameters} do not fit into memory together: the table is read {} times",
            chosen.len(),
            chosen.len().div_ceil(together)
        ));
    }
    let names = encoding.feature_names();
    let job = Job {
        model,
        source: &source,
        encoding: &encoding,
        target: model.target(),
        names: &names,
        is_indicator: pass::indicators(&encoding),
        references: &references,
        contrasts: Parameters::contrasts(&encoding, &references),
        any_penalised,
        options,
        device: &device,
    };
    let mut told_apart = ToldApart::default();
    let mut inference: Option<Inference> = None;
    for chosen in chosen.chunks(together) {
        let (table, models) = job.infer(chosen, &mut told_apart, observer)?;
        let whole = inference.get_or_insert_with(|| Inference {
            rows: table.rows,
            rows_dropped: source.n_rows() - table.rows,
            weight_sum: table.weight_sum,
            confidence: options.confidence,
            device: device.precision(),
            references: if is_contrasted {
                references.iter().flatten().map(|&j| names[j].clone()).collect()
            } else {
                Vec::new()
            },
            models: Vec::new(),
            warnings: warnings(&table),
        });
        whole.models.extend(models);
    }
    Ok(inference.expect("a model file has a model at least"))
}

fn penalty(model: &Model, m: usize) -> Penalty {
    model.penalty_of(&model.models[m]).penalty()
}

fn refuse_l1(model: &Model, chosen: &[usize]) -> Result<()> {
    let Some(&m) = chosen.iter().find(|&&m| penalty(model, m).l1 > 0.0) else { return Ok(()) };
    let fitted = &model.models[m];
    let mut first = 0;
    let mut features = Vec::new();
    for column in &model.columns {
        let width = column.width();
        if fitted.coefficients[first..first + width].iter().any(|&w| w != 0.0) {
            features.push(column.name.as_str());
        }
        first += width;
    }
    Err(InferenceError::chosen(&fitted.class, &features).into())
}

/// Bytes of the matrices for the sums of `n_models` models, with partial sums.
fn matrices(n_parameters: usize, n_models: usize, options: &InferenceOptions) -> u64 {
    let kept = if options.robust.is_some() { 2 } else { 1 };
    matrix(n_parameters) * (kept * n_models as u64) + Gram::partial_bytes(n_parameters)
}

fn matrix(n_parameters: usize) -> u64 {
    8 * (n_parameters as u64).pow(2)
}

/// Number of models whose matrices fit into memory together, with room for the final computations.
fn models_together(n_parameters: usize, options: &InferenceOptions) -> Result<usize> {
    let matrix = matrix(n_parameters);
    let kept = matrix * if options.robust.is_some() { 2 } else { 1 };
    // The scaled matrix, its factor, the inverse, and products with it, for each model computed in
    // parallel; and the Gram matrix of the table.
    let side_by_side = if n_parameters <= SIDE_BY_SIDE { rayon::current_num_threads() as u64 } else { 1 };
    let working = 5 * matrix * side_by_side + matrix;
    let available = options.memory.or_else(data::available_memory).unwrap_or(u64::MAX);
    match available.saturating_sub(working) / kept {
        0 => {
            Err(InferenceError::Memory { parameters: n_parameters, needed: working + kept, available }.into())
        }
        together => Ok(usize::try_from(together).unwrap_or(usize::MAX)),
    }
}

fn warnings(table: &TableSums) -> Vec<String> {
    let fractions =
        "weights are read as the number of times that a row was observed, but some are not whole numbers: for \
                     other kinds of weights the standard errors are wrong"
            .to_owned();
    if table.whole_weights { Vec::new() } else { vec![fractions] }
}
