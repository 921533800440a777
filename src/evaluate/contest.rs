//! Reads a table once for several models.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::data::{self, BlocksOptions, Encoding, Source};
use crate::error::{ConfigError, ModelFileError, Result};
use crate::metrics::normalise;
use crate::model::{Model, Task};
use crate::objective::sigmoid;
use crate::observer::Observer;
use crate::predict::{Scorer, add_unseen, report_rows, rows_per_block};

/// Models that are evaluated on the same rows of a table.
pub(crate) struct Contest<'a> {
    pub(crate) models: &'a [&'a Model],
    pub(crate) scorers: Vec<Scorer>,
    source: &'a Source,
    weight: Option<String>,
    /// Bytes for blocks, and for data held beside them.
    memory: Option<u64>,
    /// The distinct encodings, and the encoding of each model.
    encodings: Vec<Encoding>,
    encoding_of: Vec<usize>,
}

/// Consecutive rows that have a label, and no null that a model cannot fill.
pub(crate) struct Rows {
    /// Number of rows before these.
    pub(crate) first: u64,
    pub(crate) class: Vec<u32>,
    pub(crate) weight: Option<Vec<f64>>,
    /// Linear predictors of each model, row after row.
    pub(crate) z: Vec<Vec<f64>>,
}

/// Row counts from one pass over the table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) rows: usize,
    pub(crate) rows_dropped: usize,
    /// For each model and column: rows with a level that did not occur in training.
    pub(crate) unseen: Vec<Vec<usize>>,
}

impl Rows {
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weight.as_ref().map_or(1.0, |weight| weight[row])
    }
}

