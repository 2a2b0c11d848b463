//! Runs: the list, one run, the decision about an uncertain effect.

pub mod list;
pub mod show;
