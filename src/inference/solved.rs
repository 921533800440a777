//! Computes the covariance of a model's estimates, and related quantities, from its information matrix.

use faer::Mat;

use super::Robust;
use super::factor::Factor;
use super::identify::Parameters;
use super::infinite::Infinite;
use super::pass::ModelSums;
use super::statistics::{Context, Movement, Subject};
use crate::engine::exact::Gram;

/// A coefficient still moves if a Newton step changes the linear predictor by more than this for one
/// standard deviation of its feature (for a 0/1 feature, from 0 to 1). At an optimum the step is 0. Towards
/// an optimum at infinity it stays about 1, since each step divides the remaining probabilities by e.
const MOVES: f64 = 0.1;

/// The covariance, and related quantities.
pub(super) struct Solved {
    /// The parameters of the covariance, in the basis of the sums.
    pub(super) places: Vec<usize>,
    pub(super) covariance: Mat<f64>,
    pub(super) vif: Vec<Option<f64>>,
    pub(super) condition_number: Option<f64>,
    /// The coefficients that another Newton step would move by much.
    pub(super) moving: Vec<usize>,
    /// The Newton step, with a component for each parameter, in the basis of the sums.
    pub(super) step: Vec<f64>,
    /// Distance from the optimum in standard errors, without the coefficients that move.
    pub(super) distance: f64,
    /// How much the log-likelihood still gains towards infinity: the remaining loss of the rows that go
    /// there. For 0/1 features this equals the gradient; in other directions, the gradient along the Newton
    /// step.
    pub(super) gain: f64,
    pub(super) effective: f64,
}

impl Solved {
    /// The variance of a combination of parameters, which is given in the basis of the sums.
    pub(super) fn variance(&self, combination: &[(usize, f64)]) -> f64 {
        quadratic_form(&self.covariance, &self.places, combination)
    }
}

