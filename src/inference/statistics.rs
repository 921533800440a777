//! From the sums of a model to its statistics.

use faer::Mat;

use super::factor::Factor;
use super::identify::{Dropped, Parameters};
use super::infinite::Infinite;
use super::pass::{ModelSums, TableSums};
use super::report::{CoefficientInference, Covariance, LikelihoodRatio, ModelInference, Separation, Status};
use super::{InferenceOptions, Robust, tails};
use crate::data::Encoding;
use crate::metrics::central_quantile;
use crate::model::FittedModel;
use crate::objective::{ModelSpec, Penalty};

/// Distances from the optimum, in standard errors: from the first on it is said, beyond the second a model is none of
/// maximum likelihood.
const DISTANCE_SAID: f64 = 0.01;
const DISTANCE_REFUSED: f64 = 0.1;

/// Variance inflation from which the rounding of panels to float32 (6e-8) takes more than a thousandth of what a
/// feature has of its own.
const RESOLVED_VIF: f64 = 3e8;

/// The part of a standard deviation (of a 0/1 feature: of its step) by which a coefficient may still move. Newton's step
/// at an optimum is nothing; towards one at infinity it goes on being about 1, for each step divides the probabilities
/// that are left by e.
const MOVES: f64 = 0.1;

/// What the statistics of every model need.
pub(super) struct Context<'a> {
    pub(super) encoding: &'a Encoding,
    pub(super) names: &'a [String],
    /// Which features are 0 or 1.
    pub(super) is_indicator: &'a [bool],
    pub(super) references: &'a [Option<usize>],
    /// The parameters of a model without a penalty.
    pub(super) identified: &'a Parameters,
    pub(super) options: &'a InferenceOptions,
    pub(super) table: &'a TableSums,
    pub(super) tolerance: f64,
}

/// A model and its sums.
pub(super) struct Subject<'a> {
    pub(super) fitted: &'a FittedModel,
    pub(super) model: &'a ModelSpec,
    /// Coefficients on panel values.
    pub(super) column: &'a [f64],
    pub(super) sums: &'a ModelSums,
}

