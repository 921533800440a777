//! Warnings about the statistics of a model.

use super::infinite::Infinite;
use super::report::Separation;
use super::solved::Solved;
use super::statistics::Context;
use crate::model::FittedModel;

/// Distances from the optimum, in standard errors. Beyond the first there is a warning; beyond the second
/// the model is not taken for a maximum-likelihood estimate.
const DISTANCE_SAID: f64 = 0.01;
pub(super) const DISTANCE_REFUSED: f64 = 0.1;

/// Variance inflation factor above which float32 rounding (6e-8) exceeds a thousandth of the part of a
/// feature that the others do not explain.
const RESOLVED_VIF: f64 = 3e8;

impl Context<'_> {
    /// The warnings, as sentences.
    pub(super) fn doubts(
        &self,
        fitted: &FittedModel,
        separation: &Separation,
        infinite: &Infinite,
        unfinished: &[String],
        solved: Option<&Solved>,
    ) -> Vec<String> {
        let mut doubts = Vec::new();
        let is_separated =
            separation.complete || !separation.features.is_empty() || !separation.suspected.is_empty();
        if !fitted.converged && !is_separated {
            doubts.push(if fitted.kkt_residual <= self.tolerance {
                "training did not prove how close it is to the optimum: columns may be nearly equal".to_owned()
            } else {
                format!(
                    "training did not converge: its residual is {:.1e}, the tolerance was {:.0e}; train again with more \
                     --max-iterations",
                    fitted.kkt_residual, self.tolerance
                )
            });
        }
        if separation.complete {
            doubts.push(
                "a plane separates the classes: the likelihood has no maximum at finite coefficients, and there are no \
                 standard errors; train with a penalty"
                    .to_owned(),
            );
            return doubts;
        }
        if !separation.features.is_empty() {
            let have = match separation.features.len() {
                1 => "1 feature has".to_owned(),
                n => format!("{n} features have"),
            };
            doubts.push(format!(
                "{have} a value whose rows are all on one side, so that the most likely coefficient is infinite: {}; \
                 merge levels, leave them out, or train with a penalty",
                some(&separation.features)
            ));
        }
        if !infinite.references.is_empty() {
            let names: Vec<String> = infinite.references.iter().map(|&j| self.names[j].clone()).collect();
            doubts
                .push(format!("nothing compared with {} is finite; take another --reference", some(&names)));
        }
        if !separation.suspected.is_empty() {
            doubts.push(format!(
                "some rows are separated by {}: along them the optimum lies at infinity, and their coefficients only grow \
                 with more iterations; train with a penalty",
                some(&separation.suspected)
            ));
        }
        if !unfinished.is_empty() {
            doubts.push(format!(
                "a further step would still move coefficients by more than a tenth of a standard deviation ({}), and rows \
                 against their class: the model is not at an optimum, and statistics are withheld; train again with more \
                 --max-iterations, or a smaller --tolerance",
                some(unfinished)
            ));
            return doubts;
        }
        match solved.map(|solved| solved.distance) {
            None => doubts.push(
                "the information matrix is singular, so there are no standard errors; train with a penalty"
                    .to_owned(),
            ),
            Some(distance) if distance.is_nan() || distance > DISTANCE_REFUSED => doubts.push(format!(
                "the coefficients are {distance:.2} standard errors away from the optimum, and are no maximum-likelihood \
                 estimates: statistics are withheld; train again with a smaller --tolerance"
            )),
            Some(distance) if distance > DISTANCE_SAID => doubts.push(format!(
                "the coefficients are {distance:.3} standard errors away from the optimum; train again with a smaller \
                 --tolerance"
            )),
            Some(_) => {}
        }
        let worst = solved.iter().flat_map(|solved| solved.vif.iter().flatten()).copied().fold(0.0, f64::max);
        if worst > RESOLVED_VIF && !self.is_resolved {
            doubts.push(format!(
                "features are so close to combinations of others (VIF {worst:.0e}) that float32 does not resolve them: \
                 leave some out"
            ));
        }
        doubts
    }
}

/// The first names, and the number of the others.
fn some(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(5);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
