//! The command as a user meets it: arguments, files, exit codes, what stands on which stream.

mod borders;
mod config;
mod configs;
mod evaluate;
mod exact;
mod export;
mod memory;
mod model_file;
mod nan;
mod outputs;
mod readme;
mod report;
mod rows;
mod setup;
pub(crate) mod support;
mod threshold;
mod train;
mod usage;
mod use_model;
