//! Chooses a penalty from the scores of the folds.

use crate::config::{Rule, Scoring};
use crate::scoring::Patience;

/// Consecutive points clearly worse than the best before them, after which a path is given up.
const HOPELESS: usize = 2;

/// Scores with a smaller relative difference count as equal, because means are rounded.
const ROUNDING: f64 = 1e-12;

/// Mean and standard error of a score over the folds; each fold counts once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mean {
    pub(super) mean: f64,
    /// `None` with a single fold.
    pub(super) standard_error: Option<f64>,
}

/// The mean over the folds that have a score; `None` if no fold has one.
pub(super) fn mean(scores: impl IntoIterator<Item = Option<f64>>) -> Option<Mean> {
    let scores: Vec<f64> = scores.into_iter().flatten().collect();
    let n = scores.len() as f64;
    if scores.is_empty() {
        return None;
    }
    let mean = scores.iter().sum::<f64>() / n;
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    let standard_error = (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt());
    Some(Mean { mean, standard_error })
}

/// A point that may be chosen: its path, penalty and score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) path: usize,
    /// The penalty `l1 + l2`.
    pub(super) lambda: f64,
    pub(super) score: Option<Mean>,
}

/// The best point and the chosen one; the points of each path are in the order of falling penalties.
pub(super) fn choose(scoring: Scoring, rule: Rule, points: &[Candidate]) -> Option<(usize, usize)> {
    let loss = |at: usize| points[at].score.map(|score| scoring.loss(score.mean));
    let least = (0..points.len()).filter_map(loss).filter(|loss| !loss.is_nan()).min_by(f64::total_cmp)?;
    let is_equal = |&at: &usize| {
        let rounding = points[at].score.map_or(0.0, |score| ROUNDING * score.mean.abs());
        loss(at).is_some_and(|loss| loss <= least + rounding)
    };
    // In a tie the largest penalty wins, then the smallest L1 share, which is the first.
    let best = (0..points.len())
        .filter(is_equal)
        .reduce(|first, at| if points[at].lambda > points[first].lambda { at } else { first })?;
    let chosen = match rule {
        Rule::Best => best,
        Rule::OneStandardError => {
            let error = points[best].score.and_then(|score| score.standard_error).unwrap_or(0.0);
            let bound = loss(best)? + error;
            let is_as_good = |&at: &usize| {
                points[at].path == points[best].path && loss(at).is_some_and(|loss| loss <= bound)
            };
            (0..points.len()).find(is_as_good).unwrap_or(best)
        }
    };
    Some((best, chosen))
}

/// Whether a path towards smaller penalties is not worth following: its last points are worse than the best
/// before them by more than one standard error (the larger of the two). A best point without an error never
/// ends the path: a constant model has none, because its score depends only on the shares of the classes.
pub(super) fn is_hopeless(scoring: Scoring, path: impl IntoIterator<Item = Option<Mean>>) -> bool {
    let mut patience = Patience::new(HOPELESS);
    let mut best = (f64::INFINITY, 0.0);
    let mut steps = 0;
    for (step, score) in path.into_iter().enumerate() {
        let Some(score) = score else { continue };
        steps = step;
        let (loss, error) = (scoring.loss(score.mean), score.standard_error.unwrap_or(0.0));
        if patience.note(step, loss) {
            best = (loss, error);
        } else if best.1 <= ROUNDING * loss.abs() || loss <= best.0 + best.1.max(error) {
            // Not better, but not clearly worse.
            patience.hold(step);
        }
    }
    patience.is_over(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(scores: &[(usize, f64, f64)]) -> Vec<Candidate> {
        let mean = |(at, &(path, mean, error)): (usize, &(usize, f64, f64))| Candidate {
            path,
            lambda: 1.0 / at as f64,
            score: Some(Mean { mean, standard_error: Some(error) }),
        };
        scores.iter().enumerate().map(mean).collect()
    }

    #[test]
    fn the_largest_penalty_within_one_standard_error_is_on_the_path_of_the_best() {
        let scores =
            [(0, 0.41, 0.1), (0, 0.50, 0.1), (1, 0.9, 0.1), (1, 0.45, 0.1), (1, 0.40, 0.06), (1, 0.6, 0.1)];
        let points = points(&scores);
        assert_eq!(choose(Scoring::LogLoss, Rule::Best, &points), Some((4, 4)));
        assert_eq!(choose(Scoring::LogLoss, Rule::OneStandardError, &points), Some((4, 3)));
        assert_eq!(choose(Scoring::Auc, Rule::Best, &points), Some((2, 2)));
        assert_eq!(choose(Scoring::Auc, Rule::Best, &[]), None);
    }

    #[test]
    fn of_scores_that_differ_by_rounding_alone_the_largest_penalty_wins() {
        let of = |lambdas_and_scores: &[(usize, f64, f64)]| {
            let score = |mean| Some(Mean { mean, standard_error: None });
            let point = |&(path, lambda, mean)| Candidate { path, lambda, score: score(mean) };
            let points: Vec<Candidate> = lambdas_and_scores.iter().map(point).collect();
            choose(Scoring::Auc, Rule::Best, &points).unwrap().0
        };
        let up = |score: f64| score * (1.0 + 2.0 * f64::EPSILON);
        assert_eq!(of(&[(0, 1.0, 0.7), (0, 0.1, 0.9), (0, 0.01, up(0.9)), (0, 0.001, 0.9)]), 1);
        assert_eq!(of(&[(0, 0.1, up(0.9)), (1, 0.2, 0.9), (1, 0.1, 0.9), (2, 0.2, 0.9)]), 1);
        assert_eq!(of(&[(0, 0.1, 0.9), (0, 0.01, 0.9 + 1e-9)]), 1);
    }

    #[test]
    fn mean_and_standard_error_leave_out_folds_without_a_score() {
        let found = mean([Some(1.0), None, Some(2.0), Some(3.0)]).unwrap();
        assert_eq!(found.mean, 2.0);
        assert!((found.standard_error.unwrap() - (1.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(mean([Some(1.0)]).unwrap().standard_error, None);
        assert_eq!(mean([None]), None);
    }

    #[test]
    fn a_path_is_hopeless_after_two_points_that_are_clearly_worse() {
        let path = |means: &[f64]| {
            let score = |&mean: &f64| Some(Mean { mean, standard_error: Some(0.05) });
            is_hopeless(Scoring::LogLoss, means.iter().map(score).collect::<Vec<_>>())
        };
        assert!(!path(&[0.6, 0.5, 0.4]));
        assert!(!path(&[0.6, 0.4, 0.44, 0.44, 0.44]));
        assert!(!path(&[0.6, 0.4, 0.5]));
        assert!(path(&[0.6, 0.4, 0.5, 0.5]));
        assert!(!path(&[0.6, 0.4, 0.5, 0.44]));
        let score = |(mean, error)| Some(Mean { mean, standard_error: Some(error) });
        // The first score is that of a constant model.
        let constant = [(0.86, 5.6e-17), (0.85, 0.001), (0.85, 0.001), (0.85, 0.001)];
        assert!(!is_hopeless(Scoring::Accuracy, constant.map(score)));
        let uncertain = [(0.5, 0.01), (0.4, 0.01), (0.45, 0.1), (0.45, 0.1)];
        assert!(!is_hopeless(Scoring::LogLoss, uncertain.map(score)));
    }
}
