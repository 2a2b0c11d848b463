//! The list of workflows, what is done there to a whole workflow, and the builder's page.

pub mod builder;
pub mod create;
pub mod delete;
pub mod duplicate;
pub mod examples;
pub mod list;
pub mod rename;
pub mod state;
