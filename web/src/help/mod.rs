//! Help: what went wrong, and the page behind each error's code.

pub mod api;
pub mod error;
pub mod https;
pub mod index;
pub mod problem;
pub mod proxies;
