//! Selects the coefficient paths that are drawn or stored.

use crate::data::Encoding;
use crate::model::{ClassPath, FeaturePath, PathPoint, SweepTable};

/// Limits of the stored paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathLimits {
    /// Most classes.
    pub classes: usize,
    /// Most features of each class.
    pub features: usize,
    /// Most penalties, including the first and the last.
    pub penalties: usize,
}

impl PathLimits {
    /// Limits for a picture.
    pub const IN_PICTURE: Self = Self { classes: 12, features: 200, penalties: usize::MAX };
    /// Limits for a model file: at most some hundred kilobytes.
    pub const IN_MODEL: Self = Self { classes: 12, features: 30, penalties: 60 };
}

/// A feature on a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathFeature {
    /// Name of the encoded feature.
    pub name: String,
    /// Factor that gives the coefficient of the standardised column.
    pub scale: f64,
}

/// The features of an encoding, in the order of their coefficients.
pub fn path_features(encoding: &Encoding) -> Vec<PathFeature> {
    let scales = encoding.panel_transform().into_iter().map(|(_, scale)| scale);
    encoding
        .feature_names()
        .into_iter()
        .zip(scales)
        .map(|(name, scale)| PathFeature { name, scale })
        .collect()
}

/// The paths of the first classes, each at the L1 share chosen for it, with the coefficients that are largest
/// per standard deviation. `features` belong to the coefficients at each point of `path`.
pub fn class_paths(
    table: &SweepTable,
    path: &[PathPoint],
    features: &[PathFeature],
    kept: PathLimits,
) -> Vec<ClassPath> {
    let of_class = |class: Option<&str>| {
        let mut points: Vec<_> = path.iter().filter(|point| point.class.as_deref() == class).collect();
        let share = table
            .chosen_for(class)
            .and_then(|choice| choice.l1_ratio)
            .or_else(|| points.iter().find(|point| point.l1 + point.l2 > 0.0).map(|point| point.l1_ratio));
        // Without a penalty there is no L1 share; that point belongs to every path.
        points
            .retain(|point| point.l1 + point.l2 == 0.0 || share.is_none_or(|share| share == point.l1_ratio));
        points.sort_by(|a, b| (b.l1 + b.l2).total_cmp(&(a.l1 + a.l2)));
        let largest = largest(&points, features, kept.features);
        thin(&mut points, kept.penalties);
        let feature = |&j: &usize| FeaturePath {
            feature: features[j].name.clone(),
            coefficients: points.iter().map(|point| rounded(point.coefficients[j])).collect(),
            scale: features[j].scale,
        };
        ClassPath {
            class: class.map(str::to_owned),
            l1_ratio: share.unwrap_or(0.0),
            lambda: points.iter().map(|point| point.l1 + point.l2).collect(),
            n_features: points.iter().map(|point| point.coefficients.len()).max().unwrap_or(0),
            features: largest.iter().map(feature).collect(),
        }
    };
    classes(path).into_iter().take(kept.classes).map(of_class).collect()
}

/// Number of classes with a path.
pub(super) fn n_classes(path: &[PathPoint]) -> usize {
    classes(path).len()
}

fn classes(path: &[PathPoint]) -> Vec<Option<&str>> {
    let mut classes: Vec<Option<&str>> = Vec::new();
    for point in path {
        if !classes.contains(&point.class.as_deref()) {
            classes.push(point.class.as_deref());
        }
    }
    classes
}

/// The features with the largest coefficients at the end of the path; earlier coefficients break ties.
fn largest(points: &[&PathPoint], of: &[PathFeature], most: usize) -> Vec<usize> {
    let n = points.iter().map(|point| point.coefficients.len()).min().unwrap_or(0);
    let mut size = vec![(0.0_f64, 0.0_f64); n];
    for point in points {
        for (((last, most), value), feature) in size.iter_mut().zip(&point.coefficients).zip(of) {
            if value.is_finite() {
                *last = (value * feature.scale).abs();
                *most = most.max(*last);
            }
        }
    }
    let mut features: Vec<usize> = (0..n).filter(|&j| size[j].1 > 0.0).collect();
    features.sort_by(|&a, &b| size[b].0.total_cmp(&size[a].0).then(size[b].1.total_cmp(&size[a].1)));
    features.truncate(most);
    features
}

/// Removes points between the ends, evenly.
fn thin(points: &mut Vec<&PathPoint>, most: usize) {
    let n = points.len();
    if n > most {
        *points = (0..most).map(|k| points[k * (n - 1) / (most - 1)]).collect();
    }
}

/// Rounds to six significant digits; a picture shows fewer.
fn rounded(coefficient: f64) -> f64 {
    format!("{coefficient:.5e}").parse().unwrap_or(coefficient)
}
