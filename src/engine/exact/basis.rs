//! Features that are nearly combinations of others, and a basis in which they are not.
//!
//! Two times a minute apart, over ten years, are one column but for a part in a million, and the classes may hang on
//! that part. Along the direction d in which only that part counts, sums of products lose the curvature: `d' H d` is a
//! difference of numbers `(|x| / |u|)^2` times as large, `u = X d` being what the direction leaves of the rows. The rows
//! themselves lose a factor `|x| / |u|` alone. So u, computed row by row, takes the feature's place:
//!
//! ```text
//! x_j' = (X d_j + d_jb) / r_j,   r_j = rms(X d_j + d_jb);   x_i' = x_i for all others
//! X' = X T,   w = T v,   the gradient for v is T' times that for w
//! ```
//!
//! Without a penalty the linear predictors that can be had are the same, and so is the minimum.
//!
//! # References
//! Björck, Numerical Methods for Least Squares Problems, 1996, section 2.2 (normal equations lose what the rows keep).

use super::linear_predictor;
use crate::objective::Coefficients;
use crate::panels::Panels;

/// What rounding leaves of a combination that is 0, as a share of its parts: of values kept in two float32 words.
const EXACT_ROUNDING: f64 = 1e-13;

/// The same of values kept in one.
const FLOAT32_ROUNDING: f64 = 1e-6;

/// The share of the largest part of a direction from which another one counts.
const LEAST_PART: f64 = 1e-6;

/// What a combination of others leaves of a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Remainder {
    feature: usize,
    direction: Vec<f64>,
    rms: f64,
}

impl Remainder {
    /// From the `direction` whose linear predictor u is what is left of `feature`: a coefficient for each feature, 1 for
    /// the feature itself, and the intercept. None where rounding of the values alone keeps u from 0.
    ///
    /// `sizes` are the root mean squares of the features, `rms` that of u, over rows with the same weights; `is_exact` says
    /// which features are kept as the table has them.
    pub fn new(
        feature: usize,
        direction: Vec<f64>,
        sizes: &[f64],
        rms: f64,
        is_exact: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let (features, intercept) = direction.split_at(sizes.len());
        let parts: Vec<f64> = features.iter().zip(sizes).map(|(part, size)| (part * size).abs()).collect();
        let all = parts.iter().sum::<f64>() + intercept.iter().map(|part| part.abs()).sum::<f64>();
        let counts = |&j: &usize| parts[j] >= LEAST_PART * all;
        let are_exact = (0..parts.len()).filter(counts).all(is_exact);
        let rounding = if are_exact { EXACT_ROUNDING } else { FLOAT32_ROUNDING };
        (rms > rounding * all).then_some(Self { feature, direction, rms })
    }

    /// The feature.
    pub fn feature(&self) -> usize {
        self.feature
    }
}

/// A basis in which remainders stand in their features' places: T, applied one level after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Basis {
    /// No direction has a part along a feature that has a remainder on the same level, but for its own.
    levels: Vec<Vec<Remainder>>,
}

impl Basis {
    /// Replaces features of the present basis.
    pub fn add(&mut self, remainders: Vec<Remainder>) {
        self.levels.push(remainders);
    }

    /// Whether it is that of the features themselves.
    pub fn is_plain(&self) -> bool {
        self.levels.is_empty()
    }

    /// How often features were replaced.
    pub fn n_levels(&self) -> usize {
        self.levels.len()
    }

    /// `X T`, remainders kept exactly.
    pub fn panels(&self, mut panels: Panels) -> Panels {
        for level in &self.levels {
            let directions = level.iter().map(|remainder| remainder.direction.as_slice());
            let directions = Coefficients::from_columns(panels.n_features(), directions);
            let rows = linear_predictor(&panels, &directions);
            let columns: Vec<(usize, Vec<f64>)> = level
                .iter()
                .enumerate()
                .map(|(k, remainder)| {
                    let own = rows.iter().skip(k).step_by(level.len());
                    (remainder.feature, own.map(|u| u / remainder.rms).collect())
                })
                .collect();
            panels = panels.with_columns(&columns);
        }
        panels
    }

