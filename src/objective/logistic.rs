//! The two scalar functions of the loss, in the forms that neither overflow nor cancel.

/// Values handled side by side.
const LANES: usize = 16;

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

/// `log(p / (1 - p))`, which [`sigmoid`] inverts; 0 at one half.
pub fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// `log(1 + exp(z))`, as `max(z, 0) + log1p(exp(-|z|))`.
///
/// # References
/// Mächler, Accurately computing log(1 - exp(-|a|)), 2012 (R package Rmpfr).
#[inline]
pub fn log1pexp(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// `log(1 + exp(z))` and the sigmoid of z for some z side by side, absolute error below 2e-15 times the
/// larger of 1 and the value: plain loops without a branch, which compile to vectors.
#[inline(always)]
pub(crate) fn log1pexp_and_sigmoid<const N: usize>(z: [f64; N]) -> ([f64; N], [f64; N]) {
    let (mut loss, slope, _) = terms(z);
    for i in 0..N {
        loss[i] += if z[i] > 0.0 { z[i] } else { 0.0 };
    }
    (loss, slope)
}

/// `log(1 + exp(-|z|))`, the sigmoid of z and that of -z.
#[inline(always)]
fn terms<const N: usize>(z: [f64; N]) -> ([f64; N], [f64; N], [f64; N]) {
    let mut negative = [0.0; N];
    for i in 0..N {
        negative[i] = -z[i].abs();
    }
    let e = exp_of_negative(negative);
    let (mut tail, mut slope, mut rest) = ([0.0; N], [0.0; N], [0.0; N]);
    for i in 0..N {
        // log1p(e) = 2 atanh(u), u = e / (2 + e) <= 1/3: its series keeps the digits of a tiny e.
        let u = e[i] / (2.0 + e[i]);
        let q = u * u;
        let mut series = 1.0 / 33.0;
        for k in (0..16).rev() {
            series = series * q + 1.0 / (2 * k + 1) as f64;
        }
        tail[i] = 2.0 * u * series;
        slope[i] = if z[i] >= 0.0 { 1.0 } else { e[i] } / (1.0 + e[i]);
        rest[i] = if z[i] >= 0.0 { e[i] } else { 1.0 } / (1.0 + e[i]);
    }
    (tail, slope, rest)
}

/// What a predictor says of both classes, without a difference that cancels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Logistic {
    /// `p = sigmoid(z)`, in the bits of [`sigmoids`].
    pub p: f64,
    /// `1 - p = sigmoid(-z)`.
    pub rest: f64,
    /// `-log p = log(1 + exp(-z))`: the loss where y = 1.
    pub loss_of_one: f64,
    /// `-log(1 - p) = log(1 + exp(z))`: the loss where y = 0.
    pub loss_of_zero: f64,
}

/// [`Logistic`] of each z, in vectors: relative error below 2e-15, the same bits on every machine.
///
/// # Panics
/// If the slices differ in length.
pub fn logistics(z: &[f64], out: &mut [Logistic]) {
    assert_eq!(z.len(), out.len(), "one for each z");
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (z, out) in z.chunks(LANES).zip(out.chunks_mut(LANES)) {
                let mut lanes = [0.0; LANES];
                lanes[..z.len()].copy_from_slice(z);
                let (tail, p, rest) = terms(lanes);
                for (i, out) in out.iter_mut().enumerate() {
                    let (loss_of_one, loss_of_zero) =
                        (tail[i] + (-lanes[i]).max(0.0), tail[i] + lanes[i].max(0.0));
                    *out = Logistic { p: p[i], rest: rest[i], loss_of_one, loss_of_zero };
                }
            }
        },
    );
}

/// Writes [`sigmoid`] of each z, in vectors: relative error below 2e-15, the same bits on every machine.
///
/// # Panics
/// If the slices differ in length.
pub fn sigmoids(z: &[f64], out: &mut [f64]) {
    assert_eq!(z.len(), out.len(), "one for each z");
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (z, out) in z.chunks(LANES).zip(out.chunks_mut(LANES)) {
                let mut lanes = [0.0; LANES];
                lanes[..z.len()].copy_from_slice(z);
                out.copy_from_slice(&terms(lanes).1[..z.len()]);
            }
        },
    );
}

/// `exp(a)` for `a <= 0`; below -708 it stays at exp(-708).
///
/// Cody and Waite's reduction `a = n ln 2 + f`, a Taylor polynomial on `|f| <= ln 2 / 2`, and n added to the
/// exponent bits. Adding 1.5 * 2^52 rounds to the integer n and leaves it in the low bits.
///
/// # References
/// Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6.
#[inline(always)]
fn exp_of_negative<const N: usize>(a: [f64; N]) -> [f64; N] {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // 1/13!, 1/12!, .., 1/2!, 1, 1.
    const TAYLOR: [f64; 14] = {
        let mut terms = [1.0; 14];
        let mut k = 1;
        while k < 14 {
            terms[k] = terms[k - 1] / k as f64;
            k += 1;
        }
        terms
    };
    let mut out = [0.0; N];
    for i in 0..N {
        // A NaN predictor must stay NaN: the comparison keeps it.
        let a = if a[i] < -708.0 { -708.0 } else { a[i] };
        let shifted = a * std::f64::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let f = (a - n * LN2_HIGH) - n * LN2_LOW;
        let mut p = TAYLOR[13];
        for k in (0..13).rev() {
            p = p * f + TAYLOR[k];
        }
        out[i] = p * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    }
    out
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

    #[test]
    fn vectors_give_what_the_scalar_functions_give() {
        let points = (-80_000..80_000).map(|i| f64::from(i) * 0.01).chain([0.0, -0.0, 1e-300, 1e4, -1e4]);
        for z in points {
            let (loss, slope) = log1pexp_and_sigmoid([z; 2]);
            // Some roundings of 1.1e-16; below -708 the exponential is held at exp(-708) = 3e-308.
            let close = |a: f64, b: f64| (a - b).abs() <= 2e-15 * b + 1e-307;
            assert!(close(loss[1], log1pexp(z)), "{z}: {} and {}", loss[1], log1pexp(z));
            assert!(close(slope[0], sigmoid(z)), "{z}: {} and {}", slope[0], sigmoid(z));
        }
        let (loss, slope) = log1pexp_and_sigmoid([f64::NAN]);
        assert!(loss[0].is_nan() && slope[0].is_nan());
    }
}
