//! Benches of the passes, the mini-batch loop and the reader; `benches/README.md` holds what was found.
#![allow(missing_docs, reason = "criterion generates the entry points")]

mod data;
mod passes;
mod reading;

criterion::criterion_main!(passes::benches, reading::benches);
