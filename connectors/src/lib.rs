//! Connectors: the contract they are written against ([`sdk`]), the operations themselves, and the one registry that lists them.
//!
//! One folder per connector or family of operations; each operation is a file that describes itself as data
//! ([`towpath_engine::catalogue::Operation`]) and, where it acts outside, carries itself out ([`sdk::Action`]).

pub mod code;
pub mod data;
pub mod email;
#[path = "../feed/mod.rs"]
mod feed;
pub mod flow;
pub mod http;
pub mod manifest;
mod native;
pub mod registry;
pub mod scaffold;
pub mod sdk;
pub mod suite;
pub mod table;
pub mod triggers;