impl Context<'_> {
    /// The statistics of one model.
    pub(super) fn statistics(&self, subject: &Subject<'_>) -> ModelInference {
        let Subject { fitted, model, column, sums } = subject;
        let Penalty { l2, .. } = model.penalty;
        let all;
        let (parameters, infinite) = if l2 > 0.0 {
            all = Parameters::all(self.encoding);
            (&all, Infinite::none(column.len()))
        } else {
            (self.identified, Infinite::find(self, model, self.identified))
        };
        let mut separation = Separation {
            complete: l2 == 0.0 && sums.least_margin > 0.0,
            features: infinite.features.iter().map(|&j| self.names[j].clone()).collect(),
            suspected: Vec::new(),
        };
        let solved = self.solve(subject, parameters, &infinite);
        let moving = solved.as_ref().map_or(&[][..], |solved| &solved.moving);
        separation.suspected = moving.iter().map(|&j| self.names[j].clone()).collect();
        let mut warnings = Vec::new();
        if !fitted.converged && !separation.complete {
            warnings.push(format!(
                "training did not converge: its residual is {:.1e}, the tolerance was {:.0e}; train again with more \
                 --max-iterations",
                fitted.kkt_residual, self.tolerance
            ));
        }
        let distance = solved.as_ref().map(|solved| solved.distance);
        let is_away = distance.is_none_or(|distance| distance.is_nan() || distance > DISTANCE_REFUSED);
        warnings.extend(self.doubts(&separation, &infinite, distance, solved.as_ref()));
        let is_withheld = is_away || separation.complete;
        let status = |place: usize| match parameters.dropped[place] {
            Some(Dropped::Reference) => Status::Reference,
            Some(Dropped::Aliased) => Status::Aliased,
            None if infinite.is_separated[place] => Status::Separated,
            None if is_withheld || moving.contains(&place) => Status::Withheld,
            None => Status::Estimated,
        };
        let coefficients = self.coefficients(column, parameters, solved.as_ref(), status, l2 > 0.0);
        let weight_sum = self.table.weight_sum;
        let log_likelihood = -sums.loss.iter().sum::<f64>();
        let null_log_likelihood = self.null_log_likelihood(model);
        let k = solved.as_ref().map_or(parameters.kept.len() as f64, |solved| solved.effective);
        let df = parameters.kept.len() - usize::from(self.encoding.intercept);
        ModelInference {
            class: fitted.class.clone(),
            covariance: match (l2 > 0.0, self.options.robust) {
                (true, _) => Covariance::Posterior,
                (false, None) => Covariance::Information,
                (false, Some(Robust::Hc0)) => Covariance::Hc0,
                (false, Some(Robust::Hc1)) => Covariance::Hc1,
            },
            parameters: parameters.kept.len(),
            effective_parameters: k,
            log_likelihood,
            null_log_likelihood,
            likelihood_ratio: (l2 == 0.0).then(|| {
                let chi2 = 2.0 * (log_likelihood - null_log_likelihood);
                let tail = tails::chi_squared(chi2, df as f64);
                LikelihoodRatio { chi2, df, p_value: tail.p, log10_p_value: tail.log10 }
            }),
            mcfadden_r2: 1.0 - log_likelihood / null_log_likelihood,
            aic: 2.0 * k - 2.0 * log_likelihood,
            bic: (l2 == 0.0).then(|| k * weight_sum.ln() - 2.0 * log_likelihood),
            condition_number: solved.as_ref().and_then(|solved| solved.condition_number),
            distance,
            separation,
            aliased: (0..self.names.len())
                .filter(|&j| parameters.dropped[j] == Some(Dropped::Aliased))
                .map(|j| self.names[j].clone())
                .collect(),
            warnings,
            coefficients,
        }
    }

    /// A standard deviation of a feature's panel values; the whole step of a 0/1 feature.
    fn unit(&self, j: usize) -> f64 {
        if self.is_indicator[j] { 1.0 } else { self.table.columns.sd(j, self.table.weight_sum) }
    }

    /// The information of a coefficient if its were the only one besides the intercept.
    fn centred_information(&self, sums: &ModelSums, j: usize) -> f64 {
        let intercept = self.names.len();
        let of = |a, b| sums.information.value(a, b);
        let explained =
            if self.encoding.intercept { of(j, intercept).powi(2) / of(intercept, intercept) } else { 0.0 };
        of(j, j) - explained
    }

    fn null_log_likelihood(&self, model: &ModelSpec) -> f64 {
        let all = self.table.weight_sum;
        let positive = self.table.class_weight[model.class as usize];
        if self.encoding.intercept {
            positive * (positive / all).ln() + (all - positive) * ((all - positive) / all).ln()
        } else {
            -all * std::f64::consts::LN_2
        }
    }

    /// The covariance of the parameters that are not left out as infinite, and what comes with it; none where the
    /// information is singular. In the limit, rows with probability 0 or 1 have no information, and the others' is all
    /// there is.
    fn solve(&self, subject: &Subject<'_>, parameters: &Parameters, infinite: &Infinite) -> Option<Solved> {
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
        let mut moving = Vec::new();
        for (k, step) in times(&gradient).into_iter().enumerate() {
            let place = places[k];
            if model.penalty.l2 == 0.0 && place != intercept && step.abs() * self.unit(place) > MOVES {
                gradient[k] = 0.0;
                moving.push(place);
            }
        }
        let squared: f64 = times(&gradient).iter().zip(&gradient).map(|(step, g)| step * g).sum();
        let shrunk: f64 = (0..places.len()).map(|a| ridge(places[a]) * inverse[(a, a)]).sum();
        // Without an optimum the information says how far away it is, not how the columns lie to each other.
        let vif = |a: usize| {
            (model.penalty.l2 == 0.0 && places[a] != intercept && moving.is_empty())
                .then(|| inverse[(a, a)] * self.centred_information(sums, places[a]))
        };
        let vif: Vec<Option<f64>> = (0..places.len()).map(vif).collect();
        let condition_number = factor.condition_number();
        let covariance = match &sums.meat {
            None => inverse,
            Some(meat) => {
                let meat = Mat::from_fn(places.len(), places.len(), |a, b| meat.value(places[a], places[b]));
                let scale = match self.options.robust {
                    Some(Robust::Hc1) => weight_sum / (weight_sum - parameters.kept.len() as f64),
                    _ => 1.0,
                };
                let half = &inverse * &meat;
                let mut sandwich = &half * &inverse;
                for a in 0..places.len() {
                    sandwich.col_as_slice_mut(a).iter_mut().for_each(|value| *value *= scale);
                }
                sandwich
            }
        };
        Some(Solved {
            places,
            covariance,
            vif,
            condition_number,
            moving,
            distance: squared.max(0.0).sqrt(),
            effective: parameters.kept.len() as f64 - shrunk,
        })
    }

    /// What speaks against the statistics.
    fn doubts(
        &self,
        separation: &Separation,
        infinite: &Infinite,
        distance: Option<f64>,
        solved: Option<&Solved>,
    ) -> Vec<String> {
        let mut doubts = Vec::new();
        if separation.complete {
            doubts.push(
                "a plane separates the classes: no finite coefficients are the most likely ones, and they have no \
                 standard errors; train with a penalty"
                    .to_owned(),
            );
            return doubts;
        }
        if !separation.features.is_empty() {
            let have = match separation.features.len() {
                1 => "1 feature has".to_owned(),
                n => format!("{n} features have"),
            };
            doubts.push(format!(
                "{have} a value whose rows are all on one side, so that the most likely coefficient is infinite: {}; \
                 merge levels, leave them out, or train with a penalty",
                some(&separation.features)
            ));
        }
        if !infinite.references.is_empty() {
            let names: Vec<String> = infinite.references.iter().map(|&j| self.names[j].clone()).collect();
            doubts
                .push(format!("nothing compared with {} is finite; take another --reference", some(&names)));
        }
        if !separation.suspected.is_empty() {
            doubts.push(format!(
                "a further step would move coefficients by more than a tenth of a standard deviation: they have no finite \
                 optimum, or training stopped early: {}",
                some(&separation.suspected)
            ));
        }
        match distance {
            None => doubts.push(
                "the information matrix is singular, so that nothing can be said of the coefficients; train with a \
                 penalty"
                    .to_owned(),
            ),
            Some(distance) if distance.is_nan() || distance > DISTANCE_REFUSED => doubts.push(format!(
                "the coefficients are {distance:.2} standard errors away from the optimum, and are no maximum-likelihood \
                 estimates: statistics are withheld; train again with a smaller --tolerance"
            )),
            Some(distance) if distance > DISTANCE_SAID => doubts.push(format!(
                "the coefficients are {distance:.3} standard errors away from the optimum; train again with a smaller \
                 --tolerance"
            )),
            Some(_) => {}
        }
        let worst = solved.iter().flat_map(|solved| solved.vif.iter().flatten()).copied().fold(0.0, f64::max);
        if worst > RESOLVED_VIF {
            doubts.push(format!(
                "features are so close to combinations of others (VIF {worst:.0e}) that float32 does not resolve them: \
                 leave some out"
            ));
        }
        doubts
    }

    fn coefficients(
        &self,
        column: &[f64],
        parameters: &Parameters,
        solved: Option<&Solved>,
        status: impl Fn(usize) -> Status,
        is_penalised: bool,
    ) -> Vec<CoefficientInference> {
        let intercept = self.names.len();
        let transform = self.encoding.panel_transform();
        let estimates = parameters.estimates(column);
        // The intercept of the original columns: b - sum w centre / scale.
        let share = |&place: &usize| transform.get(place).map_or(1.0, |(centre, scale)| -centre / scale);
        let of_intercept =
            || parameters.kept.iter().map(share).zip(&estimates).map(|(share, w)| share * w).sum();
        let shares: Option<Vec<f64>> = solved.map(|solved| solved.places.iter().map(share).collect());
        let quantile = central_quantile(self.options.confidence);
        let of_place = |place: usize| {
            let status = status(place);
            let is_intercept = place == intercept;
            let estimate = match parameters.kept.binary_search(&place) {
                Err(_) => 0.0,
                Ok(_) if is_intercept => of_intercept(),
                Ok(k) => estimates[k] / transform[place].1,
            };
            let own = solved
                .filter(|_| status != Status::Separated)
                .and_then(|solved| Some((solved, solved.places.binary_search(&place).ok()?)));
            let variance = own.map(|(solved, k)| match &shares {
                Some(shares) if is_intercept => solved.variance(shares),
                _ => solved.covariance[(k, k)] / transform[place].1.powi(2),
            });
            let vif = own.and_then(|(solved, k)| solved.vif[k]);
            let error = variance.filter(|_| status == Status::Estimated).map(f64::sqrt);
            let half = error.map(|error| quantile * error);
            let is_finite = matches!(status, Status::Estimated | Status::Withheld);
            let effect = (is_finite && !is_intercept).then_some((estimate, half));
            let z = error.filter(|_| !is_penalised).map(|error| estimate / error);
            let tail = z.map(tails::normal);
            CoefficientInference {
                feature: if is_intercept { "(intercept)".to_owned() } else { self.names[place].clone() },
                status,
                estimate,
                standard_error: error,
                z,
                p_value: tail.map(|tail| tail.p),
                log10_p_value: tail.map(|tail| tail.log10),
                low: half.map(|half| estimate - half),
                high: half.map(|half| estimate + half),
                odds_ratio: effect.map(|(estimate, _)| estimate.exp()),
                odds_ratio_low: effect.and_then(|(estimate, half)| Some((estimate - half?).exp())),
                odds_ratio_high: effect.and_then(|(estimate, half)| Some((estimate + half?).exp())),
                sd: (!is_intercept)
                    .then(|| self.table.columns.sd(place, self.table.weight_sum) * transform[place].1),
                vif,
            }
        };
        let first = self.encoding.intercept.then_some(intercept);
        first.into_iter().chain(0..intercept).map(of_place).collect()
    }
}

/// What follows from the inverse of the information.
struct Solved {
    /// Places of the parameters that it is of.
    places: Vec<usize>,
    covariance: Mat<f64>,
    vif: Vec<Option<f64>>,
    condition_number: Option<f64>,
    /// Places of the coefficients that a further step would move.
    moving: Vec<usize>,
    distance: f64,
    effective: f64,
}

impl Solved {
    /// The variance of a combination of the parameters.
    fn variance(&self, shares: &[f64]) -> f64 {
        let column = |a: usize| self.covariance.col_as_slice(a);
        let of = |(a, share): (usize, &f64)| {
            share * column(a).iter().zip(shares).map(|(value, share)| value * share).sum::<f64>()
        };
        shares.iter().enumerate().map(of).sum()
    }
}

/// Some of the names, and how many more.
fn some(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(5);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
