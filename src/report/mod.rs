//! A model on a table as one page: an HTML file that holds everything it shows, or its single pictures.
//!
//! The page is written by templates (`templates/`) around the pictures of [`crate::plots`]; its script (`page.js`)
//! moves marks in them, by exact numbers that the page carries for every stop of its slider.

mod classes;
mod decisions;
mod effects;
mod intervals;
mod page;
mod payload;
mod plot;
mod scores;
mod stops;
mod text;
mod training;

pub use plot::{Plot, model_plot};

use crate::error::Result;
use crate::evaluate::{EvaluateOptions, Evaluation};
use crate::inference::Inference;
use crate::model::{Model, Task};
use crate::observer::Observer;
use scores::{ClassScores, collect};

/// Classes whose scores a page carries.
const CLASSES: usize = 200;

/// A model and what it is worth on a table.
#[derive(Debug)]
pub struct Report<'a> {
    model: &'a Model,
    /// What `evaluate` says.
    pub evaluation: Evaluation,
    /// Binary: the positive class; else the first classes, each against the rest.
    classes: Vec<ClassScores>,
    is_weighted: bool,
    inference: Option<Inference>,
}

/// What a page calls its sources.
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
    /// The memory is that of [`crate::evaluate::evaluate`], and so are the readings.
    ///
    /// # Errors
    /// Those of [`crate::evaluate::evaluate`].
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

    /// The same with intervals of the odds ratios.
    #[must_use]
    pub fn with_inference(self, inference: Inference) -> Self {
        Self { inference: Some(inference), ..self }
    }

    /// The page.
    pub fn html(&self, names: &Names) -> String {
        page::html(self, names)
    }
}
