//! Helpers for several tests.

mod close;
pub(crate) mod problems;
mod reference;
pub(crate) mod twins;

pub(crate) use close::assert_close;
