//! The elastic-net penalty of one coefficient, and its proximal step.

/// `l1 |w| + (l2/2) w^2`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Penalty {
    /// Weight of the absolute value.
    pub l1: f64,
    /// Weight of half the square.
    pub l2: f64,
}

impl Penalty {
    /// The penalty of a coefficient.
    pub fn value(&self, w: f64) -> f64 {
        self.l1 * w.abs() + 0.5 * self.l2 * w * w
    }

    /// `value(to) - value(from)`: a small step keeps its digits.
    pub fn change(&self, from: f64, to: f64) -> f64 {
        self.l1 * (to.abs() - from.abs()) + 0.5 * self.l2 * (to - from) * (to + from)
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
        if w != 0.0 {
            return (g + self.l1 * w.signum()).abs();
        }
        // A gradient of NaN has a residual of NaN, which `max` would hide.
        let excess = g.abs() - self.l1;
        if excess < 0.0 { 0.0 } else { excess }
    }
}
