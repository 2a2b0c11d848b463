//! Settings: one's own account, the workspace with its members, and the instance.

pub mod account;
pub mod confirm;
pub mod instance;
pub mod link;
pub mod members;
pub mod reachability;
pub mod restored;
pub mod tokens;
pub mod variables;
pub mod workspace;
