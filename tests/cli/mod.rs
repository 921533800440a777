//! The command line: arguments, files, exit codes, and the contents of stdout and stderr.

mod beyond;
mod borders;
mod config;
mod configs;
mod evaluate;
mod exact;
mod export;
mod failures;
mod memory;
mod model_file;
mod names;
mod nan;
mod outputs;
mod readme;
mod report;
mod rows;
mod setup;
mod stdout;
pub(crate) mod support;
mod threshold;
mod train;
mod usage;
mod use_model;
mod weights;
