//! What a fit believes of the curvature of its loss, and where that leads.

use std::collections::VecDeque;
use std::sync::Arc;

use super::factor::Factor;
use super::quadratic::{self, Quadratic, dot};
use crate::objective::{Coordinates, Hessian, Penalty};

/// Steps that an L-BFGS memory holds.
const MEMORY: usize = 12;

/// A fit's model of its curvature. It learns from each step.
#[derive(Debug)]
pub(super) enum Curvature {
    /// The fit's own Hessian, and BFGS updates since: `newton`.
    Own(Hessian),
    /// A matrix shared by the stack, and the last steps of the fit: `lbfgs`.
    Shared(Memory),
}

/// What the memories of a stack start from.
#[derive(Debug, Clone)]
pub(super) enum Base {
    /// A quarter of the Gram matrix, and the factor of `share` times it plus the L2 penalty.
    Gram {
        /// The same for every model.
        quarter: Arc<Hessian>,
        /// `4 p (1 - p)`, p the probability that the start's intercept gives: what a quarter is too much by.
        share: f64,
        /// The same for models of like share and penalty.
        factor: Arc<Factor>,
    },
    /// Its diagonal alone, where the matrix itself would be too large.
    Diagonal {
        /// A quarter of the features' mean squares, and of 1 for the intercept.
        quarter: Arc<Vec<f64>>,
        /// As above.
        share: f64,
    },
}

/// The last steps of a fit and the changes of its loss gradient along them.
#[derive(Debug)]
pub(super) struct Memory {
    base: Base,
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

/// Where a fit stands: what the next step starts from.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepOrigin<'a> {
    pub(super) column: &'a [f64],
    /// Gradient of the mean loss.
    pub(super) gradient: &'a [f64],
    pub(super) penalty: Penalty,
    /// What is asked of each coefficient.
    pub(super) coordinates: &'a Coordinates,
    pub(super) residual: f64,
    /// Added to a matrix' diagonal, relative to it.
    pub(super) ridge: f64,
}

impl Curvature {
    /// From a shared base, nothing learnt yet.
    pub(super) fn shared(base: Base) -> Self {
        Self::Shared(Memory { base, pairs: VecDeque::new() })
    }

    /// The minimiser of the model of the objective that this curvature makes.
    pub(super) fn target(&self, place: StepOrigin<'_>) -> Vec<f64> {
        let quadratic = |hessian: &Hessian| {
            let StepOrigin { penalty, coordinates, ridge, .. } = place;
            Quadratic { hessian, penalty, coordinates, ridge }.minimise(
                place.column,
                place.gradient,
                1e-3 * place.residual,
            )
        };
        match self {
            Self::Own(hessian) => quadratic(hessian),
            Self::Shared(memory) if place.penalty.l1 == 0.0 => {
                let step = memory.step(&place.smooth_gradient(), place);
                place.column.iter().zip(step).map(|(w, step)| w + step).collect()
            }
            Self::Shared(memory) => match memory.matrix() {
                Some(hessian) => quadratic(&hessian),
                None => memory.orthant_step(place),
            },
        }
    }

    /// Learns from a step and the change of the loss gradient along it.
    pub(super) fn learn(&mut self, step: Vec<f64>, change: Vec<f64>) {
        match self {
            Self::Own(hessian) => quadratic::update(hessian, &step, &change),
            Self::Shared(memory) => {
                let (curvature, length) = (dot(&step, &change), dot(&step, &step));
                if curvature > 1e-12 * length && curvature.is_finite() {
                    if memory.pairs.len() == MEMORY {
                        memory.pairs.pop_front();
                    }
                    memory.pairs.push_back((step, change));
                }
            }
        }
    }

    /// The same, nothing learnt yet from steps.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Own(hessian) => Self::Own(hessian.clone()),
            Self::Shared(memory) => Self::shared(memory.base.clone()),
        }
    }

    /// Forgets what steps taught, where they led astray; false if there was nothing to forget.
    pub(super) fn forget(&mut self) -> bool {
        match self {
            Self::Own(_) => false,
            Self::Shared(memory) => {
                let had = !memory.pairs.is_empty();
                memory.pairs.clear();
                had
            }
        }
    }
}

impl StepOrigin<'_> {
    /// The penalty of coefficient `j`.
    fn penalty(&self, j: usize) -> Penalty {
        self.coordinates.penalty(&self.penalty, j)
    }

    /// The one-sided slope of the objective towards `target`, times the distance, the L1 penalty's by its
    /// whole change: below zero for the minimiser of any model with positive curvature.
    pub(super) fn slope_towards(&self, target: &[f64]) -> f64 {
        let of = |(j, (v, w)): (usize, (&f64, &f64))| {
            let Penalty { l1, l2 } = self.penalty(j);
            (self.gradient[j] + l2 * w) * (v - w) + l1 * (v.abs() - w.abs())
        };
        target.iter().zip(self.column).enumerate().map(of).sum()
    }

    /// Gradient of loss and L2 penalty; 0 for a coefficient that is not trained.
    fn smooth_gradient(&self) -> Vec<f64> {
        let of = |(j, (g, w)): (usize, (&f64, &f64))| {
            if self.coordinates.moves(j) { g + self.penalty(j).l2 * w } else { 0.0 }
        };
        self.gradient.iter().zip(self.column).enumerate().map(of).collect()
    }
}