    /// `T v`: coefficients of the features and the intercept.
    pub fn to_features(&self, v: &[f64]) -> Vec<f64> {
        let mut w = v.to_vec();
        for level in self.levels.iter().rev() {
            let weights: Vec<f64> =
                level.iter().map(|Remainder { feature, rms, .. }| w[*feature] / rms).collect();
            for Remainder { feature, .. } in level {
                w[*feature] = 0.0;
            }
            for (Remainder { direction, .. }, weight) in level.iter().zip(weights) {
                w.iter_mut().zip(direction).for_each(|(w, part)| *w += weight * part);
            }
        }
        w
    }

    /// `T^-1 w`.
    pub fn from_features(&self, w: &[f64]) -> Vec<f64> {
        let mut v = w.to_vec();
        for level in &self.levels {
            for Remainder { feature, direction, rms } in level {
                let weight = v[*feature];
                v.iter_mut().zip(direction).for_each(|(v, part)| *v -= weight * part);
                v[*feature] = weight * rms;
            }
        }
        v
    }

    /// `T' a`: a combination `a' w` of coefficients as one of v; a part for the intercept may be left out if it is 0.
    pub fn transposed(&self, a: &[f64]) -> Vec<f64> {
        let mut b = a.to_vec();
        for level in &self.levels {
            let of = |remainder: &Remainder| {
                remainder.direction.iter().zip(&b).map(|(part, b)| part * b).sum::<f64>() / remainder.rms
            };
            let parts: Vec<f64> = level.iter().map(of).collect();
            for (Remainder { feature, .. }, part) in level.iter().zip(parts) {
                b[*feature] = part;
            }
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remainder(feature: usize, direction: [f64; 4], rms: f64) -> Remainder {
        Remainder { feature, direction: direction.to_vec(), rms }
    }

    fn basis() -> Basis {
        let mut basis = Basis::default();
        basis.add(vec![
            remainder(1, [-1.0, 1.0, 0.0, 0.5], 1.0 / 1024.0),
            remainder(2, [2.0, 0.0, 1.0, -1.0], 0.25),
        ]);
        basis.add(vec![remainder(2, [0.0, -1.0, 1.0, 0.0], 0.125)]);
        basis
    }

    #[test]
    fn coefficients_go_to_the_basis_and_back() {
        let v = [0.5, -1.0, 2.0, 0.125];
        let w = basis().to_features(&v);
        // The second level: v_2 / r = 16 along [0, -1, 1, 0]; then the first: -17 * 1024 and 16 * 4 along its directions.
        assert_eq!(w, [0.5 + 17408.0 + 128.0, -17408.0, 64.0, 0.125 - 8704.0 - 64.0]);
        assert_eq!(basis().from_features(&w), v);
        let a = [1.0, 0.5, -2.0, 3.0];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert_eq!(dot(&basis().transposed(&a), &v), dot(&a, &w));
    }

    #[test]
    fn predictors_are_those_of_the_features() {
        let x: Vec<f32> = (0..900).map(|i| ((i * 37 + i / 11) % 101) as f32 / 8.0).collect();
        let panels = Panels::from_rows(&x, 3);
        let v = [0.5, -1.0, 2.0, 0.125];
        let of = |panels: &Panels, w: &[f64]| linear_predictor(panels, &Coefficients::from_columns(3, [w]));
        let found = of(&basis().panels(panels.clone()), &v);
        let expected = of(&panels, &basis().to_features(&v));
        assert_eq!(found.len(), 300);
        for (found, expected) in found.iter().zip(expected) {
            // Values are up to 12, coefficients up to 2e4.
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn what_rounding_leaves_is_no_remainder() {
        let of = |rms: f64, is_exact: bool| {
            Remainder::new(1, vec![-1.0, 1.0, 0.0, 0.0], &[1.0, 1.0, 5.0], rms, |j| is_exact || j == 2)
        };
        assert!(of(1e-12, true).is_some() && of(1e-14, true).is_none());
        assert!(of(1e-5, false).is_some() && of(1e-7, false).is_none());
    }
}
