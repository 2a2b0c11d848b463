//! Settings: one's own account, the workspace with its members, and the instance.

pub mod account;
pub mod delete_workspace;
pub mod instance;
pub mod members;
pub mod password;
pub mod profile;
pub mod reachability;
pub mod restored;
pub mod sessions;
pub mod tokens;
pub mod variables;
pub mod workspace;
