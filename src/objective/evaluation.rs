//! Loss and gradient of the stack, and their computation in float64.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::float64::{LANES, PanelTile, TILE, gradients, predictors};
use super::logistic::log1pexp_and_sigmoid;
use super::{Coefficients, ModelSpec};
use crate::panels::{PANEL_ROWS, Panels, Rows, class_of, fold_of};

/// Values of X summed by one task at least, and tasks at most: fixed, so that the sum does not depend on the number
/// of threads.
const VALUES_PER_TASK: usize = 1 << 20;
const MAX_TASKS: usize = 256;

/// Models of one walk over X: their sums of a task stay in the second-level cache.
const MODELS_PER_WALK: usize = 64;

/// The mean loss of each model and its gradient, penalties not included.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// `(1/S) sum_i s_i [log(1 + exp(z_i)) - y_i z_i]` per model.
    pub loss: Vec<f64>,
    /// `(1/S) sum_i s_i (sigmoid(z_i) - y_i) [x_i, 1]` per model.
    pub gradient: Coefficients,
}

/// An [`Evaluation`] in float64, and what a duality gap needs besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// Loss and gradient.
    pub evaluation: Evaluation,
    /// What a bound on the distance to the minimum is made of, if it was asked for.
    pub(super) dual: Option<Dual>,
    /// What each model makes of the fold that it is scored on.
    pub(super) held_out: Vec<Option<HeldOutSums>>,
}

/// What a duality gap is made of, besides loss and gradient.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dual {
    /// The share of the rows with y = 1 in the gradient.
    pub(super) positive: Coefficients,
    /// `(1/S) sum s_i f*(r_i)` over the rows with y = 0 and those with y = 1, f* the conjugate of the loss.
    pub(super) conjugate: Vec<[f64; 2]>,
}

/// Whether an evaluation in float64 also bounds the distance to the minimum, for half as much again of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// It does.
    With,
    /// It does not.
    Without,
}

impl Exact {
    /// What each model makes of the fold that it is scored on.
    pub fn held_out(&self) -> &[Option<HeldOutSums>] {
        &self.held_out
    }

    /// Every number of it, in a fixed order.
    pub(crate) fn to_numbers(&self) -> Vec<f64> {
        let mut numbers = self.evaluation.to_numbers();
        if let Some(dual) = &self.dual {
            numbers.extend_from_slice(dual.positive.values());
            numbers.extend(dual.conjugate.iter().flatten());
        }
        for sums in &self.held_out {
            let sums = sums.unwrap_or(HeldOutSums { loss: f64::NAN, ..HeldOutSums::default() });
            numbers.extend([sums.loss, sums.squares].into_iter().chain(sums.weight).chain(sums.wrong));
        }
        numbers
    }

    /// From those of [`Self::to_numbers`]; none if their number is wrong.
    pub(crate) fn from_numbers(
        n_features: usize,
        models: &[ModelSpec],
        gaps: Gaps,
        numbers: &[f64],
    ) -> Option<Self> {
        let (columns, n_models) = ((n_features + 1) * models.len(), models.len());
        let (evaluation, mut rest) = numbers.split_at_checked(n_models + columns)?;
        let dual = match gaps {
            Gaps::Without => None,
            Gaps::With => {
                let (positive, more) = rest.split_at_checked(columns)?;
                let (conjugate, more) = more.split_at_checked(2 * n_models)?;
                rest = more;
                Some(Dual {
                    positive: Coefficients::from_columns(n_features, positive.chunks_exact(n_features + 1)),
                    conjugate: conjugate.as_chunks::<2>().0.to_vec(),
                })
            }
        };
        let sums = |(model, n): (&ModelSpec, &[f64; 6])| {
            let sums = HeldOutSums { loss: n[0], squares: n[1], weight: [n[2], n[3]], wrong: [n[4], n[5]] };
            model.held_out.scored().map(|_| sums)
        };
        let (held_out, more) = rest.as_chunks::<6>();
        (held_out.len() == n_models && more.is_empty()).then_some(())?;
        Some(Self {
            evaluation: Evaluation::from_numbers(n_features, n_models, evaluation)?,
            dual,
            held_out: models.iter().zip(held_out).map(sums).collect(),
        })
    }
}

