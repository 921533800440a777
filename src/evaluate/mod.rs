//! Evaluates trained models on labelled data.
//!
//! The table is read once for all models, block by block. Memory holds sums, and the scores of all rows for
//! each model and ranking, because an exact AUC needs them all. If the scores of all classes do not fit, the
//! table is read again for the remaining classes.

mod bootstrap;
mod contest;
mod intervals;
mod ranks;
mod report;
mod sums;
mod weights;

pub(crate) use contest::{Contest, Rows, Seen};
pub(crate) use ranks::Plan;
pub use report::{
    ClassEvaluation, ClassIntervals, Comparison, Difference, Evaluation, Headline, IntervalBasis,
    IntervalMethod, Intervals,
};
pub use weights::{AskedWeight, RowWeights};

use crate::config::MemorySize;
use crate::data;
use crate::error::{ConfigError, DataError, Result};
use crate::metrics::{Averages, Ranked, Ranking};
use crate::model::{Model, Task};
use crate::observer::Observer;
use crate::output;
use crate::predict::name_unseen;
use bootstrap::{Draws, Replicates};
use intervals::Evidence;
use ranks::{Held, Rank};
use sums::Sums;

/// Options of an evaluation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluateOptions {
    /// Column of row weights.
    pub weight: Option<String>,
    /// Decision threshold of binary models, instead of the ones in the models.
    pub threshold: Option<f64>,
    /// Options of confidence intervals, if wanted.
    pub intervals: Option<IntervalOptions>,
    /// Bytes for blocks of the table and for scores; by default the memory that is available. The scores take
    /// at most half of it, unless one ranking needs more.
    pub memory: Option<u64>,
}

/// Options of confidence intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalOptions {
    /// The method.
    pub method: IntervalMethod,
    /// Confidence level.
    pub confidence: f64,
    /// Bootstrap: number of resamples.
    pub replicates: usize,
    /// Bootstrap: seed.
    pub seed: u64,
}

impl Default for IntervalOptions {
    /// A bootstrap with 1000 resamples at 95 %.
    fn default() -> Self {
        Self { method: IntervalMethod::Bootstrap, confidence: 0.95, replicates: 1000, seed: 0 }
    }
}

impl IntervalOptions {
    fn check(&self, weight: Option<&String>) -> Result<IntervalBasis> {
        let Self { method, confidence, replicates, seed } = *self;
        if !(confidence > 0.0 && confidence < 1.0) {
            let (found, expected) = (confidence.to_string(), "a number between 0 and 1, such as 0.95");
            return Err(ConfigError::Invalid { flag: "--confidence", found, expected }.into());
        }
        if method == IntervalMethod::Bootstrap && replicates < 2 {
            let (found, expected) = (replicates.to_string(), "at least 2, preferably 1000");
            return Err(ConfigError::Invalid { flag: "--bootstrap", found, expected }.into());
        }
        if method == IntervalMethod::DeLong && weight.is_some() {
            let why =
                "the method counts rows; use --intervals=bootstrap, which draws each row with its weight";
            let (first, second) = ("--intervals=delong", "--weight");
            return Err(ConfigError::Conflict { first, second, why }.into());
        }
        let drawn = method == IntervalMethod::Bootstrap;
        let (replicates, seed) = (drawn.then_some(replicates), drawn.then_some(seed));
        Ok(IntervalBasis { method, confidence, replicates, seed })
    }
}

/// Evaluates `model` on `data`, which must have the target column.
///
/// # Errors
/// The data cannot be read, lack a column, have a label that is not a class of the model, or have no label at
/// all; an option does not fit the model; or `observer`, which is told the rows and resamples done, stops the
/// work.
pub fn evaluate(
    model: &Model,
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    Ok(compare(&[model], data, options, observer)?.evaluations.swap_remove(0))
}

/// Evaluates several models on the same rows of one table: the rows that every model can use.
///
/// # Errors
/// The errors of [`evaluate`]; and there is no model, or the models differ in their target column or classes.
pub fn compare(
    models: &[&Model],
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
) -> Result<Comparison> {
    compare_before(models, data, options, observer, &mut ())
}

/// Receives rows and rankings during an evaluation.
pub(crate) trait Witness {
    /// Some rows with the scores of each model; each row comes once.
    fn rows(&mut self, contest: &Contest<'_>, rows: &Rows, scores: &[Vec<f64>]) {
        let _ = (contest, rows, scores);
    }

    /// All rows, ranked by the scores of a model for a class; only without intervals.
    fn ranked(&mut self, contest: &Contest<'_>, class: usize, ranked: &Ranked) {
        let _ = (contest, class, ranked);
    }
}

impl Witness for () {}

