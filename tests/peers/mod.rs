//! What other programs make of the product's outputs.

mod export;
mod readme;
mod report;
mod support;
