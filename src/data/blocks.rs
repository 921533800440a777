//! Reads a table in file order, block by block, for prediction and evaluation.

use super::chunks::{BATCH_ROWS, Chunks, Types};
use super::encode_block::{EncodedRows, RowPlace, View};
use super::in_order::in_order;
use super::keys::{Keys, NULL_ID};
use super::options::{column, weight_column};
use super::rows::DROPPED;
use super::source::{RowGroup, Source};
use super::target::{ClassIndex, by_group, target_error};
use super::training::Reading;
use super::weights::batch_weights;
use super::{Encoding, Nan, Target};
use crate::error::DataError;
use crate::panels::Panels;
use arrow_array::ArrayRef;
use rayon::prelude::*;
use std::sync::mpsc::Receiver;

/// What to read in addition to the features.
#[derive(Debug, Clone, Default)]
pub struct BlocksOptions<'a> {
    /// The target, to compare predictions with.
    pub target: Option<&'a Target>,
    /// Column of row weights.
    pub weight: Option<String>,
    /// Columns to pass through.
    pub keep: Vec<String>,
    /// For each encoding: which numeric features to store exactly, with a second float32 word. None by
    /// default.
    pub exact: Vec<Vec<bool>>,
    /// Most rows of a block. A block never crosses a row group.
    pub rows_per_block: usize,
}

/// Columns passed through, as they were read.
#[derive(Debug, Clone)]
pub struct KeptColumns {
    pub(crate) columns: Vec<ArrayRef>,
}

/// Some consecutive rows of one row group.
#[derive(Debug)]
pub struct Block {
    /// The encoded features; slot i is the i-th row of the block.
    pub panels: Panels,
    /// Class of each row; none if its target is null.
    pub class: Option<Vec<Option<u32>>>,
    /// Weight of each row.
    pub weight: Option<Vec<f64>>,
    /// The columns passed through.
    pub keep: KeptColumns,
    /// For each column of the encoding: number of rows with a level not seen in training.
    pub unseen: Vec<usize>,
    /// Rows, ascending, with a null that the model cannot fill. Their features must not be used.
    pub incomplete: Vec<usize>,
    /// The same rows in each further encoding.
    pub also: Vec<EncodedRows>,
    /// Number of rows.
    pub rows: usize,
    /// Index of the first row in the table.
    pub first_row: usize,
}

/// The blocks of a table, in file order.
pub struct Blocks<'a> {
    source: &'a Source,
    /// One for each encoding.
    views: Vec<View>,
    /// The columns that the views need.
    columns: Vec<usize>,
    /// Number of columns that are read together.
    together: usize,
    classes: Option<ClassIndex>,
    /// How a NaN in the target is treated.
    nan: Nan,
    weight: Option<usize>,
    keep: Vec<usize>,
    rows_per_block: usize,
    next_group: usize,
    open: Option<OpenGroup<'a>>,
    failed: bool,
    /// Used panels of each view, to be reused.
    pub(super) spares: Option<Receiver<Vec<Panels>>>,
}

struct OpenGroup<'a> {
    group: RowGroup,
    row: usize,
    features: Vec<Chunks<'a>>,
    target: Option<Chunks<'a>>,
    weight: Option<Chunks<'a>>,
    keep: Option<Chunks<'a>>,
    keys: Keys,
}

/// Reads a table in file order with an encoding from training.
///
/// # Errors
/// If the columns do not match those of training. A block is an error if it cannot be decoded, or has an
/// invalid value or a class not seen in training.
pub fn blocks<'a>(
    source: &'a Source,
    encoding: &Encoding,
    options: BlocksOptions<'_>,
) -> crate::Result<Blocks<'a>> {
    blocks_in(source, &[encoding], options)
}

