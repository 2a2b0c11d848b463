//! The catalogue of connectors.

pub mod list;
pub mod show;
