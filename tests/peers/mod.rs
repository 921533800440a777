//! What other programs make of the product's outputs.

mod export;
mod report;
mod support;
