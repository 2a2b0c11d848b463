//! JSON for the builder and for programs, under `/api/v1`: one file per resource.

/// The operations a workflow may use and the functions of its expressions.
pub mod catalogue;
pub mod runs;
/// A workflow's trigger: its address, who may call, what arrived.
pub mod triggers;
/// Workflows: drafts, edits, versions, states, trials of single steps.
pub mod workflows;
