use std::path::PathBuf;

/// A model that cannot be written as ONNX or SQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file cannot be written.
    #[error("cannot write the export {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A graph larger than protocol buffers allow.
    #[error(
        "the ONNX graph would take {bytes} bytes, but the format allows at most {limit}; train with an L1 \
         penalty, or leave out columns with many levels"
    )]
    TooLarge {
        /// Size of the graph, in bytes.
        bytes: usize,
        /// Largest size, in bytes.
        limit: usize,
    },
    /// A name or text that the format cannot hold.
    #[error("{what} {text:?} cannot be written for {form}: {why}; {way_out}")]
    Text {
        /// The kind of name or text.
        what: &'static str,
        /// The text.
        text: String,
        /// The format or dialect.
        form: &'static str,
        /// The reason.
        why: &'static str,
        /// Advice for the user.
        way_out: &'static str,
    },
    /// Two names that the dialect cannot tell apart.
    #[error("{form} cannot tell columns {first:?} and {second:?} apart; rename one of them and train again")]
    SameName {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The dialect.
        form: &'static str,
    },
    /// A column of times that the dialect cannot turn into a number.
    #[error(
        "column {column:?} holds {kind}, which {form} cannot turn into the number that the model needs; \
         choose the dialect of your database"
    )]
    Temporal {
        /// The column.
        column: String,
        /// The type of its values.
        kind: &'static str,
        /// The dialect.
        form: &'static str,
    },
}
