//! Workflows: the list, and what it says of each.

pub mod delete;
pub mod list;
pub mod starters;
pub mod summary;
