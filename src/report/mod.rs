//! A report of a model on a table: one self-contained HTML page, or its single pictures.
//!
//! Templates (`templates/`) arrange the pictures of [`crate::plots`] in the page. Its script (`page.js`)
//! moves marks in them, with exact numbers that the page contains for every stop of its slider.
//!
//! Each section of the page has a template, and a file in this folder with the same name that fills
//! the template.

mod classes;
mod coefficients;
mod data;
mod decisions;
mod effects;
mod intervals;
mod page;
mod payload;
mod plot;
mod scores;
mod stops;
mod sweep;
mod text;
mod threshold;
mod training;

pub use plot::{Plot, model_plot};

use crate::error::Result;
use crate::evaluate::{EvaluateOptions, Evaluation};
use crate::inference::Inference;
use crate::model::{Model, Task};
use crate::observer::Observer;
use scores::{ClassScores, collect};

/// Most classes whose scores are in a page.
const CLASSES: usize = 200;

/// A model and its evaluation on a table.
#[derive(Debug)]
pub struct Report<'a> {
    model: &'a Model,
    /// The evaluation, as in `evaluate`.
    pub evaluation: Evaluation,
    /// Binary: the positive class. Otherwise: the first classes, each against the rest.
    classes: Vec<ClassScores>,
    is_weighted: bool,
    inference: Option<Inference>,
}

/// Names of the sources in a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Names {
    /// The model file.
    pub model: String,
    /// The table.
    pub data: String,
}

impl<'a> Report<'a> {
    /// Evaluates the model on `data`.
    ///
    /// Memory and passes are the same as in [`crate::evaluate::evaluate`].
    ///
    /// # Errors
    /// The errors of [`crate::evaluate::evaluate`].
    pub fn new(
        model: &'a Model,
        data: &[String],
        options: &EvaluateOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let of = match model.task {
            Task::Binary => model.model_classes(),
            Task::OneVsRest => (0..model.classes.len().min(CLASSES)).collect(),
        };
        let (evaluation, classes) = collect(model, data, options, &of, observer)?;
        Ok(Self { model, evaluation, classes, is_weighted: options.weight.is_some(), inference: None })
    }

    /// Adds intervals of the odds ratios.
    #[must_use]
    pub fn with_inference(self, inference: Inference) -> Self {
        Self { inference: Some(inference), ..self }
    }

    /// The page as HTML.
    pub fn html(&self, names: &Names) -> String {
        page::html(self, names)
    }
}
