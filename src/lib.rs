//! GPU-accelerated batch training of logistic regression, straight from Parquet.
//!
//! Every model of a problem (classes, penalties, folds) is one column of a stacked coefficient matrix, trained
//! together in each pass over the data.
//!
//! | to | call |
//! | --- | --- |
//! | train | [`train::train`] with a checked [`config::TrainConfig`] |
//! | search penalties | [`sweep::Sweep`] with a checked [`config::TuneConfig`] |
//! | predict a table | [`predict::predict`] |
//! | evaluate models | [`evaluate::evaluate`], [`evaluate::compare`] |
//! | store and load a model | [`model::Model::save`], [`model::Model::load`] |
//! | get standard errors | [`inference::infer`] |
//! | export as ONNX or SQL | [`export`] |
//!
//! The other modules are what these are built from; they change more often. `ARCHITECTURE.md` is their map.
//!
//! # Examples
//!
//! ```
//! use logodds::config::{Device, TrainConfig};
//! use logodds::observer::Silent;
//! use logodds::predict::{PredictOptions, predict};
//! use logodds::train::train;
//!
//! # fn main() -> logodds::Result<()> {
//! let config = TrainConfig {
//!     data: vec!["data/iris/train.parquet".into()],
//!     target: Some("species".into()),
//!     device: Some(Device::Cpu),
//!     ..TrainConfig::default()
//! };
//! let model = train(&config.check()?, &Silent)?.model;
//! assert!(model.models.iter().all(|one| one.converged));
//!
//! let output = std::env::temp_dir().join(format!("logodds-{}.parquet", std::process::id()));
//! let table = ["data/iris/test.parquet".to_owned()];
//! let report = predict(&model, &table, &output, &PredictOptions::default(), &Silent)?;
//! assert_eq!(report.rows, 38);
//! # std::fs::remove_file(output).unwrap();
//! # Ok(())
//! # }
//! ```

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
