//! The engine in plain float64 loops, as the reference of the twin tests.

use logodds::engine::{At, Engine, Epoch, MiniBatch, SgdState};
use logodds::error::Result;
use logodds::objective::{Coefficients, Evaluation, Hessian, ModelSpec, Sums, log1pexp, sigmoid};
use logodds::panels::{PANEL_ROWS, Panels, Rows, Sample};

pub(crate) struct Reference<'a> {
    pub(crate) panels: &'a Panels,
    pub(crate) rows: &'a Rows,
}

impl Reference<'_> {
    /// `[x, 1]` of a slot.
    fn row(&self, slot: usize) -> Vec<f64> {
        let d = self.panels.n_features();
        (0..d).map(|j| f64::from(self.panels.value(slot, j))).chain([1.0]).collect()
    }

    fn slots(&self, sample: Sample) -> Vec<usize> {
        (0..self.rows.n_rows()).filter(|slot| (slot / PANEL_ROWS).is_multiple_of(sample.stride())).collect()
    }

    /// Weight and label of a slot for `model`.
    fn label(&self, slot: usize, model: &ModelSpec) -> (f64, f64) {
        let positive = self.rows.class(slot) == model.class;
        let factor = if positive { model.positive_weight } else { model.negative_weight };
        let (first, end) = model.held_out.range();
        let learned = f64::from(u8::from(!(first..end).contains(&self.rows.fold(slot))));
        (learned * f64::from(self.rows.weight()[slot]) * factor, if positive { 1.0 } else { 0.0 })
    }
}

fn dot(x: &[f64], w: &[f64]) -> f64 {
    x.iter().zip(w).map(|(x, w)| x * w).sum()
}

impl Engine for Reference<'_> {
    fn device(&self) -> String {
        "float64 reference".to_owned()
    }

    fn models_per_reading(&self) -> usize {
        1
    }

    fn rows(&self) -> &Rows {
        self.rows
    }

    fn add_evaluation(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
        sums: &mut Sums,
    ) -> Result<()> {
        for slot in self.slots(sample) {
            let x = self.row(slot);
            for (m, model) in models.iter().enumerate() {
                let (weight, label) = self.label(slot, model);
                if weight > 0.0 {
                    let z = dot(&x, coefficients.model(m));
                    *sums.loss_mut(m) += weight * if label > 0.0 { log1pexp(-z) } else { log1pexp(z) };
                    let r = weight * (sigmoid(z) - label);
                    sums.gradient_mut(m).iter_mut().zip(&x).for_each(|(g, x)| *g += r * x);
                }
            }
        }
        Ok(())
    }

    fn add_curvatures(&mut self, points: &[At<'_>], sample: Sample, sums: &mut [Vec<f64>]) -> Result<()> {
        for ((model, column), sums) in points.iter().zip(sums) {
            let order = column.len();
            for slot in self.slots(sample) {
                let (x, (weight, _)) = (self.row(slot), self.label(slot, model));
                let p = sigmoid(dot(&x, column));
                if weight > 0.0 {
                    for (sum, k) in sums.iter_mut().zip(0..).filter(|(_, k)| k / order <= k % order) {
                        *sum += weight * p * (1.0 - p) * x[k / order] * x[k % order];
                    }
                }
            }
        }
        Ok(())
    }
}

/// Mean loss and gradient over the rows of a sample.
pub(crate) fn evaluate_on(
    engine: &mut dyn Engine,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    sample: Sample,
) -> Evaluation {
    let mut sums = Sums::zeros(coefficients.n_features(), models.len());
    engine.add_evaluation(models, coefficients, sample, &mut sums).unwrap();
    sums.evaluation(models, &engine.rows().weights_on(sample))
}

/// The Hessians of the mean losses at some points over the rows of a sample.
pub(crate) fn hessians(engine: &mut dyn Engine, points: &[At<'_>], sample: Sample) -> Vec<Hessian> {
    let mut sums: Vec<Vec<f64>> =
        points.iter().map(|(_, column)| vec![0.0; column.len() * column.len()]).collect();
    engine.add_curvatures(points, sample, &mut sums).unwrap();
    let totals = engine.rows().weights_on(sample);
    let mean = |((model, column), sums): (&At<'_>, Vec<f64>)| {
        Hessian::from_upper(column.len(), sums, 1.0 / model.weight_sum_of(&totals))
    };
    points.iter().zip(sums).map(mean).collect()
}

impl MiniBatch for Reference<'_> {
    fn sgd_epoch(&mut self, models: &[ModelSpec], epoch: &Epoch<'_>, state: &mut SgdState) -> Result<()> {
        let (n, d) = (self.rows.n_rows(), self.panels.n_features());
        for (m, model) in models.iter().enumerate() {
            let (theta, eta) = (epoch.coupling[m], epoch.step[m]);
            let snapshot = state.snapshot.model(m).to_vec();
            let mut x = state.iterate.model(m).to_vec();
            let mut sum = vec![0.0; d + 1];
            for &k in epoch.batch_order {
                let start = k as usize * epoch.batch_rows;
                let end = (start + epoch.batch_rows).min(n);
                let y: Vec<f64> =
                    x.iter().zip(&snapshot).map(|(x, w)| theta * x + (1.0 - theta) * w).collect();
                let mut g = vec![0.0; d + 1];
                for t in start..end {
                    let slot = epoch.panel_order[t / PANEL_ROWS] as usize * PANEL_ROWS + t % PANEL_ROWS;
                    let row = self.row(slot);
                    let (weight, _) = self.label(slot, model);
                    let r = weight * (sigmoid(dot(&row, &y)) - sigmoid(dot(&row, &snapshot)));
                    g.iter_mut().zip(&row).for_each(|(g, x)| *g += r * x);
                }
                let scale = n as f64 / (end - start) as f64 / model.weight_sum(self.rows);
                for j in 0..=d {
                    let g = epoch.gradient.model(m)[j] + scale * g[j];
                    if j < d {
                        x[j] = model.penalty.prox(x[j] - eta * g, eta);
                    } else if epoch.coordinates.intercept().is_some() {
                        x[j] -= eta * g;
                    }
                    sum[j] += x[j];
                }
            }
            let n_batches = epoch.batch_order.len() as f64;
            for j in (0..=d).filter(|&j| epoch.coordinates.moves(j)) {
                state.iterate.model_mut(m)[j] = x[j];
                state.snapshot.model_mut(m)[j] = theta * sum[j] / n_batches + (1.0 - theta) * snapshot[j];
            }
        }
        Ok(())
    }
}
