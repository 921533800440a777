//! The single pictures.

use std::str::FromStr;

use super::Report;
use super::effects::{SHOWN, effects, largest, reach};
use super::intervals::{of_class, what_intervals};
use super::scores::ClassScores;
use crate::error::{ConfigError, Result};
use crate::inference::Inference;
use crate::model::{Model, Task};
use crate::plots::{
    Picture, calibration_plot, confusion_matrix, odds_ratios, precision_recall_curve, roc_curve,
    score_histogram, sweep_curve, sweep_path, training_curve,
};

/// A picture of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plot {
    /// True against false positive rate.
    Roc,
    /// Precision against recall.
    PrecisionRecall,
    /// Observed shares against mean probabilities.
    Calibration,
    /// Distribution of the probabilities of both sides.
    Histogram,
    /// True against predicted classes.
    Confusion,
    /// Odds ratios.
    Coefficients,
    /// Objective and residual over the passes.
    Training,
    /// Coefficients over the penalties of a sweep.
    Path,
    /// Cross-validated scores over the penalties of a sweep.
    CrossValidation,
}

impl Plot {
    /// All pictures, with the names that a user gives.
    pub const ALL: [(&'static str, Self); 9] = [
        ("roc", Self::Roc),
        ("pr", Self::PrecisionRecall),
        ("calibration", Self::Calibration),
        ("histogram", Self::Histogram),
        ("confusion", Self::Confusion),
        ("coefficients", Self::Coefficients),
        ("training", Self::Training),
        ("path", Self::Path),
        ("cv", Self::CrossValidation),
    ];

    /// Whether the picture needs scored rows.
    pub fn needs_data(self) -> bool {
        !matches!(self, Self::Coefficients | Self::Training | Self::Path | Self::CrossValidation)
    }
}

impl FromStr for Plot {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, plot)| *plot);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl Report<'_> {
    /// Draws a picture; `class` chooses a class against the rest (by default the first).
    ///
    /// # Errors
    /// [`ConfigError`]: the model has no such class, or nothing to draw.
    pub fn plot(&self, plot: Plot, class: Option<&str>) -> Result<Picture> {
        if !plot.needs_data() {
            return model_plot(self.model, plot, class, self.inference.as_ref());
        }
        if plot == Plot::Confusion {
            return Ok(confusion_matrix(&self.evaluation.confusion_matrix, &self.model.classes));
        }
        let index = class_index(self.model, class)?;
        let scores = match self.model.task {
            Task::Binary => &self.classes[0],
            Task::OneVsRest => self.classes.get(index).ok_or_else(|| too_far(self.classes.len()))?,
        };
        Ok(self.class_plot(plot, scores))
    }

    /// The picture of the scores of a class.
    pub(super) fn class_plot(&self, plot: Plot, scores: &ClassScores) -> Picture {
        let name = &self.model.classes[scores.class];
        let at = scores.stops.get(scores.own);
        let mark = at.map(super::stops::Stop::point);
        match plot {
            Plot::PrecisionRecall => precision_recall_curve(&scores.curve, scores.ranking, mark, name),
            Plot::Calibration => calibration_plot(&scores.calibration, name),
            Plot::Histogram => {
                let others = self.others(scores.class);
                score_histogram(scores.bins.histogram(), (&others, name), mark.map(|mark| mark.threshold))
            }
            _ => roc_curve(&scores.curve, scores.ranking, mark, name),
        }
    }

    /// The name of the rows outside a class.
    pub(super) fn others(&self, class: usize) -> String {
        match self.model.task {
            Task::Binary => self.model.classes[1 - class].clone(),
            Task::OneVsRest => "the rest".to_owned(),
        }
    }
}

/// A picture that needs only the model; `inference` adds intervals to its odds ratios.
///
/// # Errors
/// [`ConfigError`]: the model has no such class, or nothing to draw.
pub fn model_plot(
    model: &Model,
    plot: Plot,
    class: Option<&str>,
    inference: Option<&Inference>,
) -> Result<Picture> {
    let index = class_index(model, class)?;
    let nothing = |why: &str| ConfigError::NotApplicable { flag: "--plot", why: why.to_owned() };
    match plot {
        Plot::Training => {
            let older = "the model file has no training curve, because it was written by an older version; train again";
            let curve = model.training.curve.as_ref().ok_or_else(|| nothing(older))?;
            let certified = model.models.iter().map(|fitted| fitted.kkt_residual).fold(0.0, f64::max);
            Ok(training_curve(curve, model.training.tolerance, certified))
        }
        Plot::Path | Plot::CrossValidation => {
            let Some(sweep) = &model.sweep else {
                let why =
                    "the model was trained with one penalty, without a sweep; logodds tune makes a sweep";
                return Err(nothing(why).into());
            };
            if plot == Plot::CrossValidation {
                return Ok(sweep_curve(sweep));
            }
            if sweep.paths.is_empty() {
                let why =
                    "the model file has no paths, because it was written by an older version; tune again";
                return Err(nothing(why).into());
            }
            Ok(sweep_path(sweep, &sweep.paths, model.models.len()))
        }
        Plot::Coefficients => {
            let fitted = if model.task == Task::Binary { &model.models[0] } else { &model.models[index] };
            let known = inference.and_then(|inference| of_class(inference, &fitted.class));
            let largest = largest(model, fitted, known, SHOWN);
            let reach = reach(std::iter::once(&largest));
            let intervals = inference.zip(known).map(|(all, known)| what_intervals(all, known));
            let (effects, n_features) = (effects(model, &largest), model.features.len());
            Ok(odds_ratios(&effects, reach, n_features, &fitted.class, intervals.as_deref()))
        }
        _ => Err(nothing("it needs labelled rows; name the data after the model").into()),
    }
}

/// The index of a class by its name.
fn class_index(model: &Model, class: Option<&str>) -> Result<usize> {
    let Some(class) = class else { return Ok(0) };
    if model.task == Task::Binary && Some(class) != model.positive.as_deref() {
        let positive = model.positive.as_deref().unwrap_or("");
        let why = format!("the model is binary, and its curves are for {positive:?}; leave the flag out");
        return Err(ConfigError::NotApplicable { flag: "--class", why }.into());
    }
    let index = model.classes.iter().position(|known| known == class);
    index.ok_or_else(|| {
        let names: Vec<&str> = model.classes.iter().take(10).map(String::as_str).collect();
        let more = if model.classes.len() > names.len() { ", .." } else { "" };
        let why = format!("the model has no class {class:?}; it has {}{more}", names.join(", "));
        ConfigError::NotApplicable { flag: "--class", why }.into()
    })
}

fn too_far(kept: usize) -> crate::Error {
    let why = format!("only the first {kept} classes have curves");
    ConfigError::NotApplicable { flag: "--class", why }.into()
}
