//! What the L-BFGS memories of a stack share: one Gram matrix, and a factor for each kind of model.

use std::sync::Arc;

use super::curvature::Base;
use super::factor::Factor;
use super::full_batch::MAX_ORDER;
use super::{Passes, Problem};
use crate::error::{EngineError, Result};
use crate::objective::{Coordinates, Hessian, ModelSpec, Penalty, sigmoid};
use crate::panels::Sample;

/// Ridge of a factor, relative to its diagonal: the rows that a sample left out may show directions that it has not.
const RIDGE: f64 = 1e-7;

/// A base of one model's own: its Hessian, factored once. Where a factor costs more than many passes, the steps since
/// are cheaper kept beside it than worked into it.
///
/// # Errors
/// The Hessian holds values that are not finite.
pub(super) fn own_base(hessian: Hessian, coordinates: &Coordinates, penalty: &Penalty) -> Result<Base> {
    let factor = penalised_factor(&hessian, 1.0, coordinates, penalty)
        .ok_or(EngineError::NotFinite { what: "a Hessian" })?;
    Ok(Base::Gram { quarter: Arc::new(hessian), share: 1.0, factor: Arc::new(factor) })
}

/// The factor of `share` times a matrix plus the L2 penalty, over the coefficients that are trained; none where the
/// matrix holds values that are not finite.
fn penalised_factor(
    matrix: &Hessian,
    share: f64,
    coordinates: &Coordinates,
    penalty: &Penalty,
) -> Option<Factor> {
    let value = |a: usize, b: usize| {
        if !coordinates.moves(a) || !coordinates.moves(b) {
            0.0
        } else if a == b {
            share * matrix.row(a)[a] + coordinates.penalty(penalty, a).l2
        } else {
            share * matrix.row(a)[b]
        }
    };
    Factor::new(matrix.order(), value, RIDGE)
}

/// A quarter of the Gram matrix, or of its diagonal where the matrix would be too large.
enum Quarter {
    Matrix(Arc<Hessian>),
    Diagonal(Arc<Vec<f64>>),
}

/// The bases of a stack.
pub(super) struct Bases {
    quarter: Quarter,
    /// By the exponent of the share and the bits of the L2 penalty.
    factors: Vec<((i32, u64), Arc<Factor>)>,
}

impl Bases {
    /// Whether a Gram matrix is worth having: it must fit, and have rank enough to tell more than its diagonal.
    pub(super) fn takes_matrix(problem: &Problem<'_>) -> bool {
        let order = problem.start.stride();
        order <= MAX_ORDER && order <= 4 * problem.rows.n_rows()
    }

    /// The Gram matrix of the rows of `sample`, or the diagonal of that of all.
    pub(super) fn new(table: &mut dyn Passes, problem: &Problem<'_>, sample: Sample) -> Result<Self> {
        let quarter = if Self::takes_matrix(problem) {
            // Where every probability is a half, the curvature is a quarter of the Gram matrix.
            let zeros = vec![0.0; problem.start.stride()];
            let mut quarter = table.hessians(&[(ModelSpec::shared(), &zeros)], sample)?.swap_remove(0);
            let is_whole = (0..quarter.order()).all(|j| quarter.row(j)[j] > 0.0);
            if !is_whole && !sample.is_all() {
                // The sample has no row with a weight, or none of some rare level.
                quarter = table.hessians(&[(ModelSpec::shared(), &zeros)], Sample::ALL)?.swap_remove(0);
            }
            Quarter::Matrix(Arc::new(quarter))
        } else {
            let squares = table.mean_squares()?.into_iter().chain([1.0]);
            Quarter::Diagonal(Arc::new(squares.map(|x| x / 4.0).collect()))
        };
        Ok(Self { quarter, factors: Vec::new() })
    }

    /// The base of model `m`.
    ///
    /// # Errors
    /// The matrix holds values that are not finite.
    pub(super) fn of(&mut self, problem: &Problem<'_>, m: usize) -> Result<Base> {
        let p = sigmoid(problem.start.intercept(m));
        // Powers of two, so that many models share a factor.
        let exponent = (4.0 * p * (1.0 - p)).max(1e-12).log2().round();
        let share = exponent.exp2();
        let quarter = match &self.quarter {
            Quarter::Matrix(quarter) => quarter.clone(),
            Quarter::Diagonal(quarter) => return Ok(Base::Diagonal { quarter: quarter.clone(), share }),
        };
        let penalty = &problem.models[m].penalty;
        #[allow(clippy::cast_possible_truncation, reason = "an exponent of a double")]
        let key = (exponent as i32, penalty.l2.to_bits());
        if let Some((_, factor)) = self.factors.iter().find(|(known, _)| *known == key) {
            return Ok(Base::Gram { quarter, share, factor: factor.clone() });
        }
        let factor = penalised_factor(&quarter, share, problem.coordinates, penalty)
            .ok_or(EngineError::NotFinite { what: "the Gram matrix" })?;
        let factor = Arc::new(factor);
        self.factors.push((key, factor.clone()));
        Ok(Base::Gram { quarter, share, factor })
    }
}
