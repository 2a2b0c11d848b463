//! Runs: the list, one run that moves while it is looked at, and what a person may do about it.

pub mod act;
pub mod download;
pub mod list;
pub mod live;
mod naming;
pub mod picture;
pub mod rounds;
pub mod show;
pub(crate) mod words;
