//! The catalogue of connectors.

pub mod icon;
pub mod list;
pub mod show;
