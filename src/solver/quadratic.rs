//! The quadratic model that a Newton step minimises.

use super::factor::Factor;
use crate::objective::{Coordinates, Hessian, Penalty};

/// Rounds of coordinate descent and polishing; a round that ends within the accuracy is the last.
const MAX_ROUNDS: usize = 60;

/// Sweeps over the support between two polishing steps.
const SWEEPS: usize = 8;

/// `q(v) = g'(v - w) + (v - w)' H (v - w) / 2 + P(v)`, P the penalty of [`Coordinates`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Quadratic<'a> {
    /// H.
    pub(super) hessian: &'a Hessian,
    /// l1 and l2.
    pub(super) penalty: Penalty,
    /// What is asked of each coefficient.
    pub(super) coordinates: &'a Coordinates,
    /// Added to the diagonal, relative to it; raised where H is not positive definite.
    pub(super) ridge: f64,
}

impl Quadratic<'_> {
    /// The minimiser, from `w` and the gradient g of the mean loss there. With an L1 penalty, its
    /// optimality conditions are met to `accuracy`.
    pub(super) fn minimise(&self, w: &[f64], g: &[f64], accuracy: f64) -> Vec<f64> {
        let mut v = w.to_vec();
        let mut slope = g.to_vec();
        let all = self.coordinates.moving();
        if self.penalty.l1 == 0.0 {
            let step = self.solve(&all, &v, &slope);
            v.iter_mut().zip(step).for_each(|(v, step)| *v += step);
            return v;
        }
        for _ in 0..MAX_ROUNDS {
            self.sweep(&all, &mut v, &mut slope);
            let support: Vec<usize> = self.support(&v);
            for _ in 0..SWEEPS {
                self.sweep(&support, &mut v, &mut slope);
            }
            self.polish(&mut v, &mut slope);
            if self.violation(&v, &slope) <= accuracy {
                break;
            }
        }
        v
    }

    fn penalty(&self, j: usize) -> Penalty {
        self.coordinates.penalty(&self.penalty, j)
    }

    /// The trained coefficients that are not zero or have no L1 penalty.
    fn support(&self, v: &[f64]) -> Vec<usize> {
        let mut support = self.coordinates.moving();
        support.retain(|&j| v[j] != 0.0 || self.penalty(j).l1 == 0.0);
        support
    }

    /// `H_jj` with the ridge; 0 where the loss does not depend on coefficient j.
    fn curvature(&self, j: usize) -> f64 {
        self.hessian.row(j)[j].max(0.0) * (1.0 + self.ridge)
    }

    /// One minimisation along each of `coordinates`; `slope` is `g + H (v - w)`.
    fn sweep(&self, coordinates: &[usize], v: &mut [f64], slope: &mut [f64]) {
        for &j in coordinates {
            let h = self.curvature(j);
            let new = if h > 0.0 {
                self.coordinates.prox(&self.penalty, j, v[j] - slope[j] / h, 1.0 / h)
            } else if self.penalty(j) == Penalty::default() {
                v[j]
            } else {
                0.0
            };
            self.shift(j, new - v[j], slope);
            v[j] = new;
        }
    }

    fn shift(&self, j: usize, by: f64, slope: &mut [f64]) {
        if by != 0.0 {
            slope.iter_mut().zip(self.hessian.row(j)).for_each(|(slope, h)| *slope += h * by);
            slope[j] += (self.curvature(j) - self.hessian.row(j)[j]) * by;
        }
    }

    /// Minimises over the support with its signs held; a coefficient that would change its sign
    /// ends the step at zero.
    fn polish(&self, v: &mut [f64], slope: &mut [f64]) {
        let support = self.support(v);
        let step = self.solve(&support, v, slope);
        let mut length: f64 = 1.0;
        let mut first = None;
        for (&j, step) in support.iter().zip(&step).filter(|&(&j, _)| self.penalty(j).l1 > 0.0) {
            let crossing = -v[j] / step;
            if crossing > 0.0 && crossing < length {
                (length, first) = (crossing, Some(j));
            }
        }
        for (&j, step) in support.iter().zip(&step) {
            let by = if first == Some(j) { -v[j] } else { length * step };
            self.shift(j, by, slope);
            v[j] = if first == Some(j) { 0.0 } else { v[j] + by };
        }
    }

    /// The largest violation of the optimality conditions of q.
    fn violation(&self, v: &[f64], slope: &[f64]) -> f64 {
        let of = |j: usize| self.penalty(j).kkt_residual(v[j], slope[j]);
        self.coordinates.moving().into_iter().map(of).fold(0.0, f64::max)
    }

    /// The Newton step over `support` with the signs that v has there.
    fn solve(&self, support: &[usize], v: &[f64], slope: &[f64]) -> Vec<f64> {
        let l2 = |j: usize| self.penalty(j).l2;
        let value = |a: usize, b: usize| {
            let (i, j) = (support[a], support[b]);
            if i == j { self.curvature(i) + l2(i) } else { self.hessian.row(j)[i] }
        };
        let Some(factor) = Factor::new(support.len(), value, 0.0) else {
            return vec![0.0; support.len()];
        };
        let right = |&j: &usize| {
            let sign = if v[j] == 0.0 { 0.0 } else { v[j].signum() };
            -(slope[j] + l2(j) * v[j] + self.penalty(j).l1 * sign)
        };
        let mut step: Vec<f64> = support.iter().map(right).collect();
        factor.solve(&mut step);
        step
    }
}

