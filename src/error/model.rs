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
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the model file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not even the beginning of a JSON object.
    #[error("{} is not a logodds model file: it is {found}; give the file that train wrote", path.display())]
    NotModel {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: &'static str,
    },
    /// JSON, perhaps, but not a model of ours.
    #[error("{} is not a logodds model: its \"format\" is {found}, expected \"logodds\"", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What stands there, as JSON.
        found: String,
    },
    /// A model of a version that this program does not know.
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
        /// The version that is read.
        supported: u32,
    },
    /// Text that is not the JSON of a model.
    #[error("{} is damaged: {message}; train again or restore it from a copy", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// Parts that contradict each other, or numbers that are none.
    #[error("{} is not a usable model: {what}", path.display())]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No row to compare a prediction with.
    #[error(
        "no row can be evaluated: all {rows_dropped} lack a label in column {target:?} or a feature; evaluate on \
         data that carries its labels, or use predict"
    )]
    NoLabels {
        /// The target column.
        target: String,
        /// Rows seen.
        rows_dropped: usize,
    },
    /// A threshold that data of one side cannot choose.
    #[error("no threshold can be chosen for class {class:?}: {found} is of it; choose on data of both sides")]
    OneSide {
        /// The class.
        class: String,
        /// How many rows are of it.
        found: &'static str,
    },
    /// Thresholds that are best for each class and not for the decision between them.
    #[error(
        "the thresholds chosen by {by}, each for a class alone, make the decision between all classes worse: {metric} \
         {with:.4}, without thresholds {without:.4}; nothing is stored: look with --dry-run, choose by another \
         criterion, or store them with --allow-worse"
    )]
    WorseDecision {
        /// What they were chosen by.
        by: String,
        /// What the decision is judged by.
        metric: &'static str,
        /// Without thresholds.
        without: f64,
        /// With them.
        with: f64,
    },
    /// A rate that no threshold reaches.
    #[error(
        "no threshold reaches {by} for class {class:?}: the nearest is {best:.4}, from probability {at:.4} on; ask \
         for less, or choose by another rate"
    )]
    Unreachable {
        /// The class.
        class: String,
        /// What was asked for.
        by: String,
        /// What comes nearest.
        best: f64,
        /// Its threshold.
        at: f64,
    },
}
