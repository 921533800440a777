//! ROC and precision-recall curves, with the point of a threshold marked.

use super::axis::{number, unit_axis};
use super::canvas::{Canvas, Pen, short};
use super::frame::{Frame, Room};
use super::picture::Picture;
use crate::metrics::{Curve, Point, Ranking};

const SIZE: (f64, f64) = (420.0, 380.0);
const ROOM: Room = Room { left: 52.0, right: 12.0, top: 12.0, bottom: 42.0 };

/// Draws the true positive rate against the false positive rate; marks `at`; `class` is the positive class.
pub fn roc_curve(curve: &Curve, ranking: Option<Ranking>, at: Option<Point>, class: &str) -> Picture {
    let place = |point: &Point| (curve.false_positive_rate(point), curve.recall(point));
    let area = ranking.map(|ranking| ranking.auc);
    let words = [
        format!("ROC curve of {}", short(class, 40)),
        area.map_or_else(|| NOTHING.to_owned(), |area| format!("area under the curve {area:.4}")),
        "True positive rate against false positive rate for every threshold; dashed: what chance gives. The values are \
         in the table of thresholds."
            .to_owned(),
    ];
    draw(
        words,
        ("false positive rate", "true positive rate (recall)"),
        [(0.0, 0.0), (1.0, 1.0)],
        (curve, &curve.points.iter().map(place).collect::<Vec<_>>()),
        at.as_ref().map(place),
    )
}

/// Draws precision against recall, with the same arguments.
pub fn precision_recall_curve(
    curve: &Curve,
    ranking: Option<Ranking>,
    at: Option<Point>,
    class: &str,
) -> Picture {
    let place = |point: &Point| (curve.recall(point), point.precision());
    let prevalence = curve.positive / (curve.positive + curve.negative).max(f64::MIN_POSITIVE);
    let average = ranking.map(|ranking| ranking.average_precision);
    let words = [
        format!("Precision-recall curve of {}", short(class, 40)),
        average.map_or_else(
            || NOTHING.to_owned(),
            |average| format!("average precision {average:.4}; dashed: share of positives {}", number(prevalence)),
        ),
        "Precision against recall for every threshold; dashed: the share of positives, which chance gives. The values \
         are in the table of thresholds."
            .to_owned(),
    ];
    let line = steps(curve.points.iter().map(place));
    let chance = [(0.0, prevalence), (1.0, prevalence)];
    draw(words, ("recall", "precision"), chance, (curve, &line), at.as_ref().map(place))
}

/// Each recall has the precision of the first threshold that reaches it, as in the sum of the average
/// precision. No threshold lies between two points, so a straight line between them would be wrong.
fn steps(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (recall, precision) in points {
        if let Some(&(before, _)) = line.last() {
            line.push((before, precision));
        }
        line.push((recall, precision));
    }
    line
}

const NOTHING: &str = "no curve: the data have one side only";

fn draw(
    words: [String; 3],
    (x, y): (&str, &str),
    chance: [(f64, f64); 2],
    (curve, line): (&Curve, &[(f64, f64)]),
    at: Option<(f64, f64)>,
) -> Picture {
    let mut canvas = Canvas::default();
    let frame = Frame::new((0.0, 0.0), SIZE, ROOM, unit_axis(), unit_axis());
    frame.draw(&mut canvas);
    frame.name(&mut canvas, x, y);
    frame.locate(&mut canvas, 0.0);
    canvas.group("chance", |canvas| {
        canvas.polyline(&chance.map(|point| frame.place(point)), &Pen::FAINT.dashed(), 1.2);
    });
    if curve.positive > 0.0 && curve.negative > 0.0 {
        let points: Vec<_> = line.iter().map(|&point| frame.place(point)).collect();
        canvas.group("curve", |canvas| canvas.polyline(&points, &Pen::named(0), 2.2));
        if let Some(point) = at {
            let (x, y) = frame.place(point);
            canvas.element(
                "circle",
                &[
                    ("class", &"dot mark"),
                    ("cx", &format!("{x:.1}")),
                    ("cy", &format!("{y:.1}")),
                    ("r", &6.0),
                ],
            );
        }
    } else {
        canvas.write((frame.middle(), f64::midpoint(frame.top, frame.bottom)), "note mid", NOTHING);
    }
    Picture::new(SIZE, words, canvas)
}
