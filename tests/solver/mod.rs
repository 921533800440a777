//! Solvers against optimality conditions, and the stack against its models alone.

mod sgd;
