//! Help and errors.

pub mod problem;
