//! The penalty as a user states it.

use crate::objective::Penalty;

/// A penalty on one of two scales: weights of the mean objective, or scikit-learn's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PenaltyConfig {
    /// `l1` and `l2`, as weights in the mean objective.
    Direct(Penalty),
    /// scikit-learn's scale, which depends on the number of rows.
    Strength {
        /// Inverse strength.
        c: f64,
        /// Share of L1, 0 to 1.
        l1_ratio: f64,
    },
}

impl PenaltyConfig {
    /// The penalty for a table whose row weights add up to `weight_sum` (n without weights):
    ///
    /// ```text
    /// l1 = r / (C n),   l2 = (1 - r) / (C n)
    /// ```
    pub fn resolve(&self, weight_sum: f64) -> Penalty {
        match *self {
            Self::Direct(penalty) => penalty,
            Self::Strength { c, l1_ratio } => {
                let lambda = 1.0 / (c * weight_sum);
                Penalty { l1: l1_ratio * lambda, l2: (1.0 - l1_ratio) * lambda }
            }
        }
    }
}
