//! ROC and precision-recall curves, with the point of a threshold.

use super::axis::{number, unit_axis};
use super::canvas::{Canvas, Pen, short};
use super::frame::{Frame, Room};
use super::picture::Picture;
use crate::metrics::{Curve, Point, Ranking};

const SIZE: (f64, f64) = (420.0, 380.0);
const ROOM: Room = Room { left: 52.0, right: 12.0, top: 12.0, bottom: 42.0 };

/// Draws the true positive rate against the false positive rate. `at` is marked, `class` the positive side.
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
        curve,
        at,
        place,
    )
}

/// Draws precision against recall, likewise.
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
    draw(words, ("recall", "precision"), [(0.0, prevalence), (1.0, prevalence)], curve, at, place)
}

const NOTHING: &str = "no curve: the data hold one side only";

fn draw(
    words: [String; 3],
    (x, y): (&str, &str),
    chance: [(f64, f64); 2],
    curve: &Curve,
    at: Option<Point>,
    place: impl Fn(&Point) -> (f64, f64),
) -> Picture {
    let mut canvas = Canvas::default();
    let frame = Frame::new((0.0, 0.0), SIZE, ROOM, unit_axis(), unit_axis());
    frame.draw(&mut canvas);
    frame.name(&mut canvas, x, y);
    frame.locate(&mut canvas);
    canvas.group("chance", |canvas| {
        canvas.polyline(&chance.map(|point| frame.place(point)), &Pen::FAINT.dashed(), 1.2);
    });
    if curve.positive > 0.0 && curve.negative > 0.0 {
        let points: Vec<_> = curve.points.iter().map(|point| frame.place(place(point))).collect();
        canvas.group("curve", |canvas| canvas.polyline(&points, &Pen::named(0), 2.2));
        if let Some(point) = at {
            let (x, y) = frame.place(place(&point));
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
