//! What classes and folds are called, and what is to be said of them.

use std::collections::BTreeSet;

use super::SweepRow;
use super::curves::{Curves, Picked};
use super::plan::Plan;
use super::waves::{Outcome, count_nonzero};
use crate::config::Scoring;
use crate::data::{Dataset, Folds};
use crate::train::Stack;

/// What classes and folds are called.
pub(super) struct Names<'a> {
    /// None where the target has two classes.
    classes: Option<Vec<String>>,
    all_classes: Vec<String>,
    folds: &'a Folds,
}

impl<'a> Names<'a> {
    pub(super) fn new(dataset: &Dataset, stack: &Stack, folds: &'a Folds) -> Self {
        let all_classes = dataset.target.classes.clone();
        let classes = stack.models.iter().map(|model| all_classes[model.class as usize].clone()).collect();
        Self { classes: (stack.models.len() > 1).then_some(classes), all_classes, folds }
    }

    pub(super) fn class(&self, class: usize) -> Option<String> {
        self.classes.as_ref().map(|classes| classes[class].clone())
    }

    pub(super) fn class_of_choice(&self, picked: &Picked) -> Option<String> {
        picked.class.and_then(|class| self.class(class))
    }

    pub(super) fn row(&self, plan: &Plan<'_>, outcome: &Outcome) -> SweepRow {
        let penalty = plan.points[outcome.member.point].scales(plan.weight_sum(outcome.model.held_out));
        SweepRow {
            l1: penalty.l1,
            l2: penalty.l2,
            c: penalty.c,
            l1_ratio: penalty.l1_ratio,
            class: self.class(outcome.member.class),
            fold: Some(self.folds.scored[outcome.member.fold].1.clone()),
            score: outcome.score,
            objective: outcome.certificate.objective,
            kkt_residual: outcome.certificate.kkt_residual,
            converged: outcome.converged,
            nonzero: count_nonzero(&outcome.column),
            iterations: outcome.iterations,
        }
    }

    fn described(&self, plan: &Plan<'_>, class: usize) -> String {
        format!("class {:?}", self.all_classes[plan.classes[class]])
    }

    /// The classes and folds whose models have one side only to learn from.
    pub(super) fn untrainable(&self, plan: &Plan<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        for class in 0..plan.classes.len() {
            let folds: Vec<String> = (0..self.folds.scored.len())
                .filter(|&fold| !plan.is_trainable(class, fold))
                .map(|fold| self.folds.scored[fold].1.to_string())
                .collect();
            if !folds.is_empty() {
                notes.push(format!(
                    "{} has rows of one side only outside fold {}: no model can learn it there",
                    self.described(plan, class),
                    folds.join(", ")
                ));
            }
        }
        notes
    }

    /// The penalties at which a plane separates the classes of some models.
    pub(super) fn separated(&self, plan: &Plan<'_>, outcomes: &[Outcome]) -> Option<String> {
        let separated = outcomes.iter().filter(|outcome| outcome.separated);
        let classes: BTreeSet<usize> = separated.clone().map(|outcome| outcome.member.class).collect();
        (!classes.is_empty()).then(|| {
            let named: Vec<String> = classes.iter().map(|&class| self.described(plan, class)).collect();
            format!(
                "without a penalty {} of the models have no optimum, for a plane separates {}: take 0 out of --lambdas",
                separated.count(),
                named.join(", ")
            )
        })
    }

    /// The classes that no fold scores, though each class takes its own penalty.
    pub(super) fn unscored(&self, plan: &Plan<'_>, curves: &Curves) -> Option<String> {
        let named: Vec<String> = curves.unscored().map(|class| self.described(plan, class)).collect();
        (!named.is_empty()).then(|| {
            format!(
                "no fold has a score of {}: the penalty is the one that is best for the other classes on average",
                named.join(", ")
            )
        })
    }

    /// The folds that hold rows of one side of a class only.
    pub(super) fn one_sided(&self, plan: &Plan<'_>, scoring: Scoring) -> Vec<String> {
        let counts: Vec<&[f64]> = plan.rows.counts().folds().collect();
        let mut notes = Vec::new();
        for (class, &index) in plan.classes.iter().enumerate() {
            let is_one_sided = |fold: usize| {
                let rows = counts[self.folds.scored[fold].0 as usize];
                let all: f64 = rows.iter().sum();
                rows[index] == 0.0 || rows[index] == all
            };
            let folds: Vec<String> = (0..self.folds.scored.len())
                .filter(|&fold| is_one_sided(fold))
                .map(|fold| self.folds.scored[fold].1.to_string())
                .collect();
            if folds.is_empty() {
                continue;
            }
            let consequence = if scoring.is_ranking() {
                format!("where {} is not defined: left out of the mean", scoring.name())
            } else {
                format!("where {} says little", scoring.name())
            };
            notes.push(format!(
                "fold {} holds rows of one side of {} only, {consequence}",
                folds.join(", "),
                self.described(plan, class)
            ));
        }
        notes
    }
}
