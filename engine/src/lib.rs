//! The engine: what a workflow is, what it means, and what a run of it does next.
//!
//! Everything here is a pure function over data. Nothing reads a clock, opens a socket, or knows that a database exists; time,
//! randomness and results are arguments. The server around it adds time, calls connectors and writes records.
//!
//! Read in this order: [`workflow`] is the document people build, [`catalogue`] describes the operations its steps may use,
//! [`validate`] says where a document is not well formed, [`edit`] changes it. [`expr`] and [`condition`] give its fields their
//! values. [`lines`] are the steps that open lines side by side. [`plan`] prepares a version for running; [`record`] is what happened, [`outputs`] what expressions see of it, [`state`] folds records, [`planner`] answers with
//! what to do next, [`retry`] decides about repeats; [`schedule`] says when something starts by itself;
//! [`uses`] says what a document names outside of itself; [`table`] is the rows that workflows share.

pub mod catalogue;
pub mod condition;
pub mod edit;
pub mod error;
pub mod event;
pub mod expr;
pub mod ids;
pub mod json;
pub mod lines;
pub mod outputs;
pub mod plan;
pub mod planner;
pub mod pure;
pub mod record;
#[cfg(test)]
mod rehearsal;
pub mod retry;
pub mod schedule;
pub mod state;
pub mod table;
pub mod uses;
pub mod validate;
pub mod workflow;

/// A JSON value with its keys in the order they arrived.
///
/// Numbers are 64-bit integers or doubles. [`json::read`] keeps a number that neither can hold exactly as text, digit for digit.
pub use serde_json::Value as Json;
/// A JSON object with its keys in the order they arrived.
pub type Object = serde_json::Map<String, Json>;
