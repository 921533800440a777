//! Standard errors, tests and intervals of trained models.

mod nearly;
mod refusals;
mod statsmodels;
mod stored;
mod theory;
