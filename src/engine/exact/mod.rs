//! The passes in float64, over panels in the host's memory: certificates, proofs, predictions and inference are made of
//! them. They use both words of values that are kept exactly.

mod basis;
mod evaluate;
mod gram;
mod linear_predictor;
mod products;
mod rounding;
mod smoothness;
mod table;

pub use basis::{Basis, Remainder};
pub use evaluate::{add_evaluation, evaluate};
pub use gram::Gram;
pub use linear_predictor::{linear_predictor, linear_predictor_of};
pub use rounding::{Rounding, mean_square};
pub use smoothness::{Smoothness, smoothness};
pub use table::ExactTable;

use crate::objective::{Certificate, Coefficients, Coordinates, Gaps, ModelSpec};
use crate::panels::{Panels, Rows};

/// The certificate of every model, whatever device trained it.
///
/// # Panics
/// If the shapes disagree.
pub fn certify(
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    coefficients: &Coefficients,
    coordinates: &Coordinates,
) -> Vec<Certificate> {
    assert_eq!(panels.n_features(), coordinates.n_features(), "a coordinate for each feature");
    let exact = evaluate(panels, rows, models, coefficients, Gaps::With);
    let certificate =
        |(m, model): (usize, &ModelSpec)| exact.certificate(m, model, coefficients.model(m), coordinates);
    models.iter().enumerate().map(certificate).collect()
}
