//! Solvers against optimality conditions, and the stack against its models alone.

mod descent;
mod exact;
mod glmnet;
mod hard;
mod sgd;
mod support;
