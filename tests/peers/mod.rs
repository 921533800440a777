//! Tests that run other programs on the outputs.

mod export;
mod readme;
mod report;
mod support;
