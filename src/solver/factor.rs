//! Linear systems of a symmetric matrix that ought to be positive definite.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::{factor, solve};
use faer::{Mat, Par};

use super::full_batch::MAX_ORDER;
use super::quadratic::dot;
use crate::objective::{Coordinates, Hessian, Penalty};

/// The largest ridge, relative to the diagonal: beyond it a step is a scaled gradient step.
const MAX_RIDGE: f64 = 1e2;

/// What is left of a unit diagonal, at most, where a row is a combination of others to working precision. A step
/// along such a direction is of any length: rounding decides.
fn singular(n: usize) -> f64 {
    // Products of columns are sums over rows, each rounded.
    (64.0 + 4.0 * n as f64) * f64::EPSILON
}

/// The Cholesky factor of a matrix that was scaled to a unit diagonal.
#[derive(Debug)]
pub(super) struct Factor {
    lower: Mat<f64>,
    /// 0 for a row without a diagonal: its unknown stays 0.
    scale: Vec<f64>,
}

impl Factor {
    /// Factors the `n` x `n` matrix whose lower triangle is `value(row, column)`, `ridge` added to its
    /// scaled diagonal; the ridge is raised until the matrix is positive definite to working precision.
    pub(super) fn new(n: usize, value: impl Fn(usize, usize) -> f64, mut ridge: f64) -> Option<Self> {
        while ridge <= MAX_RIDGE {
            let factor = Self::with_pivots_above(singular(n), n, &value, ridge);
            if factor.is_some() {
                return factor;
            }
            ridge = (ridge * 100.0).max(1e-10);
        }
        None
    }

    /// The same with that very ridge; none where rows leave a share of at most `least` of the diagonal of one after them.
    fn with_pivots_above(
        least: f64,
        n: usize,
        value: impl Fn(usize, usize) -> f64,
        ridge: f64,
    ) -> Option<Self> {
        let scale: Vec<f64> = (0..n)
            .map(|k| value(k, k))
            .map(|h| if h > f64::MIN_POSITIVE { 1.0 / h.sqrt() } else { 0.0 })
            .collect();
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
        let is_clear = factored.is_ok() && (0..n).all(|k| lower[(k, k)].powi(2) > least);
        is_clear.then_some(Self { lower, scale })
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

/// Orders up to which dependent columns are looked for: one by one, they take as long as a factor of twice the order.
const MAX_LISTED: usize = MAX_ORDER;

/// A feature that is a combination of others, as far as a Hessian tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dependent {
    pub(super) feature: usize,
    /// Coefficients whose linear predictor is 0, to working precision: 1 for the feature itself.
    pub(super) direction: Vec<f64>,
}

/// The features that are combinations of the intercept and the features before them, to working precision: the others
/// leave a share of at most `least`, or of [`singular`], of their diagonal, to which l2 is added.
pub(super) fn dependent(
    hessian: &Hessian,
    coordinates: &Coordinates,
    penalty: &Penalty,
    least: f64,
) -> Vec<Dependent> {
    let n = hessian.order();
    if n > MAX_LISTED {
        return Vec::new();
    }
    let ridge = |k: usize| coordinates.penalty(penalty, k).l2;
    let scale = |k: usize| (hessian.row(k)[k].max(0.0) + ridge(k)).sqrt();
    let least = least.max(singular(n));
    // The same pivots, as blocks: only where one is small, rows are taken one by one to leave its own out.
    let order = coordinates.unpenalised_first();
    let value = |a: usize, b: usize| {
        let (a, b) = (order[a], order[b]);
        hessian.row(a)[b] + if a == b { ridge(a) } else { 0.0 }
    };
    if Factor::with_pivots_above(least, order.len(), value, 0.0).is_some() {
        return Vec::new();
    }
    let mut dependent = Vec::new();
    // Rows of the Cholesky factor, each with the place of its column; a dependent one is left out.
    let mut rows: Vec<(usize, Vec<f64>)> = Vec::new();
    for &k in &order {
        if scale(k) <= f64::MIN_POSITIVE.sqrt() {
            continue;
        }
        let mut row: Vec<f64> = Vec::with_capacity(rows.len() + 1);
        for (j, other) in &rows {
            let correlation = hessian.row(k)[*j] / scale(k) / scale(*j);
            let known = dot(&row, &other[..row.len()]);
            row.push((correlation - known) / other[other.len() - 1]);
        }
        let left = 1.0 - dot(&row, &row);
        if left > least {
            row.push(left.sqrt());
            rows.push((k, row));
        } else {
            let mut direction = vec![0.0; n];
            direction[k] = 1.0;
            for (share, (j, _)) in shares(&rows, row).into_iter().zip(&rows) {
                direction[*j] = -share * scale(k) / scale(*j);
            }
            dependent.push(Dependent { feature: k, direction });
        }
    }
    dependent
}

/// What each row of a factor L has in a combination whose own row would be `row`: the x of `L' x = row`.
fn shares(rows: &[(usize, Vec<f64>)], mut row: Vec<f64>) -> Vec<f64> {
    for at in (0..row.len()).rev() {
        let of = &rows[at].1;
        row[at] /= of[at];
        let share = row[at];
        row[..at].iter_mut().zip(of).for_each(|(left, of)| *left -= share * of);
    }
    row
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
    fn a_column_that_others_give_is_found_and_one_that_is_almost_so_is_not() {
        // x2 = x0 + x1; x3 = x0 but for one part in a million; x4 is the intercept's double.
        let rows: Vec<[f64; 6]> = (0..50)
            .map(|i| {
                let x = |step: f64| (f64::from(i) * step).fract() - 0.5;
                let (a, b) = (x(0.618_033_988), x(0.754_877_666));
                [a, b, a + b, a + 1e-6 * x(0.569_840_29), 2.0, 1.0]
            })
            .collect();
        let values =
            (0..36).map(|k| rows.iter().map(|row| row[k / 6] * row[k % 6]).sum::<f64>() / 50.0).collect();
        let found = dependent(&Hessian::new(6, values), &Coordinates::new(5, true), &Penalty::default(), 0.0);
        assert_eq!(found.iter().map(|d| d.feature).collect::<Vec<_>>(), [2, 4]);
        let expected = [[-1.0, -1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, -2.0]];
        for (found, expected) in found.iter().zip(expected) {
            let is_close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
            assert!(found.direction.iter().zip(&expected).all(is_close), "{found:?}");
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
