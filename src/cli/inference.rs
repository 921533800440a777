//! `logodds inspect --inference`: flags and report.

use clap::ValueEnum;
use logodds::config::{Device, MemorySize};
use logodds::inference::{
    CoefficientInference, Covariance, Inference, InferenceOptions, ModelInference, Robust, Separation, Status,
};

use logodds::model::Model;

use super::coefficients::{CoefficientArgs, Key, ratio};
use super::table::{brief, count, facts, number, plural, table_up_to};
use super::weights::WeightArguments;

/// The method of the statistics.
#[derive(Debug, clap::Args)]
pub(crate) struct InferenceArguments {
    /// Standard errors, tests and intervals, from the training data
    ///
    /// Computes Wald tests, p-values and intervals of each coefficient, and a test of the whole model, at the
    /// stored coefficients. By default only the contents of the model file are shown.
    #[arg(long, requires = "data", help_heading = "Inference")]
    pub(super) inference: bool,
    /// Column of frequency weights [default: as in training]
    ///
    /// A numeric column with the weight of each row, 0 or more: a row of weight 2 counts as two rows. By
    /// default the weight column of training, or else every row counts once.
    #[arg(long, value_name = "COLUMN", requires = "inference", help_heading = "Inference")]
    weight: Option<String>,
    /// Count each row once, without any weights
    ///
    /// Ignores the weight column that the model was trained with. By default it is used.
    #[arg(long, requires = "inference", conflicts_with = "weight", help_heading = "Inference")]
    no_weight: bool,
    /// Confidence level of the intervals
    ///
    /// The share of such intervals that contain the true value, above 0 and below 1.
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.95,
        requires = "inference",
        help_heading = "Inference"
    )]
    confidence: f64,
    /// Sandwich standard errors, which stay valid if the model is wrong
    ///
    /// By default standard errors come from the inverse information matrix.
    #[arg(long, value_name = "KIND", requires = "inference", help_heading = "Inference")]
    robust: Option<Sandwich>,
    /// Level that the other levels of its column are compared with [default: the first]; may be repeated
    ///
    /// The coefficients of the other levels become differences from this level, which has none itself. By
    /// default it is the first level of each column, if levels have no penalty.
    #[arg(long, value_name = "COLUMN=LEVEL", requires = "inference", help_heading = "Inference")]
    reference: Vec<String>,
    /// Device: cpu sums in float64; auto, gpu, software or an index multiply in float32
    ///
    /// auto: a hardware GPU if there is one, else the CPU. gpu, software or the number of an adapter in
    /// `logodds devices`: matrix products run there in float32.
    #[arg(long, default_value_t = Device::Cpu, requires = "inference", help_heading = "Inference")]
    device: Device,
    /// Memory for information matrices and blocks of the table, such as 8GiB [default: what is available]
    ///
    /// Main memory in bytes, or with a unit, such as 500MB. Models that do not fit together are computed one
    /// after the other.
    #[arg(long, value_name = "SIZE", requires = "inference", help_heading = "Inference")]
    memory: Option<MemorySize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sandwich {
    /// White 1980
    Hc0,
    /// Times n / (n - k)
    Hc1,
}

impl InferenceArguments {
    /// The options of the library.
    pub(super) fn options(&self, model: &Model, classes: &[String]) -> InferenceOptions {
        let weights = WeightArguments { weight: self.weight.clone(), no_weight: self.no_weight };
        InferenceOptions {
            weight: weights.of_training(model),
            confidence: self.confidence,
            robust: self.robust.map(|kind| match kind {
                Sandwich::Hc0 => Robust::Hc0,
                Sandwich::Hc1 => Robust::Hc1,
            }),
            references: self.reference.clone(),
            classes: classes.to_vec(),
            device: self.device,
            memory: self.memory.map(|size| size.0),
        }
    }
}

/// The lines that hold for all models.
pub(super) fn whole_text(inference: &Inference) -> String {
    let mut rows = count(inference.rows);
    if inference.weight_sum != inference.rows as f64 {
        rows.push_str(&format!(", counted {} times by their weights", number(inference.weight_sum)));
    }
    let mut lines = vec![("rows", rows), ("information", inference.device.clone())];
    if !inference.references.is_empty() {
        lines.push(("reference", inference.references.join(", ")));
    }
    lines.extend(inference.warnings.iter().map(|warning| ("warning", warning.clone())));
    facts(&lines)
}

/// The report of one model: its fit and its coefficients.
pub(super) fn model_text(model: &ModelInference, inference: &Inference, choice: &CoefficientArgs) -> String {
    let errors = match model.covariance {
        Covariance::Information => "from the inverse information (maximum likelihood)",
        Covariance::Hc0 => "robust (sandwich, HC0)",
        Covariance::Hc1 => "robust (sandwich, HC1)",
        Covariance::Posterior => {
            "posterior (approximate): the L2 penalty is a normal prior; coefficients are shrunk, so there \
             are no p-values"
        }
    };
    let mut lines = vec![("class", model.class.clone())];
    if !model.separation.complete {
        lines.push(("errors", errors.to_owned()));
    }
    let has_intercept = model.coefficients.iter().any(CoefficientInference::is_intercept);
    lines.push(("fit", fit(model, has_intercept)));
    if let Some(test) = model.likelihood_ratio {
        let p = tail(test.p_value, test.log10_p_value);
        let text = format!("chi2 {} on {} degrees of freedom: p {p}", number(test.chi2), count(test.df));
        lines.push(("LR test", text));
    }
    let mut parameters = count(model.parameters);
    if model.covariance == Covariance::Posterior {
        parameters.push_str(&format!(", {} effective", brief(model.effective_parameters)));
    }
    if let Some(condition) = model.condition_number {
        parameters.push_str(&format!("; condition number of the information {}", brief(condition)));
    }
    lines.push(("parameters", parameters));
    if !model.aliased.is_empty() {
        let text = format!(
            "{} left out as combinations of earlier features: {}",
            plural(model.aliased.len(), "feature"),
            model.aliased.join(", ")
        );
        lines.push(("aliased", text));
    }
    lines.extend(model.warnings.iter().map(|warning| ("warning", warning.clone())));
    // For coefficients that grow without limit only the signs are known.
    if model.separation.complete {
        return facts(&lines);
    }
    facts(&lines) + "\n" + &tables(model, inference.confidence, choice)
}

