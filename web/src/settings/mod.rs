//! Settings: one's own account, and the workspace's.

pub mod account;
pub mod workspace;
