//! Pages about connections.

pub mod choose;
pub mod delete;
pub mod edit;
pub mod list;
