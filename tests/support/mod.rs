//! Helpers for several tests.

mod close;
pub(crate) mod problems;

pub(crate) use close::assert_close;
