//! The elastic-net penalty and its proximal step.

/// `l1 |w|_1 + (l2/2) |w|_2^2`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Penalty {
    /// Weight of the absolute values.
    pub l1: f64,
    /// Weight of half the squares.
    pub l2: f64,
}

impl Penalty {
    /// The penalty of `coefficients`, the intercept left out by the caller.
    pub fn value(&self, coefficients: &[f64]) -> f64 {
        coefficients.iter().map(|w| self.l1 * w.abs() + 0.5 * self.l2 * w * w).sum()
    }

    /// `value(to) - value(from)`, term by term: a small step keeps its digits.
    pub fn change(&self, from: &[f64], to: &[f64]) -> f64 {
        let change = |(w, v): (&f64, &f64)| self.l1 * (v.abs() - w.abs()) + 0.5 * self.l2 * (v - w) * (v + w);
        from.iter().zip(to).map(change).sum()
    }

    /// `argmin_v (v - w)^2 / (2 step) + l1 |v| + (l2/2) v^2`: soft threshold, then shrink.
    ///
    /// # References
    /// Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.3.
    pub fn prox(&self, w: f64, step: f64) -> f64 {
        let threshold = step * self.l1;
        let shrunk = if w > threshold {
            w - threshold
        } else if w < -threshold {
            w + threshold
        } else {
            0.0
        };
        shrunk / (1.0 + step * self.l2)
    }

    /// Distance of zero from the subdifferential of the objective at coefficient `w`, given the
    /// gradient `loss_gradient` of the mean loss there.
    pub fn kkt_residual(&self, w: f64, loss_gradient: f64) -> f64 {
        let g = loss_gradient + self.l2 * w;
        if w != 0.0 { (g + self.l1 * w.signum()).abs() } else { (g.abs() - self.l1).max(0.0) }
    }
}
