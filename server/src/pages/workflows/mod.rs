//! The list of workflows, and what is done there to a whole workflow.

pub mod create;
pub mod delete;
pub mod duplicate;
pub mod list;
pub mod rename;
pub mod state;
