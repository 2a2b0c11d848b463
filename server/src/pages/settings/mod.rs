//! Settings: one's own account, and the workspace's.

pub mod account;
pub mod password;
pub mod profile;
pub mod sessions;
pub mod workspace;
