//! Home.

pub mod show;