impl<'a> Contest<'a> {
    /// Checks that all models have the same target and classes.
    pub(crate) fn new(
        models: &'a [&'a Model],
        source: &'a Source,
        threshold: Option<f64>,
        weight: Option<String>,
        memory: Option<u64>,
    ) -> Result<Self> {
        let (mut encodings, mut encoding_of) = (Vec::new(), Vec::new());
        for model in models {
            let first = models[0];
            if (&model.target, &model.classes, &model.positive)
                != (&first.target, &first.classes, &first.positive)
            {
                return Err(ConfigError::DifferentQuestions {
                    first: question(first),
                    other: question(model),
                }
                .into());
            }
            let encoding = model.encoding();
            let known = encodings.iter().position(|known| *known == encoding);
            encoding_of.push(known.unwrap_or_else(|| {
                encodings.push(encoding);
                encodings.len() - 1
            }));
        }
        let scorers = models.iter().map(|model| Scorer::try_new(model, threshold)).collect::<Result<_>>()?;
        Ok(Self { models, scorers, source, weight, memory, encodings, encoding_of })
    }

    pub(crate) fn task(&self) -> Task {
        self.models[0].task
    }

    pub(crate) fn classes(&self) -> &[String] {
        &self.models[0].classes
    }

    pub(crate) fn is_weighted(&self) -> bool {
        self.weight.is_some()
    }

    /// For each encoding: the features that one of its models needs exactly.
    fn exact_features(&self) -> Vec<Vec<bool>> {
        let mut exact: Vec<Vec<bool>> = self.encodings.iter().map(|e| vec![false; e.n_features()]).collect();
        for ((model, scorer), &of) in self.models.iter().zip(&self.scorers).zip(&self.encoding_of) {
            let wanted = scorer.exact_features(&model.encoding());
            exact[of].iter_mut().zip(wanted).for_each(|(exact, wanted)| *exact |= wanted);
        }
        exact
    }

    /// Rows of the table, including those that will be left out.
    pub(crate) fn n_rows(&self) -> usize {
        self.source.n_rows()
    }

    /// Reads the table once and calls `with` on its rows in order. The observer is told the number of rows
    /// done in this pass, out of several passes. During the pass the caller accumulates up to `held` bytes.
    pub(crate) fn read(
        &self,
        observer: &dyn Observer,
        (reading, readings): (usize, usize),
        held: u64,
        mut with: impl FnMut(Rows) -> Result<()>,
    ) -> Result<Seen> {
        let n_models: usize = self.scorers.iter().map(Scorer::n_models).sum();
        let n_features: usize = self.encodings.iter().map(Encoding::n_features).sum();
        let target = self.models[0].target();
        let encodings: Vec<&Encoding> = self.encodings.iter().collect();
        // Linear predictors and scores take two float64 copies, beside the float32 panels.
        let wanted = rows_per_block(n_features + 8 * n_models);
        let beside = (4 * 8 * n_models as u64, held);
        let rows_per_block = data::block_rows(self.source, &encodings, beside, wanted, self.memory)?;
        let options = BlocksOptions {
            target: Some(&target),
            weight: self.weight.clone(),
            keep: Vec::new(),
            exact: self.exact_features(),
            rows_per_block,
        };
        let blocks = data::blocks_in(self.source, &encodings, options)?;
        let widths = self.encodings.iter().map(|encoding| encoding.columns.len());
        let mut unseen: Vec<Vec<usize>> = widths.map(|width| vec![0; width]).collect();
        let (mut rows, mut done) = (0, 0);
        let total = self.source.n_rows();
        blocks.ahead(|block| {
            let mut class = block.class.take().unwrap_or_else(|| vec![None; block.rows]);
            for &row in block.also.iter().flat_map(|view| &view.incomplete).chain(&block.incomplete) {
                class[row] = None;
            }
            let views = std::iter::once((&block.panels, &block.unseen))
                .chain(block.also.iter().map(|view| (&view.panels, &view.unseen)));
            let views: Vec<_> = views.collect();
            for (total, (_, found)) in unseen.iter_mut().zip(&views) {
                add_unseen(total, found);
            }
            let of_model = |(scorer, &view): (&Scorer, &usize)| {
                kept(scorer.linear_predictor(views[view].0), scorer.n_models(), &class)
            };
            let z = self.scorers.iter().zip(&self.encoding_of).map(of_model).collect();
            let weight = block.weight.take().map(|weight| kept(weight, 1, &class));
            let class: Vec<u32> = class.into_iter().flatten().collect();
            let n_kept = class.len();
            with(Rows { first: rows as u64, class, weight, z })?;
            rows += n_kept;
            done += block.rows;
            report_rows(observer, reading * total + done, readings * total)
        })?;
        if rows == 0 {
            return Err(ModelFileError::NoLabels { target: target.name, rows_dropped: done }.into());
        }
        let unseen = self.encoding_of.iter().map(|&encoding| unseen[encoding].clone()).collect();
        Ok(Seen { rows, rows_dropped: done - rows, unseen })
    }

    /// The ranking scores of each model, in the layout of `z`. Binary: the linear predictors, which stay
    /// distinct where probabilities round to 0 or 1. Otherwise: the probabilities, scaled to sum to 1.
    pub(crate) fn scores<'z>(&self, z: &'z [Vec<f64>]) -> Cow<'z, [Vec<f64>]> {
        if self.task() == Task::Binary {
            return Cow::Borrowed(z);
        }
        let n_classes = self.classes().len();
        let scaled = |z: &Vec<f64>| {
            let mut scores = vec![0.0; z.len()];
            scores.par_chunks_exact_mut(n_classes).zip(z.par_chunks_exact(n_classes)).for_each(|(p, z)| {
                normalise(z, p);
            });
            scores
        };
        Cow::Owned(z.iter().map(scaled).collect())
    }

    /// The probability of a score.
    pub(crate) fn probability(&self, score: f64) -> f64 {
        if self.task() == Task::Binary { sigmoid(score) } else { score }
    }
}

/// The values of the rows that have a class, `width` values a row.
fn kept(values: Vec<f64>, width: usize, class: &[Option<u32>]) -> Vec<f64> {
    if class.iter().all(Option::is_some) {
        return values;
    }
    let rows = values.chunks_exact(width).zip(class).filter(|(_, class)| class.is_some());
    rows.flat_map(|(row, _)| row).copied().collect()
}

/// The target and classes of a model, in words.
fn question(model: &Model) -> String {
    let classes = model.classes.len();
    match &model.positive {
        Some(positive) => format!("whether {:?} is {positive:?}", model.target),
        None => format!("which of {classes} classes {:?} is", model.target),
    }
}
