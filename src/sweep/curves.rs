//! The curves of a sweep, scores against penalties, and the points chosen on them.

use std::collections::HashMap;

use super::choose::{Candidate, Mean, choose, is_hopeless, mean};
use super::grid::GridPoint;
use super::names::Names;
use super::plan::Plan;
use super::waves::{JointScores, Outcome, count_nonzero, mean_column};
use super::{ChosenPenalty, CurvePoint, PathPoint};
use crate::config::ValidTune;
use crate::error::{Result, SweepError};

/// A chosen grid point, for all classes or for one.
pub(super) struct Picked {
    pub(super) point: usize,
    pub(super) best: usize,
    pub(super) class: Option<usize>,
}

/// The point chosen for a class.
pub(super) fn picked(choice: &[Picked], class: usize) -> &Picked {
    choice.iter().find(|p| p.class.is_none_or(|c| c == class)).expect("one for all, or one for each class")
}

impl Picked {
    pub(super) fn describe(&self, plan: &Plan<'_>, weight_sum: f64, class: Option<String>) -> ChosenPenalty {
        let penalty = plan.points[self.point].scales(weight_sum);
        ChosenPenalty { l1: penalty.l1, l2: penalty.l2, c: penalty.c, l1_ratio: penalty.l1_ratio, class }
    }
}

/// The curves of a sweep: one for all classes, or one for each.
pub(super) struct Curves {
    curves: Vec<Curve>,
    /// For each grid point: its path.
    paths: Vec<usize>,
    /// For each grid point: its penalty, for all rows.
    lambdas: Vec<f64>,
}

/// One curve; its lists have one entry for each grid point.
struct Curve {
    /// `None` for a curve of all classes.
    class: Option<usize>,
    scores: Vec<Option<Mean>>,
    nonzero: Vec<Option<f64>>,
    /// Whether a model at this point has no optimum: such points are shown, but never chosen.
    barred: Vec<bool>,
}

impl Curves {
    pub(super) fn new(
        config: &ValidTune,
        plan: &Plan<'_>,
        outcomes: &[Outcome],
        joint: &JointScores,
    ) -> Self {
        let each = config.per_class && plan.classes.len() > 1;
        let classes: Vec<Option<usize>> =
            if each { (0..plan.classes.len()).map(Some).collect() } else { vec![None] };
        let mut of_point: HashMap<(usize, usize), Vec<&Outcome>> = HashMap::new();
        for outcome in outcomes {
            of_point.entry((outcome.member.point, outcome.member.class)).or_default().push(outcome);
        }
        let n_folds = plan.folds.scored.len();
        let score = |point: usize, class: Option<usize>| match class {
            None if plan.classes.len() > 1 => {
                mean((0..n_folds).map(|fold| joint.get(&(point, fold)).copied().flatten()))
            }
            class => {
                let outcomes = of_point.get(&(point, class.unwrap_or(0)));
                mean(outcomes.into_iter().flatten().map(|outcome| outcome.score))
            }
        };
        let nonzero = |point: usize, class: Option<usize>| {
            let classes = class.map_or(0..plan.classes.len(), |class| class..class + 1);
            let counts: Vec<f64> = classes
                .filter_map(|class| of_point.get(&(point, class)))
                .flatten()
                .map(|outcome| count_nonzero(&outcome.column) as f64)
                .collect();
            (!counts.is_empty()).then(|| counts.iter().sum::<f64>() / counts.len() as f64)
        };
        let points = 0..plan.points.len();
        let barred = |class: Option<usize>| {
            let mut barred = vec![false; plan.points.len()];
            let separated = outcomes.iter().filter(|outcome| outcome.separated);
            let of_curve =
                separated.filter(|outcome| class.is_none_or(|class| class == outcome.member.class));
            of_curve.for_each(|outcome| barred[outcome.member.point] = true);
            barred
        };
        let curve = |class: Option<usize>| Curve {
            class,
            scores: points.clone().map(|point| score(point, class)).collect(),
            nonzero: points.clone().map(|point| nonzero(point, class)).collect(),
            barred: barred(class),
        };
        Self {
            curves: classes.into_iter().map(curve).collect(),
            paths: plan.points.iter().map(|point| point.path).collect(),
            lambdas: plan.points.iter().map(|point| point.scales(plan.rows.weight_sum()).lambda).collect(),
        }
    }

