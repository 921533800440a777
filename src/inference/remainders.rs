//! Computes the remainders of features that are nearly combinations of others: the parts that the others do
//! not explain.

use super::identify::Parameters;
use super::pass::Pass;
use crate::engine::exact::{Gram, Remainder, linear_predictor};
use crate::error::Result;
use crate::objective::Coefficients;
use crate::observer::Observer;
use crate::panels::PANEL_ROWS;

/// Refinement steps of a direction. Each reduces the rounding error that the step before left.
const REFINEMENTS: usize = 2;

/// Share of a vector's squared norm that may be rounding error of sums of products, when the vector is a
/// combination of others.
const PRODUCTS_ROUNDING: f64 = 1e-13;

/// Sums over the remainders `u = X d` of the rows along directions d.
struct Left {
    /// `sum_i s_i u_i v_i` for each pair of remainders.
    products: Vec<Vec<f64>>,
    /// `sum_i s_i u_i [x_i, 1]` for each remainder.
    along: Vec<Vec<f64>>,
    weight_sum: f64,
}

/// Orthogonal vectors, as combinations of given vectors.
#[derive(Default)]
struct Apart {
    /// For each orthogonal vector: its coefficients in the given vectors, and its squared norm.
    vectors: Vec<(Vec<f64>, f64)>,
}

impl Apart {
    /// The component of the k-th given vector that is orthogonal to the vectors here, and its squared norm
    /// (Gram-Schmidt). `products` are the inner products of the given vectors.
    fn own(&self, k: usize, products: &[Vec<f64>]) -> (Vec<f64>, f64) {
        let with = |shares: &[f64], l: usize| -> f64 {
            shares.iter().zip(products).map(|(share, of)| share * of[l]).sum()
        };
        let mut own = vec![0.0; products.len()];
        own[k] = 1.0;
        for (shares, square) in &self.vectors {
            let share = with(shares, k) / square;
            own.iter_mut().zip(shares).for_each(|(own, of)| *own -= share * of);
        }
        let square = own.iter().enumerate().map(|(l, share)| share * with(&own, l)).sum();
        (own, square)
    }
}

impl Pass<'_> {
    /// The remainders of the features that `gram` takes for combinations of others.
    ///
    /// Their directions are refined first, since a nearly singular Gram matrix amplifies rounding errors in
    /// them.
    ///
    /// # Errors
    /// As [`Pass::run`].
    pub(super) fn remainders(
        &self,
        identified: &Parameters,
        gram: &Gram,
        observer: &dyn Observer,
    ) -> Result<Vec<Remainder>> {
        let n_features = self.encoding.n_features();
        let mut directions = identified.directions();
        if directions.is_empty() {
            return Ok(Vec::new());
        }
        let factor = identified.factor(gram);
        for _ in 0..REFINEMENTS {
            let Some(factor) = &factor else { break };
            let left = self.left_by(&directions, observer)?;
            for ((_, direction), left) in directions.iter_mut().zip(&left.along) {
                let along: Vec<f64> = identified.kept.iter().map(|&place| left[place]).collect();
                for (&place, by) in identified.kept.iter().zip(factor.solve(&along)) {
                    direction[place] -= by;
                }
            }
        }
        let left = self.left_by(&directions, observer)?;
        let sizes: Vec<f64> =
            (0..n_features).map(|j| (gram.value(j, j) / left.weight_sum).max(0.0).sqrt()).collect();
        let mut remainders = Vec::new();
        // A feature is an exact combination if its remainder is a combination of other remainders.
        let mut apart = Apart::default();
        for (k, (place, direction)) in
            directions.iter().enumerate().filter(|(_, (place, _))| *place < n_features)
        {
            let rms = |square: f64| (square / left.weight_sum).max(0.0).sqrt();
            let (own, square) = apart.own(k, &left.products);
            let mut combination = vec![0.0; n_features + 1];
            for (share, (_, direction)) in own.iter().zip(&directions) {
                combination.iter_mut().zip(direction).for_each(|(part, of)| *part += share * of);
            }
            // The table is read with the second words of all values.
            let remainder =
                |direction, square| Remainder::new(*place, direction, &sizes, rms(square), |_| true);
            if square > PRODUCTS_ROUNDING * left.products[k][k] && remainder(combination, square).is_some() {
                remainders.extend(remainder(direction.clone(), left.products[k][k]));
                apart.vectors.push((own, square));
            }
        }
        Ok(remainders)
    }

    /// Reads the table once for the remainders along `directions`.
    fn left_by(&self, directions: &[(usize, Vec<f64>)], observer: &dyn Observer) -> Result<Left> {
        let n_features = self.encoding.n_features();
        let columns = directions.iter().map(|(_, direction)| direction.as_slice());
        let columns = Coefficients::from_columns(n_features, columns);
        let n = directions.len();
        let mut left = Left {
            products: vec![vec![0.0; n]; n],
            along: vec![vec![0.0; n_features + 1]; n],
            weight_sum: 0.0,
        };
        self.read(self.block_rows(n_features.max(2 * n))?, observer, |_, panels, rows| {
            left.weight_sum += rows.weight_sum();
            let panels = self.basis.panels(panels);
            let scores = linear_predictor(&panels, &columns);
            let mut x = [0.0; PANEL_ROWS];
            for p in 0..panels.n_panels() {
                let slots = p * PANEL_ROWS..panels.n_rows().min((p + 1) * PANEL_ROWS);
                let scores = &scores[slots.start * n..slots.end * n];
                let weighted: Vec<f64> = scores
                    .iter()
                    .enumerate()
                    .map(|(at, u)| rows.exact_weight(slots.start + at / n) * u)
                    .collect();
                for (scores, weighted) in scores.chunks_exact(n).zip(weighted.chunks_exact(n)) {
                    for (k, su) in weighted.iter().enumerate() {
                        left.along[k][n_features] += su;
                        left.products[k].iter_mut().zip(scores).for_each(|(sum, u)| *sum += su * u);
                    }
                }
                for j in 0..n_features {
                    panels.widen(p, j, &mut x);
                    for (weighted, x) in weighted.chunks_exact(n).zip(&x) {
                        weighted.iter().zip(&mut left.along).for_each(|(su, along)| along[j] += su * x);
                    }
                }
            }
            Ok(())
        })?;
        Ok(left)
    }
}
