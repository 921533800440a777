//! Names of classes and folds, and warnings about them.

use std::collections::BTreeSet;

use super::SweepRow;
use super::curves::{Curves, Picked};
use super::plan::Plan;
use super::waves::{Outcome, count_nonzero};
use crate::config::Scoring;
use crate::data::{Dataset, Folds};
use crate::model::{FittedModel, PenaltyScales};
use crate::train::Stack;

/// Most names in a list, and most classes with a note of their own.
const NAMED: usize = 8;
const NAMED_CLASSES: usize = 5;

/// Names of classes and folds.
pub(super) struct Names<'a> {
    /// `None` if the target has two classes.
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

    /// The row of a model trained on all rows.
    pub(super) fn row_of_refit(
        &self,
        penalty: PenaltyScales,
        class: usize,
        fitted: &FittedModel,
    ) -> SweepRow {
        SweepRow {
            l1: penalty.l1,
            l2: penalty.l2,
            c: penalty.c,
            l1_ratio: penalty.l1_ratio,
            class: self.class(class),
            fold: None,
            score: None,
            objective: fitted.objective,
            kkt_residual: fitted.kkt_residual,
            converged: fitted.converged,
            nonzero: fitted.nonzero,
            iterations: fitted.iterations,
        }
    }

    fn described(&self, plan: &Plan<'_>, class: usize) -> String {
        format!("class {:?}", self.all_classes[plan.classes[class]])
    }

    /// `fold 2` or `folds 2, 3`; a long list is cut short.
    fn of_folds(&self, folds: &[usize]) -> String {
        let named: Vec<String> = folds.iter().map(|&fold| self.folds.scored[fold].1.to_string()).collect();
        format!("fold{} {}", if named.len() == 1 { "" } else { "s" }, some_of(&named))
    }

    /// A note for each class that has such folds. After the first classes, only the number of the others.
    fn by_class(
        &self,
        plan: &Plan<'_>,
        is_said: impl Fn(usize, usize) -> bool,
        note: impl Fn(&str, &str) -> String,
    ) -> Vec<String> {
        let folds_of = |class: usize| -> Vec<usize> {
            (0..self.folds.scored.len()).filter(|&fold| is_said(class, fold)).collect()
        };
        let found: Vec<(usize, Vec<usize>)> = (0..plan.classes.len())
            .map(|class| (class, folds_of(class)))
            .filter(|(_, folds)| !folds.is_empty())
            .collect();
        let of =
            |(class, folds): &(usize, Vec<usize>)| note(&self.described(plan, *class), &self.of_folds(folds));
        let mut notes: Vec<String> = found.iter().take(NAMED_CLASSES).map(of).collect();
        if found.len() > notes.len() {
            notes.push(format!("the same holds for {} more classes", found.len() - notes.len()));
        }
        notes
    }

    /// Warnings about classes and folds whose models have rows of one side only to learn from.
    pub(super) fn untrainable(&self, plan: &Plan<'_>, together: bool) -> Vec<String> {
        let place = if self.folds.forward { "before" } else { "outside" };
        let consequence = if together { ", so this fold scores no class" } else { "" };
        self.by_class(
            plan,
            |class, fold| !plan.is_trainable(class, fold),
            |class, folds| {
                format!("{class} has rows of only one side {place} {folds}, so no model can be trained{consequence}")
            },
        )
    }

    /// Why no penalty can be scored, and what to do.
    pub(super) fn nothing_to_choose(&self, plan: &Plan<'_>, scoring: Scoring) -> Vec<String> {
        // The missing score of all classes is already the subject.
        let mut why = self.untrainable(plan, false);
        if scoring.is_ranking() {
            why.extend(self.one_sided(plan, scoring));
        }
        if why.is_empty() {
            why.push("no fold has rows with a weight".to_owned());
        }
        why.push("merge or drop rare classes, or use fewer folds".to_owned());
        why
    }

    /// A warning about models whose classes are separated by a plane.
    pub(super) fn separated(&self, plan: &Plan<'_>, outcomes: &[Outcome]) -> Option<String> {
        let separated = outcomes.iter().filter(|outcome| outcome.separated);
        let classes: BTreeSet<usize> = separated.clone().map(|outcome| outcome.member.class).collect();
        (!classes.is_empty()).then(|| {
            let named: Vec<String> = classes.iter().map(|&class| self.described(plan, class)).collect();
            format!(
                "without a penalty {} of the models have no optimum, because a plane separates {}: remove 0 from --lambdas",
                separated.count(),
                some_of(&named)
            )
        })
    }

    /// A warning about classes that no fold scores, if each class takes its own penalty.
    pub(super) fn unscored(&self, plan: &Plan<'_>, curves: &Curves) -> Option<String> {
        let named: Vec<String> = curves.unscored().map(|class| self.described(plan, class)).collect();
        (!named.is_empty()).then(|| {
            format!(
                "no fold has a score of {}: the penalty that is best for the other classes on average is used",
                some_of(&named)
            )
        })
    }

    /// Warnings about folds with rows of only one side of a class; rows of weight 0 do not count.
    pub(super) fn one_sided(&self, plan: &Plan<'_>, scoring: Scoring) -> Vec<String> {
        let consequence = if scoring.is_ranking() {
            format!("{} is not defined there and is left out of the mean", scoring.name())
        } else {
            format!("{} says little there", scoring.name())
        };
        self.by_class(
            plan,
            |class, fold| !plan.is_two_sided(class, fold),
            |class, folds| format!("only one side of {class} has rows in {folds}: {consequence}"),
        )
    }
}

/// The first names, and the number of the others.
fn some_of(names: &[String]) -> String {
    let shown = &names[..names.len().min(NAMED)];
    let more = names.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
