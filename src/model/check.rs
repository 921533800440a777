//! Checks that the parts of a model agree.

use std::collections::HashSet;

use super::{FittedModel, Model, Task, TrainingCurve};
use crate::data::{Column, ColumnKind};

impl Model {
    /// Describes the first contradiction or non-finite number.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.columns.is_empty() {
            return Err("it has no columns".into());
        }
        let mut seen = HashSet::new();
        for column in &self.columns {
            if !seen.insert(column.name.as_str()) {
                return Err(format!("its column {:?} comes twice", column.name));
            }
            check_column(column)?;
        }
        if self.features != self.encoding().feature_names() {
            return Err(format!(
                "its {} features do not match its {} columns",
                self.features.len(),
                self.columns.len()
            ));
        }
        self.check_classes()?;
        self.training.curve.as_ref().map_or(Ok(()), TrainingCurve::check)?;
        for model in &self.models {
            let name = format!("the model of class {:?}", model.class);
            if model.coefficients.len() != self.features.len() {
                return Err(format!(
                    "{name} has {} coefficients for {} features",
                    model.coefficients.len(),
                    self.features.len()
                ));
            }
            if !self.classes.contains(&model.class) {
                return Err(format!("{name} belongs to none of its classes"));
            }
            let nonzero = model.coefficients.iter().filter(|&&w| w != 0.0).count();
            if model.nonzero != nonzero {
                return Err(format!(
                    "{name} says that {} of its coefficients are not zero, but {nonzero} are not",
                    model.nonzero
                ));
            }
            let centred = model.centred_intercept.unwrap_or(0.0);
            let numbers = [model.intercept, model.objective, model.kkt_residual, centred];
            if !model.coefficients.iter().chain(&numbers).all(|number| number.is_finite()) {
                return Err(format!(
                    "{name} has a number that is not finite; lower the learning rate or raise the penalty"
                ));
            }
        }
        self.check_reach()?;
        self.check_intercepts()?;
        if self.penalty.is_none() && self.models.iter().any(|model| model.penalty.is_none()) {
            return Err("it has no penalty, and some of its models have none either".into());
        }
        self.check_thresholds()
    }

    /// Checks that scores of values in panels are finite: no overflow, and no sum of infinities of both
    /// signs.
    fn check_reach(&self) -> Result<(), String> {
        let transform = self.encoding().panel_transform();
        let overflows = |model: &&FittedModel| {
            let terms = model.coefficients.iter().zip(&transform);
            let reach = terms
                .map(|(w, (centre, scale))| (w * scale).abs() * f64::from(f32::MAX) + (w * centre).abs());
            !(reach.sum::<f64>() + model.intercept.abs()).is_finite()
        };
        match self.models.iter().find(overflows) {
            Some(model) => Err(format!(
                "the coefficients of its model of class {:?} are so large that scores would overflow; rescale its \
                 columns",
                model.class
            )),
            None => Ok(()),
        }
    }

    /// Checks that both intercepts of a model agree, up to the rounding of the one in original units.
    fn check_intercepts(&self) -> Result<(), String> {
        let transform = self.encoding().panel_transform();
        for model in self.models.iter() {
            let Some(centred) = model.centred_intercept else { continue };
            let shifts = || model.coefficients.iter().zip(&transform).map(|(w, (centre, _))| w * centre);
            let size = shifts().fold(model.intercept.abs(), |sum, shift| sum + shift.abs());
            let apart = (model.intercept + shifts().sum::<f64>() - centred).abs();
            if apart > 1e-9 * (1.0 + size) {
                return Err(format!(
                    "the intercept and the centred_intercept of its model of class {:?} disagree; where you changed \
                     one, take centred_intercept out",
                    model.class
                ));
            }
        }
        Ok(())
    }

    /// Checks the place of thresholds: a binary model has one at the top; otherwise each model has its own.
    fn check_thresholds(&self) -> Result<(), String> {
        if self.thresholds().iter().any(|&t| !(t > 0.0 && t < 1.0)) {
            return Err("its threshold is not between 0 and 1".into());
        }
        match self.task {
            Task::Binary if self.models.iter().any(|model| model.threshold.is_some()) => {
                Err("it is binary, but its threshold stands in the entry of its model, not at the top".into())
            }
            Task::OneVsRest if self.threshold.is_some() => {
                Err("it has several models, but its threshold stands at the top, not in their entries".into())
            }
            _ => Ok(()),
        }
    }

    fn check_classes(&self) -> Result<(), String> {
        if self.classes.len() < 2 {
            return Err(format!("it has {} classes, expected two or more", self.classes.len()));
        }
        let mut seen = HashSet::new();
        if let Some(class) = self.classes.iter().find(|class| !seen.insert(class.as_str())) {
            return Err(format!("its class {class:?} comes twice"));
        }
        let expected = match self.task {
            Task::Binary => 1,
            Task::OneVsRest => self.classes.len(),
        };
        if self.models.len() != expected {
            return Err(format!(
                "it has {} models, expected {expected} for {} classes",
                self.models.len(),
                self.classes.len()
            ));
        }
        match self.task {
            Task::Binary if self.positive.as_ref() != Some(&self.models[0].class) => {
                Err("its model does not belong to its positive class".into())
            }
            Task::OneVsRest if self.models.iter().map(|m| &m.class).ne(&self.classes) => {
                Err("its models are not in the order of its classes".into())
            }
            _ => Ok(()),
        }
    }
}

fn check_column(column: &Column) -> Result<(), String> {
    let name = &column.name;
    match column.kind {
        ColumnKind::Categorical if column.levels.is_none() => Err(format!("column {name:?} has no levels")),
        ColumnKind::Categorical => check_levels(column),
        _ if column.levels.is_some() => Err(format!("column {name:?} has levels but is not categorical")),
        ColumnKind::Numeric if column.mean.is_none() || column.scale.is_none() => {
            Err(format!("column {name:?} has no mean or no scale"))
        }
        // Division by a subnormal scale could overflow float64.
        ColumnKind::Numeric if !column.scale.is_some_and(|s| s > 0.0 && s.is_normal()) => {
            Err(format!("column {name:?} has a scale that is not positive, or too small to divide by"))
        }
        _ => Ok(()),
    }
}

fn check_levels(column: &Column) -> Result<(), String> {
    let mut seen = HashSet::new();
    match column.levels.iter().flatten().find(|level| !seen.insert(level.as_deref())) {
        Some(Some(level)) => Err(format!("column {:?} has the level {level:?} twice", column.name)),
        Some(None) => Err(format!("column {:?} has the level of nulls twice", column.name)),
        None => Ok(()),
    }
}
