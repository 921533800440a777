//! From Parquet to panels: finds files and columns, and encodes values as numbers.
//!
//! The only module that uses arrow and parquet. It knows no solver and no device.

mod ahead;
mod beyond;
mod block_memory;
mod blocks;
mod chunks;
mod columns;
mod deal;
mod encode_block;
mod encoding;
mod fill;
mod folds;
mod footer;
mod frame;
mod hold_out;
mod in_order;
mod keys;
mod known;
mod learn;
mod levels;
mod limits;
mod memory;
mod nearest;
mod options;
mod page_checks;
mod page_header;
mod pages;
mod paths;
mod rows;
mod scatter;
mod schema;
mod signature;
mod source;
mod statistics;
mod target;
mod thrift;
mod training;
mod validation;
mod values;
mod weights;
mod writer;

pub use block_memory::block_rows;
pub use blocks::{Block, Blocks, BlocksOptions, KeptColumns, blocks, blocks_in};
pub use encode_block::EncodedRows;
pub use encoding::{Column, ColumnKind, Encoding, LevelType, Target, TargetType, Temporal, Unit};
pub use folds::{FoldName, Folding, Folds};
pub use frame::{Frame, Values, write_frames};
pub use limits::available_memory;
pub use options::{Missing, Nan, ReadOptions};
pub use source::{Source, open};
pub use training::{Dataset, ReadProgress, TableShape, read_training, read_training_in_spans};
pub use validation::{Encoded, Room, read_encoded};
pub use writer::{PREDICTION, PredictionWriter};
