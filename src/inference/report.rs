//! The results of inference, as plain numbers.

use serde::Serialize;

/// Statistics of models at their stored coefficients, on their training rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    /// Number of rows used.
    pub rows: usize,
    /// Number of rows left out: without a label, or with a null that the model cannot fill.
    pub rows_dropped: usize,
    /// S: sum of the row weights. A weight is the number of times that its row was observed.
    pub weight_sum: f64,
    /// Confidence level of the intervals.
    pub confidence: f64,
    /// The device that summed the information, and its precision.
    pub device: String,
    /// The reference levels of the categorical columns, for models without a penalty.
    pub references: Vec<String>,
    /// One for each requested model.
    pub models: Vec<ModelInference>,
    /// Warnings that concern all models.
    pub warnings: Vec<String>,
}

/// How the covariance of a model's estimates was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariance {
    /// The inverse of the information.
    Information,
    /// White's sandwich.
    Hc0,
    /// White's sandwich times n / (n - k).
    Hc1,
    /// With an L2 penalty: the covariance of the normal approximation to the posterior.
    Posterior,
}

/// Statistics of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelInference {
    /// The class that the model separates from the others.
    pub class: String,
    /// How the covariance was computed.
    pub covariance: Covariance,
    /// k: number of identified parameters, the intercept included.
    pub parameters: usize,
    /// With an L2 penalty `tr[(I + S l2 P)^-1 I]`, else k.
    pub effective_parameters: f64,
    /// Log-likelihood, without the penalty. If classes are separated, its supremum, which no coefficients
    /// attain. None if the coefficients are far from their optimum; then the statistics derived from it are
    /// none too.
    pub log_likelihood: Option<f64>,
    /// Log-likelihood of the model with only an intercept; without an intercept, of the model without
    /// parameters.
    pub null_log_likelihood: f64,
    /// Test of all parameters except the intercept. None with a penalty, or if there are no such parameters.
    pub likelihood_ratio: Option<LikelihoodRatio>,
    /// McFadden's pseudo R squared: `1 - log L / log L_0`.
    pub mcfadden_r2: Option<f64>,
    /// `2 k - 2 log L`, with k the effective parameters.
    pub aic: Option<f64>,
    /// `k ln S - 2 log L`; none with a penalty.
    pub bic: Option<f64>,
    /// Ratio of the largest to the smallest eigenvalue of the (penalised) information of the encoded
    /// columns, scaled to a unit diagonal. None above 2,000 parameters, or if nearly dependent features
    /// were replaced by their remainders.
    pub condition_number: Option<f64>,
    /// Distance of the stored coefficients from the optimum, in standard errors: `sqrt(g' I^-1 g)`.
    pub distance: Option<f64>,
    /// Whether, and by which features, classes are separated.
    pub separation: Separation,
    /// Features left out as combinations of those before them.
    pub aliased: Vec<String>,
    /// Warnings about this model.
    pub warnings: Vec<String>,
    /// The intercept, if there is one, then one coefficient for each feature.
    pub coefficients: Vec<CoefficientInference>,
}

/// The likelihood-ratio test against the model with only an intercept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LikelihoodRatio {
    /// `2 (log L - log L_0)`.
    pub chi2: f64,
    /// Degrees of freedom: the number of parameters without the intercept.
    pub df: usize,
    /// Probability of a larger `chi2` if these parameters were all 0. Below the range of float64 it is 0.
    pub p_value: f64,
    /// Decimal logarithm of the p-value, which does not underflow.
    pub log10_p_value: f64,
}

/// Separation: a combination of features separates classes, at least for some rows, so that the likelihood
/// has no maximum at finite coefficients.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Separation {
    /// Whether a plane separates all rows.
    pub complete: bool,
    /// 0/1 features with a value that occurs only in rows of the class, or only in other rows.
    pub features: Vec<String>,
    /// Features whose coefficients another Newton step would still move by much, as happens when the
    /// optimum lies at infinity.
    pub suspected: Vec<String>,
}

/// The status of a coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is estimated, with statistics.
    Estimated,
    /// It is the reference level of its column, and held at 0.
    Reference,
    /// Its feature is a combination of those before it, and it is held at 0.
    Aliased,
    /// It has no finite estimate.
    Separated,
    /// Its statistics are withheld, since it or its model is not at an optimum.
    Withheld,
}

/// Statistics of one coefficient, in the units of the original column. A level has the contrast with its
/// reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoefficientInference {
    /// Name of the feature, or `(intercept)`.
    pub feature: String,
    /// The status. The estimate is reliable only if it is [`Status::Estimated`].
    pub status: Status,
    /// The estimate.
    pub estimate: f64,
    /// Standard error of the estimate.
    pub standard_error: Option<f64>,
    /// Wald statistic, `estimate / standard error`. None with a penalty.
    pub z: Option<f64>,
    /// `P(|Z| >= |z|)`. Below the range of float64 it is 0.
    pub p_value: Option<f64>,
    /// Decimal logarithm of the p-value, which does not underflow.
    pub log10_p_value: Option<f64>,
    /// Lower end of the confidence interval.
    pub low: Option<f64>,
    /// Upper end of the confidence interval.
    pub high: Option<f64>,
    /// `exp(estimate)`: the factor on the odds for one unit more, or for the level instead of its
    /// reference. None for the intercept, and if the estimate is infinite or held at 0.
    pub odds_ratio: Option<f64>,
    /// Lower end of the odds ratio's interval, `exp(low)`.
    pub odds_ratio_low: Option<f64>,
    /// Upper end of the odds ratio's interval, `exp(high)`.
    pub odds_ratio_high: Option<f64>,
    /// Standard deviation of the feature over the rows; none for the intercept.
    pub sd: Option<f64>,
    /// Variance inflation factor.
    pub vif: Option<f64>,
}

impl CoefficientInference {
    /// Whether this is the intercept.
    pub fn is_intercept(&self) -> bool {
        self.sd.is_none()
    }
}
