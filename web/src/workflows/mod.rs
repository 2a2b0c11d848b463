//! Workflows: the list, what it says of each, and the builder's page.

pub mod builder;
pub mod delete;
pub mod examples;
pub mod list;
pub mod starters;
pub mod summary;
