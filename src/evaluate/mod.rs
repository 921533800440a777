//! How good trained models are on labelled data.
//!
//! The table is read once for all models, block by block. What stays in memory is sums, and a score for
//! each row, model and ranking, because an exact area under the curve needs them all; where those of all
//! classes are more than the memory for them, the table is read again for the others.

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

/// How to evaluate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluateOptions {
    /// Column of row weights.
    pub weight: Option<String>,
    /// Decision threshold of binary models, in place of their own.
    pub threshold: Option<f64>,
    /// Whether and how to say how sure the numbers are.
    pub intervals: Option<IntervalOptions>,
    /// Bytes that blocks of the table and scores may take, of which the scores at most half where one ranking fits; by
    /// default what is available.
    pub memory: Option<u64>,
}

/// How to find intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalOptions {
    /// The method.
    pub method: IntervalMethod,
    /// Share of such intervals that hold the true value.
    pub confidence: f64,
    /// Bootstrap: tables to draw.
    pub replicates: usize,
    /// Bootstrap: seed of the draws.
    pub seed: u64,
}

impl Default for IntervalOptions {
    /// A bootstrap of 1000 tables at 95 %.
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
            let (found, expected) = (replicates.to_string(), "at least 2, better 1000");
            return Err(ConfigError::Invalid { flag: "--bootstrap", found, expected }.into());
        }
        if method == IntervalMethod::DeLong && weight.is_some() {
            let why =
                "the method counts rows; take --intervals=bootstrap, which draws each row with its weight";
            let (first, second) = ("--intervals=delong", "--weight");
            return Err(ConfigError::Conflict { first, second, why }.into());
        }
        let drawn = method == IntervalMethod::Bootstrap;
        let (replicates, seed) = (drawn.then_some(replicates), drawn.then_some(seed));
        Ok(IntervalBasis { method, confidence, replicates, seed })
    }
}

/// Evaluates `model` on `data`, which carry the target column.
///
/// # Errors
/// The data cannot be read, lack a column, hold a label that is none of the model's classes, or
/// no label at all; an option does not fit the model; or `observer`, who hears of the rows and the drawn
/// tables done, asks to stop.
pub fn evaluate(
    model: &Model,
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    Ok(compare(&[model], data, options, observer)?.evaluations.swap_remove(0))
}

/// Evaluates several models on the same rows of one table: those that every model can use.
///
/// # Errors
/// As [`evaluate`]; and if there is no model, or the models do not tell the same classes of the same column
/// apart.
pub fn compare(
    models: &[&Model],
    data: &[String],
    options: &EvaluateOptions,
    observer: &dyn Observer,
) -> Result<Comparison> {
    compare_before(models, data, options, observer, &mut ())
}

/// Sees what an evaluation is made of.
pub(crate) trait Witness {
    /// Some rows, once, with the scores of each model.
    fn rows(&mut self, contest: &Contest<'_>, rows: &Rows, scores: &[Vec<f64>]) {
        let _ = (contest, rows, scores);
    }

    /// All rows, ranked by the scores of a model for a class; without intervals only.
    fn ranked(&mut self, contest: &Contest<'_>, class: usize, ranked: &Ranked) {
        let _ = (contest, class, ranked);
    }
}

impl Witness for () {}

/// [`compare`] before a witness.
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

/// What the sums and rankings of a model say.
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
            // Binary: turning the order round and swapping the sides leaves the area and the error as they are.
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
    // Ranked by predictors, told as probabilities.
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
