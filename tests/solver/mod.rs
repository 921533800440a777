//! Solvers against optimality conditions, and the stack against its models alone.

mod descent;
mod exact;
mod glmnet;
mod hard;
mod random;
mod sgd;
mod support;
