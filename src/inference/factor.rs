//! Cholesky factor, inverse and condition number of an information matrix.

use faer::linalg::solvers::{DenseSolveCore, Llt};
use faer::prelude::Solve;
use faer::{Mat, Side};

/// A column counts as a combination of the columns before it if they leave at most this share of its
/// squared length unexplained. Rounding of float32 panels alone leaves about 1e-14.
pub(super) const TOLERANCE: f64 = 1e-10;

/// Most parameters for which eigenvalues are computed. For more, they would cost more than everything else.
const MAX_EIGENVALUES: usize = 2000;

/// The Cholesky factor of a symmetric positive definite matrix, scaled to a unit diagonal.
pub(super) struct Factor {
    scaled: Mat<f64>,
    factor: Llt<f64>,
    scale: Vec<f64>,
}

impl Factor {
    /// Factors the `n` x `n` matrix with lower triangle `value(row, column)`. None if it is not positive
    /// definite.
    pub(super) fn new(n: usize, value: impl Fn(usize, usize) -> f64) -> Option<Self> {
        let scale: Vec<f64> = (0..n).map(|k| 1.0 / value(k, k).sqrt()).collect();
        if !scale.iter().all(|scale| scale.is_finite()) {
            return None;
        }
        let scaled = Mat::from_fn(n, n, |a, b| match a.cmp(&b) {
            std::cmp::Ordering::Equal => 1.0,
            _ => value(a.max(b), a.min(b)) * scale[a] * scale[b],
        });
        let factor = Llt::new(scaled.as_ref(), Side::Lower).ok()?;
        Some(Self { scaled, factor, scale })
    }

    /// The smallest squared pivot: the least share of a row's squared length that the rows before it leave
    /// unexplained.
    pub(super) fn least_pivot(&self) -> f64 {
        let lower = self.factor.L();
        // Keep NaN, which `min` would hide.
        (0..self.scale.len())
            .map(|k| lower[(k, k)].powi(2))
            .fold(1.0, |a, b| if b < a || b.is_nan() { b } else { a })
    }

    /// Solves `A x = right` for x.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let scaled = Mat::from_fn(right.len(), 1, |k, _| right[k] * self.scale[k]);
        let solved = self.factor.solve(scaled);
        (0..right.len()).map(|k| solved[(k, 0)] * self.scale[k]).collect()
    }

    /// The inverse of the matrix.
    pub(super) fn inverse(&self) -> Mat<f64> {
        let mut inverse = self.factor.inverse();
        for b in 0..self.scale.len() {
            for a in 0..self.scale.len() {
                inverse[(a, b)] *= self.scale[a] * self.scale[b];
            }
        }
        inverse
    }

    /// Ratio of the largest to the smallest eigenvalue of the scaled matrix. None above [`MAX_EIGENVALUES`]
    /// parameters.
    pub(super) fn condition_number(&self) -> Option<f64> {
        if self.scale.is_empty() || self.scale.len() > MAX_EIGENVALUES {
            return None;
        }
        let eigenvalues = self.scaled.self_adjoint_eigenvalues(Side::Lower).ok()?;
        let (least, most) = (eigenvalues.first()?, eigenvalues.last()?);
        Some(most / least.max(f64::MIN_POSITIVE))
    }
}
