//! What a problem asks of each coefficient, the intercept being one of them.

use super::Penalty;

/// The coefficients of a model: the features, then the intercept, which is the coefficient of a column of ones.
///
/// Coefficient j has a *penalty factor* `f_j`, by which both parts of the model's penalty are multiplied:
///
/// ```text
/// P(w) = sum_j f_j [ l1 |w_j| + (l2/2) w_j^2 ]
/// ```
///
/// The factor of the intercept is 0. All models of a stack share their coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinates {
    factors: Vec<f64>,
    moves: Vec<bool>,
    centres: Vec<f64>,
}

impl Coordinates {
    /// For `n_features` features with a factor of 1. Without an `intercept`, that coefficient stays where it is.
    pub fn new(n_features: usize, intercept: bool) -> Self {
        let mut factors = vec![1.0; n_features + 1];
        factors[n_features] = 0.0;
        let mut moves = vec![true; n_features + 1];
        moves[n_features] = intercept;
        Self { factors, moves, centres: vec![0.0; n_features + 1] }
    }

    /// The same where `centres[j]` was subtracted from the column of feature j, in the panels but not in the
    /// objective: its optimality conditions are those of the column before that.
    ///
    /// # Panics
    /// If there is not one centre for each feature.
    #[must_use]
    pub fn with_centres(mut self, centres: &[f64]) -> Self {
        assert_eq!(centres.len(), self.n_features(), "a centre for each feature");
        self.centres[..centres.len()].copy_from_slice(centres);
        self
    }

    /// The same for the columns `features` alone, in that order, and the intercept.
    #[must_use]
    pub fn select(&self, features: &[usize]) -> Self {
        let places = || features.iter().copied().chain([self.n_features()]);
        Self {
            factors: places().map(|j| self.factors[j]).collect(),
            moves: places().map(|j| self.moves[j]).collect(),
            centres: places().map(|j| self.centres[j]).collect(),
        }
    }

    /// Number of features, the intercept not counted.
    pub fn n_features(&self) -> usize {
        self.factors.len() - 1
    }

    /// The place of the intercept, where it is trained.
    pub fn intercept(&self) -> Option<usize> {
        let place = self.n_features();
        self.moves[place].then_some(place)
    }

    /// Whether coefficient `j` is trained; one that is not stays at its start.
    pub fn moves(&self, j: usize) -> bool {
        self.moves[j]
    }

    /// The coefficients that are trained.
    pub fn moving(&self) -> Vec<usize> {
        (0..self.moves.len()).filter(|&j| self.moves[j]).collect()
    }

    /// The coefficients that are trained: those without a penalty, then the others.
    pub fn unpenalised_first(&self) -> Vec<usize> {
        let (free, penalised): (Vec<_>, Vec<_>) =
            self.moving().into_iter().partition(|&j| self.factors[j] == 0.0);
        [free, penalised].concat()
    }

    /// The factors of the penalty, the intercept's last.
    pub fn factors(&self) -> &[f64] {
        &self.factors
    }

    /// What was subtracted from each feature; see [`Self::with_centres`].
    pub fn centres(&self) -> &[f64] {
        &self.centres[..self.n_features()]
    }

    /// The penalty of coefficient `j`.
    #[inline]
    pub fn penalty(&self, penalty: &Penalty, j: usize) -> Penalty {
        Penalty { l1: self.factors[j] * penalty.l1, l2: self.factors[j] * penalty.l2 }
    }

    /// P at a column of coefficients.
    pub fn value(&self, penalty: &Penalty, column: &[f64]) -> f64 {
        column.iter().enumerate().map(|(j, &w)| self.penalty(penalty, j).value(w)).sum()
    }

    /// `P(to) - P(from)`, term by term: a small step keeps its digits.
    pub fn change(&self, penalty: &Penalty, from: &[f64], to: &[f64]) -> f64 {
        let steps = from.iter().zip(to).enumerate();
        steps.map(|(j, (&from, &to))| self.penalty(penalty, j).change(from, to)).sum()
    }

    /// The proximal step of coefficient `j` from `w`, see [`Penalty::prox`].
    pub fn prox(&self, penalty: &Penalty, j: usize, w: f64, step: f64) -> f64 {
        if self.factors[j] == 0.0 { w } else { self.penalty(penalty, j).prox(w, step) }
    }

    /// The derivative of the mean loss by coefficient `j`, given the gradient over the panels' columns.
    ///
    /// Column j of the objective is the panels' plus its centre: `g_j + centre_j g_b`.
    pub fn slope(&self, j: usize, gradient: &[f64]) -> f64 {
        gradient[j] + self.centres[j] * gradient[self.n_features()]
    }

    /// The largest violation of the optimality conditions at a column of coefficients, given the gradient of the
    /// mean loss there, over the coefficients that are trained. In the units of the gradient.
    pub fn residual(&self, penalty: &Penalty, column: &[f64], gradient: &[f64]) -> f64 {
        let residual = |j: usize| self.penalty(penalty, j).kkt_residual(column[j], self.slope(j, gradient));
        let trained = (0..column.len()).filter(|&j| self.moves[j]);
        // A diverged model has a residual of NaN, which `max` would hide.
        trained.map(residual).fold(0.0, |a: f64, b| if b.is_nan() || b > a { b } else { a })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PENALTY: Penalty = Penalty { l1: 0.5, l2: 2.0 };

    #[test]
    fn intercept_is_a_coefficient_without_a_penalty() {
        let (coordinates, column) = (Coordinates::new(2, true), [1.0, -3.0, 100.0]);
        assert_eq!(coordinates.value(&PENALTY, &column), 0.5 * 4.0 + 0.5 * 2.0 * 10.0);
        assert_eq!(coordinates.change(&PENALTY, &column, &[1.0, -3.0, 5.0]), 0.0);
        assert_eq!(coordinates.prox(&PENALTY, 2, 7.0, 1.0), 7.0);
        assert_eq!(coordinates.prox(&PENALTY, 0, 7.0, 1.0), 6.5 / 3.0);
        assert_eq!(coordinates.residual(&PENALTY, &[0.0, 0.0, 1.0], &[0.5, -0.25, -0.125]), 0.125);
    }

    #[test]
    fn intercept_that_stays_has_no_optimality_condition() {
        let coordinates = Coordinates::new(2, false);
        assert_eq!(coordinates.intercept(), None);
        assert_eq!(coordinates.moving(), [0, 1]);
        assert_eq!(coordinates.residual(&PENALTY, &[0.0; 3], &[0.75, 0.0, 100.0]), 0.25);
    }

    #[test]
    fn optimality_is_that_of_the_columns_before_they_were_centred() {
        let coordinates = Coordinates::new(2, false).with_centres(&[10.0, 0.0]);
        assert_eq!(coordinates.slope(0, &[1.0, 2.0, -0.5]), -4.0);
        assert_eq!(coordinates.residual(&Penalty::default(), &[0.0; 3], &[1.0, 2.0, -0.5]), 4.0);
        assert_eq!(coordinates.select(&[1]).slope(0, &[2.0, -0.5]), 2.0);
    }

    #[test]
    fn divergence_is_not_hidden() {
        let residual = Coordinates::new(2, true).residual(&PENALTY, &[0.0; 3], &[0.0, f64::NAN, 1.0]);
        assert!(residual.is_nan());
    }
}
