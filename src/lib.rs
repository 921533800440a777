//! GPU-accelerated batch training of logistic regression, straight from Parquet.
//!
//! Every model of a problem (classes, penalties) is one column of a stacked coefficient
//! matrix, trained together in each pass over the data. `ARCHITECTURE.md` is the map.

pub mod config;
pub mod data;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod inference;
pub mod metrics;
pub mod model;
pub mod objective;
pub mod observer;
pub mod output;
pub mod panels;
pub mod plots;
pub mod predict;
pub mod report;
pub mod scoring;
pub mod solver;
pub mod sweep;
pub mod threshold;
pub mod train;

pub use error::{Error, Result};

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
