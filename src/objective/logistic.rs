//! The two scalar functions of the loss, in the forms that neither overflow nor cancel.

/// `1 / (1 + exp(-z))`.
#[inline]
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// `log(1 + exp(z))`, as `max(z, 0) + log1p(exp(-|z|))`.
///
/// # References
/// Mächler, Accurately computing log(1 - exp(-|a|)), 2012 (R package Rmpfr).
#[inline]
pub fn log1pexp(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_log1pexp_survive_extreme_predictors() {
        assert_eq!(sigmoid(-1e4), 0.0);
        assert_eq!(sigmoid(1e4), 1.0);
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!(log1pexp(1e4), 1e4);
        assert_eq!(log1pexp(-1e4), 0.0);
        assert_eq!(log1pexp(0.0), std::f64::consts::LN_2);
        assert!((log1pexp(-40.0) / (-40.0f64).exp() - 1.0).abs() < 1e-15);
    }
}