/// The BFGS update: the matrix nearest to `hessian` that maps the step to the change of gradient seen
/// along it. Skipped where that change shows no curvature worth the name.
///
/// # References
/// Nocedal and Wright, Numerical Optimization, 2006, equation 6.19.
pub(super) fn update(hessian: &mut Hessian, step: &[f64], change: &[f64]) {
    let product = hessian.times(step);
    let (before, seen) = (dot(step, &product), dot(step, change));
    if !(seen > 1e-3 * before && before > 0.0) {
        return;
    }
    for i in 0..hessian.order() {
        let (y, p) = (change[i] / seen, product[i] / before);
        for ((h, change), product) in hessian.row_mut(i).iter_mut().zip(change).zip(&product) {
            *h += y * change - p * product;
        }
    }
}

/// The inner product.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hessian() -> Hessian {
        let rows =
            [[2.0, 0.9, 0.1, 0.3], [0.9, 1.0, -0.2, 0.1], [0.1, -0.2, 0.5, 0.0], [0.3, 0.1, 0.0, 0.25]];
        Hessian::new(4, rows.concat())
    }

    fn quadratic<'a>(hessian: &'a Hessian, coordinates: &'a Coordinates, l1: f64, l2: f64) -> Quadratic<'a> {
        Quadratic { hessian, penalty: Penalty { l1, l2 }, coordinates, ridge: 0.0 }
    }

    #[test]
    fn minimiser_meets_the_optimality_conditions_for_every_penalty() {
        let hessian = hessian();
        let (w, g) = ([0.5, -0.25, 0.0, 0.1], [0.4, -0.3, 0.05, 0.2]);
        for (l1, l2) in [(0.0, 0.0), (0.0, 0.3), (0.2, 0.0), (0.1, 0.1), (10.0, 0.0)] {
            for intercept in [true, false] {
                let coordinates = Coordinates::new(3, intercept);
                let q = quadratic(&hessian, &coordinates, l1, l2);
                let v = q.minimise(&w, &g, 1e-12);
                let step: Vec<f64> = v.iter().zip(&w).map(|(v, w)| v - w).collect();
                let slope: Vec<f64> = hessian.times(&step).iter().zip(&g).map(|(a, g)| a + g).collect();
                assert!(q.violation(&v, &slope) < 1e-12, "l1 {l1}, l2 {l2}: {v:?}");
                assert!(intercept || v[3] == w[3]);
                assert!(l1 < 10.0 || v[..3] == [0.0; 3]);
            }
        }
    }

    #[test]
    fn coefficient_without_curvature_stays() {
        let mut rows = [[1.0, 0.0, 0.2], [0.0, 0.0, 0.0], [0.2, 0.0, 0.25]];
        let flat = Hessian::new(3, rows.concat());
        let all = Coordinates::new(2, true);
        assert_eq!(quadratic(&flat, &all, 0.0, 0.0).minimise(&[0.0; 3], &[0.1, 0.0, 0.1], 0.0)[1], 0.0);
        rows[1] = rows[0];
        rows.iter_mut().for_each(|row| row[1] = row[0]);
        // Two equal columns: singular, so the ridge shares the step among them.
        let twins = Hessian::new(3, rows.concat());
        let v = quadratic(&twins, &all, 0.0, 0.0).minimise(&[0.0; 3], &[0.1, 0.1, 0.0], 0.0);
        assert!((v[0] - v[1]).abs() < 1e-6 && v[0] < 0.0, "{v:?}");
    }

    #[test]
    fn update_maps_the_step_to_the_change() {
        let mut hessian = hessian();
        let (step, change) = ([0.1, 0.2, -0.1, 0.05], [0.4, 0.3, -0.2, 0.06]);
        update(&mut hessian, &step, &change);
        for (found, expected) in hessian.times(&step).iter().zip(&change) {
            assert!((found - expected).abs() < 1e-14);
        }
        let before = hessian.clone();
        update(&mut hessian, &step, &change.map(|c| -c));
        assert_eq!(hessian, before);
    }
}
