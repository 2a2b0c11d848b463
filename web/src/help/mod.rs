//! Help: what went wrong, and the page behind each error's code.

pub mod problem;
