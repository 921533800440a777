//! Averages over classes.

use super::{Confusion, Ranking};

/// A mean over the classes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Average {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1 score.
    pub f1: f64,
    /// Mean area under the ROC curve, over the classes that have one; null for `micro`.
    pub auc: Option<f64>,
    /// Mean average precision, over the classes that have one; null for `micro`.
    pub average_precision: Option<f64>,
}

/// The three usual means over classes.
///
/// # References
/// scikit-learn, `precision_recall_fscore_support` and `roc_auc_score` with `average="macro"`,
/// `"micro"` and `"weighted"`, over the classes that are true or predicted somewhere.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Averages {
    /// Every class counts the same.
    #[serde(rename = "macro")]
    pub by_class: Average,
    /// Every row counts the same: true positives and predictions are summed over all classes. With one label
    /// for each row, all three metrics equal the accuracy.
    pub micro: Average,
    /// Every class counts with the weight of its rows.
    pub weighted: Average,
}

impl Averages {
    /// Averages over the classes of `confusion`; `rankings` has the ranking of each class against the rest,
    /// or is empty.
    pub fn new(confusion: &Confusion, rankings: &[Option<Ranking>]) -> Self {
        let present: Vec<usize> = (0..confusion.n_classes()).filter(|&k| confusion.occurs(k)).collect();
        let margins = confusion.margins();
        let mean = |weight: &dyn Fn(usize) -> f64| {
            let of = |value: &dyn Fn(usize) -> Option<f64>| {
                let known = present.iter().filter_map(|&k| Some((weight(k), value(k)?)));
                let (total, sum) = known.fold((0.0, 0.0), |(total, sum), (w, v)| (total + w, sum + w * v));
                (total > 0.0).then(|| sum / total)
            };
            let ranking = |k: usize| rankings.get(k).copied().flatten();
            Average {
                precision: of(&|k| Some(margins.precision(k))).unwrap_or(0.0),
                recall: of(&|k| Some(margins.recall(k))).unwrap_or(0.0),
                f1: of(&|k| Some(margins.f1(k))).unwrap_or(0.0),
                auc: of(&|k| ranking(k).map(|r| r.auc)),
                average_precision: of(&|k| ranking(k).map(|r| r.average_precision)),
            }
        };
        let accuracy = margins.accuracy();
        Self {
            by_class: mean(&|_| 1.0),
            micro: Average {
                precision: accuracy,
                recall: accuracy,
                f1: accuracy,
                auc: None,
                average_precision: None,
            },
            weighted: mean(&|k| margins.truth[k]),
        }
    }
}
