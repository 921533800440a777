//! The report of a sweep: pictures, and tables for other plotting programs.

use std::fs;
use std::path::{Path, PathBuf};

use super::paths::{PathFeature, PathLimits, class_paths, n_classes};
use crate::data::{Frame, Values, write_frames};
use crate::error::{DataError, Result};
use crate::model::{CurvePoint, PathPoint, SweepRow, SweepTable};
use crate::output::write_whole;
use crate::plots::{sweep_curve, sweep_path};

/// The files of a report, in the order of writing.
const FILES: [&str; 6] =
    ["curve.svg", "path.svg", "results.parquet", "results.json", "curve.parquet", "coefficients.parquet"];

/// The files of a report in `folder`.
pub fn report_files(folder: &Path) -> Vec<PathBuf> {
    FILES.map(|name| folder.join(name)).to_vec()
}

/// Writes the report into `folder`, which is created if it does not exist, and returns its files: the
/// pictures `curve.svg` and `path.svg`; all results as `results.json`; and as Parquet every model
/// (`results.parquet`), the curves (`curve.parquet`) and every coefficient of the paths
/// (`coefficients.parquet`, one row each).
///
/// `features` belong to the coefficients at each point of `path`.
///
/// # Errors
/// [`DataError::Write`] with the file that cannot be written. Earlier files are complete and stay.
pub fn write_report(
    folder: &Path,
    table: &SweepTable,
    path: &[PathPoint],
    features: &[PathFeature],
) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)
        .map_err(|error| DataError::Write { path: folder.to_owned(), reason: error.to_string() })?;
    let written = report_files(folder);
    let [curve_svg, path_svg, results_parquet, results_json, curve_parquet, coefficients_parquet] =
        FILES.map(|name| folder.join(name));
    write_text(&curve_svg, &sweep_curve(table).svg())?;
    let paths = class_paths(table, path, features, PathLimits::IN_PICTURE);
    write_text(&path_svg, &sweep_path(table, &paths, n_classes(path)).svg())?;
    write_frames(&results_parquet, results(&table.results), [])?;
    let text = serde_json::to_string_pretty(table)
        .map_err(|error| DataError::Write { path: results_json.clone(), reason: error.to_string() })?;
    write_text(&results_json, &(text + "\n"))?;
    write_frames(&curve_parquet, curve(&table.curve), [])?;
    // Point by point, because all of them at once could be larger than the models.
    let points = path.chunks(1).map(|point| coefficients(point, features));
    write_frames(&coefficients_parquet, coefficients(&[], features), points)?;
    Ok(written)
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    write_whole(path, text.as_bytes())
        .map_err(|error| DataError::Write { path: path.to_owned(), reason: error.to_string() }.into())
}

/// One value for each row.
fn each<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn results(rows: &[SweepRow]) -> Frame<'_> {
    vec![
        ("l1", Values::Float(each(rows, |r| r.l1))),
        ("l2", Values::Float(each(rows, |r| r.l2))),
        ("c", Values::OptionalFloat(each(rows, |r| r.c))),
        ("l1_ratio", Values::OptionalFloat(each(rows, |r| r.l1_ratio))),
        ("class", Values::OptionalText(each(rows, |r| r.class.clone()))),
        // The column may mix numbers and text, so it is text.
        ("fold", Values::OptionalText(each(rows, |r| r.fold.as_ref().map(ToString::to_string)))),
        ("score", Values::OptionalFloat(each(rows, |r| r.score))),
        ("objective", Values::Float(each(rows, |r| r.objective))),
        ("kkt_residual", Values::Float(each(rows, |r| r.kkt_residual))),
        ("converged", Values::Boolean(each(rows, |r| r.converged))),
        ("nonzero", Values::Integer(each(rows, |r| r.nonzero as i64))),
        ("iterations", Values::Integer(each(rows, |r| r.iterations as i64))),
    ]
}

fn curve(points: &[CurvePoint]) -> Frame<'_> {
    vec![
        ("l1", Values::Float(each(points, |p| p.l1))),
        ("l2", Values::Float(each(points, |p| p.l2))),
        ("c", Values::OptionalFloat(each(points, |p| p.c))),
        ("l1_ratio", Values::OptionalFloat(each(points, |p| p.l1_ratio))),
        ("class", Values::OptionalText(each(points, |p| p.class.clone()))),
        ("mean", Values::OptionalFloat(each(points, |p| p.mean))),
        ("standard_error", Values::OptionalFloat(each(points, |p| p.standard_error))),
        ("nonzero", Values::OptionalFloat(each(points, |p| p.nonzero))),
        ("best", Values::Boolean(each(points, |p| p.best))),
        ("chosen", Values::Boolean(each(points, |p| p.chosen))),
    ]
}

fn coefficients<'a>(path: &[PathPoint], features: &'a [PathFeature]) -> Frame<'a> {
    // One row for each feature with a nonzero coefficient.
    let rows: Vec<(&PathPoint, &'a PathFeature, f64)> = path
        .iter()
        .flat_map(|p| features.iter().zip(&p.coefficients).map(move |(feature, value)| (p, feature, *value)))
        .collect();
    vec![
        ("l1", Values::Float(each(&rows, |r| r.0.l1))),
        ("l2", Values::Float(each(&rows, |r| r.0.l2))),
        ("l1_ratio", Values::Float(each(&rows, |r| r.0.l1_ratio))),
        ("class", Values::OptionalText(each(&rows, |r| r.0.class.clone()))),
        ("feature", Values::Text(each(&rows, |r| r.1.name.as_str()))),
        ("coefficient", Values::Float(each(&rows, |r| r.2))),
        ("scale", Values::Float(each(&rows, |r| r.1.scale))),
    ]
}
