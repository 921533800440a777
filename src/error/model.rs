use std::path::PathBuf;

/// A model file that cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The file cannot be opened.
    #[error("cannot read the model file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the model file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A file that does not begin like a JSON object.
    #[error("{} is not a logodds model file: it is {found}; give the file that train wrote", path.display())]
    NotModel {
        /// The file.
        path: PathBuf,
        /// What the file looks like.
        found: &'static str,
    },
    /// JSON that is not a logodds model.
    #[error("{} is not a logodds model: its \"format\" is {found}, expected \"logodds\"", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The value of `format`, as JSON.
        found: String,
    },
    /// A model of a version that this program cannot read.
    #[error(
        "{} is a model file of version {found}; this program reads version {supported}: train again, \
         or use the release that wrote it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found, as JSON.
        found: String,
        /// The supported version.
        supported: u32,
    },
    /// Text that is not valid JSON of a model.
    #[error("{} is damaged: {message}; train again or restore it from a copy", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The fault, with line and column.
        message: String,
    },
    /// Parts that contradict each other, or numbers that are not finite.
    #[error("{} is not a usable model: {what}", path.display())]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// No row has a label.
    #[error(
        "no row can be evaluated: all {rows_dropped} rows lack a label in column {target:?} or a feature; evaluate on \
         data with labels, or use predict"
    )]
    NoLabels {
        /// The target column.
        target: String,
        /// Number of rows read.
        rows_dropped: usize,
    },
    /// No threshold can be chosen, because all rows are on one side.
    #[error(
        "no threshold can be chosen for class {class:?}: {found} belongs to it; choose on data with rows of this class and of others"
    )]
    OneSide {
        /// The class.
        class: String,
        /// "every row" or "no row".
        found: &'static str,
    },
    /// Thresholds that are best for each class, but make the multiclass decision worse.
    #[error(
        "the thresholds chosen by {by}, one class at a time, make the decision between all classes worse: {metric} is \
         {with:.4} with them, {without:.4} without; nothing is stored: look with --dry-run, choose by another \
         criterion, or store them with --allow-worse"
    )]
    WorseDecision {
        /// The criterion they were chosen by.
        by: String,
        /// The metric that judges the decision.
        metric: &'static str,
        /// The metric without thresholds.
        without: f64,
        /// The metric with thresholds.
        with: f64,
    },
    /// A rate that no threshold reaches.
    #[error(
        "no threshold reaches {by} for class {class:?}: the nearest is {best:.4}, at threshold {at:.4}; ask \
         for less, or choose by another rate"
    )]
    Unreachable {
        /// The class.
        class: String,
        /// The rate requested.
        by: String,
        /// The nearest rate.
        best: f64,
        /// The threshold of the nearest rate.
        at: f64,
    },
}
