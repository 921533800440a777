//! Computes the statistics of a model from its sums.

use super::doubts::DISTANCE_REFUSED;
use super::identify::{Dropped, Parameters};
use super::infinite::Infinite;
use super::pass::{ModelSums, TableSums};
use super::report::{CoefficientInference, Covariance, LikelihoodRatio, ModelInference, Separation, Status};
use super::solved::Solved;
use super::{InferenceOptions, Robust, tails};
use crate::data::Encoding;
use crate::engine::exact::Basis;
use crate::metrics::central_quantile;
use crate::model::FittedModel;
use crate::objective::{ModelSpec, Penalty};

/// The supremum of the log-likelihood is reported if the remaining gain towards infinity is at most this
/// share of it.
const MOST_GAIN: f64 = 1e-3;

/// Inputs of the statistics that all models share.
pub(super) struct Context<'a> {
    pub(super) encoding: &'a Encoding,
    pub(super) names: &'a [String],
    /// Which features have only the values 0 and 1.
    pub(super) is_indicator: &'a [bool],
    pub(super) references: &'a [Option<usize>],
    /// The identified parameters of models without a penalty.
    pub(super) identified: &'a Parameters,
    pub(super) options: &'a InferenceOptions,
    pub(super) table: &'a TableSums,
    /// The basis of the models' sums.
    pub(super) basis: &'a Basis,
    /// Whether all products are float64.
    pub(super) is_resolved: bool,
    pub(super) tolerance: f64,
}

/// Why a Newton step would still move coefficients by much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    /// Some rows are separated. The coefficients that move have no finite optimum; all others are at theirs.
    Separated,
    /// No row moves with the coefficients: they move along a direction that the data hardly determine.
    None,
    /// The model is not at an optimum.
    Unfinished,
}

/// A Newton step of a model.
pub(super) struct Step {
    /// A component for each parameter, in the basis of the sums.
    pub(super) by: Vec<f64>,
    /// 0/1 features, each with the value whose rows are known to go to infinity.
    pub(super) at_infinity: Vec<(usize, bool)>,
}

/// A model and its sums.
pub(super) struct Subject<'a> {
    pub(super) fitted: &'a FittedModel,
    pub(super) model: &'a ModelSpec,
    /// Coefficients for panel values, in the basis of the sums.
    pub(super) column: &'a [f64],
    pub(super) sums: &'a ModelSums,
}