impl Evaluation {
    /// Every number of it, in a fixed order.
    pub(crate) fn to_numbers(&self) -> Vec<f64> {
        self.loss.iter().chain(self.gradient.values()).copied().collect()
    }

    /// From those of [`Self::to_numbers`]; none if their number is wrong.
    pub(crate) fn from_numbers(n_features: usize, n_models: usize, numbers: &[f64]) -> Option<Self> {
        let (loss, gradient) = numbers.split_at_checked(n_models)?;
        (gradient.len() == n_models * (n_features + 1)).then(|| Self {
            loss: loss.to_vec(),
            gradient: Coefficients::from_columns(n_features, gradient.chunks_exact(n_features + 1)),
        })
    }
}

/// Sums over the rows of the fold that a model is scored on; class weights do not count there.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeldOutSums {
    /// Weight of the rows with y = 0 and of those with y = 1.
    pub weight: [f64; 2],
    /// `sum s_i [log(1 + exp(z_i)) - y_i z_i]`.
    pub loss: f64,
    /// `sum s_i (p_i - y_i)^2`.
    pub squares: f64,
    /// Weight of the rows of either side for which `p_i >= 1/2` says the other.
    pub wrong: [f64; 2],
}

/// Evaluates every model in float64 on the host, whatever device trains it.
///
/// # Panics
/// If the shapes disagree.
pub fn evaluate(
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    gaps: Gaps,
) -> Exact {
    assert_eq!(models.len(), coefficients.n_models(), "a column of coefficients for each model");
    assert_eq!(panels.n_features(), coefficients.n_features(), "a coefficient for each feature");
    let table = Table { panels, rows, models, coefficients };
    let zeros = Coefficients::zeros(panels.n_features(), models.len());
    let mut exact = Exact {
        evaluation: Evaluation { loss: vec![0.0; models.len()], gradient: zeros.clone() },
        dual: (gaps == Gaps::With).then(|| Dual { positive: zeros, conjugate: vec![[0.0; 2]; models.len()] }),
        held_out: vec![None; models.len()],
    };
    for first in (0..models.len()).step_by(MODELS_PER_WALK) {
        let walk = first..(first + MODELS_PER_WALK).min(models.len());
        // A tile of residuals fills half of the first-level cache: fewer models where each has two sets.
        match (walk.len(), gaps) {
            (1, Gaps::With) => table.walk::<1, 2>(walk, &mut exact),
            (1, Gaps::Without) => table.walk::<1, 1>(walk, &mut exact),
            (_, Gaps::With) => table.walk::<TILE, 2>(walk, &mut exact),
            (_, Gaps::Without) => table.walk::<{ 2 * TILE }, 1>(walk, &mut exact),
        }
    }
    exact
}

#[derive(Clone, Copy)]
struct Table<'a> {
    panels: &'a Panels,
    rows: &'a Rows,
    models: &'a [ModelSpec],
    coefficients: &'a Coefficients,
}

/// Sums of T models; of one set of residuals, or of two: of all rows, and of those with y = 1.
struct Sums<const T: usize, const K: usize> {
    loss: [f64; T],
    conjugate: [[f64; T]; 2],
    /// Of the fold that is scored: loss, squares, and the weights that are wrong.
    scored: [[f64; T]; 4],
    /// One row per feature, the intercept's last.
    gradient: Vec<[[f64; T]; K]>,
}