    /// The chosen points. A class without a score takes the point that is best for the other classes on
    /// average.
    ///
    /// # Errors
    /// No point can be chosen, because models without an optimum are excluded; `separated` says which.
    pub(super) fn choose(&self, config: &ValidTune, separated: Option<&str>) -> Result<Vec<Picked>> {
        let best_of = |scores: &[Option<Mean>], barred: &[bool]| {
            let score = |at: usize| scores[at].filter(|_| !barred[at]);
            let candidates: Vec<Candidate> = self
                .paths
                .iter()
                .enumerate()
                .map(|(at, &path)| Candidate { path, lambda: self.lambdas[at], score: score(at) })
                .collect();
            choose(config.scoring, config.rule, &candidates)
        };
        let of = |curve: &Curve| {
            let found = best_of(&curve.scores, &curve.barred);
            match found.or_else(|| best_of(&self.averages(), &curve.barred)) {
                Some((best, point)) => Ok(Picked { point, best, class: curve.class }),
                None => {
                    let why =
                        separated.unwrap_or("every score is undefined; choose another --scoring").to_owned();
                    Err(SweepError::NothingToChoose { why }.into())
                }
            }
        };
        self.curves.iter().map(of).collect()
    }

    /// For each point, the mean score over the classes that have one.
    fn averages(&self) -> Vec<Option<Mean>> {
        let of =
            |point: usize| mean(self.curves.iter().map(|curve| curve.scores[point].map(|score| score.mean)));
        (0..self.paths.len()).map(of).collect()
    }

    /// The classes without any score, if each class has a curve.
    pub(super) fn unscored(&self) -> impl Iterator<Item = usize> {
        let is_unscored = |curve: &&Curve| curve.scores.iter().all(Option::is_none);
        self.curves.iter().filter(is_unscored).filter_map(|curve| curve.class)
    }

    /// The paths that are not worth following, for a class or for all.
    pub(super) fn hopeless(&self, config: &ValidTune, plan: &Plan<'_>) -> Vec<(usize, Option<usize>)> {
        let mut hopeless = Vec::new();
        for Curve { class, scores, .. } in &self.curves {
            for path in 0..config.l1_ratios.len() {
                let of_path = |point: &GridPoint| point.path == path;
                let scores =
                    plan.points.iter().zip(scores).filter(|(p, _)| of_path(p)).map(|(_, score)| *score);
                if is_hopeless(config.scoring, scores) {
                    hopeless.push((path, *class));
                }
            }
        }
        hopeless
    }

    pub(super) fn points(
        &self,
        plan: &Plan<'_>,
        weight_sum: f64,
        names: &Names<'_>,
        choice: &[Picked],
    ) -> Vec<CurvePoint> {
        let mut points = Vec::new();
        for (Curve { class, scores, nonzero, .. }, picked) in self.curves.iter().zip(choice) {
            for (at, point) in plan.points.iter().enumerate() {
                let penalty = point.scales(weight_sum);
                points.push(CurvePoint {
                    l1: penalty.l1,
                    l2: penalty.l2,
                    c: penalty.c,
                    l1_ratio: penalty.l1_ratio,
                    class: class.and_then(|class| names.class(class)),
                    mean: scores[at].map(|score| score.mean),
                    standard_error: scores[at].and_then(|score| score.standard_error),
                    nonzero: nonzero[at],
                    best: at == picked.best,
                    chosen: at == picked.point,
                });
            }
        }
        points
    }
}

/// The mean coefficients over the folds at each grid point; `scales` are the scales of the features.
pub(super) fn path(
    plan: &Plan<'_>,
    outcomes: &[Outcome],
    names: &Names<'_>,
    weight_sum: f64,
    scales: &[f64],
) -> Vec<PathPoint> {
    let mut columns: HashMap<(usize, usize), Vec<&[f64]>> = HashMap::new();
    for outcome in outcomes {
        let member = outcome.member;
        columns.entry((member.class, member.point)).or_default().push(&outcome.column);
    }
    let mut path = Vec::new();
    for class in 0..plan.classes.len() {
        for (at, point) in plan.points.iter().enumerate() {
            let Some(columns) = columns.get(&(class, at)) else { continue };
            let mut coefficients = mean_column(columns);
            coefficients.pop();
            coefficients.iter_mut().zip(scales).for_each(|(w, scale)| *w /= scale);
            let penalty = point.scales(weight_sum);
            path.push(PathPoint {
                l1: penalty.l1,
                l2: penalty.l2,
                l1_ratio: point.l1_ratio,
                class: names.class(class),
                coefficients,
            });
        }
    }
    path
}