impl Context<'_> {
    /// The statistics of one model. If a Newton step would still move coefficients by much, also returns
    /// that step, from which a reading of the rows finds the `movement`.
    pub(super) fn statistics(
        &self,
        subject: &Subject<'_>,
        movement: Movement,
    ) -> (ModelInference, Option<Step>) {
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
        let solved = self.solve(subject, parameters, &infinite, movement);
        let moving = solved.as_ref().map_or(&[][..], |solved| &solved.moving);
        let moved: Vec<String> = moving.iter().map(|&j| self.names[j].clone()).collect();
        let step = solved.as_ref().filter(|_| !moving.is_empty()).map(|solved| Step {
            by: solved.step.clone(),
            at_infinity: infinite.features.iter().copied().zip(infinite.values.iter().copied()).collect(),
        });
        let is_unfinished = movement == Movement::Unfinished;
        if !is_unfinished {
            separation.suspected.clone_from(&moved);
        }
        let distance = solved.as_ref().map(|solved| solved.distance);
        let is_away =
            is_unfinished || distance.is_none_or(|distance| distance.is_nan() || distance > DISTANCE_REFUSED);
        let unfinished = if is_unfinished { moved.as_slice() } else { &[] };
        let warnings = self.doubts(fitted, &separation, &infinite, unfinished, solved.as_ref());
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
        let log_likelihood = match solved.as_ref().filter(|_| !is_away) {
            _ if separation.complete => Some(0.0),
            _ if l2 > 0.0 => Some(-sums.loss.iter().sum::<f64>()),
            solved => solved.and_then(|solved| supremum(sums, solved)),
        };
        let null_log_likelihood = self.null_log_likelihood(model);
        let k = solved.as_ref().map_or(parameters.kept.len() as f64, |solved| solved.effective);
        let df = parameters.kept.len() - usize::from(self.encoding.intercept);
        let inference = ModelInference {
            class: fitted.class.clone(),
            covariance: self.covariance(l2 > 0.0),
            parameters: parameters.kept.len(),
            effective_parameters: k,
            log_likelihood,
            null_log_likelihood,
            likelihood_ratio: log_likelihood
                .filter(|_| l2 == 0.0 && df > 0)
                .map(|log_likelihood| likelihood_ratio(log_likelihood, null_log_likelihood, df)),
            mcfadden_r2: log_likelihood.map(|log_likelihood| 1.0 - log_likelihood / null_log_likelihood),
            aic: log_likelihood.map(|log_likelihood| 2.0 * k - 2.0 * log_likelihood),
            bic: log_likelihood
                .filter(|_| l2 == 0.0)
                .map(|log_likelihood| k * weight_sum.ln() - 2.0 * log_likelihood),
            condition_number: solved.as_ref().and_then(|solved| solved.condition_number),
            distance,
            separation,
            aliased: self.aliased(parameters),
            warnings,
            coefficients,
        };
        (inference, step)
    }

    /// What the standard errors come from.
    fn covariance(&self, is_penalised: bool) -> Covariance {
        match (is_penalised, self.options.robust) {
            (true, _) => Covariance::Posterior,
            (false, None) => Covariance::Information,
            (false, Some(Robust::Hc0)) => Covariance::Hc0,
            (false, Some(Robust::Hc1)) => Covariance::Hc1,
        }
    }

    /// The features that are combinations of others.
    fn aliased(&self, parameters: &Parameters) -> Vec<String> {
        let dropped = self.names.iter().zip(&parameters.dropped);
        let aliased = dropped.filter(|(_, dropped)| **dropped == Some(Dropped::Aliased));
        aliased.map(|(name, _)| name.clone()).collect()
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
        let mut estimates = vec![0.0; intercept + 1];
        for (&place, estimate) in parameters.kept.iter().zip(parameters.estimates(column)) {
            estimates[place] = estimate;
        }
        let estimates = self.basis.to_features(&estimates);
        // The intercept for the original columns is b - sum_j w_j centre_j / scale_j.
        let share = |&place: &usize| transform.get(place).map_or(1.0, |(centre, scale)| -centre / scale);
        let of_intercept = || parameters.kept.iter().map(|place| share(place) * estimates[*place]).sum();
        let quantile = central_quantile(self.options.confidence);
        let of_place = |place: usize| {
            let status = status(place);
            let is_intercept = place == intercept;
            let estimate = match parameters.kept.binary_search(&place) {
                Err(_) => 0.0,
                Ok(_) if is_intercept => of_intercept(),
                Ok(_) => estimates[place] / transform[place].1,
            };
            let own = solved
                .filter(|_| status != Status::Separated)
                .and_then(|solved| Some((solved, solved.places.binary_search(&place).ok()?)));
            let variance = own.map(|(solved, _)| {
                let shares: Vec<(usize, f64)> = if is_intercept {
                    solved.places.iter().map(|place| (*place, share(place))).collect()
                } else {
                    vec![(place, 1.0 / transform[place].1)]
                };
                let combination = self.combination(shares.into_iter());
                solved.variance(&combination)
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

/// The supremum of the log-likelihood, towards infinity; none where the step there gains too much for it to be known.
fn supremum(sums: &ModelSums, solved: &Solved) -> Option<f64> {
    let supremum = solved.gain - sums.loss.iter().sum::<f64>();
    (solved.gain <= MOST_GAIN * supremum.abs()).then_some(supremum)
}

/// The test of a model against the one with its intercept alone.
fn likelihood_ratio(log_likelihood: f64, null_log_likelihood: f64, df: usize) -> LikelihoodRatio {
    let chi2 = 2.0 * (log_likelihood - null_log_likelihood);
    let tail = tails::chi_squared(chi2, df as f64);
    LikelihoodRatio { chi2, df, p_value: tail.p, log10_p_value: tail.log10 }
}
