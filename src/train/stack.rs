//! The models of a run: made from the classes, and converted from the solution to the file.

use super::remarks::remarks;
use crate::config::{ClassWeight, ValidConfig};
use crate::data::Dataset;
use crate::engine::exact::{Rounding, certify};
use crate::error::{ConfigError, Result};
use crate::model::{
    FittedModel, Model, PenaltyScales, Task, Training, centre_levels, to_original_units, to_panel_units,
};
use crate::objective::{Certificate, Coefficients, Coordinates, HeldOut, ModelSpec, Penalty};
use crate::panels::Rows;
use crate::solver::{Proof, Solution};

/// The models of a run.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) models: Vec<ModelSpec>,
    /// What is asked of each coefficient.
    pub(crate) coordinates: Coordinates,
    pub(crate) penalty: Penalty,
    /// Binary: index of the positive class.
    positive: Option<usize>,
}

impl Stack {
    /// One model for a binary target, else one for each class.
    ///
    /// # Errors
    /// `--positive` names no class, or there are more than two classes.
    pub(crate) fn new(config: &ValidConfig, dataset: &Dataset) -> Result<Self> {
        let classes = &dataset.target.classes;
        let positive = positive_class(config, classes)?;
        let penalty = config.penalty.resolve(dataset.rows.weight_sum());
        if let Some(class) = dataset.rows.class_weight().iter().position(|&weight| weight == 0.0) {
            let why = format!(
                "every row of class {:?} has weight 0; leave these rows out or give them a weight",
                classes[class]
            );
            return Err(ConfigError::NotApplicable { flag: "--weight", why }.into());
        }
        let models = match positive {
            Some(class) => class..class + 1,
            None => 0..classes.len(),
        };
        let models = models
            .map(|class| model(config.class_weight, &dataset.rows, class, penalty, HeldOut::NONE))
            .collect();
        let centred = dataset.encoding.intercept && !dataset.encoding.standardize;
        let mut coordinates = Coordinates::new(dataset.panels.n_features(), config.intercept);
        if centred {
            let transform = dataset.encoding.panel_transform();
            let centres: Vec<f64> = transform.iter().map(|(centre, scale)| centre / scale).collect();
            coordinates = coordinates.with_centres(&centres);
        }
        Ok(Self { models, coordinates, penalty, positive })
    }

    /// Each model in the units of the original columns, with the certificate of exactly those numbers. This
    /// is the certificate of the solver, unless the change of units rounds.
    pub(crate) fn fitted(
        &self,
        dataset: &Dataset,
        solution: &Solution,
        rounding: &Rounding<'_>,
        tolerance: f64,
    ) -> Vec<FittedModel> {
        let mut panel = solution.coefficients.clone();
        if self.models.iter().all(|model| model.penalty == Penalty::default()) {
            centre_levels(&dataset.encoding, &mut panel);
        }
        let original = to_original_units(&dataset.encoding, &panel);
        let mut stored = to_panel_units(&dataset.encoding, &original);
        for m in 0..panel.n_models() {
            // The panel intercept is stored as well: a large mean costs the intercept in original units its
            // last digits.
            stored.model_mut(m)[panel.n_features()] = panel.intercept(m);
        }
        let certificates = self.certificates(dataset, solution, &stored);
        // Twice: the rounding changes the objective at the minimum, and at these coefficients.
        let bound = |(m, certificate): (usize, &Certificate)| {
            2.0 * rounding.bound(&self.models[m], stored.features(m), certificate.objective)
        };
        let bounds: Vec<f64> = certificates.iter().enumerate().map(bound).collect();
        let n_features = original.n_features();
        let classes = self.models.iter().map(|model| &dataset.target.classes[model.class as usize]);
        classes
            .zip(certificates.into_iter().zip(bounds))
            .enumerate()
            .map(|(m, (class, (certificate, bound)))| {
                let certificate = Certificate {
                    duality_gap: certificate.duality_gap.map(|gap| gap + bound),
                    ..certificate
                };
                let proof = Proof {
                    newton_decrement: solution.proofs[m].newton_decrement.map(|decrement| decrement + bound),
                    ..solution.proofs[m].clone()
                };
                FittedModel {
                    newton_decrement: proof.newton_decrement.filter(|_| certificate.duality_gap.is_none()),
                    duality_gap: certificate.duality_gap,
                    class: class.clone(),
                    threshold: None,
                    intercept: original.intercept(m),
                    centred_intercept: dataset.encoding.intercept.then(|| panel.intercept(m)),
                    coefficients: original.features(m)[..n_features].to_vec(),
                    nonzero: original.features(m).iter().filter(|&&w| w != 0.0).count(),
                    objective: certificate.objective,
                    kkt_residual: certificate.kkt_residual,
                    converged: solution.has_converged(m, &certificate, &proof, tolerance),
                    iterations: solution.iterations[m],
                    best: None,
                    penalty: None,
                }
            })
            .collect()
    }

    /// Columns whose float32 rounding decides where the minimum of a model is, or whether the distance to it
    /// is within the tolerance.
    pub(crate) fn blurred(
        &self,
        dataset: &Dataset,
        solution: &Solution,
        rounding: &Rounding<'_>,
        tolerance: f64,
    ) -> Vec<String> {
        let names = dataset.encoding.feature_names();
        let mut features: Vec<usize> =
            solution.proofs.iter().flat_map(|proof| proof.blurred.iter().copied()).collect();
        for (m, certificate) in solution.certificates.iter().enumerate() {
            let Some(Certificate { objective, .. }) = *certificate else { continue };
            // Half of the tolerance is left to the minimum of the engine's table; the bound counts twice,
            // here and there.
            let allowed = 0.25 * Certificate::distance_allowed(objective, tolerance);
            let column = solution.coefficients.features(m);
            features.extend(rounding.too_coarse(&self.models[m], column, objective, allowed));
        }
        features.sort_unstable();
        features.dedup();
        features.into_iter().map(|j| names[j].clone()).collect()
    }