/// [`compare`], which also passes its intermediate results to `witness`.
pub(crate) fn compare_before(
    models: &[&Model],
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
    witness: &mut dyn Witness,
) -> Result<Comparison> {
    if models.is_empty() {
        return Err(ConfigError::Missing { flag: "MODEL", what: "the file of the model to evaluate" }.into());
    }
    let basis = options.intervals.map(|intervals| intervals.check(options.weight.as_ref())).transpose()?;
    let source = data::open(data)?;
    output::check_once(source.files())?;
    let contest = Contest::new(models, &source, options.threshold, options.weight.clone(), options.memory)?;
    let draws = basis.and_then(|basis| Some(Draws { seed: basis.seed?, replicates: basis.replicates? }));
    let mut evidence = basis.map(|_| match draws {
        Some(draws) => Evidence::Bootstrap(Replicates::new(draws, &contest)),
        None => Evidence::DeLong(vec![Vec::new(); models.len()]),
    });
    let mut sums: Vec<Sums> =
        contest.scorers.iter().map(|s| Sums::new(contest.classes().len(), s.n_models())).collect();
    let plan = Plan::new(&contest, options.memory, basis.map(|basis| basis.method));
    let readings = plan.readings();
    let n_readings = readings.len();
    if n_readings > 1 {
        observer.message(&format!(
            "the scores of all classes take {}, more than the {} for them: the table is read {n_readings} \
             times (--memory)",
            MemorySize(plan.bytes.next_multiple_of(1 << 20)),
            MemorySize(plan.memory.next_multiple_of(1 << 20)),
        ));
    }
    let mut ranks: Vec<Vec<Rank>> = Vec::new();
    let mut seen = Seen::default();
    for (reading, rankings) in readings.enumerate() {
        let mut held = Held::new(&contest, rankings, basis.map(|basis| basis.method), draws.as_ref());
        seen = contest.read(observer, (reading, n_readings), plan.held(), |rows| {
            let scores = contest.scores(&rows.z);
            if reading == 0 {
                witness.rows(&contest, &rows, &scores);
                let models = sums.iter_mut().zip(scores.iter()).enumerate();
                let terms: Vec<_> =
                    models.map(|(m, (sums, scores))| sums.add(&contest, m, &rows, scores)).collect();
                if let Some(Evidence::Bootstrap(replicates)) = &mut evidence {
                    replicates.add(&rows, &terms);
                }
            }
            held.push(&rows, &scores);
            Ok(())
        })?;
        let influence = match &mut evidence {
            Some(Evidence::DeLong(influence)) => influence.as_mut_slice(),
            _ => &mut [],
        };
        ranks.extend(held.finish(influence, witness, observer)?);
    }
    if sums[0].losses.weight <= 0.0 {
        return Err(DataError::WeightsZero { column: options.weight.clone().unwrap_or_default() }.into());
    }
    let mut evaluations: Vec<Evaluation> = (0..models.len())
        .map(|m| {
            let of_model: Vec<&Rank> = ranks.iter().map(|models| &models[m]).collect();
            describe(&contest, m, &sums[m], &of_model, &seen)
        })
        .collect();
    let differences = match (&mut evidence, basis) {
        (Some(evidence), Some(basis)) => {
            evidence.settle(&ranks);
            intervals::fill(evidence, basis, &ranks, &mut evaluations)
        }
        _ => Vec::new(),
    };
    Ok(Comparison { evaluations, differences })
}

/// The evaluation of a model, from its sums and rankings.
fn describe(contest: &Contest<'_>, m: usize, sums: &Sums, ranks: &[&Rank], seen: &Seen) -> Evaluation {
    let model = contest.models[m];
    let is_binary = model.task == Task::Binary;
    let rankings: Vec<Option<Ranking>> = ranks.iter().map(|rank| rank.ranking).collect();
    let averages = Averages::new(&sums.confusion, if is_binary { &[] } else { &rankings });
    let mean = |of: fn(&Ranking) -> f64| {
        let known: Vec<f64> = rankings.iter().flatten().map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let thresholds = contest.scorers[m].thresholds();
    let classes =
        model.classes.iter().zip(sums.confusion.classes()).enumerate().map(|(k, (class, decisions))| {
            // Binary: reversing the order and swapping the sides leaves the AUC and its error unchanged.
            let at = if is_binary { 0 } else { k };
            let own = !is_binary || k == contest.scorers[m].positive();
            ClassEvaluation {
                class: class.clone(),
                precision: decisions.precision,
                recall: decisions.recall,
                f1: decisions.f1,
                support: decisions.support,
                auc: rankings[at].map(|ranking| ranking.auc),
                average_precision: rankings[at].filter(|_| own).map(|ranking| ranking.average_precision),
                ece: sums.losses.of_models[at].calibration().ece,
                threshold: (!is_binary).then(|| thresholds[k]),
                lift: if is_binary { Vec::new() } else { ranks[k].lift.clone() },
            }
        });
    let classes = classes.collect();
    let mut lift = if is_binary { ranks[0].lift.clone() } else { Vec::new() };
    // Ranked by linear predictors, reported as probabilities.
    lift.iter_mut().for_each(|part| part.score = contest.probability(part.score));
    Evaluation {
        rows: seen.rows,
        rows_dropped: seen.rows_dropped,
        log_loss: sums.losses.log_loss / sums.losses.weight,
        accuracy: sums.confusion.accuracy(),
        balanced_accuracy: sums.confusion.balanced_accuracy(),
        mcc: sums.confusion.mcc(),
        auc: mean(|ranking| ranking.auc),
        average_precision: mean(|ranking| ranking.average_precision),
        brier: sums.losses.brier / sums.losses.weight,
        confusion_matrix: sums.confusion.matrix(),
        classes,
        averages,
        calibration: sums.calibration().calibration(),
        lift,
        threshold: contest.scorers[m].threshold(),
        intervals: None,
        unseen: name_unseen(model, &seen.unseen[m]),
    }
}
