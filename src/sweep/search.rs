//! Trains and scores the grid of a sweep, and chooses penalties.

use super::curves::{Curves, Picked, path, picked};
use super::grid::Strength;
use super::names::Names;
use super::paths::PathFeature;
use super::plan::Plan;
use super::waves::{Outcome, Runner};
use super::{PathPoint, SweepRow, SweepTable};
use crate::config::{Grid, ValidTune};
use crate::error::{Result, SweepError};
use crate::model::{FittedModel, PenaltyScales};
use crate::train::many_classes;

/// A trained and scored grid, and the chosen penalties.
pub(super) struct Search<'a> {
    config: &'a ValidTune,
    pub(super) plan: Plan<'a>,
    names: Names<'a>,
    pub(super) outcomes: Vec<Outcome>,
    curves: Curves,
    pub(super) choice: Vec<Picked>,
}

impl<'a> Search<'a> {
    /// Trains and scores the models of a grid, and chooses penalties. Warnings about the grid are added to
    /// `notes`.
    ///
    /// # Errors
    /// The errors of training; [`SweepError::NothingToChoose`] if no penalty has a score.
    pub(super) fn run(
        config: &'a ValidTune,
        runner: &mut Runner<'_>,
        plan: Plan<'a>,
        names: Names<'a>,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        if !plan.has_scores(config.scoring, config.per_class) {
            let mut why = names.nothing_to_choose(&plan, config.scoring);
            why.extend(many_classes(runner.dataset));
            let why = why.join("; ");
            return Err(SweepError::NothingToChoose { why }.into());
        }
        let together = plan.classes.len() > 1 && !config.per_class;
        notes.extend(names.untrainable(&plan, together));
        notes.extend(names.one_sided(&plan, config.scoring));
        let (outcomes, joint) = runner.grid(&plan)?;
        let separated = names.separated(&plan, &outcomes);
        let curves = Curves::new(config, &plan, &outcomes, &joint);
        notes.extend(names.unscored(&plan, &curves));
        let choice = curves.choose(config, separated.as_deref())?;
        notes.extend(separated);
        notes.extend(at_the_edge(config, &plan, &choice));
        Ok(Self { config, plan, names, outcomes, curves, choice })
    }

    /// Whether each class has its own penalty.
    pub(super) fn is_per_class(&self) -> bool {
        self.choice.len() > 1
    }

    /// The chosen penalty of a class, for all rows.
    pub(super) fn penalty(&self, class: usize) -> PenaltyScales {
        self.plan.points[picked(&self.choice, class).point].scales(self.plan.rows.weight_sum())
    }

    /// The mean coefficients over the folds at each grid point.
    pub(super) fn path(&self, features: &[PathFeature]) -> Vec<PathPoint> {
        let scales: Vec<f64> = features.iter().map(|feature| feature.scale).collect();
        path(&self.plan, &self.outcomes, &self.names, self.plan.rows.weight_sum(), &scales)
    }

    /// The table of the sweep, without its paths. `refitted` are the models trained on all rows.
    pub(super) fn table(&self, refitted: &[FittedModel], warnings: Vec<String>) -> SweepTable {
        let (config, plan, names) = (self.config, &self.plan, &self.names);
        let weight_sum = plan.rows.weight_sum();
        let results = self.results(refitted);
        let describe = |picked: &Picked| picked.describe(plan, weight_sum, names.class_of_choice(picked));
        let in_grid = plan.points.len() * plan.classes.len() * plan.folds.scored.len();
        SweepTable {
            scoring: config.scoring,
            greater_is_better: config.scoring.is_greater_better(),
            rule: config.rule,
            chosen: self.choice.iter().map(describe).collect(),
            curve: self.curves.points(plan, weight_sum, names, &self.choice),
            skipped: in_grid + refitted.len() - results.len(),
            results,
            warnings,
            paths: Vec::new(),
        }
    }

    /// A row for each model of the grid, and for each model trained on all rows.
    fn results(&self, refitted: &[FittedModel]) -> Vec<SweepRow> {
        let refit = |(class, fitted)| self.names.row_of_refit(self.penalty(class), class, fitted);
        let of_grid = self.outcomes.iter().map(|outcome| self.names.row(&self.plan, outcome));
        of_grid.chain(refitted.iter().enumerate().map(refit)).collect()
    }
}

/// A note if the smallest penalty of a path was chosen: a smaller one may be better.
fn at_the_edge(config: &ValidTune, plan: &Plan<'_>, choice: &[Picked]) -> Option<String> {
    let is_last = |picked: &&Picked| {
        let point = &plan.points[picked.best];
        let ranks = plan.points.iter().filter(|other| other.path == point.path).map(|other| other.rank);
        point.rank > 0 && ranks.max() == Some(point.rank) && point.strength != Strength::Lambda(0.0)
    };
    let n = choice.iter().filter(is_last).count();
    let flag = if matches!(config.grid, Grid::Cs(_)) { "--cs" } else { "--lambdas" };
    (n > 0).then(|| {
        let of = if choice.len() > 1 { format!(" for {n} of {} classes", choice.len()) } else { String::new() };
        format!("the smallest penalty of the grid is the best{of}: a list of {flag} with smaller penalties may be better")
    })
}
