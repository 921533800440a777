//! Benches of the passes, the mini-batch loop, the reader and whole fits; `benches/README.md` holds what was found.
#![allow(missing_docs, reason = "criterion generates the entry points")]

mod data;
mod judging;
mod passes;
mod reading;
mod training;

criterion::criterion_main!(judging::benches, passes::benches, reading::benches, training::benches);
