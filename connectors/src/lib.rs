//! Connectors: the contract they are written against ([`sdk`]), the operations themselves, and the one registry that lists them.

pub mod registry;
pub mod sdk;