    /// The results of the proofs, with the names of columns: directions without an optimum, or with many
    /// optima.
    pub(crate) fn remarks(&self, dataset: &Dataset, solution: &Solution) -> Vec<String> {
        remarks(dataset, &self.models, &solution.proofs)
    }

    fn certificates(
        &self,
        dataset: &Dataset,
        solution: &Solution,
        stored: &Coefficients,
    ) -> Vec<Certificate> {
        // A change in the last digits of a coefficient changes the gradient as little.
        let is_same = |m: usize| {
            let (stored, solved) = (stored.model(m), solution.coefficients.model(m));
            let largest = solved.iter().fold(1.0, |a: f64, w| a.max(w.abs()));
            stored
                .iter()
                .zip(solved)
                .all(|(a, b)| (a - b).abs() <= 1e-13 * largest && (*a == 0.0) == (*b == 0.0))
        };
        let kept: Vec<Option<Certificate>> = solution
            .certificates
            .iter()
            .enumerate()
            .map(|(m, certificate)| certificate.filter(|_| is_same(m)))
            .collect();
        let missing: Vec<usize> = (0..kept.len()).filter(|&m| kept[m].is_none()).collect();
        let models: Vec<ModelSpec> = missing.iter().map(|&m| self.models[m]).collect();
        let columns = stored.select(&missing);
        let mut made =
            certify(&dataset.panels, &dataset.rows, &models, &columns, &self.coordinates).into_iter();
        kept.into_iter().map(|kept| kept.unwrap_or_else(|| made.next().expect("one for each"))).collect()
    }

    /// The model file's content.
    pub(crate) fn model(&self, dataset: Dataset, models: Vec<FittedModel>, training: Training) -> Model {
        let penalty = PenaltyScales::new(self.penalty, dataset.rows.weight_sum());
        let features = dataset.encoding.feature_names();
        Model {
            task: if self.positive.is_some() { Task::Binary } else { Task::OneVsRest },
            target: dataset.target.name,
            target_type: dataset.target.data_type,
            target_arrow_type: dataset.target.arrow_type,
            positive: self.positive.map(|class| dataset.target.classes[class].clone()),
            classes: dataset.target.classes,
            threshold: None,
            standardize: dataset.encoding.standardize,
            nan: dataset.encoding.nan,
            intercept: dataset.encoding.intercept,
            penalty: Some(penalty),
            training,
            sweep: None,
            columns: dataset.encoding.columns,
            features,
            models,
        }
    }
}

/// The float32 rounding of a table. The mean square of a standardised column follows from its centre.
pub(crate) fn rounding(dataset: &Dataset) -> Rounding<'_> {
    let encoding = &dataset.encoding;
    let transform = encoding.panel_transform();
    let means: Vec<Option<f64>> =
        encoding.columns.iter().flat_map(|column| std::iter::repeat_n(column.mean, column.width())).collect();
    Rounding::new(&dataset.panels, &dataset.rows, |j| {
        let (centre, scale) = transform[j];
        means[j].filter(|_| encoding.standardize).map(|mean| 1.0 + ((mean - centre) / scale).powi(2))
    })
}

/// The starting point of every model: coefficients 0, the intercept at the log odds of the class.
pub(crate) fn start(rows: &Rows, models: &[ModelSpec], coordinates: &Coordinates) -> Coefficients {
    let mut start = Coefficients::zeros(coordinates.n_features(), models.len());
    if let Some(intercept) = coordinates.intercept() {
        for (m, model) in models.iter().enumerate() {
            let [positive, _] = model.sides(rows.weights()).map(|side| side * model.positive_weight);
            let all = model.weight_sum(rows);
            start.model_mut(m)[intercept] = f64::from(((positive / (all - positive)).ln()) as f32);
        }
    }
    start
}

/// Index of class 1 of a binary target; `None` with more than two classes.
fn positive_class(config: &ValidConfig, classes: &[String]) -> Result<Option<usize>> {
    let Some(positive) = &config.positive else {
        return Ok((classes.len() == 2).then_some(1));
    };
    let found = || classes.join(", ");
    if classes.len() > 2 {
        let why = format!(
            "the target has {} classes ({}); leave it out to train one model for each",
            classes.len(),
            shorten(&found())
        );
        return Err(ConfigError::NotApplicable { flag: "--positive", why }.into());
    }
    match classes.iter().position(|class| class == positive) {
        Some(class) => Ok(Some(class)),
        None => {
            let why = format!("the target has no class {positive:?}; it has {}", found());
            Err(ConfigError::NotApplicable { flag: "--positive", why }.into())
        }
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(57).chain("...".chars()).collect()
    }
}

/// The model of `class` against the others, trained on the rows that are not held out. Balanced: each side
/// gets half of the total weight, by factors `S / (2 S_side)`, as in scikit-learn for each one-vs-rest
/// problem.
#[allow(clippy::cast_possible_truncation, reason = "classes are at most some thousands")]
pub(crate) fn model(
    class_weight: ClassWeight,
    rows: &Rows,
    class: usize,
    penalty: Penalty,
    held_out: HeldOut,
) -> ModelSpec {
    let even =
        ModelSpec { class: class as u32, penalty, positive_weight: 1.0, negative_weight: 1.0, held_out };
    let [positive, negative] = even.sides(rows.weights());
    let all = positive + negative;
    match class_weight {
        ClassWeight::None => even,
        ClassWeight::Balanced => ModelSpec {
            positive_weight: all / (2.0 * positive),
            negative_weight: all / (2.0 * negative),
            ..even
        },
    }
}