impl Memory {
    /// The L-BFGS step against `gradient`, by the two-loop recursion.
    ///
    /// # References
    /// Nocedal, Updating Quasi-Newton Matrices with Limited Storage, 1980.
    fn step(&self, gradient: &[f64], place: StepOrigin<'_>) -> Vec<f64> {
        // The change of the whole smooth gradient along a step.
        let total = |(j, (s, y)): (usize, (&f64, &f64))| y + place.penalty(j).l2 * s;
        let pairs: Vec<(&[f64], Vec<f64>)> = self
            .pairs
            .iter()
            .map(|(s, y)| (s.as_slice(), s.iter().zip(y).enumerate().map(total).collect()))
            .collect();
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut weights = Vec::with_capacity(pairs.len());
        for (s, y) in pairs.iter().rev() {
            let weight = dot(s, &q) / dot(s, y);
            add(&mut q, -weight, y);
            weights.push(weight);
        }
        // The scale that the last step showed, of Shanno and Phua.
        let scale = pairs.last().map_or(1.0, |(s, y)| {
            let mut solved = y.clone();
            self.base.solve(&mut solved, place);
            let ratio = dot(s, y) / dot(y, &solved);
            if ratio.is_finite() && ratio > 0.0 { ratio } else { 1.0 }
        });
        self.base.solve(&mut q, place);
        q.iter_mut().for_each(|q| *q *= scale);
        for ((s, y), weight) in pairs.iter().zip(weights.into_iter().rev()) {
            let correction = weight - dot(y, &q) / dot(s, y);
            add(&mut q, correction, s);
        }
        q
    }

    /// The matrix that the steps made of the base; `None` where the base is a diagonal.
    fn matrix(&self) -> Option<Hessian> {
        let Base::Gram { quarter, share, .. } = &self.base else { return None };
        let mut hessian = Hessian::clone(quarter).scaled(*share);
        for (step, change) in &self.pairs {
            quadratic::update(&mut hessian, step, change);
        }
        Some(hessian)
    }

    /// The orthant-wise quasi-Newton step: L-BFGS against the steepest one-sided slopes, kept in the
    /// orthant that these point into. Where that does not descend, a proximal step along the diagonal.
    ///
    /// # References
    /// Andrew and Gao, Scalable Training of L1-Regularized Log-Linear Models, ICML 2007.
    fn orthant_step(&self, place: StepOrigin<'_>) -> Vec<f64> {
        let w = place.column;
        let smooth = place.smooth_gradient();
        let slope = |j: usize| {
            let (g, l1) = (smooth[j], place.penalty(j).l1);
            if w[j] != 0.0 { g + l1 * w[j].signum() } else { g.signum() * (g.abs() - l1).max(0.0) }
        };
        let slopes: Vec<f64> = (0..w.len()).map(slope).collect();
        let step = self.step(&slopes, place);
        let mut descent = 0.0;
        let target: Vec<f64> = (0..w.len())
            .map(|j| {
                // A coordinate goes downhill or not at all, and stops at zero.
                let step = if step[j] * slopes[j] < 0.0 { step[j] } else { 0.0 };
                let orthant = if w[j] != 0.0 { w[j].signum() } else { -slopes[j].signum() };
                let to = w[j] + step;
                let to = if place.penalty(j).l1 > 0.0 && to * orthant < 0.0 { 0.0 } else { to };
                descent += slopes[j] * (to - w[j]);
                to
            })
            .collect();
        let least = 1e-8 * slopes.iter().map(|s| s.abs()).fold(0.0, f64::max);
        if descent < -least * least {
            return target;
        }
        (0..w.len())
            .map(|j| {
                let h = self.base.curvature(j);
                let forward = w[j] - place.gradient[j] / h;
                if h > 0.0 && place.coordinates.moves(j) {
                    place.coordinates.prox(&place.penalty, j, forward, 1.0 / h)
                } else {
                    w[j]
                }
            })
            .collect()
    }
}

impl Base {
    /// Divides by the base's matrix plus the L2 penalty.
    fn solve(&self, right: &mut [f64], place: StepOrigin<'_>) {
        match self {
            Self::Gram { factor, .. } => factor.solve(right),
            Self::Diagonal { .. } => {
                for (j, right) in right.iter_mut().enumerate() {
                    let h = self.curvature(j) + place.penalty(j).l2;
                    *right = if h > f64::MIN_POSITIVE { *right / h } else { 0.0 };
                }
            }
        }
    }

    /// The base's diagonal.
    fn curvature(&self, j: usize) -> f64 {
        match self {
            Self::Gram { quarter, share, .. } => quarter.row(j)[j] * share,
            Self::Diagonal { quarter, share } => quarter[j] * share,
        }
    }
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}
