//! Sweeps: every model of the stack against the model alone, against scikit-learn, and after a kill.

mod alone;
mod checkpoint;
mod choice;
mod report;
mod scores;
mod table;
