//! Tables of the decisions at thresholds.

use super::scores::ClassScores;
use super::stops::Stop;
use super::text::{count, number, percent, score, score_or_dash};
use crate::metrics::{Bin, LiftPart};

/// Rows of the tables below the charts.
const POINTS: usize = 20;

/// The decisions at a threshold, as text.
pub(super) struct Decision {
    pub(super) tp: String,
    pub(super) fp: String,
    pub(super) fn_: String,
    pub(super) tn: String,
    pub(super) precision: String,
    pub(super) recall: String,
    pub(super) f1: String,
    pub(super) accuracy: String,
    pub(super) specificity: String,
    pub(super) said: String,
    pub(super) cost: String,
    pub(super) cost_row: String,
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The decisions at the first stop of the slider.
pub(super) fn decision(scores: &ClassScores) -> Decision {
    let nothing = Stop { threshold: String::new(), true_positives: 0.0, false_positives: 0.0 };
    let stop = scores.stops.get(scores.own).unwrap_or(&nothing);
    let (tp, fp) = (stop.true_positives, stop.false_positives);
    let (fn_, tn) = (scores.curve.positive - tp, scores.curve.negative - fp);
    let all = tp + fp + fn_ + tn;
    let [text_tp, text_fp, text_fn, text_tn] = [tp, fp, fn_, tn].map(count);
    Decision {
        tp: text_tp,
        fp: text_fp,
        fn_: text_fn,
        tn: text_tn,
        precision: score(ratio(tp, tp + fp)),
        recall: score(ratio(tp, tp + fn_)),
        f1: score(ratio(2.0 * tp, 2.0 * tp + fp + fn_)),
        accuracy: score(ratio(tp + tn, all)),
        specificity: score(ratio(tn, tn + fp)),
        said: percent(ratio(tp + fp, all)),
        cost: count(fp + fn_),
        cost_row: number(ratio(fp + fn_, all)),
    }
}

pub(super) fn stop_rows(scores: &ClassScores) -> Vec<Vec<String>> {
    let (stops, curve) = (&scores.stops, &scores.curve);
    let n = POINTS.min(stops.len());
    let row = |k: usize| {
        let stop = &stops[(k as f64 * (stops.len() - 1) as f64 / (n.max(2) - 1) as f64).round() as usize];
        let (tp, fp) = (stop.true_positives, stop.false_positives);
        vec![
            stop.threshold.clone(),
            score(ratio(tp, tp + fp)),
            score(ratio(tp, curve.positive)),
            score(ratio(fp, curve.negative)),
            score(ratio(2.0 * tp, tp + fp + curve.positive)),
            count(tp),
            count(fp),
        ]
    };
    (0..n).map(row).collect()
}

pub(super) fn bin_rows(scores: &ClassScores) -> Vec<Vec<String>> {
    let row = |bin: &Bin| {
        let positive = bin.weight * bin.observed.unwrap_or(0.0);
        vec![
            format!("{} to {}", number(bin.lower), number(bin.upper)),
            count(bin.weight),
            score_or_dash(bin.mean_probability),
            score_or_dash(bin.observed),
            percent(ratio(positive, scores.curve.positive)),
            percent(ratio(bin.weight - positive, scores.curve.negative)),
        ]
    };
    scores.calibration.bins.iter().map(row).collect()
}

/// The ranking by deciles.
pub(super) fn lift_rows(lift: &[LiftPart]) -> Vec<Vec<String>> {
    let row = |part: &LiftPart| {
        vec![
            percent(part.share),
            number(part.score),
            percent(part.gain),
            number(part.lift),
            number(part.cumulative_lift),
        ]
    };
    lift.iter().map(row).collect()
}
