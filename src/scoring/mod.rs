//! Scores of models on rows that they did not learn from. A sweep compares penalties by this score, and early
//! stopping compares epochs. Row weights count, class weights do not, as in [`crate::evaluate`].

mod patience;
mod ranks;

pub use patience::{BestScore, Patience};
pub use ranks::rank;
pub(crate) use ranks::{area, ranking_bytes, rankings_at_once, walk};

use crate::config::Scoring;
use crate::engine::exact::evaluate;
use crate::objective::{Coefficients, Gaps, HeldOutSums, ModelSpec};
use crate::panels::{Panels, Rows};

impl Scoring {
    /// Whether larger scores are better.
    pub fn is_greater_better(self) -> bool {
        !matches!(self, Self::LogLoss | Self::Brier)
    }

    /// Whether the score depends on the order of all rows, not only on sums over them.
    pub fn is_ranking(self) -> bool {
        matches!(self, Self::Auc | Self::AveragePrecision)
    }

    /// The score as a loss: smaller is better.
    pub fn loss(self, score: f64) -> f64 {
        if self.is_greater_better() { -score } else { score }
    }

    /// The score, computed from sums over the rows; `None` if they have no weight, or if sums are not enough.
    pub fn of_sums(self, sums: &HeldOutSums) -> Option<f64> {
        let all = sums.weight[0] + sums.weight[1];
        let hits = sums.weight[1] - sums.wrong[1];
        let score = match self {
            Self::LogLoss => sums.loss / all,
            Self::Brier => sums.squares / all,
            Self::Accuracy => 1.0 - (sums.wrong[0] + sums.wrong[1]) / all,
            Self::F1 => {
                let said_or_is = 2.0 * hits + sums.wrong[0] + sums.wrong[1];
                if said_or_is > 0.0 { 2.0 * hits / said_or_is } else { 0.0 }
            }
            Self::Auc | Self::AveragePrecision => return None,
        };
        (all > 0.0).then_some(score)
    }
}

/// The score of each model (its class against all others) on the fold that it is scored on. `None` if the
/// score is not defined there: the fold has no weight or, for a ranking score, rows of one side only.
/// Computed in float64, in one pass over X or a few.
///
/// # Panics
/// If the shapes disagree.
pub fn score(
    scoring: Scoring,
    panels: &Panels,
    rows: &Rows,
    models: &[ModelSpec],
    coefficients: &Coefficients,
) -> Vec<Option<f64>> {
    if scoring.is_ranking() {
        return rank(scoring, panels, rows, models, coefficients).0;
    }
    let exact = evaluate(panels, rows, models, coefficients, Gaps::Without);
    exact.held_out().iter().map(|sums| sums.and_then(|sums| scoring.of_sums(&sums))).collect()
}