impl Table<'_> {
    /// Writes the sums of some models: one walk over X, panel by panel, for all of them.
    fn walk<const T: usize, const K: usize>(self, walk: Range<usize>, out: &mut Exact) {
        let tiles: Vec<Range<usize>> =
            walk.clone().step_by(T).map(|first| first..(first + T).min(walk.end)).collect();
        let n_panels = self.panels.n_panels();
        let per_task =
            (VALUES_PER_TASK / self.panels.panel_len().max(1)).max(n_panels.div_ceil(MAX_TASKS)).max(1);
        let zeros =
            || -> Vec<Sums<T, K>> { tiles.iter().map(|_| Sums::zeros(self.panels.n_features())).collect() };
        let partials: Vec<Vec<Sums<T, K>>> = (0..n_panels.div_ceil(per_task))
            .into_par_iter()
            .map(|task| {
                let mut sums = zeros();
                let panels = task * per_task..((task + 1) * per_task).min(n_panels);
                pulp::Arch::new().dispatch(AddPanels { sums: &mut sums, table: self, panels, tiles: &tiles });
                sums
            })
            .collect();
        let mut sums = zeros();
        for partial in &partials {
            sums.iter_mut().zip(partial).for_each(|(sums, partial)| sums.add(partial));
        }
        for (tile, sums) in tiles.iter().zip(&sums) {
            for (k, m) in tile.clone().enumerate() {
                self.write(sums, k, m, out);
            }
        }
    }

    /// The sums of the `k`-th model of a tile as means of model `m`.
    fn write<const T: usize, const K: usize>(self, sums: &Sums<T, K>, k: usize, m: usize, out: &mut Exact) {
        let model = &self.models[m];
        let scale = 1.0 / model.weight_sum(self.rows);
        out.evaluation.loss[m] = sums.loss[k] * scale;
        out.held_out[m] = model.held_out.scored().map(|fold| {
            let by_class = self.rows.weights().folds().nth(fold as usize).unwrap_or_default();
            let positive = by_class.get(model.class as usize).copied().unwrap_or(0.0);
            let [loss, squares, wrong_negative, wrong_positive] = sums.scored.map(|sum| sum[k]);
            HeldOutSums {
                weight: [by_class.iter().sum::<f64>() - positive, positive],
                loss,
                squares,
                wrong: [wrong_negative, wrong_positive],
            }
        });
        for (out, sums) in out.evaluation.gradient.model_mut(m).iter_mut().zip(&sums.gradient) {
            *out = sums[0][k] * scale;
        }
        if let Some(dual) = &mut out.dual {
            dual.conjugate[m] = sums.conjugate.map(|sum| sum[k] * scale);
            for (out, sums) in dual.positive.model_mut(m).iter_mut().zip(&sums.gradient) {
                *out = sums[K - 1][k] * scale;
            }
        }
    }
}

/// Adds some panels to the sums of the models, tile by tile: a panel stays in cache for all of them.
struct AddPanels<'a, const T: usize, const K: usize> {
    sums: &'a mut [Sums<T, K>],
    table: Table<'a>,
    panels: Range<usize>,
    tiles: &'a [Range<usize>],
}

impl<const T: usize, const K: usize> WithSimd for AddPanels<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for p in self.panels {
            for (sums, tile) in self.sums.iter_mut().zip(self.tiles) {
                sums.add_panel(simd, self.table, p, tile.clone());
            }
        }
    }
}

impl<const T: usize, const K: usize> Sums<T, K> {
    fn zeros(n_features: usize) -> Self {
        Self {
            loss: [0.0; T],
            conjugate: [[0.0; T]; 2],
            scored: [[0.0; T]; 4],
            gradient: vec![[[0.0; T]; K]; n_features + 1],
        }
    }

    fn add(&mut self, other: &Self) {
        let gradients = self.gradient.iter_mut().flatten().zip(other.gradient.iter().flatten());
        let conjugates = self.conjugate.iter_mut().zip(&other.conjugate);
        let scored = self.scored.iter_mut().zip(&other.scored);
        for (a, b) in gradients.chain(conjugates).chain(scored).chain([(&mut self.loss, &other.loss)]) {
            for (a, b) in a.iter_mut().zip(b) {
                *a += b;
            }
        }
    }

