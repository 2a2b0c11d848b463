//! JSON for the builder and for programs, under `/api/v1`: one file per resource.

/// What the attempts of a run's steps got, did and gave.
pub mod attempts;
/// The operations a workflow may use and the functions of its expressions.
pub mod catalogue;
/// Links to accounts at services.
pub mod connections;
/// What programs send, read with care.
pub mod extract;
/// Writes that may be repeated.
pub mod idempotency;
/// The accounts of the instance.
pub mod instance;
/// Addresses and roles that wait for somebody to take them up.
pub mod invitations;
/// Who works in the workspace.
pub mod members;
/// The document of the API.
pub mod openapi;
/// Reachability, and what came from a backup.
pub mod operations;
/// Lists in pages.
pub mod page;
/// The rounds of a run's loop.
pub mod rounds;
/// The list of runs.
pub mod run_list;
/// One run with the state of each step.
pub mod runs;
/// Who one is, and where one is signed in.
pub mod sessions;
/// Data tables, their rows and files.
pub mod tables;
/// What programs come in by.
pub mod tokens;
/// A workflow's trigger: its address, who may call, what arrived.
pub mod triggers;
/// Named values that expressions read.
pub mod variables;
/// Workflows: drafts, edits, versions, states, trials of single steps.
pub mod workflows;
/// The workspace's settings, one's workspaces, all workspaces.
pub mod workspaces;
