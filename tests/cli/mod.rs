//! The command as a user meets it: arguments, files, exit codes, what stands on which stream.

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