/// [`blocks`] in several encodings at once. A column that several encodings need is read and decoded once.
/// The first encoding gives the block's own features, the others its [`Block::also`].
///
/// # Errors
/// As [`blocks`], for any of the encodings.
///
/// # Panics
/// Without an encoding.
pub fn blocks_in<'a>(
    source: &'a Source,
    encodings: &[&Encoding],
    options: BlocksOptions<'_>,
) -> crate::Result<Blocks<'a>> {
    assert!(!encodings.is_empty(), "rows are read in an encoding");
    open_blocks(source, encodings, options).map_err(|error| source.name_in(error))
}

fn open_blocks<'a>(
    source: &'a Source,
    encodings: &[&Encoding],
    options: BlocksOptions<'_>,
) -> crate::Result<Blocks<'a>> {
    let mut columns = Vec::new();
    let views = encodings.iter().enumerate().map(|(k, encoding)| {
        let exact = options.exact.get(k).map_or(&[][..], Vec::as_slice);
        View::new(source, encoding, exact, &mut columns)
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    let classes = options.target.map(|target| ClassIndex::new(source, target)).transpose()?;
    let weight = options.weight.as_deref().map(|name| weight_column(source, name)).transpose()?;
    let keep = options.keep.iter().map(|name| column(source, name, "keep")).collect::<Result<_, _>>()?;
    Ok(Blocks {
        source,
        views,
        together: (columns.len() / 64).clamp(1, 256),
        columns,
        classes,
        // NaN is an error if any encoding refuses it.
        nan: encodings.iter().map(|encoding| encoding.nan).find(|nan| !nan.is_null()).unwrap_or_default(),
        weight,
        keep,
        rows_per_block: options.rows_per_block.max(1),
        next_group: 0,
        open: None,
        failed: false,
        spares: None,
    })
}

impl Iterator for Blocks<'_> {
    type Item = crate::Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.read();
        self.failed = next.is_err();
        next.map_err(Into::into).transpose()
    }
}

impl<'a> Blocks<'a> {
    fn read(&mut self) -> Result<Option<Block>, DataError> {
        loop {
            if self.open.is_none() {
                let Some(&group) = self.source.groups.get(self.next_group) else {
                    self.source.unchanged()?;
                    return Ok(None);
                };
                self.next_group += 1;
                if group.n_rows == 0 {
                    continue;
                }
                self.open = Some(self.open_group(group)?);
            }
            let Some(mut open) = self.open.take() else { continue };
            if let Some(block) = self.block(&mut open)? {
                if open.row < open.group.n_rows {
                    self.open = Some(open);
                }
                return Ok(Some(block));
            }
        }
    }

