//! The engine in plain float64 loops: the oracle of the twin tests.

use logodds::engine::{Engine, Epoch, Evaluation, SgdState};
use logodds::error::Result;
use logodds::objective::{Coefficients, Hessian, ModelSpec, log1pexp, sigmoid};
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

    fn weight_sum(&self, model: &ModelSpec, sample: Sample) -> f64 {
        self.slots(sample).into_iter().map(|slot| self.label(slot, model).0).sum()
    }

    /// Weight of a slot as `model` sees it, and its label.
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

    fn evaluate_on(
        &mut self,
        models: &[ModelSpec],
        coefficients: &Coefficients,
        sample: Sample,
    ) -> Result<Evaluation> {
        let mut loss = vec![0.0; models.len()];
        let mut gradient = Coefficients::zeros(self.panels.n_features(), models.len());
        let sums: Vec<f64> = models.iter().map(|model| self.weight_sum(model, sample)).collect();
        for slot in self.slots(sample) {
            let x = self.row(slot);
            for (m, model) in models.iter().enumerate() {
                let (weight, label) = self.label(slot, model);
                let weight = weight / sums[m];
                if weight > 0.0 {
                    let z = dot(&x, coefficients.model(m));
                    loss[m] += weight * if label > 0.0 { log1pexp(-z) } else { log1pexp(z) };
                    let r = weight * (sigmoid(z) - label);
                    gradient.model_mut(m).iter_mut().zip(&x).for_each(|(g, x)| *g += r * x);
                }
            }
        }
        Ok(Evaluation { loss, gradient })
    }

    fn hessian(&mut self, model: &ModelSpec, column: &[f64], sample: Sample) -> Result<Hessian> {
        let order = column.len();
        let mut values = vec![0.0; order * order];
        for slot in self.slots(sample) {
            let (x, (weight, _)) = (self.row(slot), self.label(slot, model));
            let p = sigmoid(dot(&x, column));
            let d = weight * p * (1.0 - p) / self.weight_sum(model, sample);
            if weight > 0.0 {
                for (value, k) in values.iter_mut().zip(0..) {
                    *value += d * x[k / order] * x[k % order];
                }
            }
        }
        Ok(Hessian::new(order, values))
    }

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
                    } else if epoch.intercept {
                        x[j] -= eta * g;
                    }
                    sum[j] += x[j];
                }
            }
            let n_batches = epoch.batch_order.len() as f64;
            for j in 0..d + usize::from(epoch.intercept) {
                state.iterate.model_mut(m)[j] = x[j];
                state.snapshot.model_mut(m)[j] = theta * sum[j] / n_batches + (1.0 - theta) * snapshot[j];
            }
        }
        Ok(())
    }
}
