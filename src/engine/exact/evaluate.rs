//! Loss and gradient of every model of the stack, in float64: panel by panel, for all models together.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::products::{LANES, PanelTile, TILE, gradients, predictors};
use crate::objective::{Coefficients, Exact, Gaps, ModelSpec, Sums, log1pexp_and_sigmoid};
use crate::panels::{PANEL_ROWS, Panels, Rows, class_of, fold_of};

/// Values of X summed by one task at least, and tasks at most: fixed, so that the sum does not depend on the number
/// of threads.
const VALUES_PER_TASK: usize = 1 << 20;
const MAX_TASKS: usize = 256;

/// Models of one walk over X: their sums of a task stay in the second-level cache.
const MODELS_PER_WALK: usize = 64;

/// Evaluates every model in float64, whatever device trains it.
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
    let mut sums = Sums::zeros_exact(panels.n_features(), models.len(), gaps);
    add_evaluation((panels, rows), models, coefficients, &mut sums);
    sums.exact(models, rows.weights())
}

/// Adds the sums of every model over all rows of a table.
///
/// # Panics
/// If the shapes disagree, or the sums are not those of a float64 pass.
pub fn add_evaluation(
    (panels, rows): (&Panels, &Rows),
    models: &[ModelSpec],
    coefficients: &Coefficients,
    sums: &mut Sums,
) {
    assert_eq!(models.len(), coefficients.n_models(), "a column of coefficients for each model");
    assert_eq!(panels.n_features(), coefficients.n_features(), "a coefficient for each feature");
    let gaps = sums.gaps().expect("sums of a float64 pass");
    let table = Table { panels, rows, models, coefficients };
    for first in (0..models.len()).step_by(MODELS_PER_WALK) {
        let walk = first..(first + MODELS_PER_WALK).min(models.len());
        // A tile of residuals fills half of the first-level cache: fewer models where each has two sets.
        match (walk.len(), gaps) {
            (1, Gaps::With) => table.walk::<1, 2>(walk, sums),
            (1, Gaps::Without) => table.walk::<1, 1>(walk, sums),
            (_, Gaps::With) => table.walk::<TILE, 2>(walk, sums),
            (_, Gaps::Without) => table.walk::<{ 2 * TILE }, 1>(walk, sums),
        }
    }
}

#[derive(Clone, Copy)]
struct Table<'a> {
    panels: &'a Panels,
    rows: &'a Rows,
    models: &'a [ModelSpec],
    coefficients: &'a Coefficients,
}

/// Sums of T models; of one set of residuals, or of two: of all rows, and of those with y = 1.
struct TileSums<const T: usize, const K: usize> {
    loss: [f64; T],
    conjugate: [[f64; T]; 2],
    /// Of the fold that is scored: loss, squares, and the weights that are wrong.
    scored: [[f64; T]; 4],
    /// One row per feature, the intercept's last.
    gradient: Vec<[[f64; T]; K]>,
}

impl Table<'_> {
    /// Adds the sums of some models: one walk over X, panel by panel, for all of them.
    fn walk<const T: usize, const K: usize>(self, walk: Range<usize>, out: &mut Sums) {
        let tiles: Vec<Range<usize>> =
            walk.clone().step_by(T).map(|first| first..(first + T).min(walk.end)).collect();
        let n_panels = self.panels.n_panels();
        let per_task =
            (VALUES_PER_TASK / self.panels.panel_len().max(1)).max(n_panels.div_ceil(MAX_TASKS)).max(1);
        let zeros = || -> Vec<TileSums<T, K>> {
            tiles.iter().map(|_| TileSums::zeros(self.panels.n_features())).collect()
        };
        let partials: Vec<Vec<TileSums<T, K>>> = (0..n_panels.div_ceil(per_task))
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
                sums.add_to(k, m, out);
            }
        }
    }
}

/// Adds some panels to the sums of the models, tile by tile: a panel stays in cache for all of them.
struct AddPanels<'a, const T: usize, const K: usize> {
    sums: &'a mut [TileSums<T, K>],
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

impl<const T: usize, const K: usize> TileSums<T, K> {
    fn zeros(n_features: usize) -> Self {
        Self {
            loss: [0.0; T],
            conjugate: [[0.0; T]; 2],
            scored: [[0.0; T]; 4],
            gradient: vec![[[0.0; T]; K]; n_features + 1],
        }
    }

    /// Adds the sums of the tile's `k`-th model to those of model `m`.
    fn add_to(&self, k: usize, m: usize, out: &mut Sums) {
        let add = |to: &mut [f64], sums: &mut dyn Iterator<Item = f64>| {
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
        };
        *out.loss_mut(m) += self.loss[k];
        add(out.gradient_mut(m), &mut self.gradient.iter().map(|sums| sums[0][k]));
        add(out.scored_mut(m), &mut self.scored.iter().map(|sums| sums[k]));
        if K == 2 {
            add(out.conjugate_mut(m), &mut self.conjugate.iter().map(|sums| sums[k]));
            add(out.positive_mut(m), &mut self.gradient.iter().map(|sums| sums[K - 1][k]));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_the_parts_of_a_table_add_up_to_those_over_the_table() {
        let (n, d) = (1000, 3);
        let x: Vec<f32> = (0..n * d).map(|i| ((i * 37 + i / 11) % 101) as f32 / 50.0 - 1.0).collect();
        let class: Vec<u32> = (0..n).map(|i| (i * 7 % 5 / 2) as u32).collect();
        let weight: Vec<f32> = (0..n).map(|i| (i % 4) as f32).collect();
        let models = [0, 1].map(|class| ModelSpec { class, ..ModelSpec::shared() });
        let columns = Coefficients::from_columns(d, [&[0.5, -1.0, 0.25, 0.1][..], &[0.0, 2.0, -0.5, -0.3]]);
        let add = |from: usize, to: usize, sums: &mut Sums| {
            let rows = Rows::new(class[from..to].to_vec(), &weight[from..to], 3);
            let panels = Panels::from_rows(&x[from * d..to * d], d);
            add_evaluation((&panels, &rows), &models, &columns, sums);
        };
        for gaps in [Gaps::With, Gaps::Without] {
            let mut whole = Sums::zeros_exact(d, 2, gaps);
            let mut parts = whole.clone();
            add(0, n, &mut whole);
            for (from, to) in [(0, 1), (1, 300), (300, n)] {
                add(from, to, &mut parts);
            }
            // Sums of 1,000 terms of order 1 in another order.
            let is_close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-11;
            assert!(whole.values().iter().zip(parts.values()).all(is_close), "{whole:?} {parts:?}");
            assert!(whole.values().iter().any(|&sum| sum.abs() > 1.0));
        }
    }
}
