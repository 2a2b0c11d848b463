//! What the browser gets: view structs with display-ready values, their templates, and the assets.

pub mod account;
pub mod assets;
pub mod connections;
pub mod connectors;
pub mod form;
pub mod forms;
pub mod help;
pub mod home;
mod icon;
pub mod layout;
pub mod markdown;
pub mod runs;
pub mod settings;
pub mod tables;
#[cfg(test)]
mod tokens;
pub mod workflows;

pub use icon::{Icon, exists as icon_exists, icon};
