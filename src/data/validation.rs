//! Reads a table for validation, with the encoding from training.

use super::blocks::class_codes;
use super::deal::SPAN_ROWS;
use super::fill::{Part, fill};
use super::known::Known;
use super::limits::available_memory;
use super::memory::Budget;
use super::options::weight_column;
use super::rows::{RowPlan, is_trained};
use super::source::Source;
use super::target::ClassIndex;
use super::training::{ReadProgress, Reading, rows_of};
use super::weights::read_weights;
use super::{Encoding, Target};
use crate::panels::{Panels, Rows};

/// The memory that another table may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Room {
    /// The user's memory limit in bytes. Default: the available memory.
    pub memory: Option<u64>,
    /// Bytes of the limit that are in use or reserved.
    pub held: u64,
}

impl Room {
    /// Bytes that are left.
    pub fn left(&self) -> u64 {
        self.memory.or_else(available_memory).unwrap_or(u64::MAX).saturating_sub(self.held)
    }
}

/// A table read with an encoding from training.
#[derive(Debug)]
pub struct Encoded {
    /// The encoded features.
    pub panels: Panels,
    /// Classes and weights.
    pub rows: Rows,
    /// Number of rows dropped because of a null target.
    pub rows_dropped: usize,
    /// Number of rows dropped because their class was not seen in training.
    pub rows_of_unknown_class: usize,
    /// For each column of the encoding: number of rows with a level not seen in training.
    pub unseen: Vec<usize>,
}

/// Reads a table for validation, with the encoding and the classes from training.
///
/// Rows with a null target, or with a class not seen in training, are dropped and counted.
///
/// # Errors
/// As [`super::read_training`]; and if the columns do not match those of training.
pub fn read_encoded(
    source: &Source,
    encoding: &Encoding,
    target: &Target,
    weight: Option<&str>,
    room: Room,
    progress: &dyn ReadProgress,
) -> crate::Result<Encoded> {
    encode(source, encoding, target, weight, room, progress).map_err(|error| source.name_in(error))
}

fn encode(
    source: &Source,
    encoding: &Encoding,
    target: &Target,
    weight: Option<&str>,
    room: Room,
    progress: &dyn ReadProgress,
) -> crate::Result<Encoded> {
    let classes = ClassIndex::new(source, target)?;
    let weight = weight.map(|name| weight_column(source, name)).transpose()?;
    let known = Known::new(source, encoding)?;
    let columns = known.fill(encoding);
    let reading = Reading::new(source, encoding.nan, progress, columns.len());
    let (codes, rows_dropped, rows_of_unknown_class) = class_codes(&reading, &classes)?;
    let weights = weight.map(|column| read_weights(&reading, column, &codes)).transpose()?;
    let plan = RowPlan::new(source, codes, weights, SPAN_ROWS);
    let spans = plan.spans(source, is_trained, 0);
    let n_rows = rows_of(&spans);
    let n_features = encoding.n_features();
    let width = |c: &super::Column| (c.name.clone(), c.width());
    let widths: Vec<_> = encoding.columns.iter().map(width).collect();
    Budget::new(room.memory).beside(source, &known.columns)?.check(n_rows, &widths, room.held)?;
    let mut panels = Panels::zeros(n_rows, n_features);
    let part = Part { panels: &mut panels, spans: &spans };
    let filled = fill(&reading, &plan, &columns, part, None)?;
    source.unchanged()?;
    let unseen =
        (0..columns.len()).map(|column| filled.iter().map(|span| span[column].unseen).sum()).collect();
    let rows = plan.deal(source, is_trained, &spans, target.classes.len(), None);
    Ok(Encoded { panels, rows, rows_dropped, rows_of_unknown_class, unseen })
}
