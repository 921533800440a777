//! Sigmoid and logistic loss of SIMD vectors of linear predictors. Both use `exp(-|z|)`, which cannot
//! overflow.

use pulp::Simd;

/// A sigmoid, and the exponential that it was computed from.
pub(super) struct Sigmoid<S: Simd> {
    /// `1 / (1 + exp(-z))`.
    pub(super) value: S::f32s,
    /// `e = exp(-|z|)`.
    pub(super) exponential: S::f32s,
}

/// `1 / (1 + exp(-z))`, with relative error below 4e-7.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, z: S::f32s) -> Sigmoid<S> {
    let one = simd.splat_f32s(1.0);
    let exponential = exp_of_negative(simd, simd.neg_f32s(simd.abs_f32s(z)));
    let is_positive = simd.greater_than_or_equal_f32s(z, simd.splat_f32s(0.0));
    let numerator = simd.select_f32s(is_positive, one, exponential);
    Sigmoid { value: simd.div_f32s(numerator, simd.add_f32s(one, exponential)), exponential }
}

/// `log(1 + exp(z)) - y z` for y in {0, 1}, given `e = exp(-|z|)`, with relative error below 4e-7.
///
/// It uses `log1p(e) = 2 atanh(t)`, `t = e / (2 + e)`. The series of atanh converges fast on (0, 1/3], and is
/// accurate for tiny e without a branch.
#[inline(always)]
pub(super) fn log1pexp<S: Simd>(simd: S, z: S::f32s, e: S::f32s, y: S::f32s) -> S::f32s {
    let t = simd.div_f32s(e, simd.add_f32s(simd.splat_f32s(2.0), e));
    let q = simd.mul_f32s(t, t);
    let mut series = simd.splat_f32s(2.0 / 13.0);
    for coefficient in [2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0] {
        series = simd.mul_add_e_f32s(series, q, simd.splat_f32s(coefficient));
    }
    let linear = simd.sub_f32s(simd.max_f32s(z, simd.splat_f32s(0.0)), simd.mul_f32s(y, z));
    simd.mul_add_e_f32s(t, series, linear)
}

/// `exp(a)` for `a <= 0`. Below -87 it returns exp(-87).
///
/// Cody and Waite's reduction `a = n ln 2 + f`, with a Taylor polynomial on `|f| <= ln 2 / 2`; n is added
/// to the exponent bits. Adding 1.5 * 2^23 rounds to the integer n and leaves it in the low bits.
///
/// # References
/// Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6.
#[inline(always)]
fn exp_of_negative<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let splat = |x: f32| simd.splat_f32s(x);
    // NaN must stay NaN. A comparison keeps it; a maximum might not.
    let a = simd.select_f32s(simd.less_than_f32s(a, splat(-87.0)), splat(-87.0), a);
    let shifted = simd.mul_add_e_f32s(a, splat(std::f32::consts::LOG2_E), splat(ROUND));
    let n = simd.sub_f32s(shifted, splat(ROUND));
    let f = simd.mul_add_e_f32s(n, splat(-LN2_HIGH), a);
    let f = simd.mul_add_e_f32s(n, splat(-LN2_LOW), f);
    let mut p = splat(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = simd.mul_add_e_f32s(p, f, splat(coefficient));
    }
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power = simd.add_u32s(exponent, simd.splat_u32s(1.0f32.to_bits()));
    simd.mul_f32s(p, simd.transmute_f32s_u32s(power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    struct At(f32);

    impl WithSimd for At {
        type Output = [f32; 3];
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f32; 3] {
            let z = simd.splat_f32s(self.0);
            let Sigmoid { value, exponential } = sigmoid(simd, z);
            let first = |v| simd.reduce_max_f32s(v);
            let loss = |y| first(log1pexp(simd, z, exponential, simd.splat_f32s(y)));
            [first(value), loss(0.0), loss(1.0)]
        }
    }

    #[test]
    fn sigmoid_and_loss_keep_float32_accuracy_everywhere() {
        for arch in [Arch::new(), Arch::Scalar] {
            for i in -20_000..=20_000 {
                #[allow(clippy::cast_possible_truncation, reason = "the kernel's input is float32")]
                let z = (f64::from(i) * 5e-3) as f32;
                let found = arch.dispatch(At(z)).map(f64::from);
                let z = f64::from(z);
                let expected = [
                    crate::objective::sigmoid(z),
                    crate::objective::log1pexp(z),
                    crate::objective::log1pexp(-z),
                ];
                for (found, expected) in found.into_iter().zip(expected) {
                    // A few rounding errors of 6e-8; below -87 the exponential is exp(-87) = 1.6e-38.
                    assert!(
                        (found - expected).abs() <= 4e-7 * expected + 2e-38,
                        "at {z}: {found}, {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_diverged_predictor_shows() {
        assert!(Arch::new().dispatch(At(f32::NAN)).iter().all(|x| x.is_nan()));
    }
}