/// The likelihood and the criteria derived from it.
fn fit(model: &ModelInference, has_intercept: bool) -> String {
    let null = format!(
        "{:.2} with {}",
        model.null_log_likelihood,
        if has_intercept { "the intercept alone" } else { "all coefficients 0" }
    );
    let (Some(log_likelihood), Some(r2), Some(aic)) = (model.log_likelihood, model.mcfadden_r2, model.aic)
    else {
        return format!(
            "log-likelihood {null}; its value for the model is withheld, because the coefficients are not at an optimum"
        );
    };
    let Separation { complete, features, suspected } = &model.separation;
    let supremum = if *complete || !features.is_empty() || !suspected.is_empty() {
        " (a supremum that no finite coefficients reach)"
    } else {
        ""
    };
    let mut fit = format!(
        "log-likelihood {log_likelihood:.2}{supremum}, {null}; McFadden R2 {}; AIC {aic:.2}",
        brief(r2)
    );
    if let Some(bic) = model.bic {
        fit.push_str(&format!(", BIC {bic:.2}"));
    }
    fit
}

/// The coefficients, and below them the odds ratios.
fn tables(model: &ModelInference, confidence: f64, choice: &CoefficientArgs) -> String {
    let is_shown = |row: &CoefficientInference| !matches!(row.status, Status::Reference | Status::Aliased);
    let (intercept, mut rows): (Vec<_>, Vec<_>) =
        model.coefficients.iter().filter(|row| is_shown(row)).partition(|row| row.is_intercept());
    choice.sort(&mut rows, |row| Key {
        name: &row.feature,
        coefficient: row.estimate,
        standardised: row.estimate * row.sd.unwrap_or(1.0),
        log10_p: row.log10_p_value.unwrap_or(0.0),
    });
    let left = rows.len().saturating_sub(choice.top());
    rows.truncate(choice.top());
    let [low, high] =
        [0.5 - 0.5 * confidence, 0.5 + 0.5 * confidence].map(|share| format!("{}%", brief_share(share)));
    let is_tested = model.covariance != Covariance::Posterior;
    let only_tested = |cells: [String; 2]| cells.into_iter().filter(move |_| is_tested);

    let mut head = vec!["feature", "coefficient", "std. error", "z", "p", &low, &high];
    if !is_tested {
        head.drain(3..5);
    }
    let cells = |row: &&CoefficientInference| {
        let estimate = match row.status {
            Status::Separated if row.estimate < 0.0 => "-infinite".to_owned(),
            Status::Separated => "infinite".to_owned(),
            _ => brief(row.estimate),
        };
        let z = or_dash(row.z, |z| format!("{z:.2}"));
        let p = row.p_value.zip(row.log10_p_value).map_or("-".to_owned(), |(p, log10)| tail(p, log10));
        let mut cells = vec![row.feature.clone(), estimate, or_dash(row.standard_error, brief)];
        cells.extend(only_tested([z, p]));
        cells.extend([row.low, row.high].map(|end| or_dash(end, brief)));
        cells
    };
    let all: Vec<Vec<String>> = intercept.iter().chain(&rows).map(cells).collect();
    let mut text = table_up_to(all.len(), &head, &all);

    let mut head = vec!["feature", "odds ratio", &low, &high, "VIF"];
    head.truncate(if is_tested { 5 } else { 4 });
    let cells = |row: &&CoefficientInference| {
        let own = match row.status {
            Status::Separated if row.estimate < 0.0 => "0".to_owned(),
            Status::Separated => "infinite".to_owned(),
            _ => or_dash(row.odds_ratio, ratio),
        };
        let mut cells = vec![row.feature.clone(), own];
        cells.extend([row.odds_ratio_low, row.odds_ratio_high].map(|end| or_dash(end, ratio)));
        cells.push(or_dash(row.vif, brief));
        cells.truncate(head.len());
        cells
    };
    if !rows.is_empty() {
        let all: Vec<Vec<String>> = rows.iter().map(cells).collect();
        text.push('\n');
        text.push_str(&table_up_to(all.len(), &head, &all));
    }
    if left > 0 {
        text.push_str(&format!("... and {} more (--top {}, or --json)\n", left, left + choice.top()));
    }
    text
}

fn or_dash(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or("-".to_owned(), text)
}

/// A probability, even if it underflows float64.
fn tail(p: f64, log10: f64) -> String {
    if p >= 1e-3 {
        return format!("{p:.4}");
    }
    let mut exponent = log10.floor();
    let mut digits = format!("{:.1}", 10f64.powf(log10 - exponent));
    if digits == "10.0" {
        exponent += 1.0;
        digits = "1.0".to_owned();
    }
    format!("{digits}e{exponent}")
}

/// Percent, without the rounding noise of a subtraction.
fn brief_share(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_written_however_small() {
        for (p, log10, text) in [
            (0.04321, -1.3644, "0.0432"),
            (2.1e-16, -15.677_780_705_266_08, "2.1e-16"),
            (0.0, -4209.7268, "1.9e-4210"),
            (9.99e-5, -4.000_434_511_8, "1.0e-4"),
        ] {
            assert_eq!(tail(p, log10), text);
        }
    }
}
