//! Linear systems of a symmetric matrix that ought to be positive definite.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::{factor, solve};
use faer::{Mat, Par};

/// The largest ridge, relative to the diagonal: beyond it a step is a scaled gradient step.
const MAX_RIDGE: f64 = 1e2;

/// The Cholesky factor of a matrix that was scaled to a unit diagonal.
#[derive(Debug)]
pub(super) struct Factor {
    lower: Mat<f64>,
    /// 0 for a row without a diagonal: its unknown stays 0.
    scale: Vec<f64>,
}

impl Factor {
    /// Factors the `n` x `n` matrix whose lower triangle is `value(row, column)`, `ridge` added to its
    /// scaled diagonal; the ridge is raised until the matrix is positive definite.
    pub(super) fn new(n: usize, value: impl Fn(usize, usize) -> f64, mut ridge: f64) -> Option<Self> {
        let scale: Vec<f64> = (0..n)
            .map(|k| value(k, k))
            .map(|h| if h > f64::MIN_POSITIVE { 1.0 / h.sqrt() } else { 0.0 })
            .collect();
        while ridge <= MAX_RIDGE {
            let mut lower = Mat::from_fn(n, n, |a, b| match a.cmp(&b) {
                std::cmp::Ordering::Equal => 1.0 + ridge,
                std::cmp::Ordering::Greater => value(a, b) * scale[a] * scale[b],
                std::cmp::Ordering::Less => 0.0,
            });
            let scratch = factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default());
            let mut memory = MemBuffer::new(scratch);
            // One thread, for the same bits on any number of them; models are factored side by side.
            let factored = factor::cholesky_in_place(
                lower.as_mut(),
                Default::default(),
                Par::Seq,
                MemStack::new(&mut memory),
                Default::default(),
            );
            if factored.is_ok() && (0..n).all(|k| lower[(k, k)].is_finite()) {
                return Some(Self { lower, scale });
            }
            ridge = (ridge * 100.0).max(1e-10);
        }
        None
    }

    /// Solves for `right`, in its place.
    pub(super) fn solve(&self, right: &mut [f64]) {
        let n = self.scale.len();
        let mut unknown = Mat::from_fn(n, 1, |k, _| right[k] * self.scale[k]);
        let scratch = solve::solve_in_place_scratch::<f64>(n, 1, Par::Seq);
        let mut memory = MemBuffer::new(scratch);
        solve::solve_in_place(self.lower.as_ref(), unknown.as_mut(), Par::Seq, MemStack::new(&mut memory));
        for (k, right) in right.iter_mut().enumerate() {
            *right = unknown[(k, 0)] * self.scale[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_whatever_the_scales() {
        // Diagonals 16 orders of magnitude apart, and a row of zeros.
        let scales = [1e-8, 0.0, 1.0, 1e8];
        let correlation = |a: usize, b: usize| if a == b { 1.0 } else { 0.3 };
        let value = |a: usize, b: usize| correlation(a, b) * scales[a] * scales[b];
        let factor = Factor::new(4, value, 0.0).expect("positive definite");
        // Right sides of the rows' own scales, so that no row drowns another in its rounding.
        let right: Vec<f64> = [1.0, 2.0, -1.0, 0.5].iter().zip(scales).map(|(r, s)| r * s).collect();
        let mut x = right.clone();
        factor.solve(&mut x);
        assert_eq!(x[1], 0.0);
        for a in [0, 2, 3] {
            let product: f64 = (0..4).map(|b| value(a, b) * x[b]).sum();
            assert!((product - right[a]).abs() < 1e-14 * scales[a], "row {a}: {product}");
        }
    }

    #[test]
    fn an_indefinite_matrix_gets_a_ridge() {
        let factor = Factor::new(2, |a, b| if a == b { 1.0 } else { 3.0 }, 0.0).expect("a ridge");
        let mut x = [1.0, -1.0];
        factor.solve(&mut x);
        assert!(x[0] > 0.0 && x[1] < 0.0, "{x:?} is no descent direction");
    }
}
