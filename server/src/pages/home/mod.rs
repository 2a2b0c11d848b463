//! Home: how it goes.

pub mod show;
