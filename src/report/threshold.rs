//! The threshold section: the curves of the positive class, or of one class against the rest, and the
//! decisions at each threshold.

use super::Report;
use super::classes::has_thresholds;
use super::decisions::{Decision, bin_rows, decision, lift_rows, stop_rows};
use super::page::NAME;
use super::plot::Plot;
use super::scores::ClassScores;
use super::text::{score, score_or_dash};
use crate::plots::short;

/// Most characters of a class in the head of a table.
const CLASS: usize = 28;

/// The threshold section, for the class that is shown first.
pub(super) struct Threshold {
    /// The class. `yes` and `no` are the names of both sides in the confusion matrix.
    pub(super) positive: String,
    pub(super) yes: String,
    pub(super) no: String,
    /// Whether the model stores thresholds that are not on the slider.
    pub(super) has_thresholds: bool,
    pub(super) is_weighted: bool,
    pub(super) slider: Slider,
    pub(super) at: Decision,
    pub(super) charts: Charts,
    pub(super) stop_rows: Vec<Vec<String>>,
    pub(super) bin_rows: Vec<Vec<String>>,
    pub(super) lift_rows: Vec<Vec<String>>,
}

/// The initial threshold and stop of the slider, and its last stop.
pub(super) struct Slider {
    pub(super) threshold: String,
    pub(super) own: usize,
    pub(super) last: usize,
}

/// The pictures, and the number above each picture.
pub(super) struct Charts {
    pub(super) auc: String,
    pub(super) roc: String,
    pub(super) average_precision: String,
    pub(super) precision_recall: String,
    pub(super) histogram: String,
    pub(super) ece: String,
    pub(super) calibration: String,
}

impl Threshold {
    pub(super) fn new(report: &Report<'_>) -> Self {
        let scores = &report.classes[0];
        let positive = &report.model.classes[scores.class];
        Self {
            positive: short(positive, NAME),
            yes: short(positive, CLASS),
            no: short(&report.others(scores.class), CLASS),
            has_thresholds: has_thresholds(report.model),
            is_weighted: report.is_weighted,
            slider: Slider {
                threshold: own_threshold(report),
                own: scores.own,
                last: scores.stops.len().saturating_sub(1),
            },
            at: decision(scores),
            charts: Charts::new(report, scores),
            stop_rows: stop_rows(scores),
            bin_rows: bin_rows(scores),
            lift_rows: lift_rows(&report.evaluation.lift),
        }
    }
}

impl Charts {
    fn new(report: &Report<'_>, scores: &ClassScores) -> Self {
        let draw = |plot, id| report.class_plot(plot, scores).inline(id);
        let ranking = scores.ranking;
        Self {
            auc: score_or_dash(ranking.map(|ranking| ranking.auc)),
            roc: draw(Plot::Roc, "roc"),
            average_precision: score_or_dash(ranking.map(|ranking| ranking.average_precision)),
            precision_recall: draw(Plot::PrecisionRecall, "pr"),
            histogram: draw(Plot::Histogram, "histogram"),
            ece: score(scores.calibration.ece),
            calibration: draw(Plot::Calibration, "calibration"),
        }
    }
}

/// The initial threshold of the slider.
pub(super) fn own_threshold(report: &Report<'_>) -> String {
    let scores = &report.classes[0];
    scores.stops.get(scores.own).map_or_else(|| "–".into(), |stop| stop.threshold.clone())
}