    fn open_group(&self, group: RowGroup) -> Result<OpenGroup<'a>, DataError> {
        let (source, rows_per_block) = (self.source, self.rows_per_block);
        let open =
            move |columns: &[usize], types| Chunks::open(source, group, columns, types, rows_per_block);
        Ok(OpenGroup {
            group,
            row: 0,
            features: in_order(self.columns.par_chunks(self.together), |columns| {
                open(columns, Types::Decoding)
            })?,
            target: self.classes.as_ref().map(|c| open(&[c.column], Types::Decoding)).transpose()?,
            weight: self.weight.map(|column| open(&[column], Types::Decoding)).transpose()?,
            keep: (!self.keep.is_empty()).then(|| open(&self.keep, Types::Natural)).transpose()?,
            keys: Keys::new(NULL_ID as usize, self.nan),
        })
    }

    fn block(&self, open: &mut OpenGroup<'a>) -> Result<Option<Block>, DataError> {
        let rows = self.rows_per_block.min(open.group.n_rows - open.row);
        let arrays = in_order(open.features.par_iter_mut(), |chunks| next(chunks, rows))?;
        let arrays: Vec<ArrayRef> = arrays.into_iter().flatten().collect();
        let place = RowPlace { source: self.source, group: open.group, row: open.row };
        let mut spare = self.spares.as_ref().and_then(|spares| spares.try_recv().ok()).unwrap_or_default();
        let encoded = self.views.iter().map(|view| {
            let panels = (!spare.is_empty()).then(|| spare.remove(0));
            view.encode(&place, &arrays, rows, panels)
        });
        let mut also = encoded.collect::<Result<Vec<_>, _>>()?;
        let EncodedRows { panels, unseen, incomplete } = also.remove(0);
        drop(arrays);

        let class = match (&mut open.target, &self.classes) {
            (Some(chunks), Some(classes)) => {
                let array = next(chunks, rows)?.swap_remove(0);
                let mut ids = Vec::new();
                open.keys.ids(&array, &mut ids).map_err(|error| {
                    target_error(self.source, classes.column, &open.group, open.row, error)
                })?;
                let known: Vec<Option<u32>> = open.keys.keys().iter().map(|k| classes.class(k)).collect();
                if let Some(id) = known.iter().position(Option::is_none) {
                    let row = ids.iter().position(|&found| found as usize == id).unwrap_or(0);
                    return Err(DataError::UnknownClass {
                        path: self.source.path(&open.group),
                        column: self.source.columns[classes.column].name.clone(),
                        row_group: open.group.index,
                        row: open.row + row,
                        value: open.keys.keys()[id].name(),
                    });
                }
                Some(ids.iter().map(|&id| known.get(id as usize).copied().flatten()).collect())
            }
            _ => None,
        };
        let weight = match (&mut open.weight, self.weight) {
            (Some(chunks), Some(column)) => {
                let array = next(chunks, rows)?.swap_remove(0);
                Some(batch_weights(self.source, column, &open.group, open.row, &array, |_| true)?)
            }
            _ => None,
        };
        let columns = open.keep.as_mut().map(|chunks| next(chunks, rows)).transpose()?.unwrap_or_default();
        let first_row = open.group.first_row + open.row;
        open.row += rows;
        let keep = KeptColumns { columns };
        Ok(Some(Block { panels, class, weight, keep, unseen, incomplete, also, rows, first_row }))
    }
}

/// The next batch, which must have `rows` rows.
fn next(chunks: &mut Chunks<'_>, rows: usize) -> Result<Vec<ArrayRef>, DataError> {
    match chunks.next()? {
        Some(arrays) if arrays.iter().all(|a| a.len() == rows) => Ok(arrays),
        found => Err(chunks.blame(&format!(
            "{} rows found where {rows} were expected",
            found.and_then(|arrays| arrays.first().map(|a| a.len())).unwrap_or(0)
        ))),
    }
}

/// The class code of each row. Also counts the rows with a null target, and those of an unknown class.
pub(crate) fn class_codes(
    reading: &Reading<'_>,
    classes: &ClassIndex,
) -> Result<(Vec<u16>, usize, usize), DataError> {
    let source = reading.source;
    let mut codes = vec![DROPPED; source.n_rows()];
    let counts: Vec<(usize, usize)> =
        in_order(by_group(source, &mut codes).into_par_iter().zip(&source.groups), |(codes, group)| {
            let mut chunks = Chunks::open(source, *group, &[classes.column], Types::Decoding, BATCH_ROWS)?;
            let mut keys = Keys::new(NULL_ID as usize, reading.nan);
            let (mut ids, mut known) = (Vec::new(), Vec::new());
            let (mut row, mut null, mut unknown) = (0, 0, 0);
            while let Some(arrays) = chunks.next()? {
                reading.check()?;
                keys.ids(&arrays[0], &mut ids)
                    .map_err(|error| target_error(source, classes.column, group, row, error))?;
                known.extend(keys.keys()[known.len()..].iter().map(|key| classes.class(key)));
                for (code, &id) in codes[row..].iter_mut().zip(&ids) {
                    match known.get(id as usize) {
                        None => null += 1,
                        Some(None) => unknown += 1,
                        Some(Some(class)) => *code = u16::try_from(*class).unwrap_or(DROPPED),
                    }
                }
                row += ids.len();
            }
            Ok((null, unknown))
        })?;
    let (null, unknown) = counts.iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    Ok((codes, null, unknown))
}