impl Context<'_> {
    /// The covariance of the parameters that are not left out as infinite, and related quantities. None if
    /// the information is singular.
    ///
    /// In the limit, rows with probability 0 or 1 have no information, so only the other rows contribute.
    pub(super) fn solve(
        &self,
        subject: &Subject<'_>,
        parameters: &Parameters,
        infinite: &Infinite,
        movement: Movement,
    ) -> Option<Solved> {
        let Subject { model, sums, column, .. } = subject;
        let places: Vec<usize> =
            parameters.kept.iter().copied().filter(|&place| !infinite.is_left_out[place]).collect();
        let intercept = self.names.len();
        let weight_sum = self.table.weight_sum;
        let ridge = |place: usize| if place == intercept { 0.0 } else { weight_sum * model.penalty.l2 };
        let factor = Factor::new(places.len(), |a, b| {
            sums.information.value(places[a], places[b]) + if a == b { ridge(places[a]) } else { 0.0 }
        })?;
        let inverse = factor.inverse();
        let mut gradient: Vec<f64> =
            places.iter().map(|&j| sums.gradient[j] + ridge(j) * column[j]).collect();
        let times = |v: &[f64]| -> Vec<f64> {
            let of = |a: usize| inverse.col_as_slice(a).iter().zip(v).map(|(x, v)| x * v).sum();
            (0..v.len()).map(of).collect()
        };
        let along = |g: &[f64]| -> f64 { times(g).iter().zip(g).map(|(step, g)| step * g).sum() };
        let whole = along(&gradient);
        let mut moving = Vec::new();
        let mut step = vec![0.0; intercept + 1];
        for (k, by) in times(&gradient).into_iter().enumerate() {
            let place = places[k];
            step[place] = -by;
            if model.penalty.l2 == 0.0
                && movement != Movement::None
                && place != intercept
                && by.abs() * self.unit(place) > MOVES
            {
                gradient[k] = 0.0;
                moving.push(place);
            }
        }
        let squared = along(&gradient);
        let left_out = (0..intercept).filter(|&j| infinite.is_left_out[j] && infinite.features.contains(&j));
        let left_out: f64 = left_out.map(|j| sums.gradient[j].abs()).sum();
        let shrunk: f64 = (0..places.len()).map(|a| ridge(places[a]) * inverse[(a, a)]).sum();
        // Without a finite optimum, the information does not reflect the collinearity of the columns.
        let vif = |a: usize| {
            (model.penalty.l2 == 0.0 && places[a] != intercept && moving.is_empty()).then(|| {
                let own = self.combination([(places[a], 1.0)].into_iter());
                quadratic_form(&inverse, &places, &own) * self.centred_information(sums, places[a])
            })
        };
        let vif: Vec<Option<f64>> = (0..places.len()).map(vif).collect();
        // In another basis than the user's, it would describe that basis.
        let condition_number = factor.condition_number().filter(|_| self.basis.is_plain());
        let covariance = match &sums.meat {
            None => inverse,
            Some(meat) => self.sandwich(&inverse, meat, &places, parameters.kept.len()),
        };
        Some(Solved {
            places,
            covariance,
            vif,
            condition_number,
            moving,
            step,
            distance: squared.max(0.0).sqrt(),
            gain: (whole - squared).max(0.0) + left_out,
            effective: parameters.kept.len() as f64 - shrunk,
        })
    }

    /// The robust covariance, `scale * inverse * meat * inverse`; HC1 scales it for the parameters that are estimated.
    fn sandwich(&self, inverse: &Mat<f64>, meat: &Gram, places: &[usize], n_parameters: usize) -> Mat<f64> {
        let meat = Mat::from_fn(places.len(), places.len(), |a, b| meat.value(places[a], places[b]));
        let weight_sum = self.table.weight_sum;
        let scale = match self.options.robust {
            Some(Robust::Hc1) => weight_sum / (weight_sum - n_parameters as f64),
            _ => 1.0,
        };
        let half = inverse * &meat;
        let mut sandwich = &half * inverse;
        for a in 0..places.len() {
            sandwich.col_as_slice_mut(a).iter_mut().for_each(|value| *value *= scale);
        }
        sandwich
    }

    /// Standard deviation of a feature's panel values; 1 for a 0/1 feature.
    fn unit(&self, j: usize) -> f64 {
        if self.is_indicator[j] { 1.0 } else { self.table.columns.sd(j, self.table.weight_sum) }
    }

    /// The information of a coefficient if its feature were the only one besides the intercept.
    fn centred_information(&self, sums: &ModelSums, j: usize) -> f64 {
        let intercept = self.names.len();
        let of = |a: &[(usize, f64)], b: &[(usize, f64)]| -> f64 {
            let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
            pairs.map(|((i, x), (k, y))| x * y * sums.information.value(*i, *k)).sum()
        };
        let (own, constant) = (self.in_basis(j), [(intercept, 1.0)]);
        let explained = if self.encoding.intercept {
            of(&own, &constant).powi(2) / of(&constant, &constant)
        } else {
            0.0
        };
        of(&own, &own) - explained
    }

    /// A feature in the basis of the sums, as indices and nonzero components.
    fn in_basis(&self, j: usize) -> Vec<(usize, f64)> {
        let mut own = vec![0.0; self.names.len() + 1];
        own[j] = 1.0;
        parts(&self.basis.from_features(&own))
    }

    /// Converts a combination of coefficients to the basis of the sums.
    pub(super) fn combination(&self, of: impl Iterator<Item = (usize, f64)>) -> Vec<(usize, f64)> {
        let mut all = vec![0.0; self.names.len() + 1];
        of.for_each(|(place, share)| all[place] = share);
        parts(&self.basis.transposed(&all))
    }
}

/// `c' M c` for a combination c, where the matrix covers only the parameters `places`.
fn quadratic_form(matrix: &Mat<f64>, places: &[usize], combination: &[(usize, f64)]) -> f64 {
    let known = |(place, part): &(usize, f64)| Some((places.binary_search(place).ok()?, *part));
    let parts: Vec<(usize, f64)> = combination.iter().filter_map(known).collect();
    parts.iter().map(|(a, x)| x * parts.iter().map(|(b, y)| y * matrix[(*b, *a)]).sum::<f64>()).sum()
}

/// The nonzero values, with their indices.
fn parts(values: &[f64]) -> Vec<(usize, f64)> {
    values.iter().copied().enumerate().filter(|(_, part)| *part != 0.0).collect()
}