    #[inline(always)]
    fn add_panel<S: Simd>(&mut self, simd: S, table: Table<'_>, p: usize, tile: Range<usize>) {
        let models = &table.models[tile.clone()];
        let panel = (table.panels, p);
        let slots = p * PANEL_ROWS..(p + 1) * PANEL_ROWS;
        let labels = table.rows.labels()[slots].as_chunks::<LANES>().0;
        let weight = table.rows.panel_weights(p);
        let weight = weight.as_chunks::<LANES>().0;
        // Residuals of all rows, in the place of the predictors, and perhaps of those with y = 1.
        let mut r: [PanelTile<T>; K] = [[[0.0; PANEL_ROWS]; T]; K];
        predictors(simd, panel, table.coefficients, tile, &mut r[0]);
        let intercept = self.gradient.len() - 1;
        for (k, model) in models.iter().enumerate() {
            let mut loss = [0.0; LANES];
            let mut conjugate = [[0.0; LANES]; 2];
            let mut residual = [[0.0; LANES]; K];
            let mut scored = [[0.0; LANES]; 4];
            let fold = model.held_out.scored();
            for v in 0..PANEL_ROWS / LANES {
                let (labels, weight) = (&labels[v], &weight[v]);
                let z = &mut r[0][k].as_chunks_mut::<LANES>().0[v];
                let mut is_positive = [false; LANES];
                for i in 0..LANES {
                    is_positive[i] = class_of(labels[i]) == model.class;
                }
                // log(1 + exp(z)) - y z and its derivative, both at -z where y = 1: nothing cancels.
                let mut a = *z;
                for i in 0..LANES {
                    a[i] = if is_positive[i] { -a[i] } else { a[i] };
                }
                let (loss_at, slope) = log1pexp_and_sigmoid(a);
                if let Some(fold) = fold {
                    for i in 0..LANES {
                        // A padding row has weight 0, but may have any predictor.
                        let s = if fold_of(labels[i]) == fold { weight[i] } else { 0.0 };
                        let of_row = |value: f64| if s == 0.0 { 0.0 } else { s * value };
                        let (missed, alarmed) =
                            (is_positive[i] && a[i] > 0.0, !is_positive[i] && a[i] >= 0.0);
                        scored[0][i] += of_row(loss_at[i]);
                        scored[1][i] += of_row(slope[i] * slope[i]);
                        scored[2][i] += if alarmed { s } else { 0.0 };
                        scored[3][i] += if missed { s } else { 0.0 };
                    }
                }
                let mut positive = [0.0; LANES];
                for i in 0..LANES {
                    let s = model.weight(labels[i], weight[i]);
                    // A row of weight 0 may have any predictor: keep 0 times infinity out.
                    let of_row = |value: f64| if s == 0.0 { 0.0 } else { s * value };
                    let only = |value: f64, wanted: bool| if wanted { value } else { 0.0 };
                    loss[i] += of_row(loss_at[i]);
                    if K == 2 {
                        // f*(r) = r z - f(z) where r is the derivative of f at z (Fenchel's equality).
                        let dual = of_row(slope[i] * a[i] - loss_at[i]);
                        conjugate[0][i] += only(dual, !is_positive[i]);
                        conjugate[1][i] += only(dual, is_positive[i]);
                        positive[i] = only(-of_row(slope[i]), is_positive[i]);
                    }
                    let slope = of_row(slope[i]);
                    z[i] = if is_positive[i] { -slope } else { slope };
                    residual[0][i] += z[i];
                }
                if K == 2 {
                    r[K - 1][k].as_chunks_mut::<LANES>().0[v] = positive;
                    for i in 0..LANES {
                        residual[K - 1][i] += positive[i];
                    }
                }
            }
            self.loss[k] += loss.iter().sum::<f64>();
            for (sums, scored) in self.scored.iter_mut().zip(&scored) {
                sums[k] += scored.iter().sum::<f64>();
            }
            for (sums, conjugate) in self.conjugate.iter_mut().zip(&conjugate) {
                sums[k] += conjugate.iter().sum::<f64>();
            }
            for (sums, residual) in self.gradient[intercept].iter_mut().zip(&residual) {
                sums[k] += residual.iter().sum::<f64>();
            }
        }
        r[0][models.len()..].iter_mut().for_each(|unused| unused.fill(0.0));
        gradients(simd, panel, &r, |j, sums| {
            for (a, b) in self.gradient[j].iter_mut().flatten().zip(sums.as_flattened()) {
                *a += b;
            }
        });
    }
}
