//! Hashes that identify a sweep, and a request to an engine.

use rayon::prelude::*;

use crate::config::ValidTune;
use crate::data::Dataset;
use crate::objective::ModelSpec;

/// Identifies a sweep by its table and its settings, except those of the machine.
pub(super) fn fingerprint(config: &ValidTune, dataset: &Dataset) -> u64 {
    let train = &config.train;
    let settings = format!(
        "{:?}",
        (
            (&config.grid, &config.l1_ratios, &config.folding, config.halving),
            config.halving.then_some((config.scoring, config.per_class)),
            (&train.target, &train.features, &train.categorical, &train.positive, &train.weight),
            (train.class_weight, train.missing, train.standardize, train.intercept),
            (train.solver, train.tolerance, train.max_iterations, train.seed),
        )
    );
    let (panels, rows) = (&dataset.panels, &dataset.rows);
    let of_panel = |p: usize| {
        let pairs = panels.panel(p).as_chunks::<2>().0.iter();
        Digest::new().words(pairs.map(|[a, b]| u64::from(a.to_bits()) << 32 | u64::from(b.to_bits()))).end()
    };
    let of_panels: Vec<u64> = (0..panels.n_panels()).into_par_iter().map(of_panel).collect();
    let mut digest = Digest::new()
        .text(&settings)
        .words([panels.n_rows() as u64, panels.n_features() as u64])
        .words(rows.labels().iter().map(|&label| u64::from(label)))
        .words(rows.weight().iter().map(|weight| u64::from(weight.to_bits())))
        .words(rows.weight_rest().iter().map(|rest| u64::from(rest.to_bits())))
        .words(of_panels);
    for (feature, (centre, scale)) in
        dataset.encoding.feature_names().iter().zip(dataset.encoding.panel_transform())
    {
        digest = digest.text(feature).numbers(&[centre, scale]);
    }
    digest.end()
}

/// A hash of words that is the same in every build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(super) fn words(mut self, words: impl IntoIterator<Item = u64>) -> Self {
        for word in words {
            // Apply the finaliser of SplitMix64 after each word.
            let mut z = self.0.rotate_left(23) ^ word;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.0 = z ^ (z >> 31);
        }
        self
    }

    pub(super) fn numbers(self, numbers: &[f64]) -> Self {
        self.words(numbers.iter().map(|x| x.to_bits()))
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.words([text.len() as u64]).words(text.bytes().map(u64::from))
    }

    pub(super) fn models(self, models: &[ModelSpec]) -> Self {
        models.iter().fold(self.words([models.len() as u64]), |digest, model| {
            let (first, end) = model.held_out.range();
            digest.words([u64::from(model.class), u64::from(first), u64::from(end)]).numbers(&[
                model.penalty.l1,
                model.penalty.l2,
                model.positive_weight,
                model.negative_weight,
            ])
        })
    }

    pub(super) fn end(self) -> u64 {
        self.0
    }
}
