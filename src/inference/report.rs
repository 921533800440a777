//! What inference finds, as plain numbers.

use serde::Serialize;

/// Statistics of the models of a stack at their coefficients, on the rows that they were trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    /// Rows that count.
    pub rows: usize,
    /// Rows left out: without a label, or with a null that the model has no value for.
    pub rows_dropped: usize,
    /// S: sum of the row weights, each read as the number of times that its row was observed.
    pub weight_sum: f64,
    /// Share of the intervals.
    pub confidence: f64,
    /// What summed the information, and how precisely.
    pub device: String,
    /// The reference levels of the categorical columns, for models without a penalty.
    pub references: Vec<String>,
    /// One for each model asked for.
    pub models: Vec<ModelInference>,
    /// What a reader of all of them should know.
    pub warnings: Vec<String>,
}

/// How the covariance of a model's estimates was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariance {
    /// The inverse of the information.
    Information,
    /// White's sandwich.
    Hc0,
    /// White's sandwich times n / (n - k).
    Hc1,
    /// With an L2 penalty: that of the normal approximation to the posterior.
    Posterior,
}

/// Statistics of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelInference {
    /// The class that it tells from the others.
    pub class: String,
    /// Where standard errors come from.
    pub covariance: Covariance,
    /// k: parameters that the data can tell apart, the intercept counted.
    pub parameters: usize,
    /// With an L2 penalty `tr[(I + S l2 P)^-1 I]`, else k.
    pub effective_parameters: f64,
    /// Log-likelihood, without the penalty; where classes are separated, its supremum, which no coefficients reach. None
    /// where the coefficients are far from their optimum, and none then of what is made of it.
    pub log_likelihood: Option<f64>,
    /// That of the intercept alone, or of no parameter where there is no intercept.
    pub null_log_likelihood: f64,
    /// The test of all other parameters at once; none with a penalty, or without any.
    pub likelihood_ratio: Option<LikelihoodRatio>,
    /// McFadden's pseudo R squared: `1 - log L / log L_0`.
    pub mcfadden_r2: Option<f64>,
    /// `2 k - 2 log L`, with k the effective parameters.
    pub aic: Option<f64>,
    /// `k ln S - 2 log L`; none with a penalty.
    pub bic: Option<f64>,
    /// Largest eigenvalue over smallest of the (penalised) information of the standardised columns, scaled to a unit
    /// diagonal; none above 2,000 parameters.
    pub condition_number: Option<f64>,
    /// How far the stored coefficients are from the optimum, in standard errors: `sqrt(g' I^-1 g)`.
    pub distance: Option<f64>,
    /// Whether the data determine the coefficients at all.
    pub separation: Separation,
    /// Features left out as combinations of those before them.
    pub aliased: Vec<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// The intercept, then a coefficient for each feature.
    pub coefficients: Vec<CoefficientInference>,
}

/// The likelihood-ratio test against the model of the intercept alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LikelihoodRatio {
    /// `2 (log L - log L_0)`.
    pub chi2: f64,
    /// Parameters besides the intercept.
    pub df: usize,
    /// Chance of a larger one if these were all 0; 0 where it is below the range of float64.
    pub p_value: f64,
    /// Its decimal logarithm, which has no such bound.
    pub log10_p_value: f64,
}

/// Separation: a combination of features that tells classes apart without error, so that no finite coefficients are
/// the most likely ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Separation {
    /// A plane puts every row on its side.
    pub complete: bool,
    /// 0/1 features of which one value meets rows of one side alone.
    pub features: Vec<String>,
    /// Features that a further step of Newton's method would still move, as it does for ever where the optimum lies at
    /// infinity.
    pub suspected: Vec<String>,
}

/// What is known of a coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is estimated, and how well is known.
    Estimated,
    /// It is the level that others are compared with.
    Reference,
    /// It is a combination of those before it, and held at 0.
    Aliased,
    /// It has no finite estimate.
    Separated,
    /// It, or its model, is not at an optimum.
    Withheld,
}

/// Statistics of one coefficient, in the units of the original column; a level's is the contrast with its reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoefficientInference {
    /// Name of the feature, or `(intercept)`.
    pub feature: String,
    /// What follows can be relied on only where it is `Estimated`.
    pub status: Status,
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Wald's `estimate / standard error`; none with a penalty.
    pub z: Option<f64>,
    /// `P(|Z| >= |z|)`; 0 where it is below the range of float64.
    pub p_value: Option<f64>,
    /// Its decimal logarithm, which has no such bound.
    pub log10_p_value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// `exp(estimate)`, what a unit more, or the level instead of its reference, does to the odds; none for the intercept,
    /// nor where the estimate is infinite or held at 0.
    pub odds_ratio: Option<f64>,
    /// Lower end of its interval, `exp(low)`.
    pub odds_ratio_low: Option<f64>,
    /// Upper end of its interval, `exp(high)`.
    pub odds_ratio_high: Option<f64>,
    /// Standard deviation of the feature over the rows; none for the intercept.
    pub sd: Option<f64>,
    /// Variance inflation factor.
    pub vif: Option<f64>,
}

impl CoefficientInference {
    /// Whether it is the intercept.
    pub fn is_intercept(&self) -> bool {
        self.sd.is_none()
    }
}
