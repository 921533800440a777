use std::path::PathBuf;

/// A model that has no form as ONNX or SQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file cannot be written.
    #[error("cannot write the export {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A graph that protocol buffers cannot hold.
    #[error(
        "the ONNX graph would take {bytes} bytes, and files of that format end at {limit}; train with an L1 \
         penalty, or leave out columns of many levels"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest possible.
        limit: usize,
    },
    /// A name or text that the format cannot hold.
    #[error("{what} {text:?} cannot be written for {form}: {why}; {way_out}")]
    Text {
        /// What it names.
        what: &'static str,
        /// The text.
        text: String,
        /// The format or dialect.
        form: &'static str,
        /// What stands in the way.
        why: &'static str,
        /// What to do.
        way_out: &'static str,
    },
    /// Two names that the dialect takes for one.
    #[error("{form} takes columns {first:?} and {second:?} for one; rename one of them and train again")]
    SameName {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The dialect.
        form: &'static str,
    },
    /// A column of times, for a dialect without a way to its number.
    #[error(
        "column {column:?} holds {kind}, which {form} cannot turn into the number that the model wants; \
         choose the dialect of your database"
    )]
    Temporal {
        /// The column.
        column: String,
        /// What it holds.
        kind: &'static str,
        /// The dialect.
        form: &'static str,
    },
}
