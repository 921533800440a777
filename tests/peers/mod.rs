//! What other programs make of the product's outputs.

mod report;
mod support;
