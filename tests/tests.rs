//! All integration tests in one binary, in modules by kind of claim.
#![allow(missing_docs, reason = "tests are named after the claim they check")]

mod cli;
mod cpu;
mod data;
mod gpu;
mod inference;
mod peers;
mod references;
mod solver;
mod support;
mod sweep;
